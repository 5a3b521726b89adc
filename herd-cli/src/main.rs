//! `herd-cli`: talk to a location herd from the terminal.
//!
//! A thin layer over the `herd_cli` library: [`args`] say what is wanted, [`operands`] and [`input`] turn that into lines, a
//! [`conversation`] sends them and hands every reply to an [`output`], and the end is an [`exit`] code.

#![forbid(unsafe_code)]

mod args;
mod conversation;
mod exit;
mod fault;
mod input;
mod operands;
mod output;

use std::io::{self, IsTerminal};

use clap::Parser;
use herd_cli::{Address, Client, Servers};

use crate::args::{Cli, Command, ServerArgs};
use crate::conversation::Conversation;
use crate::exit::ExitCode;
use crate::fault::{Fault, complain};
use crate::input::Lines;
use crate::output::Output;

fn main() -> std::process::ExitCode {
    let code = match Cli::try_parse() {
        Ok(cli) => run(cli).unwrap_or_else(|fault| report(&fault)),
        Err(error) if error.use_stderr() && error.kind() != MISSING => {
            complain(&args::one_line(&error));
            ExitCode::Usage
        }
        // --help, --version, or nothing at all: clap shows its text, on standard error in the last case.
        Err(error) => {
            let _ = error.print();
            if error.use_stderr() { ExitCode::Usage } else { ExitCode::Answered }
        }
    };
    code.into()
}

const MISSING: clap::error::ErrorKind = clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;

fn run(cli: Cli) -> Result<ExitCode, Fault> {
    let output = Output::new(&cli.display);
    // What is wrong with the operands is said before anybody is called.
    let lines = lines(cli.command)?;
    let (name, address) = server(&cli.server)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Fault::Runtime)?;
    let ended = runtime.block_on(async {
        let client = Client::connect(&address, cli.server.timeout).await.map_err(|source| match name {
            Some(name) => Fault::NotConnected { name, source },
            None => Fault::Client(source),
        })?;
        Conversation::new(client, lines, output).run().await
    });
    // A look-up of a name that hangs must not hold the program back.
    runtime.shutdown_background();
    ended
}

fn lines(command: Command) -> Result<Lines, Fault> {
    Ok(match command {
        Command::Iamat { id, location, time } => input::single(operands::iamat(&id, &location, time.as_deref())?),
        Command::Whatsat { id, radius, limit } => input::single(operands::whatsat(&id, &radius, &limit)?),
        Command::Send { lines } => input::of(lines)?,
    })
}

/// The server's name, if it was found by it, and its address. A name has no colon and an address has one; the configuration
/// is only read for a name.
fn server(args: &ServerArgs) -> Result<(Option<String>, Address), Fault> {
    if let Some(text) = args.server.as_ref().filter(|text| text.contains(':')) {
        let address = text.parse().map_err(|source| Fault::Address { text: text.clone(), source })?;
        return Ok((None, address));
    }
    let servers = match args.config() {
        Some(file) => Servers::from_config(&file)?,
        None => Servers::default_herd(),
    };
    let found = match &args.server {
        Some(name) => servers.find(name)?,
        None => servers.find("Riley").or_else(|error| servers.iter().next().ok_or(error))?,
    };
    Ok((Some(found.name().to_owned()), found.address().clone()))
}

fn report(fault: &Fault) -> ExitCode {
    complain(&fault.one_line());
    if let Fault::Operand(error) = fault
        && io::stderr().is_terminal()
    {
        let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("{}\n", error.pointer()));
    }
    fault.exit_code()
}
