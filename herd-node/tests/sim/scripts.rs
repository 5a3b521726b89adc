//! What strangers say to a server's listener for peers, and how each must be refused.

use herd_proto::ErrorCode;
use herd_proto::frame::PEER_LINE_MAX;

use super::rng::Rng;

/// What somebody does who is no peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    /// Bytes that are no message.
    Garbage,
    /// A line that does not end.
    OverLong,
    /// A message that can't be the first one.
    OutOfOrder,
    /// HELLO from another herd.
    OtherHerd,
    /// HELLO of versions that are not spoken here.
    OtherVersion,
    /// HELLO to another server.
    OtherName,
    /// HELLO from a server that is no peer.
    NoPeer,
    /// HELLO with a setting that is not the herd's.
    OtherSettings,
    /// HELLO under the very name of the server.
    SameName,
    /// HELLO with the very boot id of the server.
    OwnBoot,
    /// HELLO as a peer, and no proof of the secret.
    BadProof,
    /// HELLO as a peer, and nothing after it.
    HelloOnly,
    /// The same, shortly before its time is over.
    LateHello,
    /// Nothing.
    Silence,
    /// HELLO, a byte at a time.
    Drip,
    /// More connections than may be unproven.
    Flood,
}

/// What a stranger knows of the server it connects to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) peer: String,
    pub(crate) boot: u64,
}

impl Script {
    pub(crate) const ALL: [Self; 16] = [
        Self::Garbage,
        Self::OverLong,
        Self::OutOfOrder,
        Self::OtherHerd,
        Self::OtherVersion,
        Self::OtherName,
        Self::NoPeer,
        Self::OtherSettings,
        Self::SameName,
        Self::OwnBoot,
        Self::BadProof,
        Self::HelloOnly,
        Self::LateHello,
        Self::Silence,
        Self::Drip,
        Self::Flood,
    ];

    /// How it must be refused, unless it is too late or there are too many.
    pub(crate) const fn earns(self) -> ErrorCode {
        match self {
            Self::Garbage | Self::OverLong | Self::OutOfOrder => ErrorCode::BadMessage,
            Self::OtherHerd => ErrorCode::WrongHerd,
            Self::OtherVersion => ErrorCode::WrongVersion,
            Self::OtherName => ErrorCode::WrongName,
            Self::NoPeer => ErrorCode::UnknownPeer,
            Self::OtherSettings => ErrorCode::Settings,
            Self::SameName => ErrorCode::DuplicateName,
            Self::OwnBoot => ErrorCode::SelfDial,
            Self::BadProof => ErrorCode::BadAuth,
            Self::HelloOnly | Self::LateHello | Self::Silence | Self::Drip => ErrorCode::Timeout,
            Self::Flood => ErrorCode::Busy,
        }
    }

    /// How many connections it makes.
    pub(crate) const fn connections(self) -> usize {
        match self {
            Self::Flood => 40,
            _ => 1,
        }
    }

    /// What it says first, at once.
    pub(crate) fn opening(self, rng: &mut Rng, target: &Target) -> Vec<u8> {
        let Target { name, peer, boot } = target;
        let other = rng.next();
        let line = match self {
            Self::Garbage => return garbage(rng),
            Self::OverLong => return vec![b'x'; PEER_LINE_MAX + 1],
            Self::OutOfOrder => out_of_order(rng, peer),
            Self::OtherHerd => hello("elsewhere", peer, name, other),
            Self::OtherVersion if other.is_multiple_of(2) => {
                hello("ucla", peer, name, other).replace("herd/1", "herd/0")
            }
            Self::OtherVersion => {
                hello("ucla", peer, name, other).replace("herd/1", "herd/2").replace('\n', " wire=3\n")
            }
            Self::OtherName => hello("ucla", peer, "Elsewhere", other),
            Self::NoPeer => hello("ucla", "Nobody", name, other),
            Self::OtherSettings => hello("ucla", peer, name, other).replace('\n', " ttl=86401\n"),
            Self::SameName => hello("ucla", name, name, other),
            Self::OwnBoot => hello("ucla", peer, name, *boot),
            Self::BadProof | Self::HelloOnly => hello("ucla", peer, name, other),
            Self::LateHello | Self::Silence | Self::Drip | Self::Flood => return Vec::new(),
        };
        line.into_bytes()
    }

    /// What it says after a while, and whether a byte at a time.
    pub(crate) fn later(self, target: &Target) -> Option<(String, bool)> {
        let is_slow = match self {
            Self::LateHello => false,
            Self::Drip => true,
            _ => return None,
        };
        Some((hello("ucla", &target.peer, &target.name, 1), is_slow))
    }

    /// What it says to the server's HELLO.
    pub(crate) fn answer(self, rng: &mut Rng) -> Option<String> {
        let key = rng.pick(&["open", "0123abcd"]);
        (self == Self::BadProof).then(|| format!("AUTH {key} {:064x}\n", rng.next()))
    }
}

/// A HELLO line.
fn hello(herd: &str, from: &str, to: &str, boot: u64) -> String {
    format!("HELLO herd/1 {herd} {from} {to} {boot:016x} {boot:032x}\n")
}

fn garbage(rng: &mut Rng) -> Vec<u8> {
    match rng.below(4) {
        0 => b"\n".to_vec(),
        1 => b"GET / HTTP/1.1\r\nHost: riley\r\n\r\n".to_vec(),
        2 => b"IAMAT kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503\n".to_vec(),
        _ => (0..1 + rng.below(200)).map(|_| rng.next() as u8).chain(*b"\n").collect(),
    }
}

fn out_of_order(rng: &mut Rng, peer: &str) -> String {
    let record = format!("{peer} +0.1 stranger +34.068930-118.445127 1621464999.9");
    match rng.below(6) {
        0 => format!("AT {record} {peer} 1\n"),
        1 => format!("AUTH open {:064x}\n", rng.next()),
        2 => format!("READY 0 {:016x}\n", rng.next()),
        3 => format!("PING 1 0 {:016x}\n", rng.next()),
        4 => "LST -\n".to_owned(),
        _ => format!("GET 0 {:016x}\n", rng.next()),
    }
}
