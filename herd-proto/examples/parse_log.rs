//! Reads lines from standard input and says which are no requests: field, byte, and what was expected there.
//!
//! Try it: `printf 'IAMAT k +1-2 3\nIAMAT k 1-2 3\n' | cargo run -p herd-proto --example parse_log`.

use std::io::{self, BufRead};
use std::process::ExitCode;

use herd_proto::{Escaped, Request};

fn main() -> io::Result<ExitCode> {
    let (mut lines, mut invalid_lines) = (0, 0);
    for line in io::stdin().lock().split(b'\n') {
        let line = line?;
        lines += 1;
        if let Err(invalid) = Request::parse(line.as_slice()) {
            invalid_lines += 1;
            // The line is a stranger's: what could act on a terminal is escaped.
            println!("line {lines}: {}\n  {}", invalid.error, Escaped(invalid.line));
        }
    }
    println!("{lines} lines, {invalid_lines} invalid");
    Ok(if invalid_lines == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
