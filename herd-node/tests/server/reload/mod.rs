//! A changed configuration, taken up by servers that run.

mod limits;
mod links;
mod others;
mod process;
mod refused;
mod topology;
