//! What the steps may take: `limits.toml`.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::table::Table;

const HEAD: &str = "\
# Instructions of each step of `cargo bench -p herd-bench --bench counts`, as counted when they were last looked at, and by how many in
# a hundred a later count may be above. After a change that is worth its price, or that has made something cheaper: `-- --write`.
# Compilers differ: with another one, or on another kind of processor, they are shown and not held against.

";

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    /// The compiler's version.
    pub(crate) rustc: String,
    allowance_percent: f64,
    /// By step.
    instructions: BTreeMap<String, f64>,
}

impl Limits {
    /// What was counted just now.
    pub(crate) fn new(rustc: &str, table: &Table) -> Self {
        let rounded = |count: f64| (count * 10.0).round() / 10.0;
        let instructions = table.counts().map(|(name, count)| (name.to_owned(), rounded(count))).collect();
        Self { rustc: rustc.to_owned(), allowance_percent: 5.0, instructions }
    }

    /// Reads them.
    ///
    /// # Errors
    /// When the file is not there, or not what it should be.
    pub(crate) fn read() -> io::Result<Self> {
        let text = std::fs::read_to_string(path())?;
        toml::from_str(&text)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("limits.toml: {error}")))
    }

    pub(crate) fn write(&self) -> io::Result<PathBuf> {
        let text = toml::to_string(self).map_err(io::Error::other)?;
        std::fs::write(path(), format!("{HEAD}{text}"))?;
        Ok(path())
    }

    /// Whether code of this compiler can be held against them.
    pub(crate) fn hold_for(&self, rustc: &str) -> bool {
        cfg!(target_arch = "x86_64") && self.rustc == rustc
    }

    /// The most that a step may take. `None` for one that has no limit yet.
    pub(crate) fn most(&self, step: &str) -> Option<f64> {
        self.instructions.get(step).map(|count| count * (1.0 + self.allowance_percent / 100.0))
    }
}

fn path() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "counts", "limits.toml"].iter().collect()
}
