//! `herd-node`: runs servers of a herd.

mod command;
mod demo;
mod dump;
mod notify;
mod pages;
mod run;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::main()
}
