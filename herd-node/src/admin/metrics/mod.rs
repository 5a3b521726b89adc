//! `GET /metrics`: what a server counts and measures, for Prometheus and what reads the same. docs/metrics.md says what each means and what
//! to do about it; a test holds the two together.
//!
//! All of it is one look at the server, [`Status`], and what is too much for that: the whole histogram, the process.

mod exposition;
mod links;
mod parts;

use crate::net::{LATENCY_BOUNDS_US, Latencies, Shared};
use crate::status::{self, Status};

use exposition::{Exposition, Kind};

pub(super) use exposition::CONTENT_TYPE;

/// What the process uses. Read where a thread may wait for the system.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Process {
    open_files: Option<u64>,
    files_max: Option<u64>,
    resident_bytes: Option<u64>,
}

impl Process {
    pub(super) fn read() -> Self {
        Self {
            open_files: status::open_files(),
            files_max: status::files_max(),
            resident_bytes: status::resident_bytes(),
        }
    }
}

/// Readers of `/events` now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Readers(pub(super) usize);

/// All metrics as text.
pub(super) fn text(shared: &Shared, status: &Status, process: Process, readers: Readers) -> String {
    let mut out = Exposition::default();
    write_server(&mut out, status);
    write_clients(&mut out, shared, status);
    write_latencies(&mut out, &shared.latency.read());
    parts::write_replica(&mut out, shared, status);
    links::write(&mut out, &status.peers);
    if let Some(journal) = &status.journal {
        parts::write_journal(&mut out, journal);
    }
    if let Some(disk) = &status.disk {
        parts::write_disk(&mut out, disk);
    }
    if let Some(places) = &status.places {
        parts::write_places(&mut out, places);
    }
    out.gauge("herd_admin_readers", "Readers of /events.", readers.0);
    write_process(&mut out, process);
    out.finish()
}

fn write_server(out: &mut Exposition, status: &Status) {
    let labels = [("version", status.version), ("herd", status.herd.as_str()), ("server", status.name.as_str())];
    out.family("herd_build_info", Kind::Gauge, "Always 1; who this is.").sample(&labels, 1);
    out.gauge("herd_uptime_seconds", "Since the server was set up.", status.uptime_ms as f64 / 1e3);
    out.gauge("herd_ready", "1 if clients should be sent here.", u8::from(status.ready.ready));
    let mut alarms = out.family("herd_alarms", Kind::Gauge, "Alarms that are raised, by their name.");
    for alarm in status::Alarm::ALL {
        let raised = status.alarms.iter().filter(|raised| raised.alarm == alarm).count();
        alarms.sample(&[("alarm", alarm.as_str())], raised);
    }
}

fn write_clients(out: &mut Exposition, shared: &Shared, status: &Status) {
    out.gauge("herd_clients_connected", "Connections of clients.", status.clients);
    let max = shared.gate.connections_max(&shared.live().limits);
    out.gauge("herd_clients_connected_max", "Connections of clients that there may be.", max);
    let counters = &status.counters;
    let mut posts = out.family("herd_posts_total", Kind::Counter, "Posts of clients, by what became of them.");
    for (outcome, count) in
        [("newer", counters.posts_newer), ("known", counters.posts_known), ("full", counters.posts_full)]
    {
        posts.sample(&[("outcome", outcome)], count);
    }
    out.counter("herd_lookups_total", "WHATSATs that were answered with a position.", shared.lookups());
    let mut refused =
        out.family("herd_refused_total", Kind::Counter, "What was refused, dropped or cut off, by reason.");
    for (reason, count) in shared.tally.counts() {
        refused.sample(&[("reason", reason.as_str())], count);
    }
}

fn write_latencies(out: &mut Exposition, latencies: &Latencies) {
    let help = "From when a post was read until its reply could be sent.";
    let mut family = out.family("herd_post_duration_seconds", Kind::Histogram, help);
    let mut so_far = 0;
    for (at, count) in latencies.counts.iter().enumerate() {
        so_far += count;
        let bound = LATENCY_BOUNDS_US.get(at).map(|micros| (*micros as f64 / 1e6).to_string());
        family.part("_bucket", &[("le", bound.as_deref().unwrap_or("+Inf"))], so_far);
    }
    family.part("_sum", &[], latencies.nanos as f64 / 1e9);
    family.part("_count", &[], so_far);
}

fn write_process(out: &mut Exposition, process: Process) {
    let all = [
        ("herd_process_open_files", "Files that the process has open.", process.open_files),
        ("herd_process_open_files_max", "Files that it may have open.", process.files_max),
        ("herd_process_resident_bytes", "Memory that it holds.", process.resident_bytes),
    ];
    for (name, help, value) in all {
        // Not every system tells.
        if let Some(value) = value {
            out.gauge(name, help, value);
        }
    }
}
