//! Criterion's figures, kept as results like any other: it leaves them below cargo's target directory, where nobody finds them later.

use std::io;
use std::path::Path;

use herd_bench::{Results, programs};
use serde_json::{Value, json};

/// Reads what Criterion has left and writes `results/micro.json`.
pub(crate) fn keep() -> io::Result<()> {
    let directory = programs::target_directory()?.join("criterion");
    let mut found = Vec::new();
    collect(&directory, &mut found)?;
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "no figures of micro yet: ./dev bench micro"));
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    let mut results = Results::new("micro");
    results.command = "cargo bench -p herd-bench --bench micro".to_owned();
    results.results = Value::Array(found.into_iter().map(|(_, fact)| fact).collect());
    println!("report: {}", results.write()?.display());
    Ok(())
}

/// The last figures of every benchmark below `directory`: one has two files in a directory called `new`.
fn collect(directory: &Path, found: &mut Vec<(String, Value)>) -> io::Result<()> {
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name == "new") {
            found.extend(read(&path)?);
        } else if path.is_dir() {
            collect(&path, found)?;
        }
    }
    Ok(())
}

fn read(directory: &Path) -> io::Result<Option<(String, Value)>> {
    let json = |name: &str| -> io::Result<Value> { Ok(serde_json::from_slice(&std::fs::read(directory.join(name))?)?) };
    let (benchmark, estimates) = (json("benchmark.json")?, json("estimates.json")?);
    let name = benchmark["full_id"].as_str();
    Ok(name
        .zip(estimates["median"]["point_estimate"].as_f64())
        .map(|(name, nanos)| (name.to_owned(), fact(name, nanos))))
}

fn fact(name: &str, nanos: f64) -> Value {
    let (value, unit) = match nanos {
        nanos if nanos >= 1e9 => (nanos / 1e9, "s"),
        nanos if nanos >= 1e6 => (nanos / 1e6, "ms"),
        nanos if nanos >= 1e3 => (nanos / 1e3, "us"),
        nanos => (nanos, "ns"),
    };
    json!({ "fact": name, "value": (value * 1000.0).round() / 1000.0, "unit": unit })
}
