//! One line of a client: the parser and the oracle say the same, and what was parsed is echoed byte for byte.

use herd_proto::{At, Escaped, Iamat, PosixTime, Request, ServerName, encode};

use crate::oracle;

/// Checks `line`.
///
/// # Panics
/// When the product breaks a promise.
pub fn check(line: &[u8]) {
    match (Request::parse(line), oracle::request(line)) {
        (Ok(parsed), Ok(expected)) => {
            assert_eq!(value(&parsed), expected);
            // A line that holds its own terminators is only ever seen by callers without framing.
            if let Request::Iamat(iamat) = &parsed {
                echo(iamat);
            }
            respelled(&parsed, &expected);
        }
        (Err(invalid), Err(refusal)) => {
            assert_eq!(invalid.line, line);
            assert_eq!(invalid.error.field.as_str(), refusal.field, "{}: {}", Escaped(line), invalid.error);
            let within = refusal.from..=refusal.to;
            assert!(within.contains(&invalid.error.offset), "{}: {}, not in {within:?}", Escaped(line), invalid.error);
        }
        (parsed, expected) => panic!("{}: {parsed:?}, but the oracle says {expected:?}", Escaped(line)),
    }
}

/// A request in the oracle's words.
pub(crate) fn value<B: AsRef<[u8]>>(request: &Request<B>) -> oracle::Request {
    match request {
        Request::Iamat(iamat) => oracle::Request::Iamat {
            client: iamat.client().as_bytes().to_vec(),
            location: iamat.location().as_str().to_owned(),
            nanodegrees: (iamat.location().latitude().nanodegrees(), iamat.location().longitude().nanodegrees()),
            time: iamat.time().as_str().to_owned(),
            seconds: iamat.posix_time().seconds(),
            nanos: iamat.posix_time().nanos(),
        },
        Request::Whatsat(whatsat) => oracle::Request::Whatsat {
            client: whatsat.client().as_bytes().to_vec(),
            radius: whatsat.radius().as_str().to_owned(),
            micrometres: whatsat.radius().micrometres(),
            limit: whatsat.limit().get(),
        },
    }
}

/// Spelled as nearly all lines are, the parser may read it in its one pass; with one space more it never does. It says the same.
fn respelled(request: &Request<&[u8]>, expected: &oracle::Request) {
    let words: Vec<&[u8]> =
        request.line().split(|byte| oracle::WHITE_SPACE.contains(byte)).filter(|word| !word.is_empty()).collect();
    for line in [words.join(&b' '), [words.join(&b' '), b" ".to_vec()].concat()] {
        let again = Request::parse(line.as_slice()).unwrap_or_else(|invalid| panic!("{}", invalid.error));
        assert_eq!(value(&again), *expected, "{}", Escaped(&line));
    }
}

/// The AT that answers is an AT, with these operands byte for byte and the exact skew.
fn echo(iamat: &Iamat<&[u8]>) {
    let receipt = PosixTime::new(1_621_464_827, 959_498_503).unwrap();
    let nanos = |time: PosixTime| i128::from(time.seconds()) * 1_000_000_000 + i128::from(time.nanos());
    let skew = receipt.since(iamat.posix_time());
    assert_eq!(skew.nanos(), nanos(receipt) - nanos(iamat.posix_time()));
    let mut reply = Vec::new();
    encode::at_of_iamat(&mut reply, ServerName::new("Riley").unwrap(), skew, iamat);
    assert_eq!(reply.pop(), Some(b'\n'));
    let at = At::parse(reply.as_slice()).unwrap();
    let seen = (at.origin().as_str(), at.skew(), at.client(), at.location(), at.time());
    assert_eq!(seen, ("Riley", skew, iamat.client(), iamat.location(), iamat.time()));
    let tail = [iamat.client().as_bytes(), iamat.location().as_str().as_bytes(), iamat.time().as_str().as_bytes()];
    assert!(reply.ends_with(&tail.join(&b' ')));
}
