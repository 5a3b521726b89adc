//! What of a server's settings may change while it runs.

use std::sync::Arc;
use std::time::Duration;

use crate::places::Places;

use super::ack::Ack;
use super::limits::Limits;

/// Settings that a reload replaces as a whole. Connections look at them anew with each batch.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) limits: Limits,
    pub(crate) places: Arc<dyn Places>,
    pub(crate) ack: Ack,
    /// How often the journal gets a line about the server itself.
    pub(crate) status_every: Option<Duration>,
}
