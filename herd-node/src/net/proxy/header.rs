//! The header itself: bytes to an address. Knows no socket.
//!
//! After HAProxy's `proxy-protocol.txt`, sections 2.1 (version 1, a line) and 2.2 (version 2, binary). Both crates there are for it
//! read more than that text allows: version 1 without the space after `PROXY`, ports with a sign, lines of any length; LOCAL with an
//! unknown family, which must be taken, is refused by one. It is a page of grammar, so it is here.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// How version 1 begins.
const LINE_START: &[u8] = b"PROXY ";
/// The longest line of version 1, its CR LF included (2.1).
pub(super) const LINE_BYTES_MAX: usize = 107;
/// How version 2 begins.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Version 2 up to its block: the signature, version and command, family and protocol, and the block's length.
const FIXED_BYTES: usize = 16;
/// The longest header taken, of version 2. Addresses take at most 216 bytes of it; the rest are a proxy's remarks, which are not read.
/// The format would allow 64 KiB, which a thousand connections would then send us before we know who they are.
pub(super) const HEADER_BYTES_MAX: usize = 4_096;

/// A whole header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Whom the proxy speaks for. `None`: for itself, such as to see whether we are well (LOCAL), or it doesn't know or can't say in IP
    /// addresses (UNKNOWN, UNSPEC, a UNIX socket): then the connection is what it looks like.
    pub(super) client: Option<SocketAddr>,
    /// Its length; what follows is the client's.
    pub(super) bytes: usize,
}

/// Why what came is no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderError {
    /// It begins with something else.
    Missing,
    /// A line with no end where it has to have one.
    LineTooLong,
    /// Of a line: what should be there.
    Line(&'static str),
    /// Neither LOCAL nor PROXY of version 2.
    Command(u8),
    /// A family or protocol that there is not.
    Family(u8),
    /// The block is too short for its addresses.
    BlockTooShort(usize),
    /// The whole is longer than we take.
    TooLong(usize),
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("no PROXY header"),
            Self::LineTooLong => write!(f, "PROXY header: no end within {LINE_BYTES_MAX} bytes"),
            Self::Line(expected) => write!(f, "PROXY header: expected {expected}"),
            Self::Command(byte) => write!(f, "PROXY header: version and command {byte:#04x}, expected 0x20 or 0x21"),
            Self::Family(byte) => write!(f, "PROXY header: no such family and protocol: {byte:#04x}"),
            Self::BlockTooShort(bytes) => {
                write!(f, "PROXY header: a block of {bytes} bytes has no room for its addresses")
            }
            Self::TooLong(bytes) => write!(f, "PROXY header: {bytes} bytes; at most {HEADER_BYTES_MAX} are read"),
        }
    }
}

/// Reads the header that `input` begins with. `None`: all of it is part of a header, and more has to come.
///
/// What is no header is known to be none by its first byte that can't be part of one.
pub(super) fn parse(input: &[u8]) -> Result<Option<Header>, HeaderError> {
    let begins = |start: &[u8]| input.iter().zip(start).all(|(byte, wanted)| byte == wanted);
    if begins(LINE_START) {
        parse_line(input)
    } else if begins(SIGNATURE) {
        parse_block(input)
    } else {
        Err(HeaderError::Missing)
    }
}

/// `PROXY TCP4 192.0.2.7 192.0.2.1 51234 12000` CR LF.
fn parse_line(input: &[u8]) -> Result<Option<Header>, HeaderError> {
    let within = input.get(..LINE_BYTES_MAX).unwrap_or(input);
    let Some(end) = within.iter().position(|byte| *byte == b'\n') else {
        return if within.len() < LINE_BYTES_MAX { Ok(None) } else { Err(HeaderError::LineTooLong) };
    };
    let line = within.get(LINE_START.len()..end).and_then(|line| line.strip_suffix(b"\r"));
    let line = line.ok_or(HeaderError::Line("CR LF at the end of the line"))?;
    let client = match line.strip_prefix(b"UNKNOWN") {
        // What follows is to be ignored, whatever it is.
        Some(rest) if rest.is_empty() || rest.starts_with(b" ") => None,
        _ => Some(client_of_line(line)?),
    };
    Ok(Some(Header { client, bytes: end + 1 }))
}

fn client_of_line(line: &[u8]) -> Result<SocketAddr, HeaderError> {
    let text = str::from_utf8(line).map_err(|_| HeaderError::Line("ASCII"))?;
    let mut fields = text.split(' ');
    let mut next = || fields.next().unwrap_or_default();
    let family = next();
    if family != "TCP4" && family != "TCP6" {
        return Err(HeaderError::Line("TCP4, TCP6 or UNKNOWN"));
    }
    let ip = |text: &str| match family {
        "TCP4" => text.parse::<Ipv4Addr>().map(IpAddr::from).map_err(|_| HeaderError::Line("an IPv4 address")),
        _ => text.parse::<Ipv6Addr>().map(IpAddr::from).map_err(|_| HeaderError::Line("an IPv6 address")),
    };
    let (source, _destination) = (ip(next())?, ip(next())?);
    let (source_port, _destination_port) = (port(next())?, port(next())?);
    match fields.next() {
        None => Ok(SocketAddr::new(source, source_port)),
        Some(_) => Err(HeaderError::Line("the end of the line after the second port")),
    }
}

fn port(text: &str) -> Result<u16, HeaderError> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_plain).ok_or(HeaderError::Line("a port from 0 to 65535"))
}

fn parse_block(input: &[u8]) -> Result<Option<Header>, HeaderError> {
    let byte = |at: usize| input.get(at).copied();
    let is_local = match byte(SIGNATURE.len()) {
        None => return Ok(None),
        Some(0x20) => true,
        Some(0x21) => false,
        Some(other) => return Err(HeaderError::Command(other)),
    };
    let Some(family) = byte(13) else { return Ok(None) };
    // Unspecified, IPv4, IPv6 and UNIX; of each, unspecified, stream and datagram. LOCAL's family is to be ignored.
    if !is_local && (family >> 4 > 3 || family & 0x0f > 2) {
        return Err(HeaderError::Family(family));
    }
    let (Some(high), Some(low)) = (byte(14), byte(15)) else { return Ok(None) };
    let block_len = usize::from(u16::from_be_bytes([high, low]));
    let (address_len, needed) = match family >> 4 {
        _ if is_local => (0, 0),
        1 => (4, 12),
        2 => (16, 36),
        3 => (0, 216),
        _ => (0, 0),
    };
    if block_len < needed {
        return Err(HeaderError::BlockTooShort(block_len));
    }
    let bytes = FIXED_BYTES + block_len;
    if bytes > HEADER_BYTES_MAX {
        return Err(HeaderError::TooLong(bytes));
    }
    let Some(block) = input.get(FIXED_BYTES..bytes) else { return Ok(None) };
    // Only of streams: whatever a proxy means by datagrams, this is none.
    let client = if family & 0x0f == 1 { client_of_block(block, address_len) } else { None };
    Ok(Some(Header { client, bytes }))
}

/// Source, destination, and their ports.
fn client_of_block(block: &[u8], address_len: usize) -> Option<SocketAddr> {
    let ip = match address_len {
        4 => IpAddr::from(<[u8; 4]>::try_from(block.get(..4)?).ok()?),
        16 => IpAddr::from(<[u8; 16]>::try_from(block.get(..16)?).ok()?),
        _ => return None,
    };
    let port = block.get(2 * address_len..2 * address_len + 2)?;
    Some(SocketAddr::new(ip, u16::from_be_bytes(port.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn block(command: u8, family: u8, block: &[u8]) -> Vec<u8> {
        let len = u16::try_from(block.len()).unwrap().to_be_bytes();
        [SIGNATURE, &[command, family], &len, block].concat()
    }

    /// As a proxy would write it, by the text of the standard.
    fn written(version: u8, source: SocketAddr, destination: SocketAddr, remarks: &[u8]) -> Vec<u8> {
        let (from, to) = (source.port().to_be_bytes(), destination.port().to_be_bytes());
        match (version, source.ip(), destination.ip()) {
            (1, from, to) => {
                let family = if from.is_ipv4() { "TCP4" } else { "TCP6" };
                format!("PROXY {family} {from} {to} {} {}\r\n", source.port(), destination.port()).into_bytes()
            }
            (_, IpAddr::V4(source), IpAddr::V4(destination)) => {
                block(0x21, 0x11, &[&source.octets()[..], &destination.octets(), &from, &to, remarks].concat())
            }
            (_, IpAddr::V6(source), IpAddr::V6(destination)) => {
                block(0x21, 0x21, &[&source.octets()[..], &destination.octets(), &from, &to, remarks].concat())
            }
            _ => unreachable!("of one family"),
        }
    }

    #[test]
    fn known_headers() {
        let four = b"\xc0\x00\x02\x07\xc0\x00\x02\x01\xc8\x22\x2e\xe0";
        for (header, client) in [
            (b"PROXY TCP4 192.0.2.7 192.0.2.1 51234 12000\r\n".to_vec(), Some("192.0.2.7:51234")),
            (b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n".to_vec(), Some("255.255.255.255:65535")),
            (b"PROXY TCP6 2001:db8::7 2001:db8::1 51234 12000\r\n".to_vec(), Some("[2001:db8::7]:51234")),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (b"PROXY UNKNOWN whatever it is, \xff too\r\n".to_vec(), None),
            (block(0x21, 0x11, four), Some("192.0.2.7:51234")),
            (block(0x21, 0x11, &[&four[..], b"\x03\x00\x04\x00\x00\x00\x00"].concat()), Some("192.0.2.7:51234")),
            (block(0x20, 0x00, b""), None),
            (block(0x20, 0x11, four), None),
            // LOCAL's family and addresses are nobody's business.
            (block(0x20, 0xff, b"?"), None),
            (block(0x21, 0x00, b""), None),
            (block(0x21, 0x12, four), None),
            (block(0x21, 0x31, &[0; 216]), None),
        ] {
            let parsed = parse(&header).unwrap().unwrap();
            assert_eq!((parsed.client, parsed.bytes), (client.map(address), header.len()), "{header:?}");
        }
    }

    #[test]
    fn what_is_none() {
        for (input, expected) in [
            (&b"IAMAT kiwi +1+2 3\n"[..], HeaderError::Missing),
            (b"proxy TCP4", HeaderError::Missing),
            (b"PROXYTCP4 ", HeaderError::Missing),
            (b"\r\n\r\n\0\r\nQUIT\r", HeaderError::Missing),
            (b"\n", HeaderError::Missing),
            (b"PROXY TCP4 192.0.2.7 192.0.2.1 51234 12000\n", HeaderError::Line("CR LF at the end of the line")),
            (b"PROXY \r\n", HeaderError::Line("TCP4, TCP6 or UNKNOWN")),
            (b"PROXY UNKNOWNX\r\n", HeaderError::Line("TCP4, TCP6 or UNKNOWN")),
            (b"PROXY UDP4 192.0.2.7 192.0.2.1 1 2\r\n", HeaderError::Line("TCP4, TCP6 or UNKNOWN")),
            (b"PROXY  TCP4 192.0.2.7 192.0.2.1 1 2\r\n", HeaderError::Line("TCP4, TCP6 or UNKNOWN")),
            (b"PROXY TCP4 192.0.2.07 192.0.2.1 1 2\r\n", HeaderError::Line("an IPv4 address")),
            (b"PROXY TCP4 ::1 192.0.2.1 1 2\r\n", HeaderError::Line("an IPv4 address")),
            (b"PROXY TCP4 192.0.2.7 ::1 1 2\r\n", HeaderError::Line("an IPv4 address")),
            (b"PROXY TCP6 192.0.2.7 ::1 1 2\r\n", HeaderError::Line("an IPv6 address")),
            (b"PROXY TCP6 fe80::1%lo ::1 1 2\r\n", HeaderError::Line("an IPv6 address")),
            (b"PROXY TCP4 192.0.2.7 192.0.2.1 65536 2\r\n", HeaderError::Line("a port from 0 to 65535")),
            (b"PROXY TCP4 192.0.2.7 192.0.2.1 1 +2\r\n", HeaderError::Line("a port from 0 to 65535")),
            (b"PROXY TCP4 192.0.2.7 192.0.2.1 01 2\r\n", HeaderError::Line("a port from 0 to 65535")),
            (b"PROXY TCP4 192.0.2.7 192.0.2.1 1\r\n", HeaderError::Line("a port from 0 to 65535")),
            (
                b"PROXY TCP4 192.0.2.7 192.0.2.1 1 2 \r\n",
                HeaderError::Line("the end of the line after the second port"),
            ),
            (b"PROXY TCP4 \xff 192.0.2.1 1 2\r\n", HeaderError::Line("ASCII")),
            (&block(0x11, 0x11, &[0; 12]), HeaderError::Command(0x11)),
            (&block(0x22, 0x11, &[0; 12]), HeaderError::Command(0x22)),
            (&block(0x21, 0x41, &[0; 12]), HeaderError::Family(0x41)),
            (&block(0x21, 0x13, &[0; 12]), HeaderError::Family(0x13)),
            (&block(0x21, 0x11, &[0; 11]), HeaderError::BlockTooShort(11)),
            (&block(0x21, 0x21, &[0; 35]), HeaderError::BlockTooShort(35)),
            (&block(0x21, 0x31, &[0; 215]), HeaderError::BlockTooShort(215)),
        ] {
            assert_eq!(parse(input), Err(expected), "{input:?}");
        }
    }

    #[test]
    fn a_header_at_its_bound_is_fine_and_one_more_is_not() {
        let line = |len: usize| [b"PROXY UNKNOWN ".as_slice(), &vec![b'x'; len - 16], b"\r\n"].concat();
        assert_eq!(parse(&line(LINE_BYTES_MAX)).unwrap().unwrap().bytes, LINE_BYTES_MAX);
        assert_eq!(parse(&line(LINE_BYTES_MAX + 1)), Err(HeaderError::LineTooLong));
        assert_eq!(parse(&line(LINE_BYTES_MAX + 1)[..LINE_BYTES_MAX - 1]), Ok(None));
        let room = HEADER_BYTES_MAX - FIXED_BYTES;
        assert_eq!(parse(&block(0x21, 0x11, &vec![0; room])).unwrap().unwrap().bytes, HEADER_BYTES_MAX);
        let too_long = block(0x21, 0x11, &vec![0; room + 1]);
        // Known as soon as its length is, not when all of it has come.
        assert_eq!(parse(&too_long[..FIXED_BYTES]), Err(HeaderError::TooLong(HEADER_BYTES_MAX + 1)));
        assert_eq!(parse(&block(0x20, 0x00, &vec![0; 65_535])), Err(HeaderError::TooLong(65_551)));
    }

    fn addresses() -> impl Strategy<Value = (SocketAddr, SocketAddr)> {
        let four = (any::<[[u8; 4]; 2]>(), any::<[u16; 2]>())
            .prop_map(|(ip, port)| (SocketAddr::from((ip[0], port[0])), SocketAddr::from((ip[1], port[1]))));
        let six = (any::<[[u8; 16]; 2]>(), any::<[u16; 2]>())
            .prop_map(|(ip, port)| (SocketAddr::from((ip[0], port[0])), SocketAddr::from((ip[1], port[1]))));
        prop_oneof![four, six]
    }

    /// Headers, whole ones with something wrong, and anything.
    fn nearly_headers() -> impl Strategy<Value = Vec<u8>> {
        let whole = || {
            (1_u8..=2, addresses(), proptest::collection::vec(any::<u8>(), 0..40))
                .prop_map(|(version, (source, destination), remarks)| written(version, source, destination, &remarks))
        };
        let broken = (whole(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut header, at, byte)| {
            let at = at.index(header.len());
            header[at] = byte;
            header
        });
        prop_oneof![whole(), broken, proptest::collection::vec(any::<u8>(), 0..200)]
    }

    proptest! {
        #[test]
        fn what_a_proxy_writes_is_read(
            version in 1_u8..=2,
            (source, destination) in addresses(),
            remarks in proptest::collection::vec(any::<u8>(), 0..40),
            rest in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let header = written(version, source, destination, &remarks);
            let input = [header.clone(), rest].concat();
            prop_assert_eq!(parse(&input), Ok(Some(Header { client: Some(source), bytes: header.len() })));
            for cut in 0..header.len() {
                prop_assert_eq!(parse(&header[..cut]), Ok(None), "{} of {}", cut, header.len());
            }
        }

        /// What was said of a beginning is not taken back: a header does not change, and what is none becomes none.
        #[test]
        fn more_bytes_change_no_verdict(input in nearly_headers()) {
            let mut verdict = Ok(None);
            for cut in 0..=input.len() {
                let next = parse(&input[..cut]);
                if verdict != Ok(None) {
                    prop_assert_eq!(next, verdict, "at {} of {:?}", cut, input);
                }
                if let Ok(Some(header)) = next {
                    prop_assert!(header.bytes <= cut && header.bytes <= HEADER_BYTES_MAX);
                }
                verdict = next;
            }
        }

        #[test]
        fn no_beginning_is_kept_for_long(input in nearly_headers()) {
            // However it goes on, it is over within the bound.
            let input = [input, vec![b'x'; HEADER_BYTES_MAX]].concat();
            prop_assert!(parse(&input) != Ok(None));
        }
    }
}
