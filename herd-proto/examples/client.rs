//! Says where somebody is, asks what is near, and prints both replies.
//!
//! As a crate of its own it takes `herd-proto`, `bytes` and `tokio-util` (feature `codec`). Reconnecting, time-outs and several
//! servers are in the library of `herd-cli`.
//!
//! Try it: `cargo run --example client -- 127.0.0.1:12000 kiwi.cs.ucla.edu +34.068930-118.445127`.

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, io};

use bytes::BytesMut;
use herd_proto::codec::ClientCodec;
use herd_proto::{ClientId, Escaped, Iamat, Limit, Location, Radius, Request, Response, Timestamp, Whatsat};
use tokio_util::codec::{Decoder, Encoder};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [server, client, location] = &arguments[..] else {
        eprintln!("usage: client SERVER:PORT ID LOCATION");
        return Ok(ExitCode::from(2));
    };
    let (client, location, time) = (ClientId::new(client)?, Location::new(location)?, now());
    let iamat = Iamat::new(client, location, Timestamp::new(&time)?);
    let whatsat = Whatsat::new(client, Radius::new("10")?, Limit::MAX);
    converse(&mut TcpStream::connect(server)?, [iamat.into(), whatsat.into()])?;
    Ok(ExitCode::SUCCESS)
}

/// Sends all of `requests` at once. The codec knows which reply is to have places after it.
fn converse<const N: usize>(server: &mut TcpStream, requests: [Request<Vec<u8>>; N]) -> io::Result<()> {
    let (mut codec, mut sent, mut received) = (ClientCodec::default(), BytesMut::new(), BytesMut::new());
    for request in requests {
        codec.encode(request, &mut sent)?;
    }
    server.write_all(&sent)?;
    while codec.awaited() > 0 {
        match codec.decode(&mut received)? {
            Some(Ok(Response::At(at))) => println!("{} has it, {} s after it was so", at.origin(), at.skew()),
            Some(Ok(Response::Nearby { at, body })) => println!("near {}: {}", at.location(), Escaped(&body)),
            Some(Ok(Response::Invalid(line))) => println!("refused: {}", Escaped(&line)),
            Some(Err(invalid)) => println!("{}: {}", invalid.error, Escaped(&invalid.line)),
            None => read_more(server, &mut received)?,
        }
    }
    Ok(())
}

fn read_more(server: &mut TcpStream, received: &mut BytesMut) -> io::Result<()> {
    let mut buffer = [0; 4096];
    match server.read(&mut buffer)? {
        0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server went away before it had answered")),
        len => {
            received.extend_from_slice(&buffer[..len]);
            Ok(())
        }
    }
}

/// Seconds since 1970 as the wire has them: a text, of which servers keep every digit.
#[allow(clippy::disallowed_methods, reason = "an example has no clock of its own to be given")]
fn now() -> String {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}.{:09}", elapsed.as_secs(), elapsed.subsec_nanos())
}
