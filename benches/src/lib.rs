//! What the benchmarks have in common: the posts that are parsed, merged and sent, the load generator, and processes to put
//! under load; rounds, medians and what is kept of a run. See `README.md` beside this crate.

pub mod blackbox;
pub mod comparison;
mod date;
mod echo;
mod encoding;
mod fleet;
pub mod languages;
mod load;
pub mod machine;
mod posts;
pub mod programs;
pub mod questions;
pub mod results;
pub mod rounds;
pub mod targets;

pub use echo::echo;
pub use encoding::Encoding;
pub use fleet::{Fleet, any_port, free_ports};
pub use load::{Done, Load};
pub use posts::{LINE_LEN, Posts};
pub use results::Results;
pub use rounds::Rounds;

/// The project's README, whose examples are tests too: here, since this crate is not published and may look out of its directory.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub mod readme {}
