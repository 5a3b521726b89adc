//! What works without an allocator.

use herd_proto::encode::{self, SliceWriter, TooSmall};
use herd_proto::frame::{Frame, LineFramer};
use herd_proto::{
    At, ClientId, Expected, Field, Hops, Iamat, Limit, Location, ParseError, PeerMessage, Ping, PosixTime, Prefix,
    Radius, Request, Response, ServerName, Skew, Summary, Timestamp,
};

use crate::Checks;

const IAMAT: &str = "IAMAT kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503";
const AT: &[u8] = b"AT Riley +0.263873386 kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503\n";
const PEER_AT: &[u8] = b"AT Riley +0.263873386 kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503 Juzang 2\n";

/// Lines between servers, one of each kind.
const PEER_LINES: [&str; 12] = [
    "HELLO herd/1 ucla Bernard Campbell 3b1f0c5d77a9e240 5f0e1d2c3b4a69788796a5b4c3d2e1f0 ttl=86400 acks=1",
    "AUTH e9603b18 4ee3a80821bf80b38a8d2b5ee4638dd3f793a772d18364ac86286aaed135e1f7",
    "READY 1048576 9f86d081884c7d65",
    "AT Riley +0.263873386 kiwi +34.068930-118.445127 1621464827.959498503 Juzang 2",
    "DIG - 0:0000000000000000 0:0000000000000000 0:0000000000000000 0:0000000000000000 0:0000000000000000 \
     0:0000000000000000 0:0000000000000000 0:0000000000000000 0:0000000000000000 1:0d65a7b6a4fab9e6 0:0000000000000000 \
     0:0000000000000000 0:0000000000000000 0:0000000000000000 0:0000000000000000 0:0000000000000000",
    "LST 9 ef1aa071c8fc79b9",
    "GET 91ef ef1aa071c8fc79b9",
    "PING 7 1048576 9f86d081884c7d65",
    "PONG 7",
    "ACK 5000 4998 4999",
    "BYE stopping",
    "ERR wrong-herd this is herd ucla",
];

pub(crate) fn check(checks: &mut Checks) {
    let values = values(checks);
    checks.holds(values.is_ok());
    let lines = client_lines(checks);
    checks.holds(lines.is_ok());
    errors(checks);
    peer_lines(checks);
    framing(checks);
}

fn values(checks: &mut Checks) -> Result<(), ParseError> {
    checks.holds(ClientId::new("kiwi")?.as_str() == "kiwi");
    checks.holds(Location::new("+3430-11815")?.longitude().nanodegrees() == -118_250_000_000);
    checks.holds(Timestamp::new("7.5")?.time() == PosixTime::new(7, 500_000_000).unwrap_or_default());
    checks.holds(Radius::new("0.5")?.micrometres() == 500_000_000);
    checks.holds(Limit::new("20")? == Limit::MAX);
    checks.holds(Skew::new("-0.000000001")?.nanos() == -1);
    checks.holds(ServerName::new("Riley")?.as_str() == "Riley");
    checks.holds(Hops::new("2")?.get() == 2);
    checks.holds(Prefix::new("91e")?.digits() == 3);
    Ok(())
}

fn client_lines(checks: &mut Checks) -> Result<(), ParseError> {
    let mut buffer = [0; 128];
    if let Ok(Request::Iamat(iamat)) = Request::parse(IAMAT) {
        iamat_both_ways(checks, &iamat, &mut buffer)?;
    } else {
        checks.holds(false);
    }
    let (client, radius) = (ClientId::new("kiwi")?, Radius::new("10")?);
    let line = encode::to_slice(&mut buffer, |out| encode::whatsat(out, client, radius, Limit::MAX));
    checks.holds(line == Ok(b"WHATSAT kiwi 10 20\n"));
    checks
        .holds(matches!(Request::parse("WHATSAT kiwi 10 20"), Ok(Request::Whatsat(asked)) if asked.radius() == radius));
    checks.holds(matches!(Response::parse("? WHERE kiwi"), Ok(Response::Invalid("? WHERE kiwi"))));
    let body = encode::to_slice(&mut buffer, |out| encode::body(out, b"{\n\n}\n"));
    checks.holds(body == Ok(b"{\n}\n\n"));
    Ok(())
}

fn iamat_both_ways(checks: &mut Checks, iamat: &Iamat<&str>, buffer: &mut [u8; 128]) -> Result<(), ParseError> {
    checks.holds(iamat.location().latitude().nanodegrees() == 34_068_930_000);
    let line = encode::to_slice(buffer, |out| encode::iamat(out, iamat.client(), iamat.location(), iamat.time()));
    checks.holds(line.ok().and_then(|line| line.strip_suffix(b"\n")) == Some(IAMAT.as_bytes()));

    let received = PosixTime::new(1_621_464_828, 223_371_889).unwrap_or_default();
    let (riley, skew) = (ServerName::new("Riley")?, received.since(iamat.posix_time()));
    let reply = encode::to_slice(buffer, |out| encode::at_of_iamat(out, riley, skew, iamat));
    checks.holds(reply == Ok(AT));

    if let Some(Ok(at)) = AT.strip_suffix(b"\n").map(At::parse) {
        let juzang = ServerName::new("Juzang")?;
        let passed_on =
            encode::to_slice(buffer, |out| encode::peer_at(out, at.operands(), juzang, Hops::from_count(2)));
        checks.holds(passed_on == Ok(PEER_AT));
    } else {
        checks.holds(false);
    }

    // To the byte, and one less.
    let fits = |size: usize| {
        let mut small = [0; AT.len()];
        let mut out = SliceWriter::new(small.get_mut(..size).unwrap_or_default());
        encode::at_of_iamat(&mut out, riley, skew, iamat);
        out.finish().map(<[u8]>::len)
    };
    checks.holds(fits(AT.len()) == Ok(AT.len()));
    checks.holds(matches!(fits(AT.len() - 1), Err(TooSmall { needed, .. }) if needed == AT.len()));
    Ok(())
}

fn errors(checks: &mut Checks) {
    let Err(invalid) = Request::parse("IAMAT kiwi 34-118 1621464827") else { return checks.holds(false) };
    let error = invalid.error;
    checks.holds((error.field, error.offset, error.expected) == (Field::Location, 11, Expected::Sign));
    let error: &dyn core::error::Error = &invalid;
    checks.holds(error.source().is_some());
}

fn peer_lines(checks: &mut Checks) {
    for line in PEER_LINES {
        checks.holds(PeerMessage::parse(line).is_ok_and(|message| line.starts_with(message.verb())));
    }
    let mut buffer = [0; 640];
    let summaries = [Summary { count: u64::MAX, digest: u64::MAX }; 16];
    let dig = encode::to_slice(&mut buffer, |out| encode::dig(out, Prefix::ROOT, &summaries));
    let read = dig.ok().and_then(|line| line.strip_suffix(b"\n")).map(PeerMessage::parse);
    checks.holds(matches!(&read, Some(Ok(PeerMessage::Dig(dig))) if dig.children().count() == 16));
    let ping = Ping { sequence: 7, count: 1, root: 0x0d65_a7b6_a4fa_b9e6 };
    let line = encode::to_slice(&mut buffer, |out| encode::ping(out, ping));
    checks.holds(line == Ok(b"PING 7 1 0d65a7b6a4fab9e6\n"));
}

/// A stream cut anywhere, through a buffer as large as the cap wants.
fn framing(checks: &mut Checks) {
    let stream = [b"AT a\r\n", &[b'x'; 40][..], b"\n? b\n"];
    let (mut framer, mut buffer, mut held, mut lines, mut over_long) = (LineFramer::new(16), [0; 17], 0, 0, 0);
    for byte in stream.iter().copied().flatten() {
        if let Some(free) = buffer.get_mut(held) {
            *free = *byte;
            held += 1;
        }
        let (done, frame) = framer.next_in(buffer.get(..held).unwrap_or_default());
        match frame {
            Some(Frame::Line(line)) => lines += usize::from(line == b"AT a" || line == b"? b"),
            Some(Frame::TooLong(prefix)) => over_long += usize::from(prefix == [b'x'; 16]),
            None => {}
        }
        buffer.copy_within(done..held, 0);
        held -= done;
    }
    checks.holds((lines, over_long, held) == (2, 1, 0));
}
