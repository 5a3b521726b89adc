//! What the fuzz targets check, as plain functions: each takes any bytes and panics when a promise is broken.
//!
//! The targets in `fuzz_targets/` call them from libFuzzer; `tests/replay.rs` calls them on stable with the committed seeds.

pub mod client_line;
pub mod codec_chunks;
pub mod oracle;
pub mod peer_line;

/// What a target does with its input; panics when a promise is broken.
pub type Check = fn(&[u8]);

/// Every target by its name, for the replay of seeds.
pub const TARGETS: [(&str, Check); 3] =
    [("client_line", client_line::check), ("peer_line", peer_line::check), ("codec_chunks", codec_chunks::check)];
