//! A herd of one: a server in a page that says where clients are, and of places says nothing.
//!
//! Try it: `cargo run -p herd-proto --example server_codec`, then `nc 127.0.0.1 12000`.

use std::collections::HashMap;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use herd_proto::codec::{Incoming, ServerCodec};
use herd_proto::{At, PosixTime, Request, ServerName, encode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::codec::Decoder;

type Known = HashMap<String, Vec<u8>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 12_000)).await?;
    let mut known = Known::new();
    loop {
        let (client, _) = listener.accept().await?;
        // One client at a time keeps the example short; a server gives each its task.
        if let Err(error) = serve(client, &mut known).await {
            eprintln!("{error}");
        }
    }
}

async fn serve(mut client: TcpStream, known: &mut Known) -> io::Result<()> {
    let (mut codec, mut received, mut replies) = (ServerCodec::default(), BytesMut::new(), BytesMut::new());
    loop {
        let ended = client.read_buf(&mut received).await? == 0;
        // Everything that has arrived is answered in one write.
        while let Some(line) = if ended { codec.decode_eof(&mut received)? } else { codec.decode(&mut received)? } {
            answer(&mut replies, &line, known);
        }
        client.write_all(&replies.split()).await?;
        if ended {
            return Ok(());
        }
    }
}

fn answer(out: &mut BytesMut, line: &Incoming, known: &mut Known) {
    match line {
        Ok(Request::Iamat(iamat)) => {
            let mut at = Vec::new();
            encode::at_of_iamat(&mut at, name(), now().since(iamat.posix_time()), iamat);
            out.extend_from_slice(&at);
            let stored = known.entry(iamat.client().as_str().to_owned()).or_default();
            if parsed(stored).is_none_or(|newest| newest.posix_time() < iamat.posix_time()) {
                *stored = at;
            }
        }
        Ok(Request::Whatsat(whatsat)) => match known.get(whatsat.client().as_str()) {
            Some(at) => {
                out.extend_from_slice(at);
                encode::body(out, br#"{"html_attributions": [], "results": [], "status": "ZERO_RESULTS"}"#);
            }
            None => encode::invalid(out, whatsat.line()),
        },
        Err(invalid) => encode::invalid(out, &invalid.line),
    }
}

fn parsed(at: &[u8]) -> Option<At<Bytes>> {
    At::parse(Bytes::copy_from_slice(at.strip_suffix(b"\n")?)).ok()
}

fn name() -> ServerName<'static> {
    ServerName::new("Riley").expect("a server name")
}

#[allow(clippy::disallowed_methods, reason = "an example has no clock of its own to be given")]
fn now() -> PosixTime {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    PosixTime::new(elapsed.as_secs(), elapsed.subsec_nanos()).unwrap_or_default()
}
