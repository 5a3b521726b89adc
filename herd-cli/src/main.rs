//! `herd-cli`: talk to a location herd from the terminal.
//!
//! A thin layer over the `herd_cli` library: [`args`] say what is wanted, [`operands`] and [`input`] turn that into lines, a
//! [`conversation`] sends them and hands every reply to an [`output`], and the end is an [`exit`] code. A [`digest`] is no
//! conversation: it asks several servers, elsewhere; nor is a [`status`](mod@status), a [`bench`] or [`conformance`], nor a [`watch`](mod@watch), which has no
//! end.

#![forbid(unsafe_code)]

mod args;
mod bench;
mod choice;
mod conformance;
mod conversation;
mod digest;
mod exit;
mod fault;
mod input;
mod operands;
mod output;
mod pages;
mod progress;
mod repl;
mod replay;
mod signals;
mod status;
mod token;
mod track;
mod watch;

use std::io::{self, IsTerminal};

use clap::FromArgMatches;

use crate::args::{AdminArgs, Cli, Command, ServerArgs};
use crate::choice::Choice;
use crate::conversation::Conversation;
use crate::digest::Wait;
use crate::exit::ExitCode;
use crate::fault::{Fault, complain};
use crate::output::Output;

fn main() -> std::process::ExitCode {
    let parsed = pages::command().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
    let code = match parsed {
        Ok(cli) => run(cli).unwrap_or_else(|fault| report(&fault)),
        Err(error) if error.use_stderr() && error.kind() != MISSING => {
            complain(&args::one_line(&error));
            ExitCode::Usage
        }
        // --help, --version, or nothing at all: clap shows its text, on standard error in the last case.
        Err(error) => {
            let shown = error.print().and_then(|()| io::Write::flush(&mut io::stdout()));
            if error.use_stderr() { ExitCode::Usage } else { written(shown).unwrap_or_else(|fault| report(&fault)) }
        }
    };
    code.into()
}

const MISSING: clap::error::ErrorKind = clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;

fn run(cli: Cli) -> Result<ExitCode, Fault> {
    let output = Output::new(&cli.display);
    // What is wrong with the operands is said before anybody is called.
    let lines = match cli.command {
        Command::Iamat { id, location, time } => input::single(operands::iamat(&id, &location, time.as_deref())?),
        Command::Whatsat { id, radius, limit } => input::single(operands::whatsat(&id, &radius, &limit)?),
        Command::Send { lines } => input::of(lines)?,
        Command::Watch(args) => return watch(&args, &cli.server, output),
        Command::Digest { whom, wait } => {
            return digest(&whom, wait.map_or(Wait::USUAL, Wait::to_agree), &cli.server, output);
        }
        Command::Status(args) => return status(&args, &cli.server, output),
        Command::Bench(args) => return bench(&args, &cli.server, output),
        Command::Conformance(args) => return conformance(&args, &cli.server, output),
        Command::Completions { what } => return show(&pages::completions(what, &cli.server)?, output),
        Command::Man(args) => return show(&pages::man(&args)?, output),
        Command::Repl => return repl::run(cli.server, output),
        Command::Replay(args) => return replay(&args, &cli.server, output),
    };
    let choice = Choice::of(&cli.server)?;
    let client = choice.client_for_once(cli.server.timeout);
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        let client = client.connect().await.map_err(|error| choice.fault(error))?;
        Conversation::new(client, &choice, lines, output).run().await
    });
    // A look-up of a name that hangs must not hold the program back.
    runtime.shutdown_background();
    ended
}

/// Follows clients, for as long as it is wanted.
fn watch(args: &watch::WatchArgs, server: &ServerArgs, output: Output) -> Result<ExitCode, Fault> {
    let runtime = runtime()?;
    let ended = runtime.block_on(watch::follow(args, server, output));
    runtime.shutdown_background();
    ended
}

/// Compares servers, shows it, and ends as they agree or not.
fn digest(whom: &AdminArgs, wait: Wait, server: &ServerArgs, mut output: Output) -> Result<ExitCode, Fault> {
    server.refuse_tls("is not for digest: it asks the admin listeners, which speak plain HTTP")?;
    let targets = digest::targets(whom, server)?;
    let runtime = runtime()?;
    let report = runtime.block_on(digest::compare(&targets, server.timeout, wait));
    runtime.shutdown_background();
    written(output.digest(&report).and_then(|()| output.flush()))?;
    Ok((&report).into())
}

/// Shows how the herd is, once or again and again, and ends as the servers agree or not.
fn status(args: &status::StatusArgs, server: &ServerArgs, output: Output) -> Result<ExitCode, Fault> {
    let runtime = runtime()?;
    let ended = runtime.block_on(status::show(args, server, output));
    runtime.shutdown_background();
    ended
}

/// Measures servers, shows it, and ends as all was answered or not.
fn bench(args: &bench::BenchArgs, server: &ServerArgs, mut output: Output) -> Result<ExitCode, Fault> {
    let runtime = runtime()?;
    let measured = runtime.block_on(bench::measure(args, server));
    runtime.shutdown_background();
    let outcome = measured?;
    let shown = output.bench(&outcome.report).and_then(|()| output.flush());
    outcome.complaints.iter().for_each(|what| complain(what));
    written(shown)?;
    Ok(outcome.code)
}

/// Plays a track, shows what became of it, and ends as it did.
fn replay(args: &replay::ReplayArgs, server: &ServerArgs, mut output: Output) -> Result<ExitCode, Fault> {
    let runtime = runtime()?;
    let played = runtime.block_on(replay::play(args, server));
    runtime.shutdown_background();
    let outcome = played?;
    let shown = output.replay(&outcome.report).and_then(|()| output.flush());
    outcome.complaint.iter().for_each(|fault| complain(&fault.one_line()));
    written(shown)?;
    Ok(outcome.code)
}

/// What is to be done is only to be written.
fn show(text: &str, mut output: Output) -> Result<ExitCode, Fault> {
    written(output.text(text).and_then(|()| output.flush()))
}

/// A reader who goes away early is no error.
fn written(shown: io::Result<()>) -> Result<ExitCode, Fault> {
    match shown {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Fault::Output(error)),
        _ => Ok(ExitCode::Answered),
    }
}

/// Holds servers against the protocol, shows what came of it, and ends as all of it passed or not.
fn conformance(
    args: &conformance::ConformanceArgs,
    server: &ServerArgs,
    mut output: Output,
) -> Result<ExitCode, Fault> {
    let (shown, code) = if args.list {
        (output.checks(&conformance::checks(args)?), ExitCode::Answered)
    } else {
        let runtime = runtime()?;
        let held = runtime.block_on(conformance::run(args, server));
        runtime.shutdown_background();
        let report = held?;
        (output.conformance(&report), (&report).into())
    };
    written(shown.and_then(|()| output.flush()))?;
    Ok(code)
}

fn runtime() -> Result<tokio::runtime::Runtime, Fault> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Fault::Runtime)
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
