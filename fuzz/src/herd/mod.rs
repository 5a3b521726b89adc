//! A few replicas, the wires between them, and somebody who knows the secret and keeps to no rule.
//!
//! Driven as `herd_node::replica` says and not more: only links that were woken are asked what they have to send, and dials are made when
//! they are asked for. So whatever a replica forgets to say is missed here, too.

mod checks;
mod connections;
mod node;
mod stranger;
mod wire;
mod world;

pub(crate) use wire::Who;
pub(crate) use world::World;

pub(crate) const HERD: &str = "ucla";
/// Every honest server knows it as a peer; it is never one of them.
pub(crate) const STRANGER: &str = "Campbell";
pub(crate) const SECRET: &[u8] = b"a secret of the herd, 32 bytes..";
