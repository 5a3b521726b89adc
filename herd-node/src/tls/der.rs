//! Of a certificate's bytes (RFC 5280, in DER) the dates and names, which rustls keeps to itself.
//!
//! For showing only: who is let in is decided by webpki. Any bytes are read, none are believed, and nothing is allocated but a list.

use std::net::IpAddr;

use super::Moment;

/// Tags of what is looked at.
const SEQUENCE: u8 = 0x30;
const OBJECT_ID: u8 = 0x06;
const OCTETS: u8 = 0x04;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const HOST: u8 = 0x82;
const URI: u8 = 0x86;
const ADDRESS: u8 = 0x87;
/// 2.5.29.17, the subject's alternative names.
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
/// More names than a certificate of a server has.
const NAMES_MAX: usize = 256;

/// One of the subject's alternative names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name<'a> {
    Uri(&'a str),
    Host(&'a str),
    Address(IpAddr),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Read<'a> {
    pub(super) not_before: Moment,
    pub(super) not_after: Moment,
    pub(super) names: Vec<Name<'a>>,
}

/// What stands in a certificate; `None` if it is none.
pub(super) fn certificate(bytes: &[u8]) -> Option<Read<'_>> {
    let mut body = Der(Der(Der(bytes).expect(SEQUENCE)?).expect(SEQUENCE)?);
    body.skip_if(VERSION);
    // Serial number, algorithm, issuer.
    (0..3).try_for_each(|_| body.next().map(drop))?;
    let mut validity = Der(body.expect(SEQUENCE)?);
    let (not_before, not_after) = (validity.time()?, validity.time()?);
    let mut names = Vec::new();
    for (tag, content) in body {
        if tag == EXTENSIONS {
            names = alternative_names(Der(Der(content).expect(SEQUENCE)?))?;
        }
    }
    Some(Read { not_before, not_after, names })
}

fn alternative_names(mut extensions: Der<'_>) -> Option<Vec<Name<'_>>> {
    while let Some((SEQUENCE, extension)) = extensions.next() {
        let mut extension = Der(extension);
        if extension.expect(OBJECT_ID)? != ALTERNATIVE_NAMES {
            continue;
        }
        // Whether it is critical may stand between.
        let list = std::iter::from_fn(|| extension.next()).find(|(tag, _)| *tag == OCTETS)?.1;
        let mut list = Der(Der(list).expect(SEQUENCE)?);
        return Some(std::iter::from_fn(|| list.next()).take(NAMES_MAX).filter_map(name).collect());
    }
    Some(Vec::new())
}

fn name((tag, content): (u8, &[u8])) -> Option<Name<'_>> {
    match tag {
        URI => str::from_utf8(content).ok().map(Name::Uri),
        HOST => str::from_utf8(content).ok().map(Name::Host),
        ADDRESS => {
            let v4 = <[u8; 4]>::try_from(content).map(IpAddr::from);
            v4.or_else(|_| <[u8; 16]>::try_from(content).map(IpAddr::from)).ok().map(Name::Address)
        }
        _ => None,
    }
}

/// Values, one after the other.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The content of the next value, which has this tag.
    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, content)| content)
    }

    fn skip_if(&mut self, tag: u8) {
        if self.0.first() == Some(&tag) {
            self.next();
        }
    }

    fn time(&mut self) -> Option<Moment> {
        let (tag, text) = self.next()?;
        let text = str::from_utf8(text).ok()?;
        match tag {
            // Two digits of the year: 1950 to 2049.
            UTC_TIME if text.get(..2)? >= "50" => Moment::of_digits(&format!("19{text}")),
            UTC_TIME => Moment::of_digits(&format!("20{text}")),
            GENERALIZED_TIME => Moment::of_digits(text),
            _ => None,
        }
    }
}

impl<'a> Iterator for Der<'a> {
    type Item = (u8, &'a [u8]);

    /// The tag and content of the next value.
    fn next(&mut self) -> Option<Self::Item> {
        let (&[tag, length], rest) = self.0.split_first_chunk()?;
        let (length, rest) = match length {
            0..=0x7f => (usize::from(length), rest),
            // Longer ones say how many bytes their length has. No certificate needs more than three.
            0x81..=0x83 => {
                let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
                (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, SanType};

    use super::*;

    fn made() -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.not_before = rcgen::date_time_ymd(2026, 2, 28);
        params.not_after = rcgen::date_time_ymd(2050, 1, 1);
        params.subject_alt_names = vec![
            SanType::URI("herd:ucla/Riley".try_into().unwrap()),
            SanType::DnsName("riley".try_into().unwrap()),
            SanType::IpAddress("192.0.2.1".parse().unwrap()),
            SanType::IpAddress("2001:db8::1".parse().unwrap()),
        ];
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn dates_and_names_are_found() {
        let bytes = made();
        let read = certificate(&bytes).unwrap();
        // One is written as UTCTime, the other as GeneralizedTime.
        assert_eq!(read.not_before.to_string(), "2026-02-28 00:00:00 UTC");
        assert_eq!(read.not_after.to_string(), "2050-01-01 00:00:00 UTC");
        let addresses = ["192.0.2.1", "2001:db8::1"].map(|address| Name::Address(address.parse().unwrap()));
        assert_eq!(read.names[..2], [Name::Uri("herd:ucla/Riley"), Name::Host("riley")]);
        assert_eq!(read.names[2..], addresses);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes: Vec<u8>) {
            let _ = certificate(&bytes);
        }

        #[test]
        fn nearly_certificates_are_read(at in 0_usize..2_000, with: u8, cut in 0_usize..2_000) {
            let mut bytes = made();
            let at = at % bytes.len();
            bytes[at] = with;
            let _ = certificate(&bytes);
            bytes.truncate(cut);
            let _ = certificate(&bytes);
        }
    }
}
