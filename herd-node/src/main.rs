//! `herd-node`: runs servers of a herd.

mod command;
mod demo;
mod dump;
mod pki;
mod run;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::main()
}
