//! A tiny herd that can be told to be wrong, to show that the conversations notice.
//!
//! Five listeners on one map. Without a mistake it keeps all conversations; with each of them it fails one that is named here.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use herd_bench::blackbox;
use herd_node::clock;
use herd_proto::{PosixTime, Request, ServerName, Skew, encode};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mistake {
    None,
    /// The skew is printed with six decimals, as floating point is.
    Float,
    /// No skew at all, but one that looks like it.
    Invented,
    /// A read is taken for a line.
    ReadIsLine,
    /// What comes before the first LF of a read is answered, and the rest forgotten.
    OneReplyPerRead,
    /// Old news overwrites newer.
    Overwrites,
    /// Times are compared to the second.
    Seconds,
    /// The other servers never hear.
    Silent,
    /// A place too many.
    Places,
    /// JSON has one newline behind it.
    NoBlankLine,
    /// An invalid line loses its white space.
    Trims,
    /// What is no UTF-8 is replaced.
    Lossy,
    /// An invalid line ends the connection.
    HangsUp,
    /// A last line without LF is dropped.
    DropsLast,
    /// A connection stays open when the client has finished.
    NeverCloses,
    /// The first client's place in the order of replies is lost.
    Reorders,
    /// Radius and bound may be anything.
    Unlimited,
}

/// What never comes is waited for so long. A correct server is given more time: it fails nothing for being slow.
const TOO_LONG: Duration = Duration::from_millis(300);

type Records = HashMap<String, (PosixTime, Vec<u8>)>;

#[derive(Debug)]
struct Server {
    name: &'static str,
    mistake: Mistake,
    records: Arc<Mutex<Records>>,
}

fn start(mistake: Mistake) -> Vec<SocketAddr> {
    let records = Arc::new(Mutex::new(Records::new()));
    let start = |name| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let records = if mistake == Mistake::Silent { Arc::default() } else { Arc::clone(&records) };
        let server = Arc::new(Server { name, mistake, records });
        // These threads end with the test's process.
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let server = Arc::clone(&server);
                std::thread::spawn(move || server.serve(stream));
            }
        });
        address
    };
    ["Riley", "Jaquez", "Juzang", "Campbell", "Bernard"].map(start).to_vec()
}

impl Server {
    fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let (mut rest, mut chunk) = (Vec::new(), [0; 16 * 1024]);
        loop {
            let len = stream.read(&mut chunk)?;
            if len == 0 {
                break;
            }
            rest.extend_from_slice(&chunk[..len]);
            let end = rest.iter().rposition(|byte| *byte == b'\n');
            let whole = match end {
                _ if self.mistake == Mistake::ReadIsLine => rest.len(),
                Some(end) => end + 1,
                None => 0,
            };
            let lines: Vec<u8> = rest.drain(..whole).collect();
            let count = if self.mistake == Mistake::OneReplyPerRead { 1 } else { usize::MAX };
            let mut replies: Vec<_> =
                lines.split_inclusive(|byte| *byte == b'\n').take(count).map(|line| self.answer(line)).collect();
            if self.mistake == Mistake::Reorders {
                replies.reverse();
            }
            stream.write_all(&replies.concat())?;
            if self.mistake == Mistake::HangsUp && replies.iter().any(|reply| reply.starts_with(b"?")) {
                return Ok(());
            }
        }
        if !rest.is_empty() && self.mistake != Mistake::DropsLast {
            stream.write_all(&self.answer(&rest))?;
        }
        if self.mistake == Mistake::NeverCloses {
            std::thread::sleep(2 * TOO_LONG);
        }
        Ok(())
    }

    fn answer(&self, line: &[u8]) -> Vec<u8> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let reply = match Request::parse(line) {
            Ok(request) => self.known(&request),
            Err(_) if self.mistake == Mistake::Unlimited => self.unlimited(line),
            Err(_) => None,
        };
        reply.unwrap_or_else(|| match self.mistake {
            Mistake::Trims => [b"? ", line.trim_ascii(), b"\n"].concat(),
            Mistake::Lossy => format!("? {}\n", String::from_utf8_lossy(line)).into_bytes(),
            _ => [b"? ", line, b"\n"].concat(),
        })
    }

    fn known(&self, request: &Request<&[u8]>) -> Option<Vec<u8>> {
        let mut records = self.records.lock().unwrap();
        match request {
            Request::Iamat(iamat) => {
                let (now, time) = (clock::posix(), iamat.posix_time());
                if time.seconds() > now.seconds() + 86_400 {
                    return None;
                }
                let skew = match self.mistake {
                    Mistake::Invented => Skew::from_nanos(263_873_386),
                    _ => now.since(time),
                };
                let mut at = Vec::new();
                encode::at_of_iamat(&mut at, ServerName::new(self.name).unwrap(), skew, iamat);
                if self.mistake == Mistake::Float {
                    let behind = at.iter().enumerate().filter(|(_, byte)| **byte == b' ').nth(2)?.0;
                    at.drain(behind - 3..behind);
                }
                let known = records.get(iamat.client().as_str()).map(|(time, _)| *time);
                let is_newer = known.is_none_or(|known| match self.mistake {
                    Mistake::Overwrites => true,
                    Mistake::Seconds => known.seconds() < time.seconds(),
                    _ => known < time,
                });
                if is_newer {
                    records.insert(iamat.client().as_str().to_owned(), (time, at.clone()));
                }
                Some(at)
            }
            Request::Whatsat(whatsat) => {
                let (_, at) = records.get(whatsat.client().as_str())?;
                Some(self.nearby(at, usize::from(whatsat.limit().get())))
            }
        }
    }

    fn nearby(&self, at: &[u8], limit: usize) -> Vec<u8> {
        let count = limit + usize::from(self.mistake == Mistake::Places);
        let results = vec![r#"{"name":"x"}"#; count].join(",");
        let end = if self.mistake == Mistake::NoBlankLine { "\n" } else { "\n\n" };
        let json = format!(r#"{{"html_attributions":[],"results":[{results}],"status":"OK"}}{end}"#);
        [at, json.as_bytes()].concat()
    }

    fn unlimited(&self, line: &[u8]) -> Option<Vec<u8>> {
        let text = std::str::from_utf8(line).ok()?;
        let client = text.strip_prefix("WHATSAT ")?.split(' ').next()?;
        let records = self.records.lock().unwrap();
        Some(self.nearby(&records.get(client)?.1, 1))
    }
}

/// What is said of the conversation of that name, in which a server with the mistake takes part.
fn hold(mistake: Mistake, name: &str) -> Option<String> {
    let mut outcomes = blackbox::run_some(&start(mistake), TOO_LONG, |other| other == name).unwrap();
    assert_eq!(outcomes.len(), 1, "no conversation {name:?}");
    outcomes.pop().unwrap().failure
}

#[test]
fn a_correct_server_fails_none() {
    let outcomes = blackbox::run(&start(Mistake::None)).unwrap();
    assert!(outcomes.iter().all(|outcome| outcome.failure.is_none()), "{outcomes:#?}");
}

#[test]
fn each_mistake_fails_the_conversation_about_it() {
    let expected = [
        (Mistake::Float, "a post is answered with its skew"),
        (Mistake::Invented, "a post is answered with its skew"),
        (Mistake::ReadIsLine, "a line may come in pieces"),
        (Mistake::OneReplyPerRead, "lines that come together are answered in their order"),
        (Mistake::Overwrites, "old news is answered and changes nothing"),
        (Mistake::Seconds, "the newest time wins wherever it was posted"),
        (Mistake::Silent, "what is posted at one server is known at all"),
        (Mistake::Places, "a question is answered with so many places"),
        (Mistake::NoBlankLine, "a question is answered with so many places"),
        (Mistake::Trims, "an invalid line comes back behind a question mark"),
        (Mistake::Lossy, "an invalid line comes back behind a question mark"),
        (Mistake::HangsUp, "an invalid line comes back behind a question mark"),
        (Mistake::DropsLast, "a last line without its end is a line"),
        (Mistake::NeverCloses, "a last line without its end is a line"),
        (Mistake::Reorders, "lines that come together are answered in their order"),
        (Mistake::Unlimited, "a question beyond its limits is refused"),
    ];
    for (mistake, name) in expected {
        assert!(hold(mistake, name).is_some(), "{mistake:?} passes: {name}");
    }
}
