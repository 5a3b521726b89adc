//! A server of the location herd, as a library: see `ARCHITECTURE.md` for the floors.

pub mod clock;
pub mod config;
pub mod handle;
pub mod journal;
pub mod net;
pub mod places;
pub mod random;
pub mod replica;
pub mod secret;
pub mod server;
