//! Known answers: lines between servers, both ways (WIRE §6).
#![cfg(feature = "alloc")]

mod support;

use herd_proto::{
    Auth, ErrorCode, Expected, Field, Hello, Hops, Nonce, PeerAt, PeerMessage, Ping, Pong, Prefix, Ready, ServerName,
    Summary, encode,
};

const HELLO: &str = "HELLO herd/1 ucla Bernard Campbell 3b1f0c5d77a9e240 5f0e1d2c3b4a69788796a5b4c3d2e1f0";
const NONCE: Nonce =
    Nonce([0x5f, 0x0e, 0x1d, 0x2c, 0x3b, 0x4a, 0x69, 0x78, 0x87, 0x96, 0xa5, 0xb4, 0xc3, 0xd2, 0xe1, 0xf0]);

fn parsed(line: &str) -> PeerMessage<&str> {
    PeerMessage::parse(line).unwrap_or_else(|invalid| panic!("{line}: {}", invalid.error))
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

fn name(text: &str) -> ServerName<'_> {
    ServerName::new(text).unwrap()
}

fn hello(line: &str) -> Hello<&str> {
    let PeerMessage::Hello(hello) = parsed(line) else { panic!("{line} is no HELLO") };
    hello
}

fn auth(line: &str) -> Auth<&str> {
    let PeerMessage::Auth(auth) = parsed(line) else { panic!("{line} is no AUTH") };
    auth
}

fn record(line: &str) -> PeerAt<&str> {
    let PeerMessage::At(at) = parsed(line) else { panic!("{line} is no AT") };
    at
}

#[test]
fn hello_both_ways() {
    let read = hello(HELLO);
    assert_eq!((read.herd(), read.from(), read.to()), (name("ucla"), name("Bernard"), name("Campbell")));
    assert_eq!((read.boot(), read.nonce()), (0x3b1f_0c5d_77a9_e240, NONCE));
    assert_eq!(read.settings().count(), 0);
    assert_eq!(read.line(), HELLO.as_bytes());
    let line = written(|out| {
        let hello = Hello::new(name("ucla"), name("Bernard"), name("Campbell"), 0x3b1f_0c5d_77a9_e240, NONCE);
        assert_eq!(hello, read.to_vec());
        encode::hello(out, &hello);
    });
    assert_eq!(line, format!("{HELLO}\n"));
}

#[test]
fn hello_settings_are_pairs() {
    let line = format!("{HELLO} ttl=0 empty= a=b=c");
    assert_eq!(hello(&line).settings().collect::<Vec<_>>(), [("ttl", "0"), ("empty", ""), ("a", "b=c")]);
    assert_eq!(hello(&line).line(), line.as_bytes(), "AUTH proves the settings too");
    let made = hello(HELLO).to_vec();
    let made = [("ttl", "0"), ("empty", ""), ("a", "b=c")]
        .into_iter()
        .try_fold(made, |made, (key, value)| made.with_setting(key, value));
    assert_eq!(made.unwrap(), hello(&line).to_vec());
    for (key, value) in [("", "1"), ("a=b", "1"), ("a b", "1"), ("a", "1 2"), ("a", "\n"), ("é", "1")] {
        assert!(hello(HELLO).to_vec().with_setting(key, value).is_err(), "{key}={value}");
    }
}

#[test]
fn auth_both_ways() {
    let line = format!("AUTH key-2 {}", "0f".repeat(32));
    assert_eq!((auth(&line).key_id(), auth(&line).mac()), ("key-2", &[0x0f; 32]));
    assert_eq!(written(|out| encode::auth(out, "key-2", &[0x0f; 32])), line + "\n");
}

#[test]
fn auth_subject_is_role_and_both_hellos() {
    let answer = "HELLO herd/1 ucla Campbell Bernard 0000000000000000 00000000000000000000000000000000 ttl=0";
    let subject = |dialled| written(|out| encode::auth_subject(out, dialled, &hello(HELLO), &hello(answer)));
    assert_eq!(subject(true), format!("herd/1 dialer\n{HELLO}\n{answer}\n"));
    assert_eq!(subject(false), format!("herd/1 acceptor\n{HELLO}\n{answer}\n"));
}

#[test]
fn numbers_both_ways() {
    for (line, message) in [
        ("READY 0 0000000000000000", PeerMessage::Ready(Ready { count: 0, root: 0 })),
        (
            "READY 18446744073709551615 00ff00ff00ff00ff",
            PeerMessage::Ready(Ready { count: u64::MAX, root: 0x00ff_00ff_00ff_00ff }),
        ),
        ("PING 7 12 9f86d081884c7d65", PeerMessage::Ping(Ping { sequence: 7, count: 12, root: 0x9f86_d081_884c_7d65 })),
        ("PONG 18446744073709551615", PeerMessage::Pong(Pong { sequence: u64::MAX })),
    ] {
        assert_eq!(parsed(line), message);
        let again = written(|out| match message {
            PeerMessage::Ready(ready) => encode::ready(out, ready),
            PeerMessage::Ping(ping) => encode::ping(out, ping),
            PeerMessage::Pong(pong) => encode::pong(out, pong),
            _ => unreachable!("not in the table"),
        });
        assert_eq!(again, format!("{line}\n"));
    }
}

#[test]
fn at_both_ways() {
    let operands = "Riley -0.000000001 鶴-7 +3404.1358-11826.7076+1CRSx/ 007.50";
    let line = format!("AT {operands} Juzang 255");
    let read = record(&line);
    assert_eq!((read.sender(), read.hops()), (name("Juzang"), Hops::from_count(255)));
    let at = read.at();
    assert_eq!((at.origin(), at.skew().nanos()), (name("Riley"), -1));
    assert_eq!((at.client().as_str(), at.location().as_str()), ("鶴-7", "+3404.1358-11826.7076+1CRSx/"));
    assert_eq!((at.time().as_str(), at.posix_time().to_string()), ("007.50", "7.500000000".to_owned()));
    assert_eq!(at.operands(), operands.as_bytes());
    assert_eq!(at.texts().join(&b' '), operands.as_bytes());
    assert_eq!(written(|out| encode::peer_at(out, at.operands(), read.sender(), read.hops())), format!("{line}\n"));
    assert_eq!(Hops::from_count(255).next(), Hops::from_count(255), "the hop count never wraps");
}

#[test]
fn dig_both_ways() {
    let text: Vec<String> = (0..16_u64).map(|part| format!("{}:{:016x}", part * part, part << 60)).collect();
    for (prefix, first_part, last_part) in
        [("-", "0", "f"), ("a", "a0", "af"), ("0c", "0c0", "0cf"), ("123", "1230", "123f")]
    {
        let line = format!("DIG {prefix} {}", text.join(" "));
        let PeerMessage::Dig(dig) = parsed(&line) else { panic!("{line} is no DIG") };
        assert_eq!(dig.prefix().to_string(), prefix);
        let parts: Vec<(Prefix, Summary)> = dig.children().collect();
        assert_eq!((parts[0].0.to_string(), parts[15].0.to_string()), (first_part.to_owned(), last_part.to_owned()));
        assert_eq!(parts[15].1, Summary { count: 225, digest: 0xf000_0000_0000_0000 });
        let summaries: Vec<Summary> = parts.into_iter().map(|(_, summary)| summary).collect();
        let again = written(|out| encode::dig(out, dig.prefix(), &summaries.try_into().unwrap()));
        assert_eq!(again, format!("{line}\n"));
    }
}

#[test]
fn lists_and_requests_both_ways() {
    for line in ["LST -", "LST 9", "LST 9 ef1aa071c8fc79b9", "LST ffff 0000000000000000 ffffffffffffffff"] {
        let PeerMessage::List(list) = parsed(line) else { panic!("{line} is no LST") };
        assert_eq!(written(|out| encode::list(out, list.prefix(), list.hashes())), format!("{line}\n"));
    }
    let PeerMessage::Get(get) = parsed("GET 91ef ef1aa071c8fc79b9 0000000000000000") else { panic!("a GET") };
    assert_eq!((get.prefix().leaves(), get.prefix().digits()), ((0x91ef, 0x91ef), 4));
    assert_eq!(get.hashes().collect::<Vec<_>>(), [0xef1a_a071_c8fc_79b9, 0]);
    let again = written(|out| encode::get(out, get.prefix(), get.hashes()));
    assert_eq!(again, "GET 91ef ef1aa071c8fc79b9 0000000000000000\n");
}

#[test]
fn acknowledgements_both_ways() {
    for (line, taken, refused) in [
        ("ACK 0", 0, vec![]),
        ("ACK 18446744073709551615", u64::MAX, vec![]),
        ("ACK 17 3 16", 17, vec![3, 16]),
        ("ACK 1 18446744073709551615 0", 1, vec![u64::MAX, 0]),
    ] {
        let PeerMessage::Ack(ack) = parsed(line) else { panic!("{line} is no ACK") };
        assert_eq!((ack.taken(), ack.refused().collect::<Vec<_>>()), (taken, refused.clone()));
        assert_eq!(written(|out| encode::ack(out, taken, &refused)), format!("{line}\n"));
    }
    let longest = written(|out| encode::ack(out, u64::MAX, &[u64::MAX; encode::ACK_REFUSED_MAX]));
    assert!(longest.len() <= herd_proto::frame::PEER_LINE_MAX, "{} bytes", longest.len());
}

#[test]
fn a_prefix_is_a_range_of_leaves_and_its_parts_are_all_of_it() {
    for (text, first, last) in [
        ("-", 0, 0xffff),
        ("0", 0, 0x0fff),
        ("f", 0xf000, 0xffff),
        ("7a", 0x7a00, 0x7aff),
        ("0001", 1, 1),
        ("91e0", 0x91e0, 0x91e0),
    ] {
        let prefix = Prefix::new(text).unwrap();
        assert_eq!((prefix.leaves(), prefix.to_string()), ((first, last), text.to_owned()));
        let parts: Vec<(u16, u16)> = prefix.children().map(Prefix::leaves).collect();
        if prefix.is_leaf() {
            assert_eq!(parts, []);
            continue;
        }
        assert_eq!((parts.len(), parts[0].0, parts[15].1), (16, first, last));
        assert!(parts.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0), "{parts:x?}");
    }
}

#[test]
fn bye_and_err_both_ways() {
    let PeerMessage::Bye(bye) = parsed("BYE  two  spaces ") else { panic!("a BYE") };
    assert_eq!(bye.why(), " two  spaces ");
    let PeerMessage::Error(error) = parsed("ERR wrong-herd this is herd ucla") else { panic!("an ERR") };
    assert_eq!((error.code(), error.text()), (Some(ErrorCode::WrongHerd), "this is herd ucla"));
    let PeerMessage::Error(error) = parsed("ERR from-later text") else { panic!("an ERR") };
    assert_eq!((error.code(), error.code_text()), (None, "from-later"));
    assert_eq!(written(|out| encode::bye(out, "stopping")), "BYE stopping\n");
    assert_eq!(written(|out| encode::error(out, ErrorCode::Busy, "links: 32")), "ERR busy links: 32\n");
}

#[test]
fn free_text_can_neither_forge_a_line_nor_fail_to_be_read() {
    assert_eq!(written(|out| encode::bye(out, "a\nPONG 1\x1b[2J é")), "BYE a?PONG 1?[2J ??\n");
    assert_eq!(written(|out| encode::bye(out, "")), "BYE -\n");
    assert_eq!(written(|out| encode::error(out, ErrorCode::Timeout, "")), "ERR timeout -\n");
    let long = written(|out| encode::bye(out, &"x".repeat(100_000)));
    assert_eq!(long.len(), "BYE \n".len() + encode::TEXT_MAX);
    assert!(PeerMessage::parse(long.trim_end()).is_ok());
}

#[test]
fn every_error_code_is_read_back() {
    use ErrorCode::*;
    let codes = [
        BadMessage,
        WrongHerd,
        WrongName,
        UnknownPeer,
        BadAuth,
        DuplicateName,
        SelfDial,
        Timeout,
        Settings,
        Busy,
        WrongVersion,
    ];
    for code in codes {
        let line = written(|out| encode::error(out, code, "x"));
        let PeerMessage::Error(error) = parsed(line.trim_end()) else { panic!("an ERR") };
        assert_eq!(error.code(), Some(code));
        assert!(include_str!("../WIRE.md").contains(&format!("| `{code}` |")), "{code} is not in WIRE.md");
    }
}

/// Line (escaped), field, offset, expected.
const REFUSED: &[(&str, Field, usize, Expected)] = &[
    ("", Field::Command, 0, Expected::PeerVerb),
    (" PONG 7", Field::Command, 0, Expected::PeerVerb),
    ("pong 7", Field::Command, 0, Expected::PeerVerb),
    ("IAMAT k +1+2 3", Field::Command, 0, Expected::PeerVerb),
    ("WHATSAT k 1 1", Field::Command, 0, Expected::PeerVerb),
    ("? x", Field::Command, 0, Expected::PeerVerb),
    ("DIG", Field::Prefix, 3, Expected::Operand),
    ("DIG 0", Field::Summary, 5, Expected::Operand),
    ("DIG ffff", Field::Prefix, 4, Expected::ShortPrefix),
    ("DIG 0 0", Field::Summary, 7, Expected::Summary),
    ("DIG 0 :0123456789abcdef", Field::Summary, 6, Expected::Number),
    ("DIG 0 00:0123456789abcdef", Field::Summary, 6, Expected::Number),
    ("DIG 0 18446744073709551616:0123456789abcdef", Field::Summary, 6, Expected::Number),
    ("DIG 0 0:0123456789abcde", Field::Summary, 23, Expected::HexU64),
    ("DIG 0 0:0123456789abcdef0", Field::Summary, 24, Expected::HexU64),
    ("DIG 0 0:0123456789abcdef  0:0", Field::Summary, 25, Expected::SingleSpace),
    ("LST", Field::Prefix, 3, Expected::Operand),
    ("LST ", Field::Prefix, 4, Expected::Operand),
    ("LST --", Field::Prefix, 4, Expected::Prefix),
    ("LST 0-", Field::Prefix, 5, Expected::Prefix),
    ("LST 0A", Field::Prefix, 5, Expected::Prefix),
    ("LST 00000", Field::Prefix, 8, Expected::Prefix),
    ("LST 0 ", Field::Hash, 6, Expected::HexU64),
    ("LST 0 0", Field::Hash, 7, Expected::HexU64),
    ("LST 0 0123456789abcdef  0123456789abcdef", Field::Hash, 23, Expected::HexU64),
    ("LST 0 0123456789abcdef 0123456789abcdeF", Field::Hash, 38, Expected::HexU64),
    (r"LST 0 0123456789abcdef\r", Field::Hash, 22, Expected::HexU64),
    ("GET 0", Field::Hash, 5, Expected::Operand),
    ("GET 0 ", Field::Hash, 6, Expected::HexU64),
    ("GET 0 0", Field::Hash, 7, Expected::HexU64),
    ("NAK 0", Field::Command, 0, Expected::PeerVerb),
    ("ACK", Field::Count, 3, Expected::Operand),
    ("ACK ", Field::Count, 4, Expected::Operand),
    ("ACK -1", Field::Count, 4, Expected::Number),
    ("ACK 01", Field::Count, 4, Expected::Number),
    ("ACK 1 ", Field::Sequence, 6, Expected::Number),
    ("ACK 1  2", Field::Sequence, 6, Expected::Number),
    ("ACK 1 2 x", Field::Sequence, 8, Expected::Number),
    ("PONG", Field::Sequence, 4, Expected::Operand),
    ("PONG ", Field::Sequence, 5, Expected::Operand),
    ("PONG  7", Field::Sequence, 5, Expected::SingleSpace),
    (r"PONG\t7", Field::Sequence, 4, Expected::SingleSpace),
    (r"PONG\x0b7", Field::Sequence, 4, Expected::SingleSpace),
    ("PONG 7 ", Field::Line, 6, Expected::EndOfLine),
    (r"PONG 7\r", Field::Line, 6, Expected::EndOfLine),
    ("PONG 7 8", Field::Line, 6, Expected::EndOfLine),
    ("PONG 07", Field::Sequence, 5, Expected::Number),
    ("PONG +7", Field::Sequence, 5, Expected::Number),
    ("PONG 18446744073709551616", Field::Sequence, 5, Expected::Number),
    ("PONG ７", Field::Sequence, 5, Expected::Number),
    ("PING 7", Field::Count, 6, Expected::Operand),
    ("PING 7 0", Field::Root, 8, Expected::Operand),
    ("PING 7 0 000000000000000", Field::Root, 24, Expected::HexU64),
    ("PING 7 0 00000000000000000", Field::Root, 25, Expected::HexU64),
    ("PING 7 0 000000000000000G", Field::Root, 24, Expected::HexU64),
    ("READY 0 00000000000000FF", Field::Root, 22, Expected::HexU64),
    ("READY x 0000000000000000", Field::Count, 6, Expected::Number),
    ("AUTH", Field::KeyId, 4, Expected::Operand),
    ("AUTH k.1 00", Field::KeyId, 6, Expected::KeyId),
    ("AUTH k 00", Field::Mac, 9, Expected::HexMac),
    ("HELLO", Field::Version, 5, Expected::Operand),
    ("HELLO herd/02 x", Field::Version, 6, Expected::Version),
    ("HELLO herd/1 -x", Field::Herd, 13, Expected::ServerName),
    ("HELLO herd/1 x y/z", Field::Server, 16, Expected::ServerName),
    ("HELLO herd/1 x y z 0", Field::Boot, 20, Expected::HexU64),
    ("HELLO herd/1 x y z 0000000000000000 0", Field::Nonce, 37, Expected::HexNonce),
    ("HELLO herd/1 x y z 0000000000000000 00000000000000000000000000000000 ", Field::Setting, 69, Expected::Setting),
    ("HELLO herd/1 x y z 0000000000000000 00000000000000000000000000000000 a", Field::Setting, 69, Expected::Setting),
    (
        "HELLO herd/1 x y z 0000000000000000 00000000000000000000000000000000 a=1  b=1",
        Field::Setting,
        73,
        Expected::Setting,
    ),
    ("HELLO herd/1 x y z 0000000000000000 00000000000000000000000000000000 =1", Field::Setting, 69, Expected::Setting),
    (
        r"HELLO herd/1 x y z 0000000000000000 00000000000000000000000000000000 a=\x01",
        Field::Setting,
        71,
        Expected::Setting,
    ),
    ("AT Riley +0.100000000 k +1+2 3", Field::Sender, 30, Expected::Operand),
    ("AT Riley +0.100000000 k +1+2 3 Juzang", Field::Hops, 37, Expected::Operand),
    ("AT Riley +0.100000000 k +1+2 3 Juzang 256", Field::Hops, 38, Expected::Hops),
    ("AT Riley +0.100000000 k +1+2 3 Juzang 01", Field::Hops, 38, Expected::Hops),
    ("AT Riley +0.100000000 k +1+2 3 Juzang 1 x", Field::Line, 39, Expected::EndOfLine),
    ("AT Riley +0.100000000 k +1+2 3 Ju!ang 1", Field::Sender, 33, Expected::ServerName),
    ("AT Riley +0.1 k +1+2 3 Juzang 1", Field::Skew, 9, Expected::CanonicalSkew),
    ("AT Riley 0.100000000 k +1+2 3 Juzang 1", Field::Skew, 9, Expected::Sign),
    ("AT Riley +00.100000000 k +1+2 3 Juzang 1", Field::Skew, 9, Expected::CanonicalSkew),
    ("AT Riley -0.000000000 k +1+2 3 Juzang 1", Field::Skew, 9, Expected::CanonicalSkew),
    ("AT Riley +1 k +1+2 3 Juzang 1", Field::Skew, 9, Expected::CanonicalSkew),
    ("AT Riley +0.1000000000 k +1+2 3 Juzang 1", Field::Skew, 9, Expected::CanonicalSkew),
    (r"AT Riley +0.100000000 \xff +1+2 3 Juzang 1", Field::Client, 22, Expected::Utf8),
    (r"AT Riley +0.100000000 k\x0bl +1+2 3 Juzang 1", Field::Location, 23, Expected::SingleSpace),
    ("AT Riley +0.100000000 k +1+02 1e3 Juzang 1", Field::Time, 31, Expected::TimeEnd),
    ("BYE", Field::Text, 3, Expected::Text),
    ("BYE ", Field::Text, 4, Expected::Text),
    (r"BYE\tx", Field::Line, 3, Expected::SingleSpace),
    (r"BYE a\x7f", Field::Text, 5, Expected::Text),
    ("BYE é", Field::Text, 4, Expected::Text),
    ("ERR busy", Field::Text, 8, Expected::Text),
    ("ERR Busy x", Field::Code, 4, Expected::ErrorCode),
    ("ERR a-code-of-thirty-three-characters x", Field::Code, 36, Expected::ErrorCode),
];

#[test]
fn refused_lines_say_where_and_why() {
    let mut wrong = Vec::new();
    for (escaped, field, offset, expected) in REFUSED {
        match PeerMessage::parse(support::unescape(escaped)) {
            Ok(_) => wrong.push(format!("{escaped}: accepted")),
            Err(invalid) => {
                let error = invalid.error;
                if (error.field, error.offset, error.expected) != (*field, *offset, *expected) {
                    wrong.push(format!("{escaped}: {error}, not {field} at byte {offset}: expected {expected}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
