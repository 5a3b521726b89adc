//! What must hold, judged from outside: every server's store is modelled anew from the lines it was given.

use std::collections::BTreeMap;

use super::connection::ConnId;
use super::order::{Record, Rule};
use super::queue::{Nanos, SECOND};

/// A promise of the design.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Oracle {
    /// All servers hold the same within five seconds of the last heal.
    Convergence,
    /// Nothing acknowledged and still held by a live server at any time since is lost.
    Loss,
    /// A server holds the newest of what it was given, and never goes back.
    Order,
    /// A herd that agrees sends no records and compares nothing, and its links stay as they are.
    Quiet,
    /// An update costs at most 2E - (N - 1) lines where nothing fails.
    Bound,
    /// The core's own invariants.
    Invariant,
    /// What a server holds is on its disk, if it has one, or on its way there.
    Disk,
    /// Nobody tells of a record whose life is over.
    Expiry,
    /// A reply that says how safe the post is says the truth, and comes.
    Ack,
    /// Servers that do nothing wrong are not told that they do, and one that does is.
    Blame,
    /// Who does not prove itself is told nothing, and is gone by its deadline.
    Guard,
    /// What a link shows of the records means nothing on another link.
    Salt,
}

/// What a server must hold of a client after it was given something of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expects {
    /// The newest of what it was ever given.
    Newest,
    /// That, or something newer.
    NoOlder,
    /// What it was given may be over by its clock.
    Anything,
}

/// A promise that was broken.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) oracle: Oracle,
    pub(crate) at: Nanos,
    pub(crate) text: String,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { oracle, at, text } = self;
        write!(f, "{oracle:?} at {:.6} s: {text}", *at as f64 / SECOND as f64)
    }
}

/// A server's records by client.
pub(crate) type Model = BTreeMap<Vec<u8>, Record>;

/// What the oracles know.
#[derive(Debug)]
pub(crate) struct Oracles {
    names: Vec<String>,
    /// What each server must hold; `None` while it is down.
    models: Vec<Option<Model>>,
    /// What each server has on disk.
    disks: Vec<Model>,
    /// Of each client, the newest acknowledged record that some server has held ever since, in memory or on disk.
    floor: Model,
    failure: Option<Failure>,
    /// How often each rule decided between two records.
    pub(crate) rules: BTreeMap<Rule, u64>,
    /// The digests that links have shown, and which link each.
    roots: BTreeMap<u64, ConnId>,
}

impl Oracles {
    pub(crate) fn new(names: Vec<String>) -> Self {
        let (models, disks) = (vec![None; names.len()], vec![Model::new(); names.len()]);
        let (floor, rules, roots) = (Model::new(), BTreeMap::new(), BTreeMap::new());
        Self { names, models, disks, floor, failure: None, rules, roots }
    }

    pub(crate) fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// Keeps the first failure: what follows may be its consequence.
    pub(crate) fn fail(&mut self, oracle: Oracle, at: Nanos, text: String) {
        self.failure.get_or_insert(Failure { oracle, at, text });
    }

    /// `server` started and knows what it has on disk.
    pub(crate) fn started(&mut self, server: usize) {
        self.models[server] = Some(self.disks[server].clone());
    }

    /// `server` has `record` on disk from now on.
    pub(crate) fn committed(&mut self, server: usize, record: &Record) {
        raise(&mut self.disks[server], record);
    }

    /// `server` is gone with what it knew: what nobody else holds and no disk has is lost, as it may be.
    pub(crate) fn died(&mut self, server: usize) {
        let Some(gone) = self.models[server].take() else { return };
        for client in gone.into_keys() {
            self.floor.remove(&client);
            for model in self.models.iter().flatten().chain(&self.disks) {
                if let Some(record) = model.get(&client) {
                    raise(&mut self.floor, record);
                }
            }
        }
    }

    /// `server` was given `record`, and holds `held` of its client now: the newest of what it was given, or what `expects` says.
    pub(crate) fn given(&mut self, server: usize, at: Nanos, record: &Record, held: Option<&[u8]>, expects: Expects) {
        let Some(model) = &mut self.models[server] else { return };
        let rule = raise(model, record);
        *self.rules.entry(rule).or_default() += u64::from(rule != Rule::Same);
        // Known to a live server is as good as acknowledged: it may not vanish either.
        raise(&mut self.floor, record);
        let expected = &model[&record.client];
        let held = held.map(Record::new);
        let is_right = match expects {
            Expects::Newest => held.as_ref() == Some(expected),
            Expects::NoOlder => held.as_ref().is_some_and(|held| held.compare(record).0.is_ge()),
            Expects::Anything => true,
        };
        if !is_right {
            let shown = held.map_or("nothing".to_owned(), |held| held.show());
            let text = format!("{} holds {shown} instead of {}", self.names[server], expected.show());
            self.fail(Oracle::Order, at, text);
        }
    }

    /// Of what `server` holds, `kept` says what its disk has or is going to have.
    pub(crate) fn nothing_unwritten<'a>(
        &mut self,
        server: usize,
        at: Nanos,
        kept: impl Fn(&[u8]) -> Option<&'a Record>,
    ) {
        let Some(model) = &self.models[server] else { return };
        if let Some(record) = model.values().find(|record| kept(&record.client) != Some(record)) {
            let text = format!("{} does not write {}", self.names[server], record.show());
            self.fail(Oracle::Disk, at, text);
        }
    }

    /// A link shows `root` as the digest of records that are there.
    pub(crate) fn shown(&mut self, conn: ConnId, at: Nanos, root: u64) {
        let first = *self.roots.entry(root).or_insert(conn);
        if first != conn {
            self.fail(Oracle::Salt, at, format!("{conn:?} shows the digest {root:016x} that {first:?} has shown"));
        }
    }

    /// The records of `server` are `held`: none of them lost in the order, and no other there.
    pub(crate) fn examine<'a>(&mut self, server: usize, at: Nanos, held: impl Iterator<Item = &'a [u8]>) {
        let Some(model) = &self.models[server] else { return };
        let held: Model = held.map(Record::new).map(|record| (record.client.clone(), record)).collect();
        if held != *model {
            let text = format!("{} does not hold what it was given", self.names[server]);
            self.fail(Oracle::Order, at, text);
        }
    }

    /// What must not be lost.
    pub(crate) fn floor(&self) -> impl Iterator<Item = &Record> {
        self.floor.values()
    }

    /// `server`, which agrees with all others, holds `find`: at least what it must of what `counts`.
    pub(crate) fn nothing_lost<'a>(
        &mut self,
        server: usize,
        at: Nanos,
        counts: impl Fn(&Record) -> bool,
        find: impl Fn(&[u8]) -> Option<&'a [u8]>,
    ) {
        for floor in self.floor.values().filter(|floor| counts(floor)) {
            let held = find(&floor.client).map(Record::new);
            if held.as_ref().is_none_or(|held| floor.compare(held).0.is_gt()) {
                let shown = held.map_or("nothing".to_owned(), |held| held.show());
                let text = format!("{} holds {shown}, and {} is lost", self.names[server], floor.show());
                return self.fail(Oracle::Loss, at, text);
            }
        }
    }
}

/// Takes `record` into `model` if it is newer, and says what decided.
pub(crate) fn raise(model: &mut Model, record: &Record) -> Rule {
    match model.get_mut(&record.client) {
        Some(known) => {
            let (order, rule) = record.compare(known);
            if order.is_gt() {
                *known = record.clone();
            }
            rule
        }
        None => {
            model.insert(record.client.clone(), record.clone());
            Rule::Same
        }
    }
}
