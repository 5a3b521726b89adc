//! Reads what a client (`C: …`) and a server (`S: …`) said, shows what of it is wrong and where, and counts.
//!
//! A file is given, or standard input is read. A proxy would do the same with the bytes as they pass: the requests tell which
//! replies have a body.
//!
//! As a crate of its own it takes `herd-proto`, `bytes` and `tokio-util` (feature `codec`).
//!
//! Try it: `printf 'C: IAMAT k +1-2 3\nC: IAMAT k 1-2 3\n' | cargo run --example log_analyser`.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::process::ExitCode;

use bytes::{Bytes, BytesMut};
use herd_proto::codec::{ClientCodec, RawLine};
use herd_proto::{Escaped, Invalid, Request, Response};
use tokio_util::codec::{Decoder, Encoder};

/// How many there were of each.
#[derive(Default)]
struct Counts {
    lines: usize,
    requests: usize,
    invalid: usize,
    answers: usize,
    with_places: usize,
    refusals: usize,
    unreadable: usize,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let input: Box<dyn BufRead> = match std::env::args_os().nth(1) {
        Some(path) => Box::new(BufReader::new(File::open(path)?)),
        None => Box::new(io::stdin().lock()),
    };
    let counts = analyse(input)?;
    let Counts { lines, requests, invalid, answers, with_places, refusals, unreadable } = counts;
    println!("{lines} lines: {requests} requests and {invalid} invalid lines of clients,");
    println!(
        "{answers} answers, {with_places} with places, {refusals} refusals and {unreadable} unreadable lines of servers"
    );
    Ok(if invalid + unreadable == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn analyse(input: impl BufRead) -> io::Result<Counts> {
    let (mut counts, mut codec, mut received) = (Counts::default(), ClientCodec::default(), BytesMut::new());
    for line in input.split(b'\n') {
        let line = line?;
        counts.lines += 1;
        if let Some(sent) = line.strip_prefix(b"C: ") {
            codec.encode(RawLine(sent), &mut BytesMut::new())?;
            match Request::parse(sent) {
                Ok(_) => counts.requests += 1,
                Err(invalid) => {
                    counts.invalid += 1;
                    show(counts.lines, &invalid);
                }
            }
        } else if let Some(heard) = line.strip_prefix(b"S:") {
            // The blank line after a body may have lost its space.
            received.extend_from_slice(heard.strip_prefix(b" ").unwrap_or(heard));
            received.extend_from_slice(b"\n");
            while let Some(reply) = codec.decode(&mut received)? {
                counts.count(&reply);
            }
        }
    }
    while let Some(reply) = codec.decode_eof(&mut received)? {
        counts.count(&reply);
    }
    Ok(counts)
}

impl Counts {
    fn count(&mut self, reply: &Result<Response<Bytes>, Invalid<Bytes>>) {
        match reply {
            Ok(Response::At(_)) => self.answers += 1,
            Ok(Response::Nearby { .. }) => self.with_places += 1,
            Ok(Response::Invalid(_)) => self.refusals += 1,
            Err(invalid) => {
                self.unreadable += 1;
                show(self.lines, invalid);
            }
        }
    }
}

/// The line, and a caret under where it goes wrong. It is a stranger's: what could act on a terminal is escaped.
fn show(number: usize, invalid: &Invalid<impl AsRef<[u8]>>) {
    let (line, error) = (invalid.line.as_ref(), invalid.error);
    let before = &line[..error.offset.min(line.len())];
    let column = Escaped(before).to_string().chars().count();
    println!("line {number}: {} ({})", error.field, error.kind());
    println!("  {}\n  {:column$}^ expected {}", Escaped(line), "", error.expected);
}
