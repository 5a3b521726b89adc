//! Whole servers, tasks, timers and all, on a simulated network in simulated time (feature `turmoil`).
//!
//! The replica by itself has a simulator of its own (`tests/sim`). Here it is about what is around it: accepting, dialling, reading and
//! writing, time-outs and stopping, which are wired together as they are in a real server, by tokio.
//!
//! A simulation is one thread, and the same seed is the same history. `HERD_TURMOIL_SEEDS` says how many there are,
//! `HERD_TURMOIL_SEED` which is the only one.

mod chaos;
mod client;
mod deadlines;
mod numbers;
#[path = "../splitmix/mod.rs"]
mod splitmix;
mod stage;
