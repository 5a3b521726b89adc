//! One sentence of NMEA 0183: its fields, once its checksum is right.

use super::{Wrong, found};

/// A sentence of the two kinds that say when and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sentence<'a> {
    /// Time, status, position, date.
    Rmc { fix: Fix<'a>, date: &'a str },
    /// Time, position, quality, height.
    Gga { fix: Fix<'a>, altitude: &'a str, unit: &'a str },
    /// The receiver did not know where it was.
    Void,
    /// Something else, which was not looked at.
    Other,
}

/// What both kinds have, as it stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fix<'a> {
    /// `hhmmss.ss`
    pub(super) clock: &'a str,
    /// `ddmm.mmmm`
    pub(super) latitude: &'a str,
    pub(super) north: &'a str,
    /// `dddmm.mmmm`
    pub(super) longitude: &'a str,
    pub(super) east: &'a str,
}

/// Reads a line. Who talks (`GP`, `GN`, …) is not looked at.
pub(super) fn sentence(line: &[u8]) -> Result<Sentence<'_>, Wrong> {
    let line = without_tag_block(line);
    let text = str::from_utf8(line).ok().filter(|text| text.is_ascii());
    let Some(text) = text.filter(|text| text.starts_with(['$', '!'])) else {
        return Err(("sentence", found("$ and a sentence of NMEA 0183", line)));
    };
    // The talker's two letters, and three that say what it is.
    let kind = text.split(',').next().and_then(|address| address.get(3..));
    if !text.starts_with('$') || text.starts_with("$P") || !matches!(kind, Some("RMC" | "GGA")) {
        return Ok(Sentence::Other);
    }
    let body = verified(text)?;
    let fields = Fields(body);
    if kind == Some("RMC") { rmc(fields) } else { gga(fields) }
}

/// Some loggers write where a sentence came from before it, between backslashes.
fn without_tag_block(line: &[u8]) -> &[u8] {
    let Some(block) = line.strip_prefix(b"\\") else { return line };
    block.iter().position(|byte| *byte == b'\\').and_then(|end| block.get(end + 1..)).unwrap_or(line)
}

/// What stands between `$` and `*`, if all of its bytes make up the sum after it.
fn verified(text: &str) -> Result<&str, Wrong> {
    const EXPECTED: &str = "* and a checksum of two hexadecimal digits at the end";
    let (body, sum) = text.split_at_checked(1).and_then(|(_, rest)| rest.rsplit_once('*')).unwrap_or((text, ""));
    let sum = sum.trim_end();
    let is_hexadecimal = sum.len() == 2 && sum.bytes().all(|byte| byte.is_ascii_hexdigit());
    let claimed = u8::from_str_radix(sum, 16).ok().filter(|_| is_hexadecimal);
    let Some(claimed) = claimed else { return Err(("checksum", found(EXPECTED, text.as_bytes()))) };
    let actual = body.bytes().fold(0, |sum, byte| sum ^ byte);
    if actual == claimed { Ok(body) } else { Err(("checksum", format!("expected *{actual:02X}, found *{sum}"))) }
}

#[derive(Clone, Copy)]
struct Fields<'a>(&'a str);

impl<'a> Fields<'a> {
    /// Counted from 0, the sentence's address; a missing one is as an empty one.
    fn get(self, index: usize) -> &'a str {
        self.0.split(',').nth(index).unwrap_or_default().trim_ascii()
    }

    /// The position begins at `first`.
    fn fix(self, first: usize) -> Fix<'a> {
        let [latitude, north, longitude, east] = [0, 1, 2, 3].map(|offset| self.get(first + offset));
        Fix { clock: self.get(1), latitude, north, longitude, east }
    }
}

/// `$--RMC,hhmmss.ss,A,llll.ll,a,yyyyy.yy,a,speed,course,ddmmyy,…`
fn rmc(fields: Fields<'_>) -> Result<Sentence<'_>, Wrong> {
    match fields.get(2) {
        "A" => Ok(Sentence::Rmc { fix: fields.fix(3), date: fields.get(9) }),
        "V" => Ok(Sentence::Void),
        other => Err(("status", found("A or V", other.as_bytes()))),
    }
}

/// `$--GGA,hhmmss.ss,llll.ll,a,yyyyy.yy,a,quality,satellites,dilution,height,M,…`
fn gga(fields: Fields<'_>) -> Result<Sentence<'_>, Wrong> {
    match fields.get(6) {
        "0" => Ok(Sentence::Void),
        quality if quality.len() == 1 && quality.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok(Sentence::Gga { fix: fields.fix(2), altitude: fields.get(9), unit: fields.get(10) })
        }
        other => Err(("quality", found("a digit", other.as_bytes()))),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// `body` between `$` and its checksum.
    pub(in crate::track) fn summed(body: &str) -> String {
        let sum = body.bytes().fold(0, |sum, byte| sum ^ byte);
        format!("${body}*{sum:02X}")
    }

    #[test]
    fn the_checksum_is_of_all_between_dollar_and_star() {
        // Known from many manuals.
        let line = b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47";
        let fix = Fix { clock: "123519", latitude: "4807.038", north: "N", longitude: "01131.000", east: "E" };
        assert_eq!(sentence(line), Ok(Sentence::Gga { fix, altitude: "545.4", unit: "M" }));
        let line = b"$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6a";
        assert_eq!(sentence(line), Ok(Sentence::Rmc { fix, date: "230394" }));
        let wrong = b"$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6B";
        assert_eq!(sentence(wrong), Err(("checksum", "expected *6A, found *6B".to_owned())));
        for line in ["$GPRMC,1,A", "$GPRMC,1,A*", "$GPRMC,1,A*4", "$GPRMC,1,A*+4", "$GPRMC,1,A*444", "$GPRMC*é"] {
            assert!(sentence(line.as_bytes()).is_err(), "{line}");
        }
    }

    #[test]
    fn anybody_may_talk_and_other_sentences_are_let_be() {
        for talker in ["GP", "GN", "GL", "GA", "BD"] {
            assert_eq!(sentence(summed(&format!("{talker}RMC,,V,,,,,,,,,")).as_bytes()), Ok(Sentence::Void));
            assert_eq!(sentence(summed(&format!("{talker}GGA,,,,,,0,,,,,,")).as_bytes()), Ok(Sentence::Void));
        }
        for line in ["$GPGSV,3,1,11", "$PSRF103,00*00", "$PARMC,1", "!AIVDM,1", "$GPRMCX,1", "$"] {
            assert_eq!(sentence(line.as_bytes()), Ok(Sentence::Other), "{line}");
        }
        let tagged = format!("\\s:r1,c:1*00\\{}", summed("GPRMC,,V"));
        assert_eq!(sentence(tagged.as_bytes()), Ok(Sentence::Void));
        for line in [&b"hello"[..], b"\xb5\x62\x01", b"GPRMC,1", b"\\unclosed", b"$GP\xff"] {
            assert_eq!(sentence(line).unwrap_err().0, "sentence");
        }
    }
}
