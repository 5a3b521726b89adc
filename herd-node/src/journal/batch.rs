//! What a connection has to say to the journal, gathered without formatting any of it.
//!
//! A batch is a run of entries: a tag, a length, that many raw bytes. Escaping, splitting and dates are the writer's work,
//! since a post is parsed in less time than it takes to print its hour.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use herd_proto::PosixTime;

use super::{Journal, Party};

/// Lines and events of one moment, to be handed over at once with [`Journal::submit`]. Meant to be reused: its memory stays.
///
/// Of a journal that is off, a batch keeps nothing.
#[derive(Clone, Debug)]
pub struct Batch {
    bytes: Vec<u8>,
    /// The party of the entries at the end, written once for all of them.
    party: Party,
    is_on: Arc<AtomicBool>,
}

impl Batch {
    /// An empty batch for `journal`.
    pub fn new(journal: &Journal) -> Self {
        Self { bytes: Vec::new(), party: Party::Nobody, is_on: journal.switch() }
    }

    /// `bytes` came from `party`: one line or several, each with its LF; a last one without LF is a line too.
    pub fn received(&mut self, party: &Party, bytes: &[u8]) {
        if self.is_on() {
            self.set_party(party);
            put(&mut self.bytes, Tag::Received, bytes);
        }
    }

    /// `bytes` went to `party`: one line or several, each with its LF; a last one without LF is a line too.
    pub fn sent(&mut self, party: &Party, bytes: &[u8]) {
        if self.is_on() && !bytes.is_empty() {
            self.set_party(party);
            put(&mut self.bytes, Tag::Sent, bytes);
        }
    }

    /// Something else happened: `kind` is one lower-case word such as `link-up`, `text` whatever there is to say.
    pub fn event(&mut self, kind: &'static str, party: &Party, text: impl AsRef<[u8]>) {
        if self.is_on() {
            self.set_party(party);
            put(&mut self.bytes, Tag::Kind, kind.as_bytes());
            put(&mut self.bytes, Tag::Event, text.as_ref());
        }
    }

    /// Forgets everything. The memory stays, but for that of a burst: there may be ten thousand connections with a batch each.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_LEN);
        self.party = Party::Nobody;
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    /// The entries.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn set_party(&mut self, party: &Party) {
        if *party != self.party {
            self.party.clone_from(party);
            match party {
                Party::Nobody => put(&mut self.bytes, Tag::Nobody, b""),
                Party::Client(address) => put_address(&mut self.bytes, Tag::Client, *address),
                Party::Stranger(address) => put_address(&mut self.bytes, Tag::Stranger, *address),
                Party::Peer(name) => put(&mut self.bytes, Tag::Peer, name.as_bytes()),
            }
        }
    }
}

/// What a batch that was cleared keeps, in bytes.
const KEPT_LEN: usize = 16 * 1024;

/// What an entry's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// The time of what follows; whatever was said about the party is over.
    Time,
    /// What follows is nobody's.
    Nobody,
    /// What follows is about this client.
    Client,
    /// What follows is about this stranger.
    Stranger,
    /// What follows is about this peer.
    Peer,
    /// Lines that came.
    Received,
    /// Lines that went.
    Sent,
    /// What the next event is called.
    Kind,
    /// An event's text.
    Event,
}

impl Tag {
    const ALL: [Self; 9] = [
        Self::Time,
        Self::Nobody,
        Self::Client,
        Self::Stranger,
        Self::Peer,
        Self::Received,
        Self::Sent,
        Self::Kind,
        Self::Event,
    ];
}

/// Bytes of the entry that [`put_time`] writes.
pub(super) const TIME_LEN: usize = 5 + 12;

/// Begins a batch that was submitted at `time`.
pub(super) fn put_time(out: &mut Vec<u8>, time: PosixTime) {
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&time.seconds().to_le_bytes());
    bytes[8..].copy_from_slice(&time.nanos().to_le_bytes());
    put(out, Tag::Time, &bytes);
}

/// The entries of `bytes`, in order.
pub(super) fn entries(mut bytes: &[u8]) -> impl Iterator<Item = (Tag, &[u8])> {
    std::iter::from_fn(move || {
        let (&tag, rest) = bytes.split_first()?;
        let (len, rest) = rest.split_first_chunk()?;
        let (body, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*len)).ok()?)?;
        bytes = rest;
        Some((*Tag::ALL.get(usize::from(tag))?, body))
    })
}

/// How many lines `bytes` will be in the journal.
pub(super) fn lines(bytes: &[u8]) -> u64 {
    let lines = entries(bytes).map(|(tag, body)| match tag {
        Tag::Event => 1,
        Tag::Received | Tag::Sent => memchr::memchr_iter(b'\n', body).count() + usize::from(!body.ends_with(b"\n")),
        Tag::Time | Tag::Nobody | Tag::Client | Tag::Stranger | Tag::Peer | Tag::Kind => 0,
    });
    lines.sum::<usize>() as u64
}

/// Reads what [`put_time`] wrote.
pub(super) fn read_time(body: &[u8]) -> Option<PosixTime> {
    let (seconds, nanos) = body.split_first_chunk()?;
    PosixTime::new(u64::from_le_bytes(*seconds), u32::from_le_bytes(nanos.try_into().ok()?))
}

/// Reads an address of a party.
pub(super) fn read_address(body: &[u8]) -> Option<SocketAddr> {
    let (ip, port) = body.split_last_chunk()?;
    let ip = match <[u8; 4]>::try_from(ip) {
        Ok(ip) => IpAddr::V4(Ipv4Addr::from(ip)),
        Err(_) => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(ip).ok()?)),
    };
    Some(SocketAddr::new(ip, u16::from_le_bytes(*port)))
}

fn put_address(out: &mut Vec<u8>, tag: Tag, address: SocketAddr) {
    let mut bytes = [0; 18];
    let ip_len = match address.ip() {
        IpAddr::V4(ip) => {
            bytes[..4].copy_from_slice(&ip.octets());
            4
        }
        IpAddr::V6(ip) => {
            bytes[..16].copy_from_slice(&ip.octets());
            16
        }
    };
    bytes[ip_len..ip_len + 2].copy_from_slice(&address.port().to_le_bytes());
    put(out, tag, &bytes[..ip_len + 2]);
}

fn put(out: &mut Vec<u8>, tag: Tag, body: &[u8]) {
    let len = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let [a, b, c, d] = len.to_le_bytes();
    out.reserve(5 + body.len());
    out.extend_from_slice(&[tag as u8, a, b, c, d]);
    out.extend_from_slice(&body[..body.len().min(len as usize)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Batch {
        Batch { bytes: Vec::new(), party: Party::Nobody, is_on: Arc::new(AtomicBool::new(true)) }
    }

    #[test]
    fn what_was_put_is_read() {
        let address: SocketAddr = "[2001:db8::7]:51234".parse().unwrap();
        let mut batch = batch();
        batch.received(&Party::Client(address), b"one");
        batch.sent(&Party::Client(address), b"two\nthree\nfour");
        batch.event("link-up", &Party::peer("Jaquez"), "five");
        let read: Vec<_> = entries(batch.bytes()).collect();
        assert_eq!(read_address(read[0].1), Some(address));
        let rest: Vec<(Tag, &[u8])> = vec![
            (Tag::Received, b"one"),
            (Tag::Sent, b"two\nthree\nfour"),
            (Tag::Peer, b"Jaquez"),
            (Tag::Kind, b"link-up"),
            (Tag::Event, b"five"),
        ];
        assert_eq!(read[1..], rest);
        assert_eq!(lines(batch.bytes()), 5);
    }

    #[test]
    fn tags_have_their_own_numbers() {
        for (number, tag) in Tag::ALL.into_iter().enumerate() {
            assert_eq!(tag as usize, number);
        }
    }

    #[test]
    fn times_are_read_as_put() {
        let time = PosixTime::new(u64::MAX, 999_999_999).unwrap();
        let mut out = Vec::new();
        put_time(&mut out, time);
        assert_eq!(out.len(), TIME_LEN);
        let (tag, body) = entries(&out).next().unwrap();
        assert_eq!((tag, read_time(body)), (Tag::Time, Some(time)));
    }

    #[test]
    fn damaged_bytes_end_the_entries() {
        let mut batch = batch();
        batch.received(&Party::Nobody, b"line");
        for len in 0..batch.bytes().len() {
            assert_eq!(entries(&batch.bytes()[..len]).count(), 0);
        }
        assert_eq!(entries(&[200, 0, 0, 0, 0]).count(), 0);
        assert_eq!((read_time(b"short"), read_address(b"12345")), (None, None));
    }

    #[test]
    fn a_cleared_batch_says_its_party_again() {
        let party = Party::peer("Jaquez");
        let mut batch = batch();
        batch.received(&party, b"one");
        let once = batch.bytes().to_vec();
        batch.clear();
        assert!(batch.is_empty());
        batch.received(&party, b"one");
        assert_eq!(batch.bytes(), once);
    }
}
