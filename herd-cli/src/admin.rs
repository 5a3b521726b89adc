//! What a server says of itself at its admin address: HTTP, apart from the protocol and its listener.
//!
//! Whatever answers there is a stranger: its answer is bounded, and read as what it should be or not at all.

mod events;

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use herd_proto::{ClientId, ServerName};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, HOST, HeaderValue};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::Address;

pub use events::{Change, Events};

/// The longest status that is read, in bytes. A server with as many peers as can be has some ten thousand.
const STATUS_BYTES_MAX: usize = 1 << 20;
/// The head of an answer, in bytes; beyond about twice as many it is none.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// What a server holds and how it stands with its peers.
///
/// What a server of an earlier version does not say is `None`, or none.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct ServerStatus {
    /// Its name.
    pub name: String,
    /// Its herd's name.
    pub herd: String,
    /// A random number that it drew when it started, as text.
    pub boot: String,
    /// How many clients it knows.
    pub records: u64,
    /// The digest of all records, as 32 hexadecimal digits. Servers of a herd with the same number and digest hold the same.
    pub root: String,
    /// Its peers, in the order of its configuration.
    pub peers: Vec<PeerStatus>,
    /// The version of its program.
    #[serde(default)]
    pub version: Option<String>,
    /// Milliseconds since it was set up.
    #[serde(default)]
    pub uptime_ms: Option<u64>,
    /// What its reply to a post promises: `local`, `replicated=2`, `durable`.
    #[serde(default)]
    pub ack: Option<String>,
    /// Clients that are connected to it.
    #[serde(default)]
    pub clients: Option<u64>,
    /// Posts a second, of the last ten seconds or so.
    #[serde(default)]
    pub posts_per_s: Option<f64>,
    /// What is wrong with it at present, by its own account.
    #[serde(default)]
    pub alarms: Vec<Alarm>,
    /// Whether it may be sent clients.
    #[serde(default)]
    pub ready: Option<Readiness>,
}

/// Something that a server says is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Alarm {
    /// Which kind: `link_down`, `disk_failing`.
    pub alarm: String,
    /// Whom it is about, if a peer.
    #[serde(default)]
    pub peer: Option<String>,
    /// For how many milliseconds it has been so.
    #[serde(default)]
    pub since_ms: Option<u64>,
    /// The same for people.
    #[serde(default)]
    pub text: Option<String>,
}

/// Whether a server may be sent clients.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Readiness {
    /// It may.
    pub ready: bool,
    /// Why not.
    #[serde(default)]
    pub why: Option<String>,
}

/// How a server stands with one peer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct PeerStatus {
    /// The peer's name.
    pub name: String,
    /// `connected` when a link is in service.
    pub state: String,
    /// Both ends held the same when they last looked.
    pub in_sync: bool,
    /// For how many milliseconds `state` has been so.
    #[serde(default)]
    pub since_ms: Option<u64>,
    /// Records that wait to be sent to it.
    #[serde(default)]
    pub dirty: Option<u64>,
    /// Milliseconds since it was last heard on the connection there is.
    #[serde(default)]
    pub heard_ms: Option<u64>,
    /// How the last link or dial ended, if one did.
    #[serde(default)]
    pub closed: Option<Closed>,
}

/// How a link, or an attempt to have one, ended.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Closed {
    /// Why.
    pub why: String,
    /// How many milliseconds ago.
    pub ago_ms: u64,
}

impl PeerStatus {
    /// Whether a link is in service.
    pub fn is_connected(&self) -> bool {
        self.state == "connected"
    }
}

/// What proves to a server that one may look at it. Shown nowhere.
#[derive(Clone)]
pub struct AdminToken(HeaderValue);

impl AdminToken {
    /// Bytes that a token may have.
    const BYTES_MAX: usize = 4_096;

    /// A token as the server has it: 1 to 4,096 visible ASCII characters.
    ///
    /// # Errors
    /// It is none; the error holds nothing of it.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let is_token = (1..=Self::BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        let value = HeaderValue::from_str(&format!("Bearer {text}")).ok().filter(|_| is_token);
        let mut value = value.ok_or(TokenError)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken(…)")
    }
}

/// A text is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a token of 1 to {} visible ASCII characters", AdminToken::BYTES_MAX)]
pub struct TokenError;

/// Why there is no status.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// No connection could be made.
    #[error("can't connect to {address}")]
    Unreachable {
        /// Where to.
        address: Address,
        /// Why not.
        source: io::Error,
    },
    /// There was no whole answer in time.
    #[error("no answer from {address} within {} s", timeout.as_secs_f64())]
    TimedOut {
        /// Who was asked.
        address: Address,
        /// How long it was waited for.
        timeout: Duration,
    },
    /// What answers doesn't speak HTTP, or stopped in the middle of it.
    #[error("no HTTP answer from {address}")]
    NotHttp {
        /// Who was asked.
        address: Address,
        /// What is wrong with it.
        source: hyper::Error,
    },
    /// It was refused.
    #[error("{address} answered with HTTP status {status}")]
    Refused {
        /// Who was asked.
        address: Address,
        /// The status, such as 404.
        status: u16,
    },
    /// The answer is longer than any status.
    #[error("the answer of {0} is longer than {STATUS_BYTES_MAX} bytes")]
    TooLong(Address),
    /// The answer is no status.
    #[error("the answer of {address} is no server's status: {why}")]
    NotAStatus {
        /// Who was asked.
        address: Address,
        /// What is wrong with it. Holds nothing of the answer.
        why: &'static str,
    },
    /// What comes are no events of a herd.
    #[error("the events of {address} are none of a herd: {why}")]
    NotEvents {
        /// Who was asked.
        address: Address,
        /// What is wrong with them. Holds nothing of them.
        why: &'static str,
    },
    /// More is asked for than a request holds.
    #[error("these clients are more than can be asked for at once")]
    TooMany,
}

/// A server, as those see it who watch over it.
#[derive(Clone, Debug)]
pub struct AdminServer {
    address: Address,
    token: Option<AdminToken>,
    timeout: Duration,
}

impl AdminServer {
    /// Whoever listens at `address`. `timeout` is for each answer, or for the beginning of one that does not end.
    pub const fn new(address: Address, timeout: Duration) -> Self {
        Self { address, token: None, timeout }
    }

    /// Shows `token`, if there is one.
    #[must_use]
    pub fn with_token(self, token: Option<AdminToken>) -> Self {
        Self { token, ..self }
    }

    /// Where it is.
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// Nobody is there, or there is no status to be had in time.
    pub async fn status(&self) -> Result<ServerStatus, AdminError> {
        self.in_time(async {
            let (response, _mover) = self.get("/status.json").await?;
            let body = Limited::new(response.into_body(), STATUS_BYTES_MAX).collect().await;
            match body {
                Ok(body) => {
                    read(&body.to_bytes()).map_err(|why| AdminError::NotAStatus { address: self.address.clone(), why })
                }
                Err(error) => Err(body_error(&self.address, error)),
            }
        })
        .await
    }

    /// Positions as they change, of `clients`, or of everybody if there are none.
    ///
    /// # Errors
    /// Nobody is there, or there are no events to be had; the clients' names are longer than a request may be.
    pub async fn events(&self, clients: &[ClientId<'_>]) -> Result<Events, AdminError> {
        let path = events::path(clients).ok_or(AdminError::TooMany)?;
        let (response, mover) = self.in_time(self.get(&path)).await?;
        Ok(Events::new(self.clone(), response.into_body(), mover))
    }

    async fn in_time<T>(&self, work: impl Future<Output = Result<T, AdminError>>) -> Result<T, AdminError> {
        let done = tokio::time::timeout(self.timeout, work).await;
        done.unwrap_or_else(|_| Err(AdminError::TimedOut { address: self.address.clone(), timeout: self.timeout }))
    }

    /// A good answer, and what moves its bytes, which ends when it is dropped.
    async fn get(&self, path: &str) -> Result<(Response<Incoming>, JoinSet<hyper::Result<()>>), AdminError> {
        let address = || self.address.clone();
        let unreachable = |source| AdminError::Unreachable { address: address(), source };
        let not_http = |source| AdminError::NotHttp { address: address(), source };
        let place = (self.address.reachable_host(), self.address.port());
        let stream = TcpStream::connect(place).await.map_err(unreachable)?;
        let mut http = http1::Builder::new();
        http.max_buf_size(HEAD_BYTES_MAX);
        let (mut sender, connection) = http.handshake(TokioIo::new(stream)).await.map_err(not_http)?;
        let mut mover = JoinSet::new();
        mover.spawn(connection);
        let response = sender.send_request(self.request(path)?).await.map_err(not_http)?;
        match response.status() {
            StatusCode::OK => Ok((response, mover)),
            status => Err(AdminError::Refused { address: address(), status: status.as_u16() }),
        }
    }

    fn request(&self, path: &str) -> Result<Request<Empty<Bytes>>, AdminError> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = path.parse().map_err(|_| AdminError::TooMany)?;
        if let Ok(host) = self.address.to_string().parse() {
            request.headers_mut().insert(HOST, host);
        }
        if let Some(AdminToken(shown)) = &self.token {
            request.headers_mut().insert(AUTHORIZATION, shown.clone());
        }
        Ok(request)
    }
}

/// Asks whoever listens at `address` for its status. `timeout` is for all of it together.
///
/// # Errors
/// Nobody is there, or there is no status to be had in time.
pub async fn status(address: &Address, timeout: Duration) -> Result<ServerStatus, AdminError> {
    AdminServer::new(address.clone(), timeout).status().await
}

fn body_error(address: &Address, error: Box<dyn Error + Send + Sync>) -> AdminError {
    match error.downcast::<hyper::Error>() {
        Ok(source) => AdminError::NotHttp { address: address.clone(), source: *source },
        Err(error) if error.is::<LengthLimitError>() => AdminError::TooLong(address.clone()),
        Err(_) => AdminError::NotAStatus { address: address.clone(), why: "it can't be read" },
    }
}

/// A status, if it is one, or what is wrong.
fn read(body: &[u8]) -> Result<ServerStatus, &'static str> {
    let status: ServerStatus = serde_json::from_slice(body).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => "a field is missing, or is of another kind",
        _ => "it is no JSON",
    })?;
    let is_name = |name: &str| ServerName::new(name).is_ok();
    if !is_name(&status.name) || !is_name(&status.herd) || !status.peers.iter().all(|peer| is_name(&peer.name)) {
        return Err("a name in it is none");
    }
    let is_root = status.root.len() == 32 && status.root.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_root { Ok(status) } else { Err("its root is no digest") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"name":"Riley","herd":"ucla","boot":"1","records":2,"root":"00112233445566778899aabbccddeeff","peers":[{"name":"Juzang","state":"connected","in_sync":true,"more":1}],"more":{}}"#;

    #[test]
    fn a_status_may_have_more_fields_than_are_known() {
        let status = read(GOOD.as_bytes()).unwrap();
        assert_eq!((status.name.as_str(), status.records, status.peers[0].is_connected()), ("Riley", 2, true));
    }

    #[test]
    fn what_an_earlier_version_does_not_say_is_unknown() {
        let status = read(GOOD.as_bytes()).unwrap();
        assert_eq!((status.clients, status.posts_per_s, status.ready, status.alarms.len()), (None, None, None, 0));
        let more =
            r#"{"clients":7,"posts_per_s":1.5,"ready":{"ready":false,"why":"alone"},"alarms":[{"alarm":"alone"}],"#;
        let status = read(GOOD.replacen('{', more, 1).as_bytes()).unwrap();
        let why = status.ready.unwrap().why;
        assert_eq!(
            (status.clients, why.as_deref(), status.alarms[0].alarm.as_str()),
            (Some(7), Some("alone"), "alone")
        );
    }

    #[test]
    fn a_token_is_visible_ascii_and_is_shown_nowhere() {
        assert_eq!(format!("{:?}", AdminToken::new("a-token-of-some-length").unwrap()), "AdminToken(…)");
        let most = "x".repeat(AdminToken::BYTES_MAX);
        assert!(AdminToken::new(&most).is_ok());
        for text in ["", "two words", "b\u{f6}se", "a\r\nx: y", &(most + "x")] {
            assert_eq!(AdminToken::new(text).unwrap_err(), TokenError, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_status_says_why() {
        let cases = [
            ("Riley", "\\u001b[2J", "a name in it is none"),
            ("ucla", "", "a name in it is none"),
            ("Juzang", "a b", "a name in it is none"),
            ("00112233", "0011223Z", "its root is no digest"),
            ("00112233", "0011223", "its root is no digest"),
            ("aabb", "AABB", "its root is no digest"),
            (":2,", ":-2,", "a field is missing, or is of another kind"),
            (":2,", ":18446744073709551616,", "a field is missing, or is of another kind"),
            ("\"boot\"", "\"boat\"", "a field is missing, or is of another kind"),
            ("}", "", "it is no JSON"),
            ("{\"name\"", "<html>", "it is no JSON"),
        ];
        for (right, wrong, why) in cases {
            assert_eq!(read(GOOD.replacen(right, wrong, 1).as_bytes()), Err(why), "{wrong}");
        }
        assert_eq!(read(&b"{\"a\":".repeat(100_000)), Err("it is no JSON"));
    }
}
