//! What can be wrong with the settings of the Google backends, found before anything is opened.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use hyper::Uri;
use native_tls::{Certificate, TlsConnector};
use thiserror::Error;

use crate::secret::Secret;

/// A setting with which a Google backend can't run. Shows no secret.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The settings are for another backend.
    #[error("places.backend: embedded asks no Google")]
    NotGoogle,
    /// No key was given.
    #[error("places.key_file: the google backends need an API key, from this file or the environment's PLACES_KEY")]
    MissingKey,
    /// The key has a byte that no key has.
    #[error("places.key_file: the key holds a byte that is not a printable ASCII character, at offset {offset}")]
    BadKey {
        /// Where, in bytes from 0.
        offset: usize,
    },
    /// The key is longer than any.
    #[error("places.key_file: the key is longer than {KEY_MAX} bytes")]
    LongKey,
    /// The endpoint is no URL, or one with parts that an endpoint can't have.
    #[error("places.base_url: {reason}")]
    BaseUrl {
        /// What is wrong.
        reason: &'static str,
    },
    /// The type of place is none.
    #[error("places.type: a type of place is lower-case letters, digits and underscores")]
    PlaceType,
    /// The file of certificate authorities can't be read.
    #[error("places.ca_file: cannot read {}: {source}", path.display())]
    UnreadableCa {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file of certificate authorities holds none.
    #[error("places.ca_file: no PEM certificates in {}", path.display())]
    BadCa {
        /// Which file.
        path: PathBuf,
    },
    /// The environment's proxy can't be used. Its value is not shown: it may hold a password.
    #[error("environment HTTPS_PROXY: not the http or https URL of a proxy")]
    Proxy,
    /// The system's TLS library failed.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] native_tls::Error),
}

/// The longest key; Google's have 39 characters. It bounds the work of looking for it in replies.
const KEY_MAX: usize = 512;

pub(super) fn checked_key(key: Option<&Secret>) -> Result<Secret, SetupError> {
    let key = key.ok_or(SetupError::MissingKey)?;
    let bytes = key.expose();
    if bytes.is_empty() {
        return Err(SetupError::MissingKey);
    }
    match bytes.iter().position(|byte| !byte.is_ascii_graphic()) {
        Some(offset) => Err(SetupError::BadKey { offset }),
        None if bytes.len() > KEY_MAX => Err(SetupError::LongKey),
        None => Ok(key.clone()),
    }
}

/// An endpoint: an `https` URL, or any `http` one on this machine, without user, query or fragment.
pub(super) fn checked_url(text: &str) -> Result<Uri, SetupError> {
    let wrong = |reason| Err(SetupError::BaseUrl { reason });
    // The parser drops fragments without a word.
    if text.contains('#') {
        return wrong("must have no fragment");
    }
    let Ok(uri) = text.parse::<Uri>() else {
        return wrong("not a URL");
    };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return wrong("not a whole URL with scheme and host");
    };
    match scheme {
        _ if authority.as_str().contains('@') => wrong("must have no user or password"),
        _ if authority.host().is_empty() => wrong("has no host"),
        _ if authority.as_str().len() > authority.host().len() && authority.port_u16().is_none() => {
            wrong("has a port that is none")
        }
        _ if uri.query().is_some() => wrong("must have no query"),
        "https" => Ok(uri),
        "http" if is_loopback(authority.host()) => Ok(uri),
        "http" => wrong("must be https unless its host is loopback: the key would be readable on the way"),
        _ => wrong("must be https"),
    }
}

/// Why `text` can't be an endpoint, if it can't.
pub(crate) fn endpoint_problem(text: &str) -> Option<&'static str> {
    match checked_url(text) {
        Err(SetupError::BaseUrl { reason }) => Some(reason),
        _ => None,
    }
}

pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A type as Google writes them. The restriction also keeps it from meaning anything in a query.
pub(super) fn checked_type(text: Option<&str>) -> Result<Option<String>, SetupError> {
    let is_type_byte = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    match text {
        Some(text) if text.is_empty() || text.len() > 64 || !text.bytes().all(is_type_byte) => {
            Err(SetupError::PlaceType)
        }
        text => Ok(text.map(Into::into)),
    }
}

/// The certificates of `ca_file`.
pub(super) fn authorities(ca_file: Option<&Path>) -> Result<Vec<Certificate>, SetupError> {
    let Some(path) = ca_file else {
        return Ok(Vec::new());
    };
    let pem = std::fs::read(path).map_err(|source| SetupError::UnreadableCa { path: path.to_path_buf(), source })?;
    match Certificate::stack_from_pem(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(SetupError::BadCa { path: path.to_path_buf() }),
    }
}

/// TLS that always verifies: the system's authorities and `authorities`.
pub(super) fn tls(authorities: Vec<Certificate>) -> Result<TlsConnector, SetupError> {
    let mut builder = TlsConnector::builder();
    for certificate in authorities {
        builder.add_root_certificate(certificate);
    }
    Ok(builder.build()?)
}

#[cfg(test)]
mod tests {
    use super::{checked_key, checked_type, checked_url};
    use crate::secret::Secret;

    #[test]
    fn endpoints() {
        for good in [
            "https://places.googleapis.com/v1/places:searchNearby",
            "https://10.0.0.1:8443",
            "http://127.0.0.1:20490/maps/api/place/nearbysearch/json",
            "http://127.255.0.9/",
            "http://[::1]:80/x",
            "http://LocalHost:1/x",
        ] {
            assert!(checked_url(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/only/a/path",
            "places.googleapis.com",
            "http://places.googleapis.com/",
            "http://127.0.0.1.example.com/",
            "http://128.0.0.1/",
            "http://localhost.example.com/",
            "http://[::2]/",
            "ftp://127.0.0.1/",
            "https://user:hunter2@host/",
            "https://host/?key=hunter2",
            "https://host/#hunter2",
            "https://host:99999/",
            "https://host:/",
            "https:///x",
            "https://:80/x",
            "https://ho st/",
        ] {
            let error = checked_url(bad).expect_err(bad).to_string();
            assert!(error.starts_with("places.base_url: ") && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn keys() {
        let error = |key: &str| checked_key(Some(&Secret::new(key.as_bytes()))).unwrap_err().to_string();
        assert!(checked_key(Some(&Secret::new(*b"AIza-_09/+%"))).is_ok());
        assert!(checked_key(None).unwrap_err().to_string().contains("PLACES_KEY"));
        assert_eq!(error(""), checked_key(None).unwrap_err().to_string());
        for (key, offset) in [("key\n", 3), ("k k", 1), ("\u{7f}", 0), ("ké", 1)] {
            let error = error(key);
            assert!(error.ends_with(&format!("offset {offset}")) && !error.contains(key), "{error}");
        }
        assert_eq!(error(&"k".repeat(513)), "places.key_file: the key is longer than 512 bytes");
    }

    #[test]
    fn types() {
        assert_eq!(checked_type(Some("rv_park2")).unwrap().as_deref(), Some("rv_park2"));
        assert_eq!(checked_type(None).unwrap(), None);
        for bad in ["", "a b", "a&key=b", "Cafe", "caf\u{e9}"] {
            assert!(checked_type(Some(bad)).is_err(), "{bad}");
        }
    }
}
