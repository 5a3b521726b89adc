//! What an operator can say about places.

use std::path::PathBuf;
use std::time::Duration;

use crate::secret::Secret;

/// Which backend answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// Data that comes with the server, or the operator's own files. No key, no network.
    #[default]
    Embedded,
    /// Places API (New): the only one a new key can use.
    Google,
    /// The legacy Nearby Search of older projects.
    GoogleLegacy,
}

/// How much of a place Places API (New) is asked for, and so what a call costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mask {
    /// Name, position, types, address, photo.
    #[default]
    Pro,
    /// Rating, price level and opening hours besides.
    Enterprise,
}

/// Settings of all backends; each uses its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Which backend answers.
    pub backend: Backend,
    /// Files of places to use instead of the embedded data: GeoNames `.tsv`/`.txt`, `.csv`, `.geojson`/`.json`, `.geojsonl`/`.geojsons`.
    pub data: Vec<PathBuf>,
    /// The whole endpoint, instead of Google's. `https` only, unless the host is loopback.
    pub base_url: Option<String>,
    /// Google's API key.
    pub key: Option<Secret>,
    /// What Places API (New) is asked for.
    pub mask: Mask,
    /// Restricts results to one type of place. Default: no restriction.
    pub place_type: Option<String>,
    /// A PEM file of certificate authorities to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Answer from the embedded data when Google fails.
    pub fallback: bool,
    /// The longest a connection may take to be made.
    pub connect_timeout: Duration,
    /// The longest a question may take, retries included.
    pub deadline: Duration,
    /// The largest reply read, in bytes.
    pub body_max: usize,
    /// Calls under way at once.
    pub in_flight_max: usize,
    /// Questions waiting for a call; beyond, they fail at once.
    pub queue_max: usize,
    /// Failed calls in a row that open the breaker; 0: however many.
    pub breaker_failures: u32,
    /// How long the breaker stays open.
    pub breaker_pause: Duration,
    /// Calls in any minute, retries included. Counted by each process for itself. Default: no budget.
    pub calls_per_minute: Option<u32>,
    /// Calls in any day, likewise; a restart begins anew. Default: no budget.
    pub calls_per_day: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            backend: Backend::default(),
            data: Vec::new(),
            base_url: None,
            key: None,
            mask: Mask::default(),
            place_type: None,
            ca_file: None,
            fallback: false,
            connect_timeout: Duration::from_secs(3),
            deadline: Duration::from_secs(8),
            body_max: 8 * 1024 * 1024,
            in_flight_max: 64,
            queue_max: 256,
            breaker_failures: 5,
            breaker_pause: Duration::from_secs(10),
            calls_per_minute: None,
            calls_per_day: None,
        }
    }
}
