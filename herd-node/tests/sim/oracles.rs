//! What must hold, judged from outside: every server's store is modelled anew from the lines it was given.

use std::collections::BTreeMap;

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
    /// Servers that do nothing wrong are not told that they do.
    Blame,
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
    /// Of each client, the newest acknowledged record that some server has held ever since.
    floor: Model,
    failure: Option<Failure>,
    /// How often each rule decided between two records.
    pub(crate) rules: BTreeMap<Rule, u64>,
}

impl Oracles {
    pub(crate) fn new(names: Vec<String>) -> Self {
        let models = vec![None; names.len()];
        Self { names, models, floor: Model::new(), failure: None, rules: BTreeMap::new() }
    }

    pub(crate) fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// Keeps the first failure: what follows may be its consequence.
    pub(crate) fn fail(&mut self, oracle: Oracle, at: Nanos, text: String) {
        self.failure.get_or_insert(Failure { oracle, at, text });
    }

    /// `server` started and knows nothing.
    pub(crate) fn started(&mut self, server: usize) {
        self.models[server] = Some(Model::new());
    }

    /// `server` is gone with what it knew: what nobody else holds is lost, as it may be.
    pub(crate) fn died(&mut self, server: usize) {
        let Some(gone) = self.models[server].take() else { return };
        for client in gone.into_keys() {
            self.floor.remove(&client);
            for model in self.models.iter().flatten() {
                if let Some(record) = model.get(&client) {
                    raise(&mut self.floor, record);
                }
            }
        }
    }

    /// `server` was given `record`, and holds `held` of its client now.
    pub(crate) fn given(&mut self, server: usize, at: Nanos, record: &Record, held: Option<&[u8]>) {
        let Some(model) = &mut self.models[server] else { return };
        let rule = raise(model, record);
        *self.rules.entry(rule).or_default() += u64::from(rule != Rule::Same);
        // Known to a live server is as good as acknowledged: it may not vanish either.
        raise(&mut self.floor, record);
        let expected = &model[&record.client];
        let held = held.map(Record::new);
        if held.as_ref() != Some(expected) {
            let shown = held.map_or("nothing".to_owned(), |held| held.show());
            let text = format!("{} holds {shown} instead of {}", self.names[server], expected.show());
            self.fail(Oracle::Order, at, text);
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

    /// `server`, which agrees with all others, holds `find`: at least what it must.
    pub(crate) fn nothing_lost<'a>(&mut self, server: usize, at: Nanos, find: impl Fn(&[u8]) -> Option<&'a [u8]>) {
        for floor in self.floor.values() {
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
fn raise(model: &mut Model, record: &Record) -> Rule {
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
