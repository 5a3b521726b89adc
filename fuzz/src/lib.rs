//! What the fuzz targets check, as plain functions: each takes any bytes and panics when a promise is broken.
//!
//! The targets in `fuzz_targets/` call them from libFuzzer; `tests/replay.rs` calls them on stable with the committed seeds.

pub mod choices;
pub mod client_line;
pub mod codec_chunks;
pub mod disk_recovery;
mod herd;
pub mod json_spans;
pub mod link_machine;
pub mod oracle;
pub mod peer_line;
pub mod round_trip;
pub mod sync_messages;
mod texts;

/// What a target does with its input; panics when a promise is broken.
pub type Check = fn(&[u8]);

/// Every target by its name, for the replay of seeds.
pub const TARGETS: [(&str, Check); 8] = [
    ("client_line", client_line::check),
    ("peer_line", peer_line::check),
    ("round_trip", round_trip::check),
    ("codec_chunks", codec_chunks::check),
    ("link_machine", link_machine::check),
    ("sync_messages", sync_messages::check),
    ("disk_recovery", disk_recovery::check),
    ("json_spans", json_spans::check),
];

#[path = "../../herd-node/tests/sim/order.rs"]
mod order;
