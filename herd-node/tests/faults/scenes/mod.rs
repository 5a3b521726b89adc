//! The scenes, in the order in which they are run.

mod alone;
mod attacks;
mod descriptors;
mod disk;
mod kill;
mod links;
mod network;
mod rejoin;
mod reply;
mod restart;
mod stopped;

use std::pin::Pin;

use super::Fault;
use super::files;
use super::herd::Herd;
use super::plan::Plan;
use super::report::Report;
use super::soak;

type Running = Pin<Box<dyn Future<Output = Result<Report, Fault>> + Send>>;

/// One thing that is done to servers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// Whether there is a short form of it, a matter of seconds.
    pub(crate) is_quick: bool,
    /// Runs it, in full or in its short form.
    pub(crate) run: fn(bool) -> Running,
}

macro_rules! scene {
    ($name:literal, $about:literal, $is_quick:literal, $run:expr) => {
        Scene { name: $name, about: $about, is_quick: $is_quick, run: |is_full| Box::pin($run(is_full)) }
    };
}

/// All there are.
pub(crate) const ALL: &[Scene] = &[
    scene!("kill", "one of five is killed under load and comes back with nothing, again and again", true, kill::run),
    scene!("reply-local", "a server is killed as soon as a neighbour has what it acknowledged", true, reply::local),
    scene!("reply-copies-1", "a server is killed right after its reply, with one copy promised", true, reply::one_copy),
    scene!("reply-copies-2", "a server and a neighbour are killed right after the reply", true, reply::two_copies),
    scene!("reply-durable", "all five are killed right after a reply that promised the disk", true, reply::durable),
    scene!("reply-alone", "a server that reaches nobody replies as its level says, and is killed", true, alone::run),
    scene!("restart", "the whole herd ends under load and comes back from its disks", true, restart::run),
    scene!("stopped", "a peer is stopped, is given up, and goes on", true, stopped::run),
    scene!("stopped-held", "a peer is stopped and the others keep its link", false, stopped::held),
    scene!("links", "links that are late, narrow, half-closed, mute and cut, by a proxy", true, links::run),
    scene!("half-open", "one direction of a network goes dead, then all of it", true, network::half_open),
    scene!("lossy", "a network loses packets", true, network::lossy),
    scene!("disk-full", "no room for the journal and the log", true, disk::run),
    scene!("descriptors", "no file descriptor is left", true, descriptors::run),
    scene!("soak", "every fault of the soak under its mixed load, for a short while", true, soak::scene),
    scene!("attacks", "strangers who want to use the server up, beside an honest client", true, attacks::run),
    scene!("rejoin", "what it costs to join again, with a million clients", false, rejoin::run),
];

/// One of `names`, by a number that looks random.
fn pick(names: &[String], random: u64) -> Result<String, Fault> {
    let count = u64::try_from(names.len())?.max(1);
    Ok(names.get(usize::try_from(random % count)?).ok_or("nobody to pick")?.clone())
}

/// A random number: which server is killed, and when, need not be the same each time.
fn random(below: u64) -> Result<u64, Fault> {
    Ok(getrandom::u64()? % below.max(1))
}

/// Why this `herd-node` can't be run by `plan`: it does not know a key of it.
fn unknown(plan: &Plan) -> Option<Report> {
    let why = Herd::probe(plan).err()?.to_string();
    // `herd-node: FILE:LINE: KEY: unknown key; …`: which key it is.
    let key =
        why.split_once(".toml:").map_or(why.as_str(), |(_, why)| why.split_once(": ").map_or(why, |(_, key)| key));
    let key = key.split_once(';').map_or(key, |(key, _)| key);
    Some(Report::skipped(format!("this herd-node can't do it: {key}")))
}

/// All servers write to their own disks before they reply.
fn durable(mut plan: Plan) -> Result<Plan, Fault> {
    let directory = files::directory()?;
    plan.each(|name, server| {
        server.keys += "ack = \"durable\"\n";
        server.tables += &format!("[disk]\ndirectory = \"{}\"\n", directory.join(name).display());
    });
    Ok(plan)
}

/// No server replies before `count` neighbours have what it was told.
fn replicated(mut plan: Plan, count: usize) -> Plan {
    plan.each(|_, server| server.keys += &format!("ack = \"replicated\"\ncopies = {count}\n"));
    plan
}
