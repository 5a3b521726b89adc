//! Writes `REPORT.md` and its drawings from the results that are kept. It measures nothing: the same results make the same report.

mod beside;
mod curves;
mod findings;
mod micro;
mod page;
mod rows;
mod scale;
mod svg;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use herd_bench::results;

const USAGE: &str = "usage: report [--trial] | report --keep-micro";

/// Files by their names, as paths below the directory that the report goes to.
type Files = BTreeMap<String, String>;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [] => write(&results::kept(), &kept_report()),
        ["--trial"] => write(&results::trials()?, &results::trials()?),
        ["--keep-micro"] => micro::keep(),
        _ => {
            eprintln!("report: {} is unknown\n{USAGE}", words.join(" "));
            std::process::exit(2);
        }
    }
}

/// Where the repository keeps the report.
fn kept_report() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Makes the report of the results in `from`, and puts it into `to`. Drawings that it has no more are removed.
fn write(from: &Path, to: &Path) -> io::Result<()> {
    let files = page::make(from)?;
    let plots = to.join("plots");
    std::fs::create_dir_all(&plots)?;
    for entry in std::fs::read_dir(&plots)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "svg") {
            std::fs::remove_file(path)?;
        }
    }
    for (name, text) in &files {
        std::fs::write(to.join(name), text)?;
    }
    println!("report: {}, {} drawings", to.join(page::NAME).display(), files.len() - 1);
    Ok(())
}
