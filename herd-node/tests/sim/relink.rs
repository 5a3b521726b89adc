//! What operators change while servers run: each server has a configuration of its own, which becomes another now and then, and which it reads
//! again when it is told to. A server that is down reads it when it starts, one that is stopped when it goes on.

use std::collections::BTreeMap;

use herd_node::replica::PeerIndex;
use herd_node::secret::Secret;

use super::faults::{Fault, What};
use super::herd::{Happening, Herd};
use super::process::Input;
use super::queue::{MILLIS, Nanos, SECOND};

/// For so long after a link is as it was again one of the two may be told that it is no peer: its word was under way.
const AFTERMATH: Nanos = 5 * SECOND;
/// From the one server that is told of a change to the other.
const ONE_BY_ONE: Nanos = SECOND;

/// By how many changes that are in force the configurations differ from those at the start.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Of `(server, peer)`, which are neighbours otherwise.
    unlinked: BTreeMap<(usize, usize), u32>,
    /// Of `(server, peer)`, which are none otherwise.
    joined: BTreeMap<(usize, usize), u32>,
    /// Replies promise another number of copies.
    tuned: BTreeMap<usize, u32>,
    /// There is one secret more, and it proves, or did.
    rotated: bool,
    turned: bool,
}

impl Herd {
    /// The neighbours of a server by its configuration.
    pub(crate) fn configured(&self, process: usize) -> Vec<usize> {
        let server = self.identity(process);
        let is_in_force = |changes: &BTreeMap<(usize, usize), u32>, peer| {
            changes.get(&(server, peer)).is_some_and(|count| *count > 0)
        };
        let peers = self.scenario.graph.peers[server].iter().copied();
        let kept = peers.filter(|peer| !is_in_force(&self.changes.unlinked, *peer));
        let joined = self.changes.joined.iter().filter(|((of, _), count)| *of == server && **count > 0);
        kept.chain(joined.map(|((_, peer), _)| *peer)).collect()
    }

    /// How many copies its replies promise.
    pub(crate) fn promised(&self, process: usize) -> u32 {
        let server = self.identity(process);
        let is_tuned = self.changes.tuned.get(&server).is_some_and(|count| *count > 0);
        match self.scenario.copies[server] {
            0 if is_tuned => 1,
            _ if is_tuned => 0,
            copies => copies,
        }
    }

    /// Its secrets.
    pub(crate) fn secrets(&self, process: usize) -> Vec<Secret> {
        let mut secrets = self.scenario.secrets[self.identity(process)].clone();
        if self.changes.rotated && !secrets.is_empty() {
            let third = b"and after that one a third one..".to_vec();
            secrets.insert(if self.changes.turned { 0 } else { secrets.len() }, third);
        }
        secrets.into_iter().map(Secret::new).collect()
    }

    /// The server that a process knows as its peer `index`; `None` if it is its peer no more.
    pub(crate) fn peer_of(&self, process: usize, index: PeerIndex) -> Option<usize> {
        let name = self.processes[process].as_ref()?.replica.peer_name(index)?;
        self.scenario.graph.names.iter().position(|known| known == name)
    }

    /// What a process calls its peer `server`, if it is one.
    pub(crate) fn index_of(&self, process: usize, server: usize) -> Option<PeerIndex> {
        self.processes[process].as_ref()?.replica.find_peer(&self.scenario.graph.names[server])
    }

    /// An operator changes a configuration, or two.
    pub(crate) fn change_begins(&mut self, what: &What) {
        match *what {
            What::Unlink(one, other, both) => self.relink(one, other, both, |changes| &mut changes.unlinked, true),
            What::Join(one, other, both) => self.relink(one, other, both, |changes| &mut changes.joined, true),
            What::Tune(server) => {
                *self.changes.tuned.entry(server).or_default() += 1;
                self.tell(server);
            }
            What::Rotate => {
                self.changes.rotated = true;
                self.tell_all();
            }
            _ => {}
        }
    }

    /// And changes it back; but for secrets, of which the new one proves from then on.
    pub(crate) fn change_ends(&mut self, what: &What) {
        match *what {
            What::Unlink(one, other, both) => self.relink(one, other, both, |changes| &mut changes.unlinked, false),
            What::Join(one, other, both) => self.relink(one, other, both, |changes| &mut changes.joined, false),
            What::Tune(server) => {
                *self.changes.tuned.entry(server).or_default() -= 1;
                self.tell(server);
            }
            What::Rotate => {
                self.changes.turned = true;
                self.tell_all();
            }
            _ => {}
        }
    }

    /// One of two is told at once, and where both are the other some time later; in the end both at once.
    fn relink(
        &mut self,
        one: usize,
        other: usize,
        both: bool,
        counts: impl Fn(&mut Changes) -> &mut BTreeMap<(usize, usize), u32>,
        begins: bool,
    ) {
        let sides = [(one, other), (other, one)];
        for (server, peer) in sides.into_iter().take(1 + usize::from(both)) {
            let count = counts(&mut self.changes).entry((server, peer)).or_default();
            *count = if begins { *count + 1 } else { *count - 1 };
        }
        self.tell(one);
        if both && begins {
            let later = self.queue.now() + self.rng.nanos(MILLIS, ONE_BY_ONE);
            self.queue.at(later, Happening::Tell(other));
        } else if both {
            self.tell(other);
        }
    }

    /// A server is told to read its configuration again.
    pub(crate) fn tell(&mut self, server: usize) {
        let Some(boot) = self.processes[server].as_ref().map(|process| process.boot) else { return };
        self.input(server, boot, Input::Reload);
    }

    /// Whoever runs, a second process under a name among them: it reads the same file.
    fn tell_all(&mut self) {
        (0..self.processes.len()).for_each(|process| self.tell(process));
    }

    /// As the product's shell does: settings, secrets, who goes, and then who comes.
    pub(crate) fn reload(&mut self, server: usize) {
        let (now, copies, secrets) = (self.instant(), self.promised(server), self.secrets(server));
        let wanted: Vec<String> = self.configured(server).into_iter().map(|peer| self.name(peer).to_owned()).collect();
        self.trace(|herd| format!("{} reloads: {wanted:?}, copies {copies}", herd.name(server)));
        let Some(process) = &mut self.processes[server] else { return };
        let mut tuning = process.tuning.clone();
        tuning.copies = copies;
        process.replica.handle_tuned(now, &tuning);
        process.replica.handle_secrets(&secrets);
        process.tuning = tuning;
        let gone: Vec<PeerIndex> = process
            .replica
            .peers()
            .filter(|(_, name)| !wanted.iter().any(|wanted| wanted == name))
            .map(|(peer, _)| peer)
            .collect();
        let (mut removed, mut added) = (0, 0);
        for peer in gone {
            removed += 1;
            process.replica.handle_peer_removed(now, peer);
        }
        for name in &wanted {
            added += usize::from(process.replica.handle_peer_added(now, name).is_some());
        }
        (0..removed).for_each(|_| self.tally.see("peer removed"));
        (0..added).for_each(|_| self.tally.see("peer added"));
    }

    /// Whether one of two, or whoever a process spoke with, may be no peer of the other.
    pub(crate) fn may_be_no_peer(&self, process: usize, peer: Option<usize>) -> bool {
        let (now, server) = (self.queue.now(), self.identity(process));
        self.scenario.faults.iter().any(|fault: &Fault| {
            let (What::Unlink(one, other, _) | What::Join(one, other, _)) = fault.what else { return false };
            let ends = [one, other].map(|end| self.heard_of(end, fault.until)).into_iter().max().unwrap_or(fault.until);
            let is_theirs = [one, other].contains(&server) && peer.is_none_or(|peer| [one, other].contains(&peer));
            is_theirs && (fault.from..=ends + AFTERMATH).contains(&now)
        })
    }
}
