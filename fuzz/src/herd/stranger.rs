//! Somebody who knows the secret and keeps to no rule: what it hears, and how it proves itself.

use herd_proto::Nonce;
use hmac::{Hmac, Mac};

use super::HERD;
use crate::texts;

/// The key that stands in where there is no secret.
const OPEN: &[u8] = b"herd/1 open";

/// The stranger's side of a connection.
#[derive(Default)]
pub(crate) struct Stranger {
    /// It made the connection.
    pub(super) dialled: bool,
    pub(super) own_hello: String,
    /// The lines that it heard, the first HELLO by itself.
    pub(super) their_hello: Option<String>,
    pub(crate) heard: Vec<String>,
}

impl Stranger {
    pub(super) fn hear(&mut self, bytes: &[u8]) {
        for line in String::from_utf8_lossy(bytes).lines() {
            if self.their_hello.is_none() && line.starts_with("HELLO ") {
                self.their_hello = Some(line.to_owned());
            }
            self.heard.push(line.to_owned());
        }
    }

    pub(crate) fn hello(&self) -> String {
        format!("{}\n", self.own_hello)
    }

    /// The right proof, once there is something to prove.
    pub(crate) fn auth(&self, secret: Option<&[u8]>) -> Option<String> {
        let theirs = self.their_hello.as_ref()?;
        let (role, dialer, acceptor) =
            if self.dialled { ("dialer", &self.own_hello, theirs) } else { ("acceptor", theirs, &self.own_hello) };
        let key = secret.unwrap_or(OPEN);
        let code = mac(key, &format!("herd/1 {role}\n{dialer}\n{acceptor}\n"));
        let key_id = secret.map_or("open".to_owned(), |secret| mac(secret, "herd/1 key id")[..8].to_owned());
        Some(format!("AUTH {key_id} {code}\n"))
    }
}

pub(super) fn hello_line(from: &str, to: &str, nonce: Nonce) -> String {
    format!("HELLO herd/1 {HERD} {from} {to} {:016x} {nonce}", 0xbad)
}

fn mac(secret: &[u8], subject: &str) -> String {
    let mac = Hmac::<sha2::Sha256>::new_from_slice(secret).expect("any length").chain_update(subject);
    texts::hex(&mac.finalize().into_bytes())
}
