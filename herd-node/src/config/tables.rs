//! The tables of plain settings: `[places]`, `[journal]`, `[limits]`, `[replication]`.

use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use super::files;
use super::read::{Section, Value};
use super::{ConfigError, Limits, Problem, Replication};
use crate::disk;
use crate::journal;
use crate::net::Rate;
use crate::places::{self, Backend, Mask, google};
use crate::secret::Secret;

const MIB: u64 = 1024 * 1024;
const HOUR_MS: u64 = 3_600_000;
const BACKENDS: [(&str, Backend); 3] =
    [("embedded", Backend::Embedded), ("google", Backend::Google), ("google-legacy", Backend::GoogleLegacy)];
const MASKS: [(&str, Mask); 2] = [("pro", Mask::Pro), ("enterprise", Mask::Enterprise)];

/// Table `[journal]`.
pub(super) fn journal(table: &Section<'_>, base: &Path) -> Result<Option<journal::Settings>, ConfigError> {
    table.only(&["enabled", "directory", "file_bytes_max", "files_kept", "queue_bytes_max", "status_s"])?;
    let mut settings = journal::Settings::default();
    settings.directory = match table.value("directory") {
        Some(value) => files::path_of(&value)?,
        None => base.join(&settings.directory),
    };
    table.number("file_bytes_max", 4_096..=MIB * MIB, &mut settings.file_bytes_max)?;
    table.number("files_kept", 0..=1_000, &mut settings.files_kept)?;
    table.number("queue_bytes_max", 65_536..=1_024 * MIB, &mut settings.queue_bytes_max)?;
    let mut status_seconds = settings.status_every.map(|every| every.as_secs());
    table.number_or_off("status_s", 0..=86_400, &mut status_seconds)?;
    settings.status_every = status_seconds.map(Duration::from_secs);
    let is_on = table.value("enabled").map_or(Ok(true), |value| value.boolean())?;
    Ok(is_on.then_some(settings))
}

/// Table `[disk]`.
pub(super) fn disk(table: &Section<'_>, base: &Path) -> Result<disk::Settings, ConfigError> {
    table.only(&["directory", "commit_wait_ms", "commit_records", "compact_bytes_min", "queue_bytes_max"])?;
    let mut settings = disk::Settings::default();
    settings.directory = match table.value("directory") {
        Some(value) => files::path_of(&value)?,
        None => base.join(&settings.directory),
    };
    table.millis("commit_wait_ms", 0..=1_000, &mut settings.commit_wait)?;
    table.number("commit_records", 1..=1_000_000, &mut settings.commit_records)?;
    table.number("compact_bytes_min", 4_096..=MIB * MIB, &mut settings.compact_bytes_min)?;
    table.number("queue_bytes_max", MIB..=16_384 * MIB, &mut settings.queue_bytes_max)?;
    Ok(settings)
}

/// Table `[limits]`.
pub(super) fn limits(table: &Section<'_>) -> Result<Limits, ConfigError> {
    table.only(&[
        "client_line_bytes_max",
        "connections_max",
        "connections_per_ip_max",
        "ip6_prefix_bits",
        "loopback_is_limited",
        "lines_per_s_max",
        "lines_burst_max",
        "lines_per_s_per_ip_max",
        "lines_burst_per_ip_max",
        "invalid_lines_max",
        "first_line_ms",
        "line_ms",
        "idle_ms",
        "output_bytes_max",
        "pending_max",
        "write_stall_ms",
        "clients_max",
        "records_bytes_max",
        "time_ahead_s_max",
        "unproven_max",
        "peer_invalid_lines_max",
        "handshake_ms",
        "ack_wait_ms",
    ])?;
    let mut limits = Limits::default();
    table.number("client_line_bytes_max", 512..=12_288, &mut limits.client_line_bytes_max)?;
    table.number("connections_max", 1..=1_000_000, &mut limits.connections_max)?;
    table.number_or_off("connections_per_ip_max", 0..=1_000_000, &mut limits.connections_per_ip_max)?;
    table.number("ip6_prefix_bits", 1..=128, &mut limits.ip6_prefix_bits)?;
    if let Some(value) = table.value("loopback_is_limited") {
        limits.loopback_is_limited = value.boolean()?;
    }
    limits.lines = rate(table, "lines_per_s_max", "lines_burst_max")?;
    limits.lines_per_ip = rate(table, "lines_per_s_per_ip_max", "lines_burst_per_ip_max")?;
    table.number_or_off("invalid_lines_max", 0..=1_000_000, &mut limits.invalid_lines_max)?;
    table.millis("first_line_ms", 100..=HOUR_MS, &mut limits.first_line)?;
    table.millis("line_ms", 100..=HOUR_MS, &mut limits.line)?;
    table.millis("idle_ms", 100..=24 * HOUR_MS, &mut limits.idle)?;
    table.number("output_bytes_max", 4_096..=16 * MIB, &mut limits.output_bytes_max)?;
    table.number("pending_max", 1..=65_536, &mut limits.pending_max)?;
    table.millis("write_stall_ms", 100..=HOUR_MS, &mut limits.write_stall)?;
    table.number("clients_max", 1..=100_000_000, &mut limits.clients_max)?;
    table.number("records_bytes_max", MIB..=MIB * MIB, &mut limits.records_bytes_max)?;
    let mut seconds_ahead = limits.time_ahead_max.map(|ahead| ahead.as_secs());
    table.number_or_off("time_ahead_s_max", 0..=3_153_600_000, &mut seconds_ahead)?;
    limits.time_ahead_max = seconds_ahead.map(Duration::from_secs);
    table.number("unproven_max", 1..=4_096, &mut limits.unproven_max)?;
    table.number("peer_invalid_lines_max", 0..=1_000_000, &mut limits.peer_invalid_lines_max)?;
    table.millis("handshake_ms", 100..=60_000, &mut limits.handshake)?;
    table.millis("ack_wait_ms", 10..=60_000, &mut limits.ack_wait)?;
    Ok(limits)
}

/// Two keys of a rate: how many a second, 0 being no limit, and how many at once, 0 being as many as in a second.
fn rate(table: &Section<'_>, per_s: &'static str, burst: &'static str) -> Result<Option<Rate>, ConfigError> {
    let number = |key| table.value(key).map(|value| value.number::<u32>(0..=1_000_000)).transpose();
    let lines = number(per_s)?.and_then(NonZeroU32::new);
    let at_once = number(burst)?.and_then(NonZeroU32::new);
    match (lines, table.value(burst)) {
        (None, Some(value)) if at_once.is_some() => Err(value.error(Problem::NeedsRate(per_s))),
        _ => Ok(lines.map(|lines| Rate { per_s: lines, burst: at_once.unwrap_or(lines) })),
    }
}

/// Replies that promise the disk can come in time: a commit gathers for a while, and has to be written then.
pub(super) fn commits_in_time(root: &Section<'_>, limits: &Limits, disk: &disk::Settings) -> Result<(), ConfigError> {
    let (found, least, why) = (limits.ack_wait, disk.commit_wait * 2, "twice commit_wait_ms");
    for table in ["limits", "disk"] {
        at_least(&root.section(table)?, ["ack_wait_ms", "commit_wait_ms"], found, least, why)?;
    }
    Ok(())
}

/// Table `[replication]`.
pub(super) fn replication(table: &Section<'_>) -> Result<Replication, ConfigError> {
    table.only(&["ping_ms", "dead_ms", "backoff_min_ms", "backoff_max_ms", "hops_max", "ttl_s"])?;
    let mut replication = Replication::default();
    table.millis("ping_ms", 50..=60_000, &mut replication.ping)?;
    table.millis("dead_ms", 100..=600_000, &mut replication.dead)?;
    table.millis("backoff_min_ms", 10..=60_000, &mut replication.backoff_min)?;
    table.millis("backoff_max_ms", 10..=600_000, &mut replication.backoff_max)?;
    table.number("hops_max", 1..=255, &mut replication.hops_max)?;
    let mut ttl_seconds: Option<u64> = None;
    table.number_or_off("ttl_s", 0..=3_153_600_000, &mut ttl_seconds)?;
    replication.ttl = ttl_seconds.map(Duration::from_secs);
    let Replication { ping, dead, backoff_min, backoff_max, .. } = &replication;
    // One lost ping must not look like death.
    at_least(table, ["dead_ms", "ping_ms"], *dead, *ping * 2, "twice ping_ms")?;
    at_least(table, ["backoff_max_ms", "backoff_min_ms"], *backoff_max, *backoff_min, "backoff_min_ms")?;
    Ok(replication)
}

/// Table `[places]`, and the environment's key.
pub(super) fn places(table: &Section<'_>, env_key: Option<Secret>) -> Result<places::Settings, ConfigError> {
    table.only(&[
        "backend",
        "base_url",
        "key_file",
        "data",
        "mask",
        "type",
        "ca_file",
        "fallback",
        "connect_timeout_ms",
        "deadline_ms",
        "body_max_bytes",
        "in_flight_max",
        "queue_max",
        "breaker_failures",
        "breaker_pause_ms",
        "calls_per_minute",
        "calls_per_day",
    ])?;
    let mut settings = places::Settings { key: env_key, ..places::Settings::default() };
    upstream(table, &mut settings)?;
    bounds(table, &mut settings)?;
    Ok(settings)
}

fn upstream(table: &Section<'_>, settings: &mut places::Settings) -> Result<(), ConfigError> {
    if let Some(value) = table.value("data") {
        settings.data = value.list()?.iter().map(files::readable).collect::<Result<_, _>>()?;
    }
    settings.ca_file = table.value("ca_file").map(|value| files::readable(&value)).transpose()?;
    if let Some(value) = table.value("mask") {
        settings.mask = value.choice(&MASKS)?;
    }
    settings.place_type = table.value("type").map(|value| place_type(&value)).transpose()?;
    if let Some(value) = table.value("fallback") {
        settings.fallback = value.boolean()?;
    }
    settings.base_url = table.value("base_url").map(|value| endpoint(&value)).transpose()?;
    if let (Some(value), None) = (table.value("key_file"), &settings.key) {
        settings.key = Some(files::private(&value, files::parse_key)?);
    }
    if let Some(value) = table.value("backend") {
        settings.backend = value.choice(&BACKENDS)?;
        // Of a stand-in on this machine, too: the backend does not start without one.
        if settings.backend != Backend::Embedded && settings.key.is_none() {
            let name = BACKENDS.iter().find(|(_, backend)| *backend == settings.backend).map_or("", |(name, _)| name);
            return Err(value.error(Problem::NeedsKey(name)));
        }
    }
    Ok(())
}

fn bounds(table: &Section<'_>, settings: &mut places::Settings) -> Result<(), ConfigError> {
    table.millis("connect_timeout_ms", 10..=60_000, &mut settings.connect_timeout)?;
    table.millis("deadline_ms", 10..=300_000, &mut settings.deadline)?;
    table.number("body_max_bytes", 1_024..=256 * MIB, &mut settings.body_max)?;
    table.number("in_flight_max", 1..=4_096, &mut settings.in_flight_max)?;
    table.number("queue_max", 0..=1_000_000, &mut settings.queue_max)?;
    table.number("breaker_failures", 1..=1_000_000, &mut settings.breaker_failures)?;
    table.millis("breaker_pause_ms", 1..=HOUR_MS, &mut settings.breaker_pause)?;
    let budget = |key| table.value(key).map(|value| value.number(1..=1_000_000_000)).transpose();
    settings.calls_per_minute = budget("calls_per_minute")?;
    settings.calls_per_day = budget("calls_per_day")?;
    Ok(())
}

fn place_type(value: &Value<'_>) -> Result<String, ConfigError> {
    let text = value.string()?;
    let is_word = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    if is_word && (1..=64).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err(value.error(Problem::BadPlaceType(text.to_owned())))
    }
}

/// A URL to ask at. Its text is in no error: someone may have put a key into it.
fn endpoint(value: &Value<'_>) -> Result<String, ConfigError> {
    let text = value.string()?;
    let bad = |why| Err(value.error(Problem::BadUrl(why)));
    let Ok(url) = text.parse::<hyper::Uri>() else { return bad("it cannot be read") };
    let (Some(scheme), Some(authority)) = (url.scheme_str(), url.authority()) else {
        return bad("it should begin with https://");
    };
    if authority.as_str().contains('@') {
        return bad("it should name no user");
    }
    // hyper's parser drops a fragment without a word.
    if text.contains(['?', '#']) {
        return bad("it should end with its path: the key goes into places.key_file");
    }
    match scheme {
        "http" if !google::is_loopback(authority.host()) => bad("http only reaches loopback addresses: use https"),
        // The backend has the last word: what it would refuse later is refused here, where the line is known.
        "http" | "https" => match google::endpoint_problem(text) {
            Some(why) => bad(why),
            None => Ok(text.to_owned()),
        },
        _ => bad("it should begin with https://"),
    }
}

/// Refuses `found`, which is the first key's, below `least`, which is the second's: at whichever of them the file has.
fn at_least(
    table: &Section<'_>,
    keys: [&'static str; 2],
    found: Duration,
    least: Duration,
    why: &'static str,
) -> Result<(), ConfigError> {
    let given = keys.iter().find_map(|key| table.value(key));
    match given {
        Some(value) if found < least => {
            let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
            Err(value.error(Problem::TooLittle { key: keys[0], found: millis(found), least: millis(least), why }))
        }
        _ => Ok(()),
    }
}
