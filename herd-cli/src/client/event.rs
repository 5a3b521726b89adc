//! What befalls a client while it waits for replies, for those who want to tell somebody.

use std::fmt;
use std::time::Duration;

use crate::{ClientError, Server};

/// Something that happened to a [`Client`](crate::Client)'s connection. As text, a clause for a log, without the error's
/// causes.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// There is a connection.
    Connected {
        /// To whom.
        server: &'a Server,
    },
    /// No connection could be made.
    Failed {
        /// To whom.
        server: &'a Server,
        /// Why not.
        error: &'a ClientError,
    },
    /// There was a connection, and it is of no use any more: it ended, or a reply did not come in time.
    Lost {
        /// To whom.
        server: &'a Server,
        /// Why.
        error: &'a ClientError,
    },
    /// After one of the two above, unless it is given up: who is tried next.
    Retrying {
        /// Who; the same again, it may be.
        server: &'a Server,
        /// After which pause. Zero is at once.
        after: Duration,
    },
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected { server } => write!(f, "connected to {}", server.name()),
            Self::Failed { server, error } | Self::Lost { server, error } => write!(f, "{}: {error}", server.name()),
            Self::Retrying { server, after } if after.is_zero() => write!(f, "trying {}", server.name()),
            Self::Retrying { server, after } => write!(f, "trying {} in {:.1} s", server.name(), after.as_secs_f64()),
        }
    }
}

/// Who is told.
#[derive(Default)]
pub(super) struct Observer(Option<Tell>);

type Tell = Box<dyn FnMut(&Event<'_>) + Send>;

impl Observer {
    pub(super) fn new(tell: impl FnMut(&Event<'_>) + Send + 'static) -> Self {
        Self(Some(Box::new(tell)))
    }

    pub(super) fn tell(&mut self, event: &Event<'_>) {
        if let Some(tell) = &mut self.0 {
            tell(event);
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Observer(set)" } else { "Observer(none)" })
    }
}
