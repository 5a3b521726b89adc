//! Who may look: those who show the token, or, on loopback without one, those who are on this machine and mean it.
//!
//! A page of a stranger that is open in a browser here can ask a name of its own that it has made to mean 127.0.0.1 (DNS rebinding), and
//! would be let read the answer. It can't choose what `Host` says: so that must be a name or an address of this machine. With a token
//! nothing is left to be had that way.
//!
//! Nor may such a page ask by the right name: it could read nothing, but it could take all places that readers of events have, and with
//! a browser's help that remembers it even show the token. Browsers say of themselves for whom they ask (Fetch Metadata).

use std::net::{IpAddr, SocketAddr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::Request;
use hyper::header::{AUTHORIZATION, HOST};
use hyper::http::uri::Authority;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::secret::Secret;

/// Whether the request shows `token`: as a bearer's, or as a password of any user.
pub(super) fn shows<B>(request: &Request<B>, token: &Secret) -> bool {
    let mut headers = request.headers().get_all(AUTHORIZATION).iter();
    let (Some(header), None) = (headers.next(), headers.next()) else { return false };
    let shown = header.as_bytes();
    let Some(space) = shown.iter().position(|byte| *byte == b' ') else { return false };
    let (scheme, shown) = shown.split_at(space);
    let shown = shown.trim_ascii();
    if scheme.eq_ignore_ascii_case(b"bearer") {
        is_same(shown, token.expose())
    } else if scheme.eq_ignore_ascii_case(b"basic") {
        let Ok(pair) = STANDARD.decode(shown) else { return false };
        let colon = pair.iter().position(|byte| *byte == b':');
        colon.and_then(|colon| pair.get(colon + 1..)).is_some_and(|password| is_same(password, token.expose()))
    } else {
        false
    }
}

/// Takes as long whatever the difference is, and whatever the lengths are.
fn is_same(shown: &[u8], token: &[u8]) -> bool {
    Sha256::digest(shown).ct_eq(&Sha256::digest(token)).into()
}

/// Whether the request is for this machine, as far as it says whom it is for.
pub(super) fn is_for<B>(request: &Request<B>, address: SocketAddr) -> bool {
    let of_uri = request.uri().authority().into_iter().map(|authority| is_of_machine(authority, address));
    let of_headers = request.headers().get_all(HOST).iter().map(|host| {
        let authority = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
        authority.is_some_and(|authority| is_of_machine(&authority, address))
    });
    of_uri.chain(of_headers).all(|is_for| is_for)
}

/// Whether a browser asks for a page of somebody else. Whoever follows a link to here asks for itself.
pub(super) fn is_for_stranger<B>(request: &Request<B>) -> bool {
    let says = |header: &str, words: &[&str]| {
        request
            .headers()
            .get_all(header)
            .iter()
            .map(|said| words.iter().any(|word| said == word))
            .reduce(|one, other| one && other)
    };
    let is_own = says("sec-fetch-site", &["same-origin", "none"]).unwrap_or(true);
    let is_link =
        says("sec-fetch-mode", &["navigate"]) == Some(true) && says("sec-fetch-dest", &["document"]) == Some(true);
    !is_own && !is_link
}

fn is_of_machine(authority: &Authority, address: SocketAddr) -> bool {
    let host = authority.host();
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match host.parse::<IpAddr>() {
        Ok(ip) => ip.to_canonical().is_loopback() || ip.to_canonical() == address.ip().to_canonical(),
        Err(_) => {
            let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "correct horse battery";

    fn shown(header: &str) -> bool {
        let request = Request::builder().header(AUTHORIZATION, header).body(()).unwrap();
        shows(&request, &Secret::new(TOKEN.as_bytes()))
    }

    #[test]
    fn the_token_is_a_bearers_or_anybodys_password() {
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        assert!(shown(&format!("Bearer {TOKEN}")) && shown(&format!("bearer  {TOKEN} ")));
        assert!(shown(&basic(&format!(":{TOKEN}"))) && shown(&basic(&format!("any one:{TOKEN}"))));
        let wrong = [
            TOKEN.to_owned(),
            "Bearer".to_owned(),
            "Bearer ".to_owned(),
            format!("Bearer {TOKEN}y"),
            format!("Bearer {}", &TOKEN[1..]),
            format!("Digest {TOKEN}"),
            format!("Basic {TOKEN}"),
            basic(TOKEN),
            basic(&format!("{TOKEN}:")),
            basic(&format!("x:{TOKEN}:")),
        ];
        for header in wrong {
            assert!(!shown(&header), "{header}");
        }
        let twice =
            Request::builder().header(AUTHORIZATION, format!("Bearer {TOKEN}")).header(AUTHORIZATION, "Bearer x");
        assert!(!shows(&twice.body(()).unwrap(), &Secret::new(TOKEN.as_bytes())), "which of them is meant?");
        assert!(!shows(&Request::new(()), &Secret::new(TOKEN.as_bytes())));
    }

    #[test]
    fn pages_of_strangers_ask_for_nothing_but_links_are_followed() {
        let asks = |said: &[(&str, &str)]| {
            let request =
                said.iter().fold(Request::builder(), |request, (header, text)| request.header(*header, *text));
            is_for_stranger(&request.body(()).unwrap())
        };
        let (site, mode, dest) = ("sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest");
        for own in [
            &[][..],
            &[(site, "same-origin")],
            &[(site, "none"), (mode, "navigate"), (dest, "document")],
            &[(site, "cross-site"), (mode, "navigate"), (dest, "document")],
        ] {
            assert!(!asks(own), "{own:?}");
        }
        for strange in [
            &[(site, "cross-site")][..],
            &[(site, "same-site"), (mode, "cors"), (dest, "empty")],
            &[(site, "cross-site"), (mode, "no-cors"), (dest, "image")],
            &[(site, "cross-site"), (mode, "navigate"), (dest, "iframe")],
            &[(site, "cross-site"), (mode, "navigate")],
            &[(site, "same-origin"), (site, "cross-site")],
            &[(site, "of tomorrow")],
        ] {
            assert!(asks(strange), "{strange:?}");
        }
    }

    #[test]
    fn a_name_that_is_not_this_machines_is_not_for_it() {
        let asks = |uri: &str, host: &[&str]| {
            let mut request = Request::builder().uri(uri);
            for host in host {
                request = request.header(HOST, *host);
            }
            is_for(&request.body(()).unwrap(), "127.0.0.1:14000".parse().unwrap())
        };
        for host in [
            "127.0.0.1:14000",
            "127.0.0.1",
            "127.9.9.9:1",
            "localhost:8080",
            "LocalHost.",
            "riley.localhost",
            "[::1]:7",
        ] {
            assert!(asks("/", &[host]), "{host}");
        }
        assert!(asks("/", &[]), "no browser leaves it out");
        assert!(asks("http://localhost/", &["127.0.0.1"]));
        let wrong = [
            "riley.example",
            "localhost.riley.example",
            "notlocalhost",
            "192.0.2.1",
            "0.0.0.0",
            "[::2]",
            "",
            "a b",
            "[",
            "2130706433",
        ];
        for host in wrong {
            assert!(!asks("/", &[host]), "{host}");
        }
        assert!(!asks("http://riley.example/", &["localhost"]) && !asks("/", &["localhost", "riley.example"]));
    }
}
