//! The command line: what can be asked of `herd-node`, and its exit codes.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};
use herd_node::config::{Config, process_env};

use crate::control::Request;
use crate::{demo, dump, pages, reload_command, run};

/// Servers of a location herd: a device posts where it is to any of them, and soon every one of them knows.
#[derive(Debug, Parser)]
#[command(name = "herd-node", version, about, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  herd-node demo                          watch a herd of five at work
  herd-node run --all                     the default herd: clients on 127.0.0.1:12000-12004
  herd-node run Riley --config herd.toml  one server of a herd of your own
  herd-node check-config herd.toml        is it right?
  herd-node reload --config herd.toml     the servers that run take it up

Without a configuration file: Riley, Jaquez, Juzang, Campbell and Bernard on loopback, clients
on ports 12000-12004, peers on 13000-13004, admin on 14000-14004, journals in ./logs.

Environment: HERD_SECRET (shared secret of the peers), PLACES_KEY (Google's API key).

Exit codes: 0 done, 1 could not run or was not reloaded, 2 wrong usage or configuration.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run one server, or all of them in one process, until SIGINT or SIGTERM.
    Run(Run),
    /// Have servers that run read their configuration file again and take up what is otherwise in it.
    ///
    /// All of it or nothing: a file that is wrong, or that would change what can't change while a server runs, changes nothing and is
    /// told by its line. Peers, limits, places, journal, secrets, what replies promise and the timing of links can change; herd.name,
    /// herd.control, a running server's own addresses, ttl_s and [disk] can't. Connections and links go on. SIGHUP does the same.
    Reload(Reload),
    /// Check a configuration file and open nothing.
    CheckConfig {
        /// The file.
        file: PathBuf,
    },
    /// Show a file of a server's disk log as text, and whether it is damaged.
    LogDump {
        /// The file: log-… or snapshot-…
        file: PathBuf,
    },
    /// Start a herd of five on free ports, break it, mend it, and show every line said.
    Demo {
        /// Keep the herd running afterwards, and say how to talk to it.
        #[arg(long)]
        stay: bool,
    },
    /// Print what makes a shell complete command lines of this program.
    Completions {
        /// For which shell.
        #[arg(value_enum, value_name = "SHELL")]
        shell: pages::For,
    },
    /// Print the man page.
    Man,
}

#[derive(Args, Debug)]
struct Run {
    /// The server's name.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    name: Option<String>,
    /// All servers of the herd.
    #[arg(long)]
    all: bool,
    /// The configuration file. Default: the herd of five on loopback.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Args, Debug)]
struct Reload {
    /// The server's name. Default: whatever of the file's servers runs here.
    name: Option<String>,
    /// The configuration file that the servers were started with.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Say what would change, and change nothing.
    #[arg(long)]
    check: bool,
}

/// What went wrong, and so how the process ends.
pub(crate) enum Failure {
    /// Exit code 1.
    Running(Box<dyn Error>),
    /// Exit code 2.
    Usage(Box<dyn Error>),
}

impl Failure {
    pub(crate) fn running(error: impl Into<Box<dyn Error>>) -> Self {
        Self::Running(error.into())
    }
}

pub(crate) fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors and go to standard output; a closed pipe is nobody's problem.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let (error, code) = match perform(&arguments.command) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Running(error)) => (error, 1),
        Err(Failure::Usage(error)) => (error, 2),
    };
    // Not `eprintln!`, which panics where standard error is a closed pipe.
    let _ = writeln!(io::stderr(), "herd-node: {}", chain(&*error));
    ExitCode::from(code)
}

fn perform(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Run(Run { name, config, .. }) => {
            let config = load(config.as_deref())?;
            if let Some(name) = name.as_ref().filter(|name| config.server(name).is_none()) {
                let known: Vec<&str> = config.servers.iter().map(|server| server.name.as_str()).collect();
                let error = format!("no server {name:?} in this herd; there are {}", known.join(", "));
                return Err(Failure::Usage(error.into()));
            }
            run::run(&config, name.as_deref())
        }
        Command::Reload(Reload { name, config, check }) => {
            let request = if *check { Request::Check } else { Request::Reload };
            reload_command::reload(config.as_deref(), name.as_deref(), request)
        }
        Command::CheckConfig { file } => {
            let config = load(Some(file))?;
            run::say(&format!("{}: herd {:?}, {}", file.display(), config.herd, servers(&config)));
            Ok(())
        }
        Command::LogDump { file } => dump::dump(file),
        Command::Demo { stay } => demo::demo(*stay),
        Command::Completions { shell } => shown(|out| pages::completions(command_line(), *shell, out)),
        Command::Man => shown(|out| pages::man(command_line(), out)),
    }
}

/// The command line, as clap knows it.
pub(crate) fn command_line() -> clap::Command {
    Arguments::command()
}

/// Has `show` write to standard output.
fn shown(show: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    show(&mut out).and_then(|()| out.flush()).map_err(|error| Failure::running(format!("standard output: {error}")))
}

fn servers(config: &Config) -> String {
    let mut text = match config.servers.len() {
        1 => "1 server:".to_owned(),
        count => format!("{count} servers:"),
    };
    for server in &config.servers {
        let _ = write!(text, " {}", server.name);
    }
    text
}

fn load(file: Option<&Path>) -> Result<Config, Failure> {
    let config = match file {
        Some(file) => Config::load(file, &process_env),
        None => Config::default_herd(&process_env),
    };
    config.map_err(|error| Failure::Usage(error.into()))
}

/// An error and what caused it, on one line. Some errors say their cause themselves.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.ends_with(&words) {
            let _ = write!(text, ": {words}");
        }
        source = cause.source();
    }
    text
}
