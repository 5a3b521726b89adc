//! What the replica, the journal, the disk log and the places service count.

use super::exposition::{Exposition, Kind};
use crate::net::Shared;
use crate::places::google::{self, BreakerState};
use crate::status::Status;
use crate::{disk, journal};

pub(super) fn write_replica(out: &mut Exposition, shared: &Shared, status: &Status) {
    let (limits, counters) = (shared.live().limits.clone(), &status.counters);
    out.gauge("herd_records", "Clients that are known.", status.records);
    out.gauge("herd_records_max", "Clients that may be known.", limits.clients_max);
    out.gauge("herd_record_bytes", "Bytes of records held.", status.record_bytes);
    out.gauge("herd_record_bytes_max", "Bytes of records that may be held.", limits.records_bytes_max);
    let all = [
        ("herd_updates_sent_total", "Records sent to peers.", counters.updates_sent),
        (
            "herd_updates_sent_catching_up_total",
            "Of those, records that the peer had missed.",
            counters.updates_sent_catching_up,
        ),
        ("herd_updates_received_total", "Records received from peers.", counters.updates_received),
        ("herd_updates_newer_total", "Of those, the newest known.", counters.updates_newer),
        ("herd_updates_full_total", "Records of peers dropped for want of room.", counters.updates_full),
        (
            "herd_updates_hops_exhausted_total",
            "Records not passed on because of their hop count.",
            counters.updates_hops_exhausted,
        ),
        ("herd_updates_expired_total", "Records of peers whose life was over.", counters.updates_expired),
        ("herd_records_expired_total", "Records whose life has ended here.", counters.records_expired),
        ("herd_records_forgotten_total", "Records forgotten some time after that.", counters.records_forgotten),
        ("herd_peer_lines_invalid_total", "Lines of proven peers that were no message.", counters.peer_lines_invalid),
    ];
    for (name, help, count) in all {
        out.counter(name, help, count);
    }
}

pub(super) fn write_journal(out: &mut Exposition, journal: &journal::Stats) {
    let mut lines =
        out.family("herd_journal_lines_total", Kind::Counter, "Lines of the journal, by what became of them.");
    let all = [
        ("written", journal.lines_written),
        ("dropped", journal.lines_dropped),
        ("unwritten", journal.lines_unwritten),
    ];
    for (outcome, count) in all {
        lines.sample(&[("outcome", outcome)], count);
    }
    let is_failing = u8::from(journal.failure.is_some());
    out.gauge("herd_journal_failing", "1 if the journal's file can't be written.", is_failing);
}

pub(super) fn write_disk(out: &mut Exposition, disk: &disk::Stats) {
    let mut records =
        out.family("herd_disk_records_total", Kind::Counter, "Records for the disk log, by what became of them.");
    let all =
        [("appended", disk.records_appended), ("committed", disk.records_committed), ("dropped", disk.records_dropped)];
    for (outcome, count) in all {
        records.sample(&[("outcome", outcome)], count);
    }
    out.counter("herd_disk_commits_total", "Syncs that made records committed.", disk.commits);
    out.counter("herd_disk_written_bytes_total", "Bytes written to logs.", disk.bytes_written);
    out.counter("herd_disk_failures_total", "Logs and snapshots that could not be written.", disk.failures);
    out.counter("herd_disk_snapshots_total", "Snapshots made.", disk.snapshots);
    out.gauge("herd_disk_log_bytes", "Bytes in the logs since the last snapshot.", disk.log_bytes);
    out.gauge("herd_disk_snapshot_bytes", "Bytes of the last snapshot.", disk.snapshot_bytes);
    out.gauge("herd_disk_failing", "1 if nothing is committed now.", u8::from(disk.failure.is_some()));
}

pub(super) fn write_places(out: &mut Exposition, places: &google::Stats) {
    let counters = [
        ("herd_places_calls_total", "Calls of the places service, retries among them.", places.calls),
        ("herd_places_retries_total", "Of those, the retries.", places.retries),
        ("herd_places_shared_total", "Questions answered by another's call.", places.shared),
        ("herd_places_abandoned_total", "Questions that nobody waited for any more.", places.abandoned),
    ];
    for (name, help, count) in counters {
        out.counter(name, help, count);
    }
    let failures = &places.failures;
    let by_status = [
        ("INVALID_REQUEST", failures.invalid_request),
        ("OVER_QUERY_LIMIT", failures.over_query_limit),
        ("REQUEST_DENIED", failures.request_denied),
        ("UNKNOWN_ERROR", failures.unknown_error),
    ];
    let mut family = out.family("herd_places_failures_total", Kind::Counter, "Calls that failed, by status.");
    by_status.iter().for_each(|(status, count)| family.sample(&[("status", *status)], count));
    let refusals =
        [("budget", places.budget_refusals), ("queue", places.queue_refusals), ("breaker", places.breaker_refusals)];
    let mut family =
        out.family("herd_places_refusals_total", Kind::Counter, "Questions refused without a call, by why.");
    refusals.iter().for_each(|(why, count)| family.sample(&[("why", *why)], count));
    write_places_now(out, places);
}

fn write_places_now(out: &mut Exposition, places: &google::Stats) {
    let mut breaker = out.family("herd_places_breaker_state", Kind::Gauge, "1 for the state that the breaker is in.");
    let states =
        [("closed", BreakerState::Closed), ("open", BreakerState::Open), ("half_open", BreakerState::HalfOpen)];
    for (word, state) in states {
        breaker.sample(&[("state", word)], u8::from(places.breaker == state));
    }
    out.gauge("herd_places_in_flight", "Calls under way.", places.in_flight);
    out.gauge("herd_places_queued", "Questions that wait for a call.", places.queued);
    let budgets = [("minute", places.budget.minute), ("day", places.budget.day)];
    let there = || budgets.iter().filter_map(|(window, left)| Some((*window, (*left)?)));
    if there().next().is_none() {
        return;
    }
    let mut max = out.family("herd_places_budget_calls_max", Kind::Gauge, "Calls that a budget is for.");
    there().for_each(|(window, left)| max.sample(&[("window", window)], left.max));
    let mut family = out.family("herd_places_budget_calls_left", Kind::Gauge, "Calls that are left of a budget.");
    there().for_each(|(window, left)| family.sample(&[("window", window)], left.left));
}
