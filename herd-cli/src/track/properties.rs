//! Whatever is in a file, reading it ends, and what comes out are values of the protocol.

use herd_proto::{ClientId, Location, Timestamp};
use proptest::prelude::*;

use super::{Format, Naming, Row, Track};

fn format() -> impl Strategy<Value = Option<Format>> {
    prop_oneof![Just(None), Just(Some(Format::Gpx)), Just(Some(Format::Nmea)), Just(Some(Format::Csv))]
}

/// Pieces of all three formats, whole ones and broken ones.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop_oneof![
        prop::sample::select(vec![
            "<gpx>",
            "</gpx>",
            "<trk>",
            "</trk>",
            "<trkseg>",
            "<name>",
            "</name>",
            "<wpt lat='1' lon=\"-2.50\">",
            "</wpt>",
            "<wpt lat='91' lon='1e400'/>",
            "<time>2021-05-19T22:53:47.5Z</time>",
            "<time>",
            "</time>",
            "<![CDATA[",
            "]]>",
            "<!--",
            "-->",
            "&amp;",
            "&#x1F600;",
            "&#0;",
            "&",
            "<!DOCTYPE a [",
            "<?xml",
            "?>",
            "<",
            ">",
            "\"",
            "\n",
            "\r\n",
            "lat,lon,time\n",
            "id;location;time\n",
            "1,2,7\n",
            "a,\"1\n",
            "$GPRMC,225347,A,3404.1,N,11826.7,W,,,190521,,*",
            "$GPGGA,000000,3404.1,N,11826.7,W,1,,,,,,,*00",
            "*5A",
            "\\s:1*00\\",
            ",",
            ";",
            "\t",
            "\u{feff}",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..8),
        "[0-9.+eE,:TZ-]{0,24}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_read_to_their_end(text in pieces(), format in format(), altitude: bool, id in prop::option::of("[a-z]{1,5}")) {
        let naming = Naming::new(id.as_deref(), Some(std::path::Path::new("walk.gpx")));
        let Ok(mut track) = Track::open(&text[..], format, naming, altitude) else { return Ok(()) };
        // No row without a byte.
        for _ in 0..=text.len() {
            match track.next() {
                Ok(Some(Row::Point(point))) => {
                    prop_assert!(ClientId::new(&point.id).is_ok(), "{point:?}");
                    prop_assert!(Location::new(&point.location).is_ok(), "{point:?}");
                    prop_assert_eq!(Timestamp::new(point.time.as_str()).map(Timestamp::time), Ok(point.time.time()));
                    prop_assert!(point.line >= 1);
                }
                Ok(Some(Row::Refused(refusal))) => {
                    let line = refusal.to_string();
                    prop_assert!(line.len() < 400 && !line.contains('\n'), "{line:?}");
                }
                Ok(Some(Row::Skipped)) => {}
                Ok(None) | Err(_) => return Ok(()),
            }
        }
        prop_assert!(false, "there are more rows than bytes");
    }

    /// Decimal degrees keep their digits, whatever they are.
    #[test]
    fn degrees_are_posted_digit_for_digit(
        latitude in "-?[0-8][0-9](\\.[0-9]{1,20})?",
        longitude in "-?1[0-7][0-9](\\.[0-9]{1,20})?",
        time in "[1-9][0-9]{0,9}(\\.[0-9]{1,9})?",
    ) {
        let signed = |text: &str| if text.starts_with('-') { text.to_owned() } else { format!("+{text}") };
        // Leading zeros of a number mean nothing.
        let expected = signed(&latitude).replacen("+0", "+", 1).replacen("-0", "-", 1) + &signed(&longitude);
        let text = format!("id,lat,lon,time\nkiwi,{latitude},{longitude},{time}\n");
        let mut track = Track::open(text.as_bytes(), None, Naming::default(), false).unwrap();
        let Ok(Some(Row::Point(point))) = track.next() else { panic!("{text}") };
        prop_assert_eq!((point.location.as_str(), point.time.as_str()), (expected.as_str(), time.as_str()));
    }
}
