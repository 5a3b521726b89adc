//! A seeded simulation of a whole herd over the pure core and the real wire encoding, in virtual time.
//!
//! Each seed is one history: a graph, a network, clients, faults. [`history`] runs it, [`oracles`] judge it. Nothing in it reads a
//! clock or draws a random number that does not come from the seed, so a failing seed fails again:
//! `./dev sim --seed n`, which is `HERD_SIM_SEED=n cargo test --release -p herd-node --test sim -- --nocapture histories`.
//! `HERD_SIM_SEEDS=n` runs so many, `HERD_SIM_FIRST=n` from that one on, `HERD_SIM_PROFILE=p` of one profile (`profiles.rs`) only.

mod ages;
mod aliases;
mod audit;
mod chaos;
mod clients;
mod connection;
mod disk;
mod faults;
mod graph;
mod herd;
mod history;
mod load;
#[cfg(herd_mutants)]
mod mutants;
mod network;
mod oracles;
mod order;
mod plant;
mod planted;
mod process;
mod profiles;
mod progress;
mod queue;
mod reading;
mod relink;
mod report;
mod rng;
mod scenarios;
mod scenes;
mod scripts;
mod shell;
mod sometimes;
#[path = "../splitmix/mod.rs"]
mod splitmix;
mod visits;
mod waits;
mod watch;

/// Some hundreds of histories, of all mixes.
#[test]
fn histories() {
    report::run_seeds(300);
}
