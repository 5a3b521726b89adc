//! `herd-cli conformance`: holds a server, of whatever make, against what WIRE.md says, from outside.
//!
//! What is tried are herd-proto's known answers: every line that may go to a live server, and whole conversations, with one server and,
//! where more are given, between the first and each other one. Clients have names that nobody else uses, so a herd at work is not disturbed and the
//! same can be tried again. Nothing here trusts the server: see [`connection`].

mod check;
mod connection;
mod report;
mod talk;
mod text;
mod vectors;

use std::collections::HashMap;
use std::time::Duration;

use herd_cli::{Address, ClientError, Stream, TlsSettings, now};

use crate::args::ServerArgs;
use crate::bench::named;
use crate::fault::Fault;
use crate::progress::Progress;

pub(crate) use check::Check;
pub(crate) use report::{Failure, Outcome, Report, Tally, place};
use talk::hold;
use text::Values;
pub(crate) use vectors::Level;

/// After so many conversations in a row with a server that says nothing, it is not asked any more.
pub(crate) const SILENT_MAX: usize = 3;

/// What `conformance --help` says besides.
pub(crate) const AFTER: &str = "\
What is tried are the known answers of herd-proto: lines, and whole conversations; core is what
every herd must do, herd what WIRE.md decides besides. With more than one --server, each is tried
by itself, and between the first and each other one what one herd must do.

Clients have names that nobody else uses (they end in -PID-NUMBER), and their positions stay with
the herd as any others do. Questions about places want at most 20 results each, some fifty in all.

With --json, one object for each thing tried, and the sum:
  {\"reply\":\"check\",\"id\":…,\"file\":…,\"section\":…,\"level\":…,\"servers\":[…],\"passed\":…,…}
  {\"reply\":\"conformance\",\"passed\":…,\"level\":…,\"core\":{…},\"herd\":{…},\"text\":…,…}";

/// What is tried, and what counts.
#[derive(Debug, clap::Args)]
pub(crate) struct ConformanceArgs {
    /// Only what is of this section of WIRE.md, such as 2 or 2.3; as often as you like [default: all]
    #[arg(long = "section", value_name = "SECTION")]
    sections: Vec<String>,
    /// What the exit code goes by. Everything is tried and shown all the same
    #[arg(long, value_enum, default_value_t = Level::Herd, value_name = "LEVEL")]
    level: Level,
    /// Say what would be tried, and connect to nobody
    #[arg(long)]
    pub(crate) list: bool,
}

/// One server.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Its name, or where there is none its address.
    pub(crate) name: String,
    pub(super) address: Address,
    tls: Option<TlsSettings>,
}

impl Target {
    pub(super) async fn connect(&self, timeout: Duration) -> Result<Stream, ClientError> {
        Stream::connect(&self.address, self.tls.as_ref(), timeout).await
    }
}

/// What of everything there is was asked for.
pub(crate) fn checks(args: &ConformanceArgs) -> Result<Vec<Check>, Fault> {
    let wanted = args.sections.iter().map(|text| section(text)).collect::<Result<Vec<_>, _>>()?;
    let mut checks = Check::all().map_err(Fault::Vectors)?;
    for section in &wanted {
        if !checks.iter().any(|check| is_within(&check.section, section)) {
            return Err(Fault::Usage(format!(
                "nothing can be tried of section {section}; conformance --list says what can"
            )));
        }
    }
    checks.retain(|check| wanted.is_empty() || wanted.iter().any(|section| is_within(&check.section, section)));
    Ok(checks)
}

/// `§2.3`, `2.3` or `2`.
fn section(text: &str) -> Result<String, Fault> {
    let number = text.strip_prefix('§').unwrap_or(text);
    let is_one = number.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    if is_one { Ok(number.to_owned()) } else { Err(Fault::Usage(format!("'{text}' is no section: expected 2 or 2.3"))) }
}

fn is_within(section: &str, wanted: &str) -> bool {
    section.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Tries all of it, server by server.
pub(crate) async fn run(args: &ConformanceArgs, server: &ServerArgs) -> Result<Report, Fault> {
    let checks = checks(args)?;
    let targets = targets(server)?;
    reach(&targets, server.timeout).await?;
    let mut run = Run { timeout: server.timeout, names: HashMap::new(), silent: HashMap::new(), number: 0 };
    let rounds = rounds(&checks, &targets);
    let progress = Progress::new();
    let mut report =
        Report::new(args.level, &targets, checks.iter().filter(|check| check.servers > targets.len()).count());
    for (number, (check, servers)) in rounds.iter().enumerate() {
        let failed = report.failures().count();
        let failed = if failed == 0 { String::new() } else { format!(", {failed} failed") };
        progress.show(&format!("{} of {}{failed}: §{} {}", number + 1, rounds.len(), check.section, check.id));
        let failure = run.hold(check, servers).await;
        report.add(check, servers, failure);
    }
    Ok(report)
}

/// The servers that were named, or all there are; each once.
fn targets(server: &ServerArgs) -> Result<Vec<Target>, Fault> {
    let mut targets: Vec<Target> = Vec::new();
    let (servers, tls) = named(server)?;
    for (name, address) in servers {
        let name = name.unwrap_or_else(|| address.to_string());
        if targets.iter().any(|target| target.address == address) {
            return Err(Fault::Usage(format!("{name} is given twice: what is between two servers needs two")));
        }
        targets.push(Target { name, address, tls: tls.clone() });
    }
    Ok(targets)
}

/// Each must be there when it begins.
async fn reach(targets: &[Target], timeout: Duration) -> Result<(), Fault> {
    for target in targets {
        let reached = target.connect(timeout).await;
        reached.map_err(|source| match target.name == target.address.to_string() {
            true => Fault::Client(source),
            false => Fault::Server { name: target.name.clone(), source },
        })?;
    }
    Ok(())
}

/// What is tried with whom: each server by itself, and the first with each other.
fn rounds<'a>(checks: &'a [Check], targets: &'a [Target]) -> Vec<(&'a Check, Vec<&'a Target>)> {
    let mut rounds = Vec::new();
    for target in targets {
        rounds.extend(checks.iter().filter(|check| check.servers == 1).map(|check| (check, vec![target])));
    }
    if let [first, others @ ..] = targets {
        for other in others {
            rounds.extend(checks.iter().filter(|check| check.servers == 2).map(|check| (check, vec![first, other])));
        }
    }
    rounds
}

/// What is known of the servers while they are tried.
struct Run {
    timeout: Duration,
    /// What each server calls itself, by its address.
    names: HashMap<String, Vec<u8>>,
    /// How many conversations in a row it said nothing in.
    silent: HashMap<String, usize>,
    /// In the names of this conversation's clients.
    number: u64,
}

impl Run {
    async fn hold(&mut self, check: &Check, servers: &[&Target]) -> Option<Failure> {
        let gone =
            servers.iter().find(|target| self.silent.get(&target.name).is_some_and(|count| *count >= SILENT_MAX));
        if let Some(target) = gone {
            return Some(Failure::not_tried(&target.name));
        }
        let names = servers.iter().map(|target| self.names.get(&target.name).cloned()).collect();
        let begin = now();
        self.number += 1;
        let unique = format!("{:x}{:08x}-{}-{}", begin.seconds(), begin.nanos(), std::process::id(), self.number);
        let mut values = Values::new(unique, names);
        let held = hold(check, servers, &mut values, self.timeout).await;
        for (target, name) in servers.iter().zip(values.names) {
            self.names.extend(name.map(|name| (target.name.clone(), name)));
        }
        let is_silence = held.as_ref().is_err_and(|broken| broken.is_silence);
        for target in servers.iter().filter(|_| servers.len() == 1) {
            let count = self.silent.entry(target.name.clone()).or_default();
            *count = if is_silence { *count + 1 } else { 0 };
        }
        held.err().map(|broken| broken.failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_numbers() {
        assert_eq!(section("§2.3").unwrap(), "2.3");
        assert_eq!(section("2").unwrap(), "2");
        for wrong in ["", "§", "2.", ".3", "two", "2.3 ", "-1"] {
            assert!(section(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_section_has_its_own_and_those_below() {
        assert!(is_within("2.3", "2") && is_within("2.3", "2.3") && is_within("4", "4"));
        assert!(!is_within("2.3", "2.31") && !is_within("2.31", "2.3") && !is_within("12.3", "2"));
    }
}
