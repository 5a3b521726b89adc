//! What there is to be asked for.

use std::fmt::Write;

use hyper::header::{ALLOW, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Method, Request, StatusCode};

use super::answer::{Answer, HTML, JSON, TEXT, error, events, whole};
use super::desk::Desk;
use super::events::{READERS_MAX, Reader, Stream};
use super::metrics::{Process, Readers};
use super::{access, events as of_events, metrics, page};
use crate::net::Reason;
use crate::secret::Secret;
use crate::status::Status;

/// One page.
struct Page {
    path: &'static str,
    /// Nobody is asked for the token.
    is_open: bool,
    takes_query: bool,
    what: What,
}

/// What a page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Document,
    Events,
    Health,
    Metrics,
    Ready,
    Status,
}

/// Every page, by path.
static PAGES: [Page; 6] = [
    Page { path: "/", is_open: false, takes_query: false, what: What::Document },
    Page { path: "/events", is_open: false, takes_query: true, what: What::Events },
    Page { path: "/healthz", is_open: true, takes_query: false, what: What::Health },
    Page { path: "/metrics", is_open: false, takes_query: false, what: What::Metrics },
    Page { path: "/readyz", is_open: false, takes_query: false, what: What::Ready },
    Page { path: "/status.json", is_open: false, takes_query: false, what: What::Status },
];

/// A page, and what was shown to see it, or did not have to be.
struct Admitted {
    page: &'static Page,
    token: Option<Secret>,
}

/// Why a request is not answered with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// It is for another host.
    Host,
    /// It is for another's page.
    Stranger,
    /// It does not show the token.
    Token,
    /// There is no such page.
    Page,
    /// It is more than a look.
    Method,
    /// The page takes no query.
    Query,
}

/// The answer to a request, whatever it asks for.
pub(super) async fn answer<B>(desk: &Desk, request: &Request<B>) -> Answer {
    match page(desk, request) {
        Ok(admitted) => shown(desk, admitted, request).await,
        Err(refusal) => {
            desk.count(refusal.reason());
            refusal.answer()
        }
    }
}

/// The page that is asked for, if it may be seen.
fn page<B>(desk: &Desk, request: &Request<B>) -> Result<Admitted, Refusal> {
    let page = PAGES.iter().find(|page| page.path == request.uri().path());
    let token = desk.token();
    let is_loopback = desk.address().ip().to_canonical().is_loopback();
    if token.is_none() && is_loopback && !access::is_for(request, desk.address()) {
        return Err(Refusal::Host);
    }
    if access::is_for_stranger(request) {
        return Err(Refusal::Stranger);
    }
    let is_open = page.is_some_and(|page| page.is_open);
    // Without a token everybody is let look who can reach it: those on this machine, and never others.
    let is_shown = token.as_ref().map_or(is_loopback, |token| access::shows(request, token));
    if !is_open && !is_shown {
        return Err(Refusal::Token);
    }
    let page = page.ok_or(Refusal::Page)?;
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(Refusal::Method);
    }
    if !page.takes_query && request.uri().query().is_some() {
        return Err(Refusal::Query);
    }
    Ok(Admitted { page, token })
}

impl Refusal {
    const fn reason(self) -> Reason {
        match self {
            Self::Host | Self::Stranger | Self::Token => Reason::AdminDenied,
            Self::Page | Self::Method | Self::Query => Reason::AdminInvalid,
        }
    }

    fn answer(self) -> Answer {
        match self {
            Self::Host => {
                let why = "this is for whoever is on this machine: ask for it by localhost or its address";
                error(StatusCode::MISDIRECTED_REQUEST, why)
            }
            Self::Stranger => error(StatusCode::FORBIDDEN, "pages of others have nothing to ask here"),
            Self::Token => unauthorized(),
            Self::Page => error(StatusCode::NOT_FOUND, &known_pages()),
            Self::Method => {
                let mut answer = error(StatusCode::METHOD_NOT_ALLOWED, "this can only be read");
                answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
                answer
            }
            Self::Query => error(StatusCode::BAD_REQUEST, "this takes no query"),
        }
    }
}

fn unauthorized() -> Answer {
    let mut answer = error(StatusCode::UNAUTHORIZED, "this needs the token: as a bearer's, or as a password");
    // The first is what a browser asks its user for.
    for challenge in ["Basic realm=\"herd\", charset=\"UTF-8\"", "Bearer realm=\"herd\""] {
        answer.headers_mut().append(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    answer
}

fn known_pages() -> String {
    let mut text = "there is ".to_owned();
    for (at, page) in PAGES.iter().enumerate() {
        let before = match at {
            0 => "",
            _ if at + 1 == PAGES.len() => " and ",
            _ => ", ",
        };
        // Writing to a string can't fail.
        let _ = write!(text, "{before}{}", page.path);
    }
    text
}

async fn shown<B>(desk: &Desk, admitted: Admitted, request: &Request<B>) -> Answer {
    match admitted.page.what {
        What::Document => document(),
        What::Health => whole(StatusCode::OK, TEXT, "ok\n"),
        What::Metrics => measured(desk).await,
        What::Ready => ready(desk),
        What::Status => status(desk),
        What::Events => stream(desk, admitted.token, request),
    }
}

fn document() -> Answer {
    let mut answer = whole(StatusCode::OK, HTML, page::document());
    for (name, value) in page::headers() {
        answer.headers_mut().insert(name, value);
    }
    answer
}

fn ready(desk: &Desk) -> Answer {
    let ready = desk.ready();
    let status = if ready.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    whole(status, JSON, json_line(&ready))
}

fn status(desk: &Desk) -> Answer {
    match desk.server() {
        Some((shared, lookout)) => whole(StatusCode::OK, JSON, json_line(&Status::of(shared, lookout))),
        None => not_yet(),
    }
}

async fn measured(desk: &Desk) -> Answer {
    let Some((shared, lookout)) = desk.server() else { return not_yet() };
    // Counting open files may take milliseconds: on a thread that serves nobody. It neither panics nor is it cancelled.
    let process = tokio::task::spawn_blocking(Process::read).await.unwrap_or_default();
    let readers = Readers(desk.hub.readers());
    let text = metrics::text(shared, &Status::of(shared, lookout), process, readers);
    whole(StatusCode::OK, metrics::CONTENT_TYPE, text)
}

/// There is nothing to be told while the disk log is read.
fn not_yet() -> Answer {
    error(StatusCode::SERVICE_UNAVAILABLE, "recovering: the disk log is being read")
}

fn stream<B>(desk: &Desk, token: Option<Secret>, request: &Request<B>) -> Answer {
    let filter = match of_events::filter(request.uri().query()) {
        Ok(filter) => filter,
        Err(why) => {
            desk.count(Reason::AdminInvalid);
            return error(StatusCode::BAD_REQUEST, why);
        }
    };
    let Some((shared, _)) = desk.server() else { return not_yet() };
    if *request.method() == Method::HEAD {
        return events(None);
    }
    match Reader::new(shared, &desk.hub, token, filter) {
        Some(reader) => events(Some(Stream::new(reader))),
        None => {
            desk.count(Reason::AdminReadersFull);
            error(StatusCode::SERVICE_UNAVAILABLE, &format!("{READERS_MAX} readers of events are there"))
        }
    }
}

/// Plain data as a line of JSON.
fn json_line(data: &impl serde::Serialize) -> String {
    // Strings and numbers: there is nothing in it that could fail.
    let mut json = serde_json::to_string(data).unwrap_or_default();
    json.push('\n');
    json
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    /// The rule is kept where servers are set up and reloaded; should it ever be broken there, nothing is shown here.
    #[test]
    fn without_a_token_nothing_but_health_is_shown_to_the_network() {
        let asks = |address: &str, path: &str| {
            let address: SocketAddr = address.parse().unwrap();
            let request = Request::builder().uri(path).body(()).unwrap();
            page(&Desk::new(address, None), &request).map(|admitted| admitted.page.what)
        };
        for address in ["0.0.0.0:14000", "192.0.2.1:14000", "[::]:14000"] {
            assert_eq!(asks(address, "/healthz"), Ok(What::Health));
            for path in ["/", "/events", "/metrics", "/readyz", "/status.json", "/nothing"] {
                assert_eq!(asks(address, path), Err(Refusal::Token), "{address} {path}");
            }
        }
        for address in ["127.0.0.1:14000", "[::1]:14000", "[::ffff:127.0.0.1]:14000"] {
            assert_eq!(asks(address, "/status.json"), Ok(What::Status), "{address}");
        }
    }
}
