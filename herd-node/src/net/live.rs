//! What of a server's settings may change while it runs.

use std::sync::Arc;
use std::time::Duration;

use crate::places::Places;
use crate::secret::Secret;

use super::ack::Ack;
use super::limits::Limits;

/// Settings that a reload replaces as a whole. Connections look at them anew with each batch.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) limits: Limits,
    pub(crate) places: Arc<dyn Places>,
    pub(crate) ack: Ack,
    /// What has to be shown at the admin listener.
    #[cfg_attr(not(feature = "admin"), expect(dead_code, reason = "nobody asks for it"))]
    pub(crate) admin_token: Option<Secret>,
    /// Every link of the herd once, by its servers' names, in the order of the configuration.
    pub(crate) herd_links: Arc<[[Arc<str>; 2]]>,
    /// How often the journal gets a line about the server itself.
    pub(crate) status_every: Option<Duration>,
}
