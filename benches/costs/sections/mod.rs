//! What is measured, one file each.

mod clients;
mod connections;
mod join;
mod journal;
mod latency;
mod places;
mod recovery;
mod servers;

use std::io;

use crate::findings::Findings;
use crate::options::Options;

/// Measures, and tells.
pub(crate) type Section = fn(&Options, &mut Findings) -> io::Result<()>;

/// All there is, by name.
pub(crate) const SECTIONS: [(&str, Section); 8] = [
    ("clients", clients::run),
    ("connections", connections::run),
    ("servers", servers::run),
    ("journal", journal::run),
    ("places", places::run),
    ("join", join::run),
    ("recovery", recovery::run),
    ("latency", latency::run),
];
