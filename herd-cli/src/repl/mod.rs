//! `herd-cli repl`: commands one after the other, from somebody at a terminal or from a script.
//!
//! On a terminal there are a prompt, a [`history`] and completion of what is [`known`], and what goes wrong is told and the next
//! line read. From a pipe the same lines are a script: no prompt, and the first line that can't be done ends it.

mod command;
mod editor;
mod history;
mod known;
mod session;

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IsTerminal, Write};

use crate::args::ServerArgs;
use crate::exit::ExitCode;
use crate::fault::{Fault, complain};
use crate::input;
use crate::output::Output;
use crate::signals::{Signal, Signals};

use command::{Command, command};
use editor::{Editor, Typed};
use session::{Go, Session};

/// Runs until the end of the input, `quit`, or a signal. A reader of the output who goes away is no error.
pub(crate) fn run(args: ServerArgs, output: Output) -> Result<ExitCode, Fault> {
    let runtime = crate::runtime()?;
    let mut session = Session::new(args, output)?;
    let is_interactive = io::stdin().is_terminal() && io::stdout().is_terminal();
    let ended = runtime
        .block_on(async { if is_interactive { interactive(&mut session).await } else { script(&mut session).await } });
    runtime.shutdown_background();
    match ended {
        Err(Fault::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(session.worst()),
        ended => ended,
    }
}

/// Ends with the first line that can't be done, and otherwise as what was answered deserves.
async fn script(session: &mut Session) -> Result<ExitCode, Fault> {
    let mut lines = input::of(Vec::new())?;
    let mut number = 0_u64;
    while let Some(line) = lines.recv().await {
        number += 1;
        let command = command(&line?).map_err(|unclear| Fault::Unusable(format!("line {number}: {unclear}")))?;
        if session.run(command).await? == Go::Quit {
            break;
        }
    }
    Ok(session.worst())
}

/// Ends when somebody wants it to, and that is success.
async fn interactive(session: &mut Session) -> Result<ExitCode, Fault> {
    let mut editor = Editor::start(session.known())?;
    let mut signals = Signals::new();
    let mut lines = VecDeque::new();
    loop {
        let Some(line) = lines.pop_front() else {
            let typed = tokio::select! {
                typed = editor.line(session.prompt()) => typed,
                signal = signals.next() => {
                    editor.restore();
                    return Ok(ended_by(signal));
                }
            };
            match typed {
                Typed::Lines(typed) => lines.extend(typed),
                Typed::Cleared => {}
                Typed::End => return Ok(ExitCode::Answered),
                Typed::Failed(error) => return Err(Fault::Runtime(io::Error::other(error.to_string()))),
            }
            continue;
        };
        let command = command(line.as_bytes()).unwrap_or_else(|unclear| {
            complain(&unclear.to_string());
            Command::Nothing
        });
        let done = tokio::select! {
            done = session.run(command) => done,
            signal = signals.next() => match signal {
                // Ctrl-C, while an answer is waited for.
                Signal::Interrupt => {
                    signals.forget();
                    session.abandon();
                    lines.clear();
                    Ok(Go::On)
                }
                Signal::Terminate => return Ok(ended_by(signal)),
            },
        };
        match done {
            Ok(Go::On) => {}
            Ok(Go::Quit) => return Ok(ExitCode::Answered),
            Err(Fault::Output(error)) => return Err(Fault::Output(error)),
            Err(fault) => {
                session.abandon();
                complain(&fault.one_line());
            }
        }
    }
}

/// The shell's prompt begins on a line of its own.
fn ended_by(signal: Signal) -> ExitCode {
    // Nobody to tell if it can't be written.
    let _ = writeln!(io::stderr());
    signal.into()
}
