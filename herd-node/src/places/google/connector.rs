//! How to get to the endpoint: directly or through the environment's proxy, always within the connect timeout.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper_tls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use native_tls::TlsConnector;
use tower_service::Service;

use super::setup::{SetupError, is_loopback};

/// Straight to the endpoint, without TLS.
pub(super) type Plain = Timed<HttpConnector>;
/// Straight to the endpoint.
pub(super) type Direct = Timed<HttpsConnector<HttpConnector>>;
/// Through a proxy, itself reached with or without TLS.
pub(super) type Tunnelled = Timed<HttpsConnector<Tunnel<HttpsConnector<HttpConnector>>>>;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

pub(super) fn plain(timeout: Duration) -> Plain {
    Timed { inner: tcp(), timeout }
}

pub(super) fn direct(tls: &TlsConnector, timeout: Duration) -> Direct {
    Timed { inner: HttpsConnector::from((tcp(), tls.clone().into())), timeout }
}

pub(super) fn tunnelled(tls: &TlsConnector, proxy: &Intercept, timeout: Duration) -> Tunnelled {
    let to_proxy = HttpsConnector::from((tcp(), tls.clone().into()));
    let mut tunnel = Tunnel::new(proxy.uri().clone(), to_proxy);
    if let Some(credentials) = proxy.basic_auth() {
        tunnel = tunnel.with_auth(credentials.clone());
    }
    Timed { inner: HttpsConnector::from((tunnel, tls.clone().into())), timeout }
}

/// The proxy that `environment` wants for `endpoint`. Loopback has none, nor has plain `http`, which is loopback only.
pub(super) fn proxy(
    endpoint: &Uri,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Option<Intercept>, SetupError> {
    let first =
        |names: [&str; 2]| names.into_iter().find_map(|name| environment(name).filter(|value| !value.is_empty()));
    let Some(value) = first(["HTTPS_PROXY", "https_proxy"]) else {
        return Ok(None);
    };
    if endpoint.scheme_str() != Some("https") || endpoint.host().is_none_or(is_loopback) {
        return Ok(None);
    }
    // Checked without exceptions first: a proxy that can't be read must not quietly become no proxy.
    let proxy = Matcher::builder().https(&value).build().intercept(endpoint).ok_or(SetupError::Proxy)?;
    if !matches!(proxy.uri().scheme_str(), Some("http" | "https")) || proxy.uri().host().is_none_or(str::is_empty) {
        return Err(SetupError::Proxy);
    }
    let exceptions = first(["NO_PROXY", "no_proxy"]).unwrap_or_default();
    Ok(Matcher::builder().https(value).no(exceptions).build().intercept(endpoint))
}

fn tcp() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector
}

/// A connector that takes no longer than its timeout: name lookup, proxy and TLS handshake included.
#[derive(Clone, Debug)]
pub(super) struct Timed<C> {
    inner: C,
    timeout: Duration,
}

impl<C> Service<Uri> for Timed<C>
where
    C: Service<Uri>,
    C::Error: Into<BoxError>,
    C::Future: Send + 'static,
    C::Response: 'static,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, endpoint: Uri) -> Self::Future {
        let connection = tokio::time::timeout(self.timeout, self.inner.call(endpoint));
        Box::pin(async move {
            match connection.await {
                Ok(connection) => connection.map_err(Into::into),
                Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no connection in time").into()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::proxy;
    use crate::places::google::setup::SetupError;

    fn chosen(endpoint: &str, environment: &[(&str, &str)]) -> Result<Option<String>, SetupError> {
        let value =
            |name: &str| environment.iter().find(|(known, _)| *known == name).map(|(_, value)| String::from(*value));
        Ok(proxy(&endpoint.parse().unwrap(), value)?.map(|proxy| proxy.uri().to_string()))
    }

    #[test]
    fn the_environment_chooses_the_proxy() {
        let google = "https://places.googleapis.com/v1";
        let via = |environment: &[(&str, &str)]| chosen(google, environment).unwrap();
        assert_eq!(via(&[]), None);
        assert_eq!(via(&[("HTTPS_PROXY", "")]), None);
        assert_eq!(via(&[("HTTP_PROXY", "http://p:1")]), None);
        assert_eq!(via(&[("HTTPS_PROXY", "http://p:3128")]).as_deref(), Some("http://p:3128/"));
        assert_eq!(via(&[("https_proxy", "https://u:pw@p:1/x")]).as_deref(), Some("https://p:1/"));
        assert_eq!(via(&[("https_proxy", "p:1")]).as_deref(), Some("http://p:1/"));
        for exception in ["googleapis.com", ".googleapis.com", "*", "a.b, places.googleapis.com"] {
            assert_eq!(via(&[("HTTPS_PROXY", "http://p:1"), ("no_proxy", exception)]), None, "{exception}");
        }
        let elsewhere = via(&[("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", "example.com")]);
        assert_eq!(elsewhere.as_deref(), Some("http://p:1/"));
    }

    #[test]
    fn loopback_is_never_proxied() {
        for endpoint in ["https://localhost:1/", "https://127.0.0.9/", "https://[::1]:1/", "http://127.0.0.1/"] {
            assert_eq!(chosen(endpoint, &[("HTTPS_PROXY", "http://p:1")]).unwrap(), None, "{endpoint}");
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_an_error_without_its_password() {
        for bad in ["socks5://u:hunter2@p:1", "http://u:hunter2@", "http://a b", "ftp://p"] {
            let error = chosen("https://h/", &[("HTTPS_PROXY", bad), ("NO_PROXY", "*")]).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }
}
