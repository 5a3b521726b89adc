//! One reader of events: what it is told next.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Sleep;

use super::clients::ClientsReader;
use super::frame::{GREETING, KEEP_ALIVE, fixed};
use super::hub::Hub;
use super::query::Filter;
use super::seat::{Notes, Seat};
use super::watcher::Watcher;
use crate::net::Shared;
use crate::secret::Secret;

/// After so much silence a comment is sent.
const KEEP_ALIVE_AFTER: Duration = Duration::from_secs(15);

/// A reader, from its first event to its last.
#[derive(Debug)]
pub(in crate::admin) struct Reader {
    place: Place,
    kind: Kind,
    is_greeted: bool,
    quiet: Pin<Box<Sleep>>,
}

#[derive(Debug)]
enum Kind {
    /// Of all clients, or those in an area.
    Watcher(Box<Watcher>),
    /// Of a few.
    Clients(ClientsReader),
}

/// A reader's place among the others. Given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) shared: Arc<Shared>,
    pub(super) seat: Arc<Seat>,
    hub: Arc<Hub>,
    /// What was shown for it.
    token: Option<Secret>,
}

impl Place {
    /// Whether what was shown for it is what has to be shown now.
    fn is_admitted(&self) -> bool {
        self.shared.live().admin_token == self.token
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.hub.leave(&self.shared, &self.seat);
    }
}

/// What a reader has found to say.
#[derive(Debug)]
pub(super) enum Said {
    This(Bytes),
    /// Nothing yet, and there may be more.
    Later,
    /// Nothing until something changes.
    Nothing,
}

impl Reader {
    /// A reader of what `filter` lets through, for as long as `token` is what has to be shown. `None` if there are as many as there may be.
    pub(in crate::admin) fn new(
        shared: &Arc<Shared>,
        hub: &Arc<Hub>,
        token: Option<Secret>,
        filter: Filter,
    ) -> Option<Self> {
        let notes = if matches!(filter, Filter::Clients(_)) { Notes::Touch } else { Notes::Changes };
        let seat = hub.join(shared, notes)?;
        let place = Place { shared: Arc::clone(shared), seat, hub: Arc::clone(hub), token };
        let kind = match filter {
            Filter::All => Kind::Watcher(Box::new(Watcher::new(None))),
            Filter::Area(area) => Kind::Watcher(Box::new(Watcher::new(Some(area)))),
            Filter::Clients(clients) => Kind::Clients(ClientsReader::new(clients)),
        };
        Some(Self { place, kind, is_greeted: false, quiet: quiet() })
    }

    /// The next bytes to be sent. Waits until there are some. Made now: what this is asked for late is newer.
    ///
    /// `None`: a reload has made the token another, and who has shown the one before is told no more.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        if !std::mem::replace(&mut self.is_greeted, true) {
            return Some(fixed(GREETING));
        }
        while self.place.is_admitted() {
            match self.say() {
                Said::This(bytes) => {
                    self.quiet = quiet();
                    return Some(bytes);
                }
                // There may be a million records of which none is wanted.
                Said::Later => tokio::task::yield_now().await,
                Said::Nothing => tokio::select! {
                    () = self.place.seat.wait() => {}
                    () = self.place.shared.renewed.until(|| !self.place.is_admitted()) => {}
                    () = &mut self.quiet => {
                        self.quiet = quiet();
                        return Some(fixed(KEEP_ALIVE));
                    }
                },
            }
        }
        None
    }

    /// What there is to be said now.
    pub(super) fn say(&mut self) -> Said {
        match &mut self.kind {
            Kind::Watcher(watcher) => watcher.next(&self.place),
            Kind::Clients(clients) => clients.next(&self.place),
        }
    }

    /// Bytes that wait for it, for tests.
    #[cfg(test)]
    pub(super) fn waiting_bytes(&self) -> usize {
        self.place.seat.bytes()
    }
}

fn quiet() -> Pin<Box<Sleep>> {
    Box::pin(tokio::time::sleep(KEEP_ALIVE_AFTER))
}
