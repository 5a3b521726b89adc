//! A server of the location herd, as a library: see `ARCHITECTURE.md` for the floors.

#[cfg(feature = "admin")]
mod admin;
pub mod clock;
pub mod config;
pub mod disk;
pub mod handle;
pub mod journal;
pub mod net;
pub mod places;
pub mod random;
mod recovery;
pub mod replica;
pub mod secret;
pub mod server;
pub mod status;
pub mod tls;
