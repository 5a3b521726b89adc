//! What the benchmarks have in common: the posts that are parsed, merged and sent. See `README.md` beside this crate.

mod posts;

pub use posts::{LINE_LEN, Posts};
