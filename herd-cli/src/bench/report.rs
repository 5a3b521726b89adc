//! What was measured, as it is reported. The JSON is documented in `--help`; fields may be added, these stay.

use serde::Serialize;

pub(crate) use super::meter::Summary;

/// One of the three.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "bench", rename_all = "lowercase")]
pub(crate) enum Report {
    Load(LoadReport),
    Propagation(PropagationReport),
    Burst(BurstReport),
}

/// Whether requests wait for replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Loop {
    Closed,
    Open,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct LoadReport {
    pub(crate) mode: Loop,
    /// Addresses; of the echo, that word.
    pub(crate) servers: Vec<String>,
    pub(crate) connections: usize,
    pub(crate) pipeline: usize,
    pub(crate) clients: usize,
    pub(crate) whatsat_share: f64,
    /// Requests a second that were wanted.
    pub(crate) rate: Option<f64>,
    pub(crate) warmup_s: f64,
    pub(crate) duration_s: f64,
    pub(crate) requests: u64,
    pub(crate) replies: u64,
    pub(crate) invalid: u64,
    pub(crate) unsent: u64,
    pub(crate) requests_per_s: f64,
    pub(crate) replies_per_s: f64,
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
    pub(crate) latency_us: Summary,
    /// For people: what the servers are called, and what has to be known to read the figures.
    #[serde(skip)]
    pub(crate) names: Vec<String>,
    #[serde(skip)]
    pub(crate) notes: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct PropagationReport {
    pub(crate) servers: Vec<String>,
    pub(crate) samples: u64,
    /// Requests a second of the load meanwhile that were wanted, and replies a second that came.
    pub(crate) rate: Option<f64>,
    pub(crate) replies_per_s: Option<f64>,
    /// Until the last server has shown it.
    pub(crate) latency_us: Summary,
    pub(crate) by_server: Vec<ServerReport>,
    /// One question and its reply: no latency is known better.
    pub(crate) poll_us: Summary,
    #[serde(skip)]
    pub(crate) names: Vec<String>,
    #[serde(skip)]
    pub(crate) notes: Vec<String>,
}

/// Until one server has shown the posts that were made at others.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ServerReport {
    pub(crate) server: String,
    pub(crate) latency_us: Summary,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct BurstReport {
    pub(crate) servers: Vec<String>,
    pub(crate) clients: usize,
    pub(crate) window_s: f64,
    pub(crate) connected: u64,
    pub(crate) answered: u64,
    pub(crate) failed: u64,
    /// From when the first client was due to the last answer.
    pub(crate) elapsed_s: f64,
    pub(crate) connect_us: Summary,
    pub(crate) latency_us: Summary,
    #[serde(skip)]
    pub(crate) names: Vec<String>,
    #[serde(skip)]
    pub(crate) notes: Vec<String>,
}

/// `count` in `seconds`, to the tenth.
pub(super) fn per_second(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { (count as f64 / seconds * 10.0).round() / 10.0 } else { 0.0 }
}

/// To the microsecond.
pub(super) fn seconds(time: std::time::Duration) -> f64 {
    time.as_micros() as f64 / 1e6
}
