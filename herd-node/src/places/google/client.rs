//! One call over HTTP: a request out, a whole body in. No retries, no meaning, no redirects.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::{Request, StatusCode, Uri};
use hyper_util::client::legacy::{self, Builder};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::body::{self, BodyError};
use super::connector::{self, Direct, Plain, Tunnelled};
use super::fault::Fault;
use super::retry::Retry;
use super::setup::{self, SetupError};
use crate::places::{Bound, Settings};

/// What came back.
#[derive(Debug)]
pub(super) struct Upstream {
    pub(super) code: StatusCode,
    /// From the header `Retry-After`, when it is in seconds.
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
}

/// The one pooled client.
pub(super) struct Client {
    http: Http,
    body_max: usize,
}

enum Http {
    /// On this machine: without TLS, whose library takes a while to read the system's authorities.
    Plain(Box<legacy::Client<Plain, Full<Bytes>>>),
    Direct(Box<legacy::Client<Direct, Full<Bytes>>>),
    Tunnelled(Box<legacy::Client<Tunnelled, Full<Bytes>>>),
}

const AGENT: &str = concat!("herd-node/", env!("CARGO_PKG_VERSION"));

/// Well below the minutes after which servers and address translators forget a quiet connection.
const IDLE_MAX: Duration = Duration::from_secs(60);

impl Client {
    pub(super) fn new(
        settings: &Settings,
        endpoint: &Uri,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, SetupError> {
        let (builder, timeout) = (builder(settings.in_flight_max), settings.connect_timeout);
        let authorities = setup::authorities(settings.ca_file.as_deref())?;
        let http = if endpoint.scheme_str() == Some("http") {
            Http::Plain(Box::new(builder.build(connector::plain(timeout))))
        } else {
            let tls = setup::tls(authorities)?;
            match connector::proxy(endpoint, environment)? {
                None => Http::Direct(Box::new(builder.build(connector::direct(&tls, timeout)))),
                Some(proxy) => Http::Tunnelled(Box::new(builder.build(connector::tunnelled(&tls, &proxy, timeout)))),
            }
        };
        Ok(Self { http, body_max: settings.body_max })
    }

    /// Sends `request` and reads the whole reply.
    pub(super) async fn exchange(&self, mut request: Request<Full<Bytes>>) -> Result<Upstream, Fault> {
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let response = match &self.http {
            Http::Plain(client) => client.request(request),
            Http::Direct(client) => client.request(request),
            Http::Tunnelled(client) => client.request(request),
        };
        let (head, body) = response.await.map_err(|error| unreachable(&error))?.into_parts();
        // Nothing behind a redirect is wanted, its body neither.
        if head.status.is_redirection() {
            return Err(Fault::of_code(head.status));
        }
        let retry_after = retry_after(&head.headers);
        match body::read(&head.headers, body, self.body_max).await {
            Ok(body) => Ok(Upstream { code: head.status, retry_after, body }),
            Err(error) => Err(unreadable(&error, head.status, self.body_max)),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not what is inside: a tunnel holds the proxy's password.
        f.debug_struct("Client").field("body_max", &self.body_max).finish_non_exhaustive()
    }
}

fn builder(in_flight_max: usize) -> Builder {
    let mut builder = legacy::Client::builder(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE_MAX).pool_max_idle_per_host(in_flight_max);
    builder
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

fn unreachable(error: &legacy::Error) -> Fault {
    // A certificate that was refused will be refused again.
    let is_tls = causes(error).any(<dyn Error>::is::<native_tls::Error>);
    let reasons: Vec<String> = causes(error).map(ToString::to_string).collect();
    let fault = Fault::unknown(format!("the places service could not be asked: {}", reasons.join(": ")));
    if is_tls { fault } else { fault.retried(Retry::BackOff) }
}

/// What is behind `error`, which itself says little.
fn causes(error: &legacy::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause: &&'_ (dyn Error + 'static)| (*cause).source())
}

fn unreadable(error: &BodyError, code: StatusCode, max: usize) -> Fault {
    match error {
        // Nothing can be said by a body that can't be read, so the code decides.
        BodyError::TooLarge | BodyError::Encoding if !code.is_success() => Fault::of_code(code),
        BodyError::TooLarge => {
            Fault::unknown(format!("the places service answered more than {max} bytes")).by(Bound::Bytes)
        }
        BodyError::Encoding => Fault::unknown("the places service answered in a compression that cannot be undone"),
        BodyError::Broken(error) => {
            Fault::unknown(format!("the places service broke off its answer: {error}")).retried(Retry::BackOff)
        }
    }
}
