//! One server's core, line by line: what it answers, when it gives up, and what it never does.

mod catch_up;
mod conversation;
mod copied;
mod copies;
mod deadlines;
mod desk;
mod dialling;
mod digests;
mod divergence;
mod duplicates;
mod exchange;
mod expiry;
mod handshake;
mod haste;
mod laws;
mod limits;
mod model;
mod pair;
mod reconcile;
mod recorded;
mod refusals;
mod status;
mod stopping;
mod topology;
mod vectors;
mod versions;
