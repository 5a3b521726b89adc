//! `herd-node`: runs servers of a herd.

mod attend;
mod command;
mod control;
mod demo;
mod dump;
mod notify;
mod pages;
mod reload_command;
mod run;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::main()
}
