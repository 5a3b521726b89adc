//! One line of a file: a checksum, and what it is of.
//!
//! `53317b5c AT Riley +0.000263873 kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503`, LF. The checksum is the CRC-32
//! of everything after the first space. It finds every burst of up to 32 bits, so no flipped byte goes unseen, and every line
//! stands for itself: damage to one is no damage to another.

use std::fmt;

/// What a file's header begins with: the form of everything in it.
pub(super) const FORM: &str = "herd-log/1";

/// The longest line that is read, in bytes: several times what a peer can say in a line. Longer ones are damage.
pub(super) const LINE_MAX: usize = 64 * 1024;

/// The checksum's digits and the space after them.
const PREFIX_LEN: usize = 9;

const RECORD: &[u8] = b"AT ";
const END: &[u8] = b"END ";

/// What a line that is not damaged says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content<'a> {
    /// Whose file it is: `herd-log/1 <herd> <server>`. The first line.
    Header(&'a [u8]),
    /// `<origin> <skew> <client> <location> <time>`.
    Record(&'a [u8]),
    /// The end of a snapshot, and how many records it has.
    End(u64),
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// It does not begin with eight digits and a space.
    NoChecksum,
    /// Its bytes are not those that were written.
    Checksum {
        /// What it says.
        said: u32,
        /// What its bytes have.
        found: u32,
    },
    /// Its bytes are those that were written, and are nothing that is known here.
    Unknown,
    /// It has more than 64 KiB.
    TooLong,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoChecksum => f.write_str("no checksum"),
            Self::Checksum { said, found } => write!(f, "checksum {said:08x}, of these bytes {found:08x}"),
            Self::Unknown => f.write_str("neither header, record nor end"),
            Self::TooLong => write!(f, "longer than {LINE_MAX} bytes"),
        }
    }
}

/// Appends the records of `lines`, which are operands and LF again and again. How many.
///
/// A line that could not be read again is left out. No peer can say one.
pub(super) fn put_records(out: &mut Vec<u8>, lines: &[u8]) -> u64 {
    let mut records = 0;
    let mut rest = lines;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let operands = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        if !operands.is_empty() && PREFIX_LEN + RECORD.len() + operands.len() <= LINE_MAX {
            put(out, &[RECORD, operands]);
            records += 1;
        }
    }
    records
}

/// Appends the end of a snapshot of `records` records.
pub(super) fn put_end(out: &mut Vec<u8>, records: u64) {
    put(out, &[END, itoa::Buffer::new().format(records).as_bytes()]);
}

/// The header of the files of `server` of `herd`.
pub(super) fn header(herd: &str, server: &str) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, &[FORM.as_bytes(), b" ", herd.as_bytes(), b" ", server.as_bytes()]);
    out
}

/// Reads a line without its LF.
pub(super) fn read(line: &[u8]) -> Result<Content<'_>, Damage> {
    let text = checked(line)?;
    if let Some(operands) = text.strip_prefix(RECORD) {
        return Ok(Content::Record(operands));
    }
    if let Some(records) = text.strip_prefix(END) {
        let records = std::str::from_utf8(records).ok().and_then(|records| records.parse().ok());
        return records.map(Content::End).ok_or(Damage::Unknown);
    }
    let is_header = text.split(|&byte| byte == b'/').next() == Some(b"herd-log");
    if is_header { Ok(Content::Header(text)) } else { Err(Damage::Unknown) }
}

fn checked(line: &[u8]) -> Result<&[u8], Damage> {
    let (prefix, text) = line.split_first_chunk::<PREFIX_LEN>().ok_or(Damage::NoChecksum)?;
    let said = checksum_of(prefix).ok_or(Damage::NoChecksum)?;
    let found = crc32fast::hash(text);
    if said == found { Ok(text) } else { Err(Damage::Checksum { said, found }) }
}

fn checksum_of(prefix: &[u8; PREFIX_LEN]) -> Option<u32> {
    let (digits, space) = prefix.split_at(PREFIX_LEN - 1);
    let value = digits.iter().try_fold(0, |value, &digit| match digit {
        b'0'..=b'9' => Some(value << 4 | u32::from(digit - b'0')),
        b'a'..=b'f' => Some(value << 4 | u32::from(digit - b'a' + 10)),
        _ => None,
    });
    value.filter(|_| space == b" ")
}

fn put(out: &mut Vec<u8>, parts: &[&[u8]]) {
    let start = out.len();
    out.extend_from_slice(b"........ ");
    parts.iter().for_each(|part| out.extend_from_slice(part));
    let checksum = crc32fast::hash(&out[start + PREFIX_LEN..]);
    for (at, digit) in out[start..start + PREFIX_LEN - 1].iter_mut().enumerate() {
        *digit = b"0123456789abcdef"[(checksum >> (28 - 4 * at) & 15) as usize];
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERANDS: &[u8] = b"Riley +0.000263873 kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503";

    /// The checksums are zlib's.
    #[test]
    fn known_lines() {
        let mut out = header("ucla", "Riley");
        assert_eq!(put_records(&mut out, OPERANDS), 1);
        put_end(&mut out, 1);
        let expected = "8f4a7f39 herd-log/1 ucla Riley\n\
             53317b5c AT Riley +0.000263873 kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503\n\
             9e330eae END 1\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let mut lines = expected.lines().map(|line| read(line.as_bytes()));
        assert_eq!(lines.next(), Some(Ok(Content::Header(b"herd-log/1 ucla Riley"))));
        assert_eq!(lines.next(), Some(Ok(Content::Record(OPERANDS))));
        assert_eq!(lines.next(), Some(Ok(Content::End(1))));
    }

    #[test]
    fn damage_has_its_name() {
        let with_checksum = |text: &[u8]| [format!("{:08x} ", crc32fast::hash(text)).as_bytes(), text].concat();
        for (line, damage) in [
            (b"".to_vec(), Damage::NoChecksum),
            (b"53317b5".to_vec(), Damage::NoChecksum),
            (b"53317B5C AT".to_vec(), Damage::NoChecksum),
            (b"53317b5c-AT".to_vec(), Damage::NoChecksum),
            (b"00000001 ".to_vec(), Damage::Checksum { said: 1, found: 0 }),
            (with_checksum(b""), Damage::Unknown),
            (with_checksum(b"AT"), Damage::Unknown),
            (with_checksum(b"END x"), Damage::Unknown),
            (with_checksum(b"herd-logs/1 a b"), Damage::Unknown),
        ] {
            assert_eq!(read(&line), Err(damage), "{}", String::from_utf8_lossy(&line));
        }
    }

    #[test]
    fn records_by_the_batch() {
        let put = |lines: &[u8]| {
            let mut out = Vec::new();
            let records = put_records(&mut out, lines);
            let read: Vec<Vec<u8>> = out
                .split(|&byte| byte == b'\n')
                .filter(|line| !line.is_empty())
                .map(|line| match read(line) {
                    Ok(Content::Record(operands)) => operands.to_vec(),
                    other => panic!("{other:?}"),
                })
                .collect();
            assert_eq!(records, read.len() as u64);
            read
        };
        assert_eq!(put(b""), [b""; 0]);
        assert_eq!(put(b"\n\n"), [b""; 0]);
        assert_eq!(put(b"one\ntwo\n"), [b"one", b"two"]);
        assert_eq!(put(b"one\n\ntwo"), [b"one", b"two"]);
        let longest = vec![b'x'; LINE_MAX - PREFIX_LEN - RECORD.len()];
        assert_eq!(put(&longest), std::slice::from_ref(&longest));
        assert_eq!(put(&[longest, b"y\nnext\n".to_vec()].concat()), [b"next"]);
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let mut line = Vec::new();
        put_records(&mut line, OPERANDS);
        line.pop();
        for at in 0..line.len() {
            for bit in 0..8 {
                line[at] ^= 1 << bit;
                assert!(read(&line).is_err(), "byte {at}, bit {bit}");
                line[at] ^= 1 << bit;
            }
        }
        assert_eq!(read(&line), Ok(Content::Record(OPERANDS)));
    }
}
