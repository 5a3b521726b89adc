//! Running servers until a signal comes.

use std::io::{self, Write};
use std::pin::pin;

use herd_node::config::Config;
use herd_node::handle::Handle;
use herd_node::server::{Herd, Server};
use tokio::signal::unix::{SignalKind, signal};

use crate::attend::{Attendant, Hangup};
use crate::command::Failure;
use crate::notify::Manager;

/// Runs server `name`, or all of them.
pub(crate) fn run(config: &Config, name: Option<&str>) -> Result<(), Failure> {
    raise_file_limit();
    let runtime = runtime()?;
    let ended = runtime.block_on(serve(config, name));
    // Who was stopped while the disk log was read has a thread that still reads. It is not waited for, and dies with the process: what it
    // changes after reading, it changes as one that may be killed.
    runtime.shutdown_background();
    ended
}

async fn serve(config: &Config, name: Option<&str>) -> Result<(), Failure> {
    let mut stop = pin!(stop_signal().map_err(Failure::running)?);
    // From here on: one that comes while the servers are opened is heeded when they are open.
    let hangup = Hangup::new().map_err(Failure::running)?;
    let manager = Manager::of_environment();
    manager.starting();
    match name {
        Some(name) => {
            let bound = opened(&manager, stop.as_mut(), Server::bind(config, name)).await;
            let Some(server) = bound.transpose().map_err(Failure::running)? else { return Ok(()) };
            let mut attendant = Attendant::new(server.reloader(), Some(name), hangup)?;
            announce(&server);
            let stop = stopped(&manager, stop, attendant.attend(&manager));
            attended(&manager, &[server.handle()], server.run(stop)).await;
        }
        None => {
            let bound = opened(&manager, stop.as_mut(), Herd::bind(config)).await;
            let Some(herd) = bound.transpose().map_err(Failure::running)? else { return Ok(()) };
            let mut attendant = Attendant::new(herd.reloader(), None, hangup)?;
            herd.servers().iter().for_each(announce);
            let handles: Vec<Handle> = herd.servers().iter().map(Server::handle).collect();
            let stop = stopped(&manager, stop, attendant.attend(&manager));
            attended(&manager, &handles, herd.run(stop)).await;
        }
    }
    Ok(())
}

/// What `opening` comes to, or nothing if `stop` ends first, which the manager hears then: a disk log may be read for minutes, and nobody
/// is served meanwhile who would miss anything.
async fn opened<T>(manager: &Manager, stop: impl Future<Output = ()>, opening: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = stop => {
            manager.stopping();
            None
        }
        opened = opening => Some(opened),
    }
}

/// Ends with whichever of the two ends first, and has the manager hear of it.
async fn stopped(manager: &Manager, one: impl Future<Output = ()>, other: impl Future<Output = ()>) {
    tokio::select! {
        () = one => {}
        () = other => {}
    }
    manager.stopping();
}

/// Serves to the end. The manager hears that all is ready once the servers have begun to serve, and not before.
async fn attended(manager: &Manager, handles: &[Handle], serving: impl Future<Output = ()>) {
    tokio::select! {
        biased;
        () = serving => {}
        never = manager.attend(handles) => match never {},
    }
}

/// Ends at the first SIGINT or SIGTERM. The second one ends the process, whatever is still under way.
pub(crate) fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    // With a handler, of whatever kind, a journal that reaches the process's file size limit (`ulimit -f`) fails to be written, as
    // on a full disk. Without one the signal ends the process.
    drop(signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())));
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => std::process::exit(130),
                _ = terminate.recv() => std::process::exit(143),
            }
        });
    })
}

pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::running)
}

/// One line to standard output. A closed pipe is nobody's problem: the servers have their journals.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// One line to standard error. Not by `eprintln!`, which panics where that is a closed pipe.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "herd-node: {line}");
}

fn announce(server: &Server) {
    let admin = server.admin_address().map(|address| format!(", admin on {address}")).unwrap_or_default();
    let (clients, peers) = (server.client_address(), server.peer_address());
    say(&format!("{}: clients on {clients}, peers on {peers}{admin}", server.name()));
}

/// As many open files as the system lets us have without asking anybody.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Best effort: with the old limit fewer clients are let in.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}
