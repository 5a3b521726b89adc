//! What a tracker's firmware does: makes an IAMAT of a receiver's integers, in a buffer on the stack.
//!
//! But for `main`, which prints, it needs neither the standard library nor an allocator. As a crate of its own it takes
//! `herd-proto` with `default-features = false`, and nothing else.
//!
//! Try it: `cargo run --example encoder`.

use core::fmt::Write;

use herd_proto::encode::{self, SliceWriter, TooSmall};
use herd_proto::{ClientId, Location, ParseError, Timestamp};

/// What a receiver of satellites tells: ten-millionths of degrees, and POSIX time in milliseconds.
struct Fix {
    latitude_e7: i32,
    longitude_e7: i32,
    unix_ms: u64,
}

#[derive(Debug)]
enum NotMade {
    /// Something is no value of the wire: a latitude of 91 degrees, say.
    Value(#[allow(dead_code, reason = "for its Debug")] ParseError),
    /// A buffer is too small, and by how much.
    Room(#[allow(dead_code, reason = "for its Debug")] TooSmall),
}

impl From<ParseError> for NotMade {
    fn from(error: ParseError) -> Self {
        Self::Value(error)
    }
}

impl From<TooSmall> for NotMade {
    fn from(error: TooSmall) -> Self {
        Self::Room(error)
    }
}

/// The line that says `id` was at `fix`, at the front of `buffer`.
fn iamat<'a>(buffer: &'a mut [u8], id: &str, fix: &Fix) -> Result<&'a [u8], NotMade> {
    // The longest texts there can be: +90.0000000-180.0000000, and 2^64 milliseconds.
    let (mut place, mut time) = ([0; 23], [0; 21]);
    let place = location_text(&mut place, fix)?;
    let time = time_text(&mut time, fix)?;
    let (client, location, time) = (ClientId::new(id)?, Location::new(place)?, Timestamp::new(time)?);
    Ok(encode::to_slice(buffer, |out| encode::iamat(out, client, location, time))?)
}

fn location_text<'a>(buffer: &'a mut [u8], fix: &Fix) -> Result<&'a [u8], TooSmall> {
    let mut out = SliceWriter::new(buffer);
    for angle in [fix.latitude_e7, fix.longitude_e7] {
        let (sign, size) = (if angle < 0 { '-' } else { '+' }, angle.unsigned_abs());
        // What does not fit is told at the end.
        let _ = write!(out, "{sign}{}.{:07}", size / 10_000_000, size % 10_000_000);
    }
    out.finish()
}

fn time_text<'a>(buffer: &'a mut [u8], fix: &Fix) -> Result<&'a [u8], TooSmall> {
    let mut out = SliceWriter::new(buffer);
    let _ = write!(out, "{}.{:03}", fix.unix_ms / 1000, fix.unix_ms % 1000);
    out.finish()
}

fn main() {
    let fixes = [
        Fix { latitude_e7: 340_689_300, longitude_e7: -1_184_451_270, unix_ms: 1_621_464_827_959 },
        Fix { latitude_e7: -900_000_000, longitude_e7: 1_800_000_000, unix_ms: u64::MAX },
        Fix { latitude_e7: 910_000_000, longitude_e7: 5, unix_ms: 0 },
    ];
    for fix in &fixes {
        match iamat(&mut [0; 64], "tracker-7", fix) {
            Ok(line) => print!("{}", String::from_utf8_lossy(line)),
            Err(error) => println!("{error:?}"),
        }
    }
    println!("{:?}", iamat(&mut [0; 32], "tracker-7", &fixes[0]).expect_err("32 bytes are too few"));
}
