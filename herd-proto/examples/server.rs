//! A herd of one in forty lines: a server that says where clients are, and of places says that there are none.
//!
//! As a crate of its own it takes `herd-proto`, `bytes`, `tokio` (features `io-util`, `macros`, `net`, `rt`) and `tokio-util`
//! (feature `codec`).
//!
//! Try it: `cargo run --example server`, then `nc 127.0.0.1 12000`. Another address may be given.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, io, mem};

use bytes::BytesMut;
use herd_proto::codec::{Incoming, ServerCodec};
use herd_proto::{PosixTime, Request, ServerName, encode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::codec::Decoder;

/// Each client's newest time, and the AT that said so.
type Known = HashMap<String, (PosixTime, Vec<u8>)>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind(env::args().nth(1).unwrap_or("127.0.0.1:12000".into())).await?;
    println!("listening on {}", listener.local_addr()?);
    let known = Arc::new(Mutex::new(Known::new()));
    loop {
        tokio::spawn(serve(listener.accept().await?.0, known.clone()));
    }
}

async fn serve(mut client: TcpStream, known: Arc<Mutex<Known>>) -> io::Result<()> {
    let (mut codec, mut received, mut replies) = (ServerCodec::default(), BytesMut::new(), BytesMut::new());
    let mut ended = false;
    while !ended {
        ended = client.read_buf(&mut received).await? == 0;
        // At the end what no LF follows is a line, too. Everything that has arrived is answered in one write.
        while let Some(line) = if ended { codec.decode_eof(&mut received)? } else { codec.decode(&mut received)? } {
            answer(&mut replies, &line, &mut known.lock().unwrap_or_else(PoisonError::into_inner));
        }
        client.write_all_buf(&mut replies).await?;
    }
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "an example has no clock of its own to be given")]
fn answer(out: &mut BytesMut, line: &Incoming, known: &mut Known) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    match line {
        Ok(Request::Iamat(iamat)) => {
            let (start, time) = (out.len(), iamat.posix_time());
            let skew = PosixTime::new(now.as_secs(), now.subsec_nanos()).unwrap_or_default().since(time);
            encode::at_of_iamat(out, ServerName::new("Riley").expect("a server name"), skew, iamat);
            // An older post is answered all the same, and changes nothing.
            let newest = known.entry(iamat.client().as_str().to_owned()).or_default();
            *newest = mem::take(newest).max((time, out[start..].to_vec()));
        }
        Ok(Request::Whatsat(whatsat)) => match known.get(whatsat.client().as_str()) {
            Some((_, at)) => {
                out.extend_from_slice(at);
                encode::body(out, br#"{"html_attributions": [], "results": [], "status": "ZERO_RESULTS"}"#);
            }
            None => encode::invalid(out, whatsat.line()),
        },
        Err(invalid) => encode::invalid(out, &invalid.line),
    }
}
