//! The same small herd in other languages: where it is, whether it can run here, how it is started.
//!
//! The programs, and what they have agreed on with each other and with this, are described in `benches/languages/README.md`.

mod lines;
mod runtime;
mod start;

use std::io;
use std::path::{Path, PathBuf};

use crate::fleet::Fleet;
use runtime::Runtime;

/// One of the programs, in whatever language.
#[derive(Clone, Debug)]
pub struct Language {
    name: &'static str,
    runtime: Runtime,
    /// What a reader of the program has to read, below `benches/languages`.
    sources: &'static [&'static str],
}

/// Each of them, in the order that tables have them.
static ALL: [Language; 5] = [
    Language { name: "asyncio", runtime: Runtime::Python, sources: &["asyncio/herd.py"] },
    Language { name: "uvloop", runtime: Runtime::Uvloop, sources: &["uvloop/herd.py"] },
    Language { name: "node", runtime: Runtime::Node, sources: &["node/herd.js"] },
    Language { name: "java", runtime: Runtime::Java, sources: &["java/Herd.java"] },
    Language { name: "small-rust", runtime: Runtime::Example, sources: &["rust/herd.rs"] },
];

/// Each of them, in the order that tables have them.
pub fn all() -> &'static [Language] {
    &ALL
}

impl Language {
    /// A word for tables and command lines: `asyncio`, `uvloop`, `node`, `java`, `small-rust`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Why it can't run on this machine, in a line that also says what would help. Asks the runtime, which takes a moment.
    pub fn missing(&self) -> Option<String> {
        self.runtime.look().err()
    }

    /// What runs it, with its version, or `-` where that is missing.
    pub fn version(&self) -> String {
        self.runtime.look().map_or_else(|_| "-".to_owned(), |found| found.version)
    }

    /// Starts the default herd, five processes on free ports of loopback, and returns once each has reached all its neighbours.
    /// The addresses are in the order Riley, Jaquez, Juzang, Campbell, Bernard. What is built, and the herd's file, go to `work`.
    ///
    /// # Errors
    /// When something is missing, can't be built, or does not come up in time.
    pub fn start(&self, work: &Path) -> io::Result<Fleet> {
        start::five(self, work)
    }

    /// Starts Riley alone, without neighbours: what one server can do when it has the machine for itself.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_one(&self, work: &Path) -> io::Result<Fleet> {
        start::one(self, work)
    }

    /// Lines of the program that are neither blank nor comment alone.
    ///
    /// # Errors
    /// When the sources are not where they were at build time.
    pub fn lines_of_code(&self) -> io::Result<usize> {
        let mut total = 0;
        for source in self.sources {
            let path = directory().join(source);
            let syntax = lines::Syntax::of(&path)?;
            total += lines::count(&std::fs::read_to_string(path)?, syntax);
        }
        Ok(total)
    }
}

/// `benches/languages` of the checkout that this was built from.
fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("languages")
}
