//! A peer made of nothing but the wire's description (WIRE §6): for doing what no honest server does.

use std::net::SocketAddr;

use herd_proto::{Hello, Nonce, ServerName, encode};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::Client;
use super::herd::SECRET;

/// What stands in for a secret where there is none.
pub(crate) const OPEN: &[u8] = b"herd/1 open";

/// HELLO of `from` to `to` in herd `herd`.
pub(crate) fn hello(herd: &str, from: &str, to: &str) -> Hello<Vec<u8>> {
    let name = |text| ServerName::new(text).unwrap();
    Hello::new(name(herd), name(from), name(to), 0x0123_4567_89ab_cdef, Nonce([7; 16]))
}

pub(crate) fn hello_line(hello: &Hello<Vec<u8>>) -> Vec<u8> {
    [hello.line(), b"\n"].concat()
}

/// AUTH of the dialer, proven with `secret`.
pub(crate) fn auth_line(secret: &[u8], ours: &Hello<Vec<u8>>, theirs: &Hello<Vec<u8>>) -> Vec<u8> {
    proof(secret, true, ours, theirs)
}

/// AUTH of the dialer or of the acceptor, whose HELLOs these are.
pub(crate) fn proof(secret: &[u8], dialled: bool, dialer: &Hello<Vec<u8>>, acceptor: &Hello<Vec<u8>>) -> Vec<u8> {
    let mut subject = Vec::new();
    encode::auth_subject(&mut subject, dialled, dialer, acceptor);
    let mut line = Vec::new();
    encode::auth(&mut line, &key_id(secret), &hmac(secret, &subject));
    line
}

/// What tells this secret from others.
pub(crate) fn key_id(secret: &[u8]) -> String {
    if secret == OPEN {
        return "open".to_owned();
    }
    hmac(secret, b"herd/1 key id")[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Connects as server `from`, proves it, and is in service.
pub(crate) async fn link(address: SocketAddr, from: &str, to: &str) -> Client {
    let mut client = Client::connect(address).await;
    let ours = hello("ucla", from, to);
    client.send(hello_line(&ours)).await;
    let theirs = match herd_proto::PeerMessage::parse(client.line().await).unwrap() {
        herd_proto::PeerMessage::Hello(theirs) => theirs,
        other => panic!("{other:?}"),
    };
    client.send(auth_line(SECRET, &ours, &theirs)).await;
    assert!(client.text().await.starts_with("AUTH "));
    assert!(client.text().await.starts_with("READY "));
    client.send("READY 0 0000000000000000\n").await;
    client
}

fn hmac(secret: &[u8], text: &[u8]) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.chain_update(text).finalize().into_bytes().into()
}
