//! Events as bytes (server-sent events, WHATWG HTML §9.2).

use bytes::Bytes;

/// Records in one event.
pub(super) const RECORDS_MAX: usize = 500;
/// Bytes of one event's data after which it takes no more records. A record has at most some 50 KiB.
pub(super) const BYTES_MAX: usize = 64 * 1024;

/// Reconnect after so many milliseconds; what comes first.
pub(super) const GREETING: &[u8] = b"retry: 2000\n\n";
/// A comment, so that whoever is between sees that the connection lives.
pub(super) const KEEP_ALIVE: &[u8] = b": \n\n";
/// What was there at the beginning has been told.
pub(super) const LIVE: &[u8] = b"event: live\ndata: {}\n\n";
/// All that is there is told anew.
pub(super) const RESET: &[u8] = b"event: reset\ndata: {}\n\n";

const POSITIONS: &[u8] = b"event: positions\ndata: [";
const GONE: &[u8] = b"event: gone\ndata: [";
const END: &[u8] = b"]\n\n";

/// An event that is being made of items of JSON.
#[derive(Debug)]
pub(super) struct Frame {
    start: &'static [u8],
    bytes: Vec<u8>,
    items: usize,
}

impl Frame {
    pub(super) const fn positions() -> Self {
        Self { start: POSITIONS, bytes: Vec::new(), items: 0 }
    }

    pub(super) const fn gone() -> Self {
        Self { start: GONE, bytes: Vec::new(), items: 0 }
    }

    pub(super) fn push(&mut self, json: &[u8]) {
        self.bytes.extend_from_slice(if self.items == 0 { self.start } else { b"," });
        self.bytes.extend_from_slice(json);
        self.items += 1;
    }

    pub(super) const fn is_full(&self) -> bool {
        self.items >= RECORDS_MAX || self.bytes.len() >= BYTES_MAX
    }

    /// Appends the event to `out`, if there is something in it.
    pub(super) fn finish(mut self, out: &mut Vec<u8>) {
        if self.items > 0 {
            self.bytes.extend_from_slice(END);
            if out.is_empty() { *out = self.bytes } else { out.extend_from_slice(&self.bytes) }
        }
    }
}

/// What is said as it is.
pub(super) const fn fixed(bytes: &'static [u8]) -> Bytes {
    Bytes::from_static(bytes)
}
