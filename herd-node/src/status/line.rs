//! The journal's line about the server itself, now and then.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use super::{PeerStatus, Status};
use crate::journal::Party;
use crate::net::Shared;
use crate::replica::LinkState;

/// Writes a `status` line into the journal as often as is wanted at the time, until the server stops.
pub(crate) async fn journal_regularly(shared: &Arc<Shared>) {
    loop {
        let every = shared.live().status_every;
        tokio::select! {
            () = shared.stop_clients.cancelled() => return,
            () = shared.renewed.until(|| shared.live().status_every != every) => {}
            () = pause(every) => {
                if shared.journal.is_on() {
                    shared.report("status", &Party::Nobody, line(&Status::of(shared)));
                }
            }
        }
    }
}

async fn pause(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

/// `12 records, root 3f2a…; Jaquez connected, in sync, 0 dirty, heard 120 ms ago, 1234 bytes in, 5678 out; Juzang waiting`. Only
/// numbers and names of the configuration: what peers say, such as why a link ended, has lines of its own.
fn line(status: &Status) -> String {
    let mut line = format!("{} records, root {}", status.records, status.root);
    for peer in &status.peers {
        write_peer(&mut line, peer);
    }
    line
}

fn write_peer(line: &mut String, peer: &PeerStatus) {
    let PeerStatus { name, state, dirty, bytes_received, bytes_sent, .. } = peer;
    // Writing to a string can't fail.
    let _ = write!(line, "; {name} {state}");
    if *state == LinkState::Connected {
        let sync = if peer.in_sync { "in sync" } else { "not in sync" };
        let heard = peer.heard_ms.unwrap_or_default();
        let _ =
            write!(line, ", {sync}, {dirty} dirty, heard {heard} ms ago, {bytes_received} bytes in, {bytes_sent} out");
    }
}
