//! Real servers on real sockets of this machine's loopback, seen from outside.
//!
//! Nothing here sleeps to let something happen: every test waits for an event (a reply, an end of input, a change of the
//! replica, a line of the journal), and a long timeout turns a hang into a failure.

mod acks;
mod admin;
mod bound;
mod differences;
mod dump;
mod faults;
mod herd;
mod hostile;
mod journal;
mod limits;
mod links;
mod notify;
mod places;
mod process;
mod reload;
mod segments;
mod sessions;
mod status;
mod strangers;
mod support;
