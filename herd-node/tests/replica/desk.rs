//! One replica on a desk: told the time and given lines, its answers read as text.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use herd_node::clock;
use herd_node::replica::{Candidate, CloseReason, Event, LinkId, PeerIndex, Posted, Replica, Settings};
use herd_node::secret::Secret;
use herd_proto::codec::PeerCodec;
use herd_proto::{At, ErrorCode, Hello, Hops, Nonce, PeerMessage, ServerName};
use hmac::{Hmac, Mac};
use tokio_util::codec::Decoder;

pub(crate) const SECRET: &[u8] = b"a secret of the herd, 32 bytes..";
/// The key that stands in where there is no secret.
pub(crate) const OPEN: &[u8] = b"herd/1 open";
pub(crate) const JUZANG: PeerIndex = PeerIndex(1);

pub(crate) fn nonce(seed: u8) -> Nonce {
    Nonce(std::array::from_fn(|at| seed.wrapping_add(at as u8)))
}

/// Settings of Riley, neighbour of Jaquez and Juzang, started as `b2`.
pub(crate) fn riley() -> Settings {
    let mut settings = Settings::new("ucla", "Riley", vec!["Jaquez".to_owned(), "Juzang".to_owned()]);
    settings.boot = 0xb2;
    settings.secrets = vec![Secret::new(SECRET)];
    settings
}

/// A replica, and the present.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) replica: Replica,
    pub(crate) now: Instant,
    events: Vec<Event>,
    name: String,
    nonces: u8,
}

/// A connection as the peer at its other end sees it, who says what the test wants.
#[derive(Clone, Debug)]
pub(crate) struct Puppet {
    pub(crate) link: LinkId,
    /// The puppet dialled.
    pub(crate) dialled: bool,
    pub(crate) own_hello: String,
    pub(crate) their_hello: String,
}

impl Desk {
    pub(crate) fn new(settings: Settings) -> Self {
        let (now, name) = (clock::monotonic(), settings.name.clone());
        Self { replica: Replica::new(settings, now), now, events: Vec::new(), name, nonces: 0xf0 }
    }

    /// Time passes. The timer goes off whenever it is due.
    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(due) = self.replica.poll_timeout().filter(|due| *due <= until) {
            self.now = due.max(self.now);
            self.replica.handle_timeout(self.now);
            self.collect();
        }
        self.now = until;
    }

    /// Time passes while this server is stopped; then its timer goes off.
    pub(crate) fn sleep(&mut self, time: Duration) {
        self.now += time;
        self.replica.handle_timeout(self.now);
        self.collect();
    }

    /// Somebody connects.
    pub(crate) fn accept(&mut self) -> LinkId {
        self.nonces = self.nonces.wrapping_add(1);
        self.replica.handle_accepted(self.now, nonce(self.nonces.wrapping_sub(1))).expect("there is room")
    }

    /// Gives `lines` to the core, through the codec.
    pub(crate) fn tell(&mut self, link: LinkId, lines: &str) {
        let (mut codec, mut buffer) = (PeerCodec::default(), BytesMut::from(lines));
        while let Some(item) = codec.decode(&mut buffer).expect("no I/O here") {
            match item {
                // As servers do it; the simulation leaves the hashing to the core.
                Ok(message) => {
                    let client = match &message {
                        PeerMessage::At(at) => Some(self.replica.hasher().client(at.at().client().as_bytes())),
                        _ => None,
                    };
                    self.replica.handle_hashed_message(self.now, link, &message, client);
                }
                Err(invalid) => self.replica.handle_invalid(self.now, link, &invalid),
            }
        }
        assert!(buffer.is_empty(), "an unended line: {buffer:?}");
        self.collect();
    }

    /// Everything that `link` has to say now.
    pub(crate) fn hear(&mut self, link: LinkId) -> String {
        let mut all = Vec::new();
        loop {
            let mut out = Vec::new();
            self.replica.poll_transmit(self.now, link, &mut out, 65_536);
            self.collect();
            if out.is_empty() {
                return String::from_utf8(all).expect("lines are text");
            }
            all.extend(out);
        }
    }

    /// `tell`, then `hear`.
    pub(crate) fn ask(&mut self, link: LinkId, lines: &str) -> String {
        self.tell(link, lines);
        self.hear(link)
    }

    fn collect(&mut self) {
        self.events.extend(std::iter::from_fn(|| self.replica.poll_event()));
    }

    /// What was said to the operator since last asked.
    pub(crate) fn events(&mut self) -> Vec<Event> {
        self.collect();
        std::mem::take(&mut self.events)
    }

    /// The code with which the last link was ended.
    #[track_caller]
    pub(crate) fn refusal(&mut self) -> ErrorCode {
        let events = self.events();
        let code = events.iter().rev().find_map(|event| match event {
            Event::Refused { why: CloseReason::Error(code, _), .. }
            | Event::LinkLost { why: CloseReason::Error(code, _), .. } => Some(*code),
            _ => None,
        });
        code.unwrap_or_else(|| panic!("nothing was refused: {events:?}"))
    }

    /// A client posts `at_line`, an AT line without its terminator.
    pub(crate) fn post(&mut self, at_line: &str) -> Posted {
        let at = At::parse(at_line.as_bytes()).expect("an AT line");
        let hasher = self.replica.hasher();
        let hashes = (hasher.client(at.client().as_bytes()), hasher.operands(at.operands()));
        let candidate = Candidate::from_at(&at, Hops::default()).expect("short operands");
        self.replica.handle_post(&candidate.with_hashes(hashes.0, hashes.1))
    }

    /// A connection of the peer `name`, proven and in service.
    pub(crate) fn link_up(&mut self, name: &'static str, boot: u64) -> Puppet {
        let link = self.accept();
        let mut puppet = Puppet::dialer(link, name, boot, nonce(self.nonces.wrapping_mul(31)));
        self.prove(&mut puppet);
        let ready = self.hear(link);
        let ready = ready.lines().last().expect("AUTH and READY").to_owned();
        assert!(ready.starts_with("READY "), "{ready}");
        self.tell(link, &format!("{ready}\n"));
        puppet
    }

    /// HELLO both ways and the dialler's AUTH.
    pub(crate) fn prove(&mut self, puppet: &mut Puppet) {
        let hello = format!("{}\n", puppet.own_hello);
        puppet.their_hello = self.ask(puppet.link, &hello).trim_end().to_owned();
        let auth = puppet.auth(SECRET, true);
        self.tell(puppet.link, &auth);
    }

    /// Whether anything more can be had from `link`.
    pub(crate) fn is_closing(&self, puppet: &Puppet) -> bool {
        self.replica.is_closing(puppet.link)
    }

    /// The dials asked for.
    pub(crate) fn dials(&mut self) -> Vec<PeerIndex> {
        std::iter::from_fn(|| self.replica.poll_dial()).collect()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Puppet {
    /// Of a peer that dialled.
    pub(crate) fn dialer(link: LinkId, name: &'static str, boot: u64, nonce: Nonce) -> Self {
        let own_hello = hello_line("ucla", name, "Riley", boot, nonce);
        Self { link, dialled: true, own_hello, their_hello: String::new() }
    }

    /// The AUTH line that proves `secret`, in the role of dialler or acceptor.
    pub(crate) fn auth(&self, secret: &[u8], as_dialer: bool) -> String {
        let (dialer, acceptor) = match self.dialled {
            true => (&self.own_hello, &self.their_hello),
            false => (&self.their_hello, &self.own_hello),
        };
        auth_line(secret, as_dialer, dialer, acceptor)
    }
}

/// A HELLO line without its terminator.
pub(crate) fn hello_line(herd: &str, from: &str, to: &str, boot: u64, nonce: Nonce) -> String {
    let name = |text| ServerName::new(text).expect("a name");
    let hello = Hello::new(name(herd), name(from), name(to), boot, nonce);
    String::from_utf8(hello.line().to_vec()).expect("text")
}

/// AUTH computed from the text of WIRE, not by the product's own function.
pub(crate) fn auth_line(secret: &[u8], as_dialer: bool, dialer: &str, acceptor: &str) -> String {
    let role = if as_dialer { "dialer" } else { "acceptor" };
    let code = mac(secret, &format!("herd/1 {role}\n{dialer}\n{acceptor}\n"));
    let key_id = if secret == OPEN { "open".to_owned() } else { mac(secret, "herd/1 key id")[..8].to_owned() };
    format!("AUTH {key_id} {code}\n")
}

fn mac(secret: &[u8], subject: &str) -> String {
    let mac = Hmac::<sha2::Sha256>::new_from_slice(secret).expect("any length").chain_update(subject);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The AT lines in `text`.
pub(crate) fn ats(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with("AT ")).collect()
}

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
