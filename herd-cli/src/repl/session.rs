//! Commands, done one after the other.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use herd_cli::{Client, Reply, Servers};
use herd_proto::{Escaped, Response};

use super::command::{self, Command};
use super::known::Known;
use crate::args::{AdminArgs, ServerArgs};
use crate::choice::Choice;
use crate::digest;
use crate::exit::ExitCode;
use crate::fault::{Fault, complain};
use crate::output::Output;

/// Whether there is more to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Go {
    On,
    Quit,
}

/// Somebody and the servers that they ask.
#[derive(Debug)]
pub(super) struct Session {
    args: ServerArgs,
    servers: Servers,
    choice: Choice,
    client: Client,
    output: Output,
    known: Arc<Mutex<Known>>,
    worst: ExitCode,
}

impl Session {
    /// Nobody is connected to before something is asked.
    pub(super) fn new(args: ServerArgs, output: Output) -> Result<Self, Fault> {
        let servers = match args.config() {
            Some(file) => Servers::from_config(&file)?,
            None => Servers::default_herd(),
        };
        let names = servers.iter().map(|server| server.name().to_owned()).collect();
        let known = Arc::new(Mutex::new(Known::new(names)));
        let choice = Choice::of(&args)?;
        let client = client(&choice, &args)?;
        Ok(Self { args, servers, choice, client, output, known, worst: ExitCode::Answered })
    }

    pub(super) fn known(&self) -> Arc<Mutex<Known>> {
        Arc::clone(&self.known)
    }

    /// Of everything so far.
    pub(super) const fn worst(&self) -> ExitCode {
        self.worst
    }

    /// Who is asked.
    pub(super) fn prompt(&self) -> String {
        let name = self.client.server().unwrap_or_else(|| self.choice.first()).name();
        format!("{}> ", Escaped(name.as_bytes()))
    }

    /// Forgets what is unanswered, after a failure or when nobody wants to wait any more.
    pub(super) fn abandon(&mut self) {
        self.client.abandon();
    }

    pub(super) async fn run(&mut self, command: Command) -> Result<Go, Fault> {
        match command {
            Command::Nothing => {}
            Command::Send(line) => self.ask(&line).await?,
            Command::Use(server) => self.turn_to(server)?,
            Command::Servers => self.list().map_err(Fault::Output)?,
            Command::Digest => self.digest().await?,
            Command::Json(wanted) => self.output.set_json(wanted),
            Command::Help => self.output.text(&command::help()).map_err(Fault::Output)?,
            Command::Quit => return Ok(Go::Quit),
        }
        self.output.flush().map_err(Fault::Output)?;
        Ok(Go::On)
    }

    async fn ask(&mut self, line: &[u8]) -> Result<(), Fault> {
        self.client.send_line(line)?;
        while let Some(reply) = self.client.next_reply().await.map_err(|error| self.choice.fault(error))? {
            self.output.reply(&reply).map_err(Fault::Output)?;
            self.learn(&reply);
        }
        Ok(())
    }

    fn learn(&mut self, reply: &Reply) {
        match reply {
            Reply::Response(Response::At(at) | Response::Nearby { at, .. }) => {
                self.known.lock().unwrap_or_else(PoisonError::into_inner).saw(at.client().as_str());
            }
            Reply::Response(Response::Invalid(_)) => self.worst = self.worst.max(ExitCode::Refused),
            Reply::Unreadable(invalid) => {
                self.worst = ExitCode::Unanswered;
                complain(&format!("the reply is none of the protocol's: {}", invalid.error));
            }
        }
    }

    /// Asks another server from now on; the old one for as long as the new one means nobody.
    fn turn_to(&mut self, server: String) -> Result<(), Fault> {
        let args = self.args.with_servers(vec![server]);
        let choice = Choice::of(&args)?;
        self.client = client(&choice, &args)?;
        (self.args, self.choice) = (args, choice);
        Ok(())
    }

    fn list(&mut self) -> std::io::Result<()> {
        let current = self.client.server().unwrap_or_else(|| self.choice.first());
        for server in self.servers.iter() {
            self.output.server(server, server.address() == current.address())?;
        }
        Ok(())
    }

    async fn digest(&mut self) -> Result<(), Fault> {
        let args = self.args.with_servers(Vec::new());
        let targets = digest::targets(&AdminArgs::default(), &args)?;
        let report = digest::compare(&targets, args.timeout, digest::Wait::USUAL).await;
        self.worst = self.worst.max((&report).into());
        self.output.digest(&report).map_err(Fault::Output)
    }
}

/// A server that goes away is told of, and another connection made when there is something to ask.
fn client(choice: &Choice, args: &ServerArgs) -> Result<Client, Fault> {
    // A connection that was lost is made again at once; who is not there is not waited for by somebody who waits for a prompt.
    const PATIENCE: Duration = Duration::from_millis(1);
    let client = choice.client_for_long(args.timeout).give_up_after(PATIENCE).attempts_max(Client::ATTEMPTS_MAX);
    client.build().map_err(|error| choice.fault(error))
}
