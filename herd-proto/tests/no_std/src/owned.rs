//! What works with an allocator and without the standard library.

extern crate alloc;

use alloc::string::ToString;
use alloc::vec::Vec;

use herd_proto::{ClientId, Iamat, Location, ParseError, Request, Timestamp, encode};

use crate::Checks;

pub(crate) fn check(checks: &mut Checks) {
    let made = made(checks);
    checks.holds(made.is_ok());
}

fn made(checks: &mut Checks) -> Result<(), ParseError> {
    let made = Iamat::new(ClientId::new("kiwi")?, Location::new("+34-118")?, Timestamp::new("7.5")?);
    checks.holds(made.line() == b"IAMAT kiwi +34-118 7.5");
    let mut line = Vec::new();
    encode::iamat(&mut line, made.client(), made.location(), made.time());
    checks.holds(line.pop() == Some(b'\n'));
    checks.holds(Request::parse(line) == Ok(Request::Iamat(made)));
    let refused = Location::new("34-118").map_err(|error| error.to_string());
    checks.holds(refused == Err("location at byte 0: expected + or -".to_string()));
    Ok(())
}
