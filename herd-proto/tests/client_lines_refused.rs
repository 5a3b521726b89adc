//! Known answers: lines that are no requests; which field, at which byte, and what was expected there (WIRE §1.6).
#![cfg(feature = "alloc")]

mod support;

use herd_proto::Expected::{self, *};
use herd_proto::{Field, Request};
use support::unescape;

const COMMANDS: &[(&str, usize, Expected)] = &[
    ("", 0, Expected::Request),
    (r"  \t", 3, Expected::Request),
    (r"\r", 1, Expected::Request),
    ("iamat k +1+2 3", 0, Expected::Request),
    (" Iamat k +1+2 3", 1, Expected::Request),
    ("IAMATk +1+2 3", 0, Expected::Request),
    ("IAMAT\u{a0}k +1+2 3", 0, Expected::Request),
    (r"\x00IAMAT k +1+2 3", 0, Expected::Request),
    (r"\u{feff}IAMAT k +1+2 3", 0, Expected::Request),
    (r"\xff\xfe", 0, Expected::Request),
    ("whatsat k 1 1", 0, Expected::Request),
    ("AT Riley +0.263873386 k +1+2 3", 0, Expected::Request),
    ("HELLO herd/1", 0, Expected::Request),
    ("? IAMAT", 0, Expected::Request),
];

const CLIENTS: &[(&str, usize, Expected)] = &[
    ("IAMAT", 5, Operand),
    ("IAMAT  ", 7, Operand),
    (r"IAMAT ki\xffwi +1+2 3", 8, Utf8),
    (r"IAMAT \xc3 +1+2 3", 6, Utf8),
    (r"IAMAT \xed\xa0\x80 +1+2 3", 6, Utf8),
    (r"IAMAT \xc0\xaf +1+2 3", 6, Utf8),
    ("WHATSAT", 7, Operand),
    (r"WHATSAT k\x80 1 1", 9, Utf8),
];

const LOCATIONS: &[(&str, usize, Expected)] = &[
    ("IAMAT k", 7, Operand),
    ("IAMAT k 34-118 3", 8, Sign),
    ("IAMAT k +34 3", 11, Sign),
    ("IAMAT k +34,5-118 3", 11, Sign),
    ("IAMAT k +34 -118 3", 11, Sign),
    ("IAMAT k + 3", 9, Digit),
    ("IAMAT k +34.-118 3", 12, Digit),
    ("IAMAT k +.5-118 3", 9, Digit),
    ("IAMAT k ++34-118 3", 9, Digit),
    ("IAMAT k +34- 3", 12, Digit),
    ("IAMAT k +34-118. 3", 16, Digit),
    ("IAMAT k +３４-118 3", 9, Digit),
    ("IAMAT k +34-١١٨ 3", 12, Digit),
    ("IAMAT k −34-118 3", 8, Sign),
    ("IAMAT k +34e0-118 3", 11, Sign),
    ("IAMAT k +340-118 3", 9, LatitudeDigits),
    ("IAMAT k +34000-118 3", 9, LatitudeDigits),
    ("IAMAT k +3400000-118 3", 9, LatitudeDigits),
    ("IAMAT k +0034.5678901234567890123-1 3", 33, SameForm),
    ("IAMAT k +34-1180 3", 12, LongitudeDigits),
    ("IAMAT k +34-118000 3", 12, LongitudeDigits),
    ("IAMAT k +34-11800000 3", 12, LongitudeDigits),
    ("IAMAT k +3400-118 3", 13, SameForm),
    ("IAMAT k +34-11800 3", 11, SameForm),
    ("IAMAT k +340000-11800 3", 15, SameForm),
    ("IAMAT k +3400-1180000 3", 13, SameForm),
    ("IAMAT k +3460-11800 3", 8, SixtyMinutes),
    ("IAMAT k +3400-11860 3", 13, SixtyMinutes),
    ("IAMAT k +346000-1180000 3", 8, SixtyMinutes),
    ("IAMAT k +340060-1180000 3", 8, SixtySeconds),
    ("IAMAT k +340000-1180060.0 3", 15, SixtySeconds),
    ("IAMAT k +91-118 3", 8, Latitude),
    ("IAMAT k -90.000000000000000000001-118 3", 8, Latitude),
    ("IAMAT k +9000.00000000001-11800 3", 8, Latitude),
    ("IAMAT k +9001-11800 3", 8, Latitude),
    ("IAMAT k +900000.1-1180000 3", 8, Latitude),
    ("IAMAT k +34-181 3", 11, Longitude),
    ("IAMAT k +34+180.0000000001 3", 11, Longitude),
    ("IAMAT k +3400-18000.1 3", 13, Longitude),
    ("IAMAT k +340000-1800001 3", 15, Longitude),
    ("IAMAT k +1+2+ 3", 13, Digit),
    ("IAMAT k +1+2+3. 3", 15, Digit),
    ("IAMAT k +1+2+3+4 3", 14, LocationEnd),
    ("IAMAT k +1+2crsWGS_84 3", 12, LocationEnd),
    ("IAMAT k +1+2CRS 3", 15, CrsName),
    ("IAMAT k +1+2CRS/ 3", 15, CrsName),
    (r"IAMAT k +1+2CRS\u{e9} 3", 15, CrsName),
    (r"IAMAT k +1+2CRSx\x1b 3", 16, LocationEnd),
    ("IAMAT k +1+2// 3", 13, LocationEnd),
    ("IAMAT k +1+2/CRSx 3", 13, LocationEnd),
    ("IAMAT k +1+2\u{a0} 3", 12, LocationEnd),
    (r"IAMAT k +1+2\x00 3", 12, LocationEnd),
];

const TIMES: &[(&str, usize, Expected)] = &[
    ("IAMAT k +1+2", 12, Operand),
    ("IAMAT k +1+2 ", 13, Operand),
    ("IAMAT k +1+2 7.0123456789", 24, NineDigits),
    ("IAMAT k +1+2 7.", 15, Digit),
    ("IAMAT k +1+2 .5", 13, Digit),
    ("IAMAT k +1+2 7.5.5", 16, TimeEnd),
    ("IAMAT k +1+2 1e9", 14, TimeEnd),
    ("IAMAT k +1+2 1.5e9", 16, TimeEnd),
    ("IAMAT k +1+2 1_000", 14, TimeEnd),
    ("IAMAT k +1+2 1,5", 14, TimeEnd),
    ("IAMAT k +1+2 0x10", 14, TimeEnd),
    ("IAMAT k +1+2 nan", 13, Digit),
    ("IAMAT k +1+2 inf", 13, Digit),
    ("IAMAT k +1+2 Infinity", 13, Digit),
    ("IAMAT k +1+2 -7", 13, Digit),
    ("IAMAT k +1+2 +7", 13, Digit),
    ("IAMAT k +1+2 １６２１", 13, Digit),
    ("IAMAT k +1+2 ١٦٢١", 13, Digit),
    ("IAMAT k +1+2 7٣", 14, TimeEnd),
    ("IAMAT k +1+2 18446744073709551616", 13, Seconds),
    ("IAMAT k +1+2 99999999999999999999.9", 13, Seconds),
    (r"IAMAT k +1+2 7\x85", 14, TimeEnd),
];

const RADII: &[(&str, usize, Expected)] = &[
    ("WHATSAT k", 9, Operand),
    ("WHATSAT k 0 1", 10, Expected::Radius),
    ("WHATSAT k 0.000000000000 1", 10, Expected::Radius),
    ("WHATSAT k 51 1", 10, Expected::Radius),
    ("WHATSAT k 50.00000000000000001 1", 10, Expected::Radius),
    ("WHATSAT k 18446744073709551616 1", 10, Expected::Radius),
    ("WHATSAT k 18446744073709551615 1", 10, Expected::Radius),
    ("WHATSAT k -1 1", 10, Digit),
    ("WHATSAT k +1 1", 10, Digit),
    ("WHATSAT k .5 1", 10, Digit),
    ("WHATSAT k 5. 1", 12, Digit),
    ("WHATSAT k 1e1 1", 11, RadiusEnd),
    ("WHATSAT k 1_0 1", 11, RadiusEnd),
    ("WHATSAT k nan 1", 10, Digit),
    ("WHATSAT k inf 1", 10, Digit),
    ("WHATSAT k １０ 1", 10, Digit),
    ("WHATSAT k 10km 1", 12, RadiusEnd),
];

const LIMITS: &[(&str, usize, Expected)] = &[
    ("WHATSAT k 1", 11, Operand),
    ("WHATSAT k 1 21", 12, Limit),
    ("WHATSAT k 1 256", 12, Limit),
    ("WHATSAT k 1 18446744073709551616", 12, Limit),
    ("WHATSAT k 1 -1", 12, Limit),
    ("WHATSAT k 1 +1", 12, Limit),
    ("WHATSAT k 1 5.0", 13, Limit),
    ("WHATSAT k 1 5e0", 13, Limit),
    ("WHATSAT k 1 1_0", 13, Limit),
    ("WHATSAT k 1 ５", 12, Limit),
];

const ENDS: &[(&str, usize, Expected)] = &[
    ("IAMAT k +1+2 3 x", 15, EndOfLine),
    (r"IAMAT k +1+2 3 \x00", 15, EndOfLine),
    ("IAMAT k +1+2 3  4 ", 16, EndOfLine),
    ("WHATSAT k 1 1 1", 14, EndOfLine),
    ("WHATSAT k 1 1 \u{a0}", 14, EndOfLine),
];

#[test]
fn refused_lines_say_where_and_why() {
    let tables = [
        (Field::Command, COMMANDS),
        (Field::Client, CLIENTS),
        (Field::Location, LOCATIONS),
        (Field::Time, TIMES),
        (Field::Radius, RADII),
        (Field::Limit, LIMITS),
        (Field::Line, ENDS),
    ];
    let mut wrong = Vec::new();
    for (field, table) in tables {
        for (escaped, offset, expected) in table {
            let line = unescape(escaped);
            match Request::parse(line.as_slice()) {
                Ok(_) => wrong.push(format!("{escaped}: accepted")),
                Err(invalid) => {
                    assert_eq!(invalid.line, line);
                    let error = invalid.error;
                    if (error.field, error.offset, error.expected) != (field, *offset, *expected) {
                        wrong.push(format!("{escaped}: {error}, not {field} at byte {offset}: expected {expected}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
