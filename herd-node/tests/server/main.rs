//! Real servers on real sockets of this machine's loopback, seen from outside.
//!
//! Nothing here sleeps to let something happen: every test waits for an event (a reply, an end of input, a change of the
//! replica, a line of the journal), and a long timeout turns a hang into a failure.

mod acks;
#[path = "../addresses/mod.rs"]
mod addresses;
mod admin;
mod bound;
mod differences;
mod dump;
mod edges;
mod faults;
mod haproxy;
mod herd;
mod hostile;
mod ipv6;
mod journal;
mod limits;
mod links;
mod notify;
mod places;
mod process;
mod proxied;
mod rates;
mod recorded_disks;
mod reload;
mod segments;
mod sessions;
#[path = "../splitmix/mod.rs"]
mod splitmix;
mod status;
mod strangers;
mod support;
mod tls;
