//! Positions as they change: server-sent events from a server's admin address.

use std::time::Duration;

use bytes::Bytes;
use herd_proto::{At, ClientId};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::Deserialize;
use tokio::task::JoinSet;

use super::{AdminError, AdminServer};

/// The longest event, in bytes.
const EVENT_BYTES_MAX: usize = 8 << 20;
/// A server says something every 15 seconds; after so much silence it is not there any more.
const SILENCE_MAX: Duration = Duration::from_secs(45);
/// A query beyond this may not fit into what a server takes as the head of a request.
const QUERY_BYTES_MAX: usize = 15_000;
/// What is wrong with data that are not what their event should have.
const NO_JSON: &str = "the data of one is not what they should be";

/// What a server tells of its clients.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// These are there: the newest that is known of each.
    Positions(Vec<At<Bytes>>),
    /// Everything that was there at the beginning, or after [`Change::Reset`], has been told.
    Live,
    /// Nothing is known of these any more. It may never have been.
    Gone(Vec<String>),
    /// This program was too slow to be told who is gone: everything is told anew, and whoever is not named by the next
    /// [`Change::Live`] is gone.
    Reset,
}

/// Positions as they change, of a few clients or of all. See [`AdminServer::events`].
///
/// A server tells of each client at most some ten times a second, and what is not read in time is skipped: the newest is never.
#[derive(Debug)]
pub struct Events {
    server: AdminServer,
    body: Incoming,
    /// Moves the bytes; ended when this is dropped.
    _mover: JoinSet<hyper::Result<()>>,
    input: Vec<u8>,
    /// So much of the input has no end of an event in it.
    looked: usize,
}

impl Events {
    pub(super) const fn new(server: AdminServer, body: Incoming, mover: JoinSet<hyper::Result<()>>) -> Self {
        Self { server, body, _mover: mover, input: Vec::new(), looked: 0 }
    }

    /// The next change; `None` at the end, which is the server's. May be dropped and called again.
    ///
    /// # Errors
    /// The connection is lost or silent for 45 seconds, or what comes are no events of a herd.
    pub async fn next(&mut self) -> Result<Option<Change>, AdminError> {
        let address = || self.server.address.clone();
        loop {
            while let Some(event) = take_event(&mut self.input, &mut self.looked) {
                let change = read(&event).map_err(|why| AdminError::NotEvents { address: address(), why })?;
                if change.is_some() {
                    return Ok(change);
                }
            }
            if self.input.len() > EVENT_BYTES_MAX {
                let why = "one is longer than 8 MiB";
                return Err(AdminError::NotEvents { address: address(), why });
            }
            let frame = tokio::time::timeout(SILENCE_MAX, self.body.frame()).await;
            match frame.map_err(|_| AdminError::TimedOut { address: address(), timeout: SILENCE_MAX })? {
                None => return Ok(None),
                Some(Err(source)) => return Err(AdminError::NotHttp { address: address(), source }),
                Some(Ok(frame)) => self.input.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
            }
        }
    }
}

/// The path and query that ask for these clients, or for all; `None` if they are more than a request holds.
pub(super) fn path(clients: &[ClientId<'_>]) -> Option<String> {
    let mut path = "/events".to_owned();
    for (at, client) in clients.iter().enumerate() {
        path.push_str(if at == 0 { "?client=" } else { "&client=" });
        for byte in client.as_str().bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                path.push(char::from(byte));
            } else {
                path.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    (path.len() <= QUERY_BYTES_MAX).then_some(path)
}

/// Takes one whole event, up to its blank line, off the front.
fn take_event(input: &mut Vec<u8>, looked: &mut usize) -> Option<Vec<u8>> {
    let from = looked.saturating_sub(1);
    let Some(end) = memchr::memmem::find(input.get(from..)?, b"\n\n") else {
        *looked = input.len();
        return None;
    };
    *looked = 0;
    let rest = input.split_off(from + end + 2);
    Some(std::mem::replace(input, rest))
}

/// What an event says; `None` for comments and events of later versions. What is wrong holds nothing of it.
fn read(event: &[u8]) -> Result<Option<Change>, &'static str> {
    let text = str::from_utf8(event).map_err(|_| "one is not UTF-8")?;
    let (mut name, mut data) = ("", String::new());
    for line in text.lines() {
        match line.split_once(':') {
            Some(("event", value)) => name = value.strip_prefix(' ').unwrap_or(value),
            Some(("data", value)) => {
                data.push_str(value.strip_prefix(' ').unwrap_or(value));
                data.push('\n');
            }
            _ => {}
        }
    }
    Ok(match name {
        "live" => Some(Change::Live),
        "reset" => Some(Change::Reset),
        "gone" => Some(Change::Gone(serde_json::from_str(&data).map_err(|_| NO_JSON)?)),
        "positions" => {
            let records: Vec<Record> = serde_json::from_str(&data).map_err(|_| NO_JSON)?;
            let ats: Option<Vec<_>> = records.iter().map(Record::at).collect();
            Some(Change::Positions(ats.ok_or("one has a record that is none")?))
        }
        _ => None,
    })
}

#[derive(Deserialize)]
struct Record {
    client: String,
    location: String,
    time: String,
    server: String,
    skew: String,
}

impl Record {
    /// The line that a server of the herd says it by.
    fn at(&self) -> Option<At<Bytes>> {
        let Self { client, location, time, server, skew } = self;
        let at = At::parse(Bytes::from(format!("AT {server} {skew} {client} {location} {time}"))).ok()?;
        // Nothing of one field may have become part of another.
        let is_same = at.client().as_str() == client && at.location().as_str() == location;
        is_same.then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIWI: &str = r#"{"client":"kiwi","location":"+34-118","time":"7","server":"Riley","skew":"+0.263873386","lat":34.0,"lon":-118.0}"#;

    fn all(text: &str, piece: usize) -> Vec<Result<Option<Change>, &'static str>> {
        let (mut input, mut looked, mut found) = (Vec::new(), 0, Vec::new());
        for bytes in text.as_bytes().chunks(piece) {
            input.extend_from_slice(bytes);
            while let Some(event) = take_event(&mut input, &mut looked) {
                found.push(read(&event));
            }
        }
        found
    }

    #[test]
    fn events_are_read_however_they_are_cut() {
        let text = format!(
            "retry: 2000\n\n: \n\nevent: positions\ndata: [{KIWI},\ndata: {KIWI}]\n\nevent: live\ndata: {{}}\n\n\
             event: gone\ndata: [\"a\\\"b\"]\n\nevent: reset\ndata: {{}}\n\nevent: of tomorrow\ndata: 1\n\nevent: live\n"
        );
        let kiwi = At::parse(Bytes::from_static(b"AT Riley +0.263873386 kiwi +34-118 7")).unwrap();
        let expected = vec![
            Ok(None),
            Ok(None),
            Ok(Some(Change::Positions(vec![kiwi.clone(), kiwi]))),
            Ok(Some(Change::Live)),
            Ok(Some(Change::Gone(vec!["a\"b".to_owned()]))),
            Ok(Some(Change::Reset)),
            Ok(None),
        ];
        for piece in [1, 2, 3, 7, 100, 10_000] {
            assert_eq!(all(&text, piece), expected, "{piece}");
        }
    }

    #[test]
    fn what_is_no_record_is_refused_in_words_of_ours() {
        let data = |data: &str| read(format!("event: positions\ndata: {data}\n\n").as_bytes());
        for text in ["", "{}", "[1]", "[{}]", "nonsense"] {
            assert_eq!(data(text), Err("the data of one is not what they should be"), "{text}");
        }
        let changes = [
            ("kiwi", "ki wi"),
            ("kiwi", ""),
            ("kiwi", "\\u001b\\n"),
            ("Riley", "a b"),
            ("+34-118", "+34-118 7"),
            ("7", "x"),
        ];
        for (right, wrong) in changes {
            let text = format!("[{}]", KIWI.replacen(&format!("\"{right}\""), &format!("\"{wrong}\""), 1));
            assert_eq!(data(&text), Err("one has a record that is none"), "{text}");
        }
        assert_eq!(read(b"event: live\ndata: \xff\n\n"), Err("one is not UTF-8"));
    }

    #[test]
    fn names_of_clients_are_written_so_that_they_stay_themselves() {
        let ids = |names: &[&'static str]| -> Vec<ClientId<'static>> {
            names.iter().map(|name| ClientId::new(*name).unwrap()).collect()
        };
        assert_eq!(path(&[]).as_deref(), Some("/events"));
        assert_eq!(path(&ids(&["kiwi.cs", "a&b+é"])).as_deref(), Some("/events?client=kiwi.cs&client=a%26b%2B%C3%A9"));
        let room = QUERY_BYTES_MAX - "/events".len();
        let many: Vec<_> = std::iter::repeat_n("kiwi", room / "&client=kiwi".len()).collect();
        assert_eq!(path(&ids(&many)).map(|path| path.len() <= QUERY_BYTES_MAX), Some(true));
        assert_eq!(path(&ids(&[&many[..], &["kiwi"]].concat())), None);
    }
}
