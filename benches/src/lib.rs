//! What the benchmarks have in common: the posts that are parsed, merged and sent, the load generator, and processes to put
//! under load. See `README.md` beside this crate.

pub mod blackbox;
mod fleet;
pub mod languages;
mod load;
mod posts;

pub use fleet::{Fleet, any_port, free_ports};
pub use load::Load;
pub use posts::{LINE_LEN, Posts};
