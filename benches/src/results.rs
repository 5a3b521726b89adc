//! What a benchmark program keeps of a run: its figures, and all that is needed to read them later or to run it again.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::machine::{self, Machine};
use crate::{date, programs};

/// One run of one benchmark program. Written as JSON, keys in the order that stands here; those of maps by the alphabet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// The program, which also names the file.
    pub bench: String,
    /// When it was run, in UTC: `2026-11-23T06:30:00Z`.
    pub date: String,
    /// How to run it again.
    pub command: String,
    /// Where it was run.
    pub machine: Machine,
    /// What it was made of and measured with, by name.
    pub versions: BTreeMap<String, String>,
    /// The figures, in the program's own form.
    pub results: Value,
    /// Only a trial, which is not for quoting and does not belong to what the repository keeps.
    #[serde(skip)]
    is_trial: bool,
}

impl Results {
    /// The frame of a run of `bench`, by now, on this machine; still without figures.
    pub fn new(bench: &str) -> Self {
        let mut versions = BTreeMap::new();
        versions.insert("herd".to_owned(), machine::herd_version());
        versions.insert("rustc".to_owned(), machine::version_of("rustc", "--version").unwrap_or_else(machine::unknown));
        Self {
            bench: bench.to_owned(),
            date: date::now(),
            command: command(bench, std::env::args().skip(1)),
            machine: Machine::this(),
            versions,
            results: Value::Null,
            is_trial: false,
        }
    }

    /// Names the version of something else that took part.
    pub fn version(&mut self, name: &str, version: &str) {
        self.versions.insert(name.to_owned(), version.to_owned());
    }

    /// The figures are from a quick run, or of a part only: they are written where they replace none that are kept.
    #[must_use]
    pub fn trial(mut self, is_trial: bool) -> Self {
        self.is_trial = is_trial;
        self
    }

    /// Writes the file that the repository keeps, `benches/results/NAME.json`; of a trial, one below cargo's target directory.
    /// Returns where it is.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write(&self) -> io::Result<PathBuf> {
        let directory = if self.is_trial { trials()? } else { kept() };
        std::fs::create_dir_all(&directory)?;
        let path = directory.join(format!("{}.json", self.bench));
        std::fs::write(&path, self.to_json()?)?;
        Ok(path)
    }

    /// Reads what `write` wrote of `bench` into `directory`. `None` where there is nothing.
    ///
    /// # Errors
    /// When there is something that can't be read, or is of another form.
    pub fn read(directory: &Path, bench: &str) -> io::Result<Option<Self>> {
        let path = directory.join(format!("{bench}.json"));
        match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map(Some).map_err(|error| {
                io::Error::new(io::ErrorKind::InvalidData, format!("{} holds no results: {error}", path.display()))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io::Error::new(error.kind(), format!("can't read {}: {error}", path.display()))),
        }
    }

    fn to_json(&self) -> io::Result<String> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }
}

/// Where the repository keeps results.
pub fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("results")
}

/// Where the results of trials are.
///
/// # Errors
/// When this program does not know where it is itself.
pub fn trials() -> io::Result<PathBuf> {
    Ok(programs::target_directory()?.join("bench-trials"))
}

/// What to type: no path of this machine, and not what cargo adds.
fn command(bench: &str, arguments: impl Iterator<Item = String>) -> String {
    let mut command = format!("cargo bench -p herd-bench --bench {bench}");
    let arguments: Vec<String> = arguments.filter(|argument| argument != "--bench").collect();
    if !arguments.is_empty() {
        command.push_str(" -- ");
        command.push_str(&arguments.join(" "));
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let directory = programs::target_directory().unwrap().join("bench-results-test");
        let mut results = Results::new("sample");
        results.version("redis", "7.0.15");
        results.results = serde_json::json!({ "rate": 1.5, "rows": [{ "name": "echo" }] });
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("sample.json"), results.to_json().unwrap()).unwrap();
        std::fs::write(directory.join("broken.json"), "{}").unwrap();
        assert_eq!(Results::read(&directory, "sample").unwrap(), Some(results));
        assert_eq!(Results::read(&directory, "nothing").unwrap(), None);
        let error = Results::read(&directory, "broken").unwrap_err().to_string();
        assert!(error.contains("broken.json holds no results: missing field"), "{error}");
    }

    #[test]
    fn the_command_is_what_one_types() {
        let typed = |arguments: &[&str]| command("peers", arguments.iter().map(ToString::to_string));
        assert_eq!(typed(&["--bench"]), "cargo bench -p herd-bench --bench peers");
        assert_eq!(typed(&["--rounds", "7", "--bench"]), "cargo bench -p herd-bench --bench peers -- --rounds 7");
    }
}
