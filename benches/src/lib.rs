//! What the benchmarks have in common: the posts that are parsed, merged and sent, the load generator, and processes to put
//! under load; rounds, medians and what is kept of a run. See `README.md` beside this crate.

mod date;
mod fleet;
mod load;
pub mod machine;
mod posts;
pub mod programs;
pub mod results;
pub mod rounds;

pub use fleet::{Fleet, any_port, free_ports};
pub use load::Load;
pub use posts::{LINE_LEN, Posts};
pub use results::Results;
pub use rounds::Rounds;
