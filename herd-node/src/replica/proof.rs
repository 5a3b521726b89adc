//! How servers prove the shared secret to each other: HMAC-SHA256 over role and both HELLO lines (WIRE §6.3).

use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use herd_proto::{Auth, Hello, encode};

use crate::secret::Secret;

type HmacSha256 = Hmac<Sha256>;

/// The key id that says "no secret is configured". Only allowed where peers are on loopback.
const OPEN: &str = "open";

/// The secrets of a server.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    /// The first proves; all verify. Never empty.
    keys: Vec<Key>,
}

#[derive(Clone, Debug)]
struct Key {
    id: String,
    secret: Secret,
}

impl Keys {
    pub(super) fn new(secrets: &[Secret]) -> Self {
        let mut keys: Vec<Key> =
            secrets.iter().map(|secret| Key { id: key_id(secret), secret: secret.clone() }).collect();
        if keys.is_empty() {
            keys.push(Key { id: OPEN.to_owned(), secret: Secret::new(*b"herd/1 open") });
        }
        Self { keys }
    }

    /// Whether what stands in for a secret is all there is: it proves nothing.
    pub(super) fn are_open(&self) -> bool {
        self.keys.iter().all(|key| key.id == OPEN)
    }

    /// Key id and code that prove this server, in the role of dialer or acceptor.
    pub(super) fn prove(&self, dialled: bool, dialer: &Hello<Vec<u8>>, acceptor: &Hello<Vec<u8>>) -> (&str, [u8; 32]) {
        let key = &self.keys[0];
        (&key.id, key.code(dialled, dialer, acceptor))
    }

    /// Whether `auth` proves its sender, in the role of dialer or acceptor.
    pub(super) fn verify(
        &self,
        auth: &Auth<impl AsRef<[u8]>>,
        dialled: bool,
        dialer: &Hello<Vec<u8>>,
        acceptor: &Hello<Vec<u8>>,
    ) -> bool {
        let Some(key) = self.keys.iter().find(|key| key.id == auth.key_id()) else {
            return false;
        };
        key.code(dialled, dialer, acceptor).ct_eq(auth.mac()).into()
    }
}

impl Key {
    fn code(&self, dialled: bool, dialer: &Hello<Vec<u8>>, acceptor: &Hello<Vec<u8>>) -> [u8; 32] {
        let mut subject = Vec::with_capacity(512);
        encode::auth_subject(&mut subject, dialled, dialer, acceptor);
        hmac(&self.secret, &subject)
    }
}

/// Tells secrets apart without telling anything of them.
fn key_id(secret: &Secret) -> String {
    hmac(secret, b"herd/1 key id").iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

fn hmac(secret: &Secret, subject: &[u8]) -> [u8; 32] {
    let mac = HmacSha256::new_from_slice(secret.expose()).expect("HMAC takes keys of any length");
    mac.chain_update(subject).finalize().into_bytes().into()
}
