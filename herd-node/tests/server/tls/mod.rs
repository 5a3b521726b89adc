//! TLS: clients who see the server's certificate, servers who show each other theirs, and everybody who has none or a wrong one.

mod authority;
mod clients;
mod peers;
mod program;
mod reload;
mod talk;
