//! What the crates offer to others, as text: `<crate>/public-api.txt`, one line an item, so that a review sees when it changes.
//!
//!     public-api DOC [--write]
//!
//! DOC is the directory in which rustdoc has left `<crate>.json` (`./dev api` sees to that). Without `--write` the files are
//! compared with it: exit 0 when all are the same, 1 when not, with the lines that went (-) and came (+), 2 when that can't
//! be said.

#![forbid(unsafe_code)]

mod difference;

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

use difference::difference;

/// The crates that others may depend on, as they are published.
const CRATES: [&str; 3] = ["herd-proto", "herd-node", "herd-cli"];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (doc, write) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [doc] => (PathBuf::from(doc), false),
        [doc, "--write"] => (PathBuf::from(doc), true),
        _ => {
            eprintln!("public-api: usage: public-api DOC [--write]");
            return ExitCode::from(2);
        }
    };
    let mut code = ExitCode::SUCCESS;
    for name in CRATES {
        match listing(&doc, name).and_then(|listing| if write { keep(name, &listing) } else { compare(name, &listing) })
        {
            Ok(true) => {}
            Ok(false) => code = ExitCode::from(1),
            Err(error) => {
                eprintln!("public-api: {name}: {error}");
                return ExitCode::from(2);
            }
        }
    }
    code
}

/// Every public item of a crate on a line. Of traits only what its authors wrote or derived: what the compiler adds to every
/// type says nothing.
fn listing(doc: &Path, name: &str) -> Result<String, Box<dyn Error>> {
    let json = doc.join(format!("{}.json", name.replace('-', "_")));
    let api = public_api::Builder::from_rustdoc_json(&json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build()
        .map_err(|error| format!("{}: {error}", json.display()))?;
    let mut text = String::new();
    for item in api.items() {
        writeln!(text, "{item}")?;
    }
    Ok(text)
}

fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("public-api.txt")
}

fn keep(name: &str, listing: &str) -> Result<bool, Box<dyn Error>> {
    fs::write(kept(name), listing)?;
    println!("{name}: {} items written", listing.lines().count());
    Ok(true)
}

fn compare(name: &str, listing: &str) -> Result<bool, Box<dyn Error>> {
    let old = match fs::read_to_string(kept(name)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read?,
    };
    let changes = difference(&old, listing);
    if changes.is_empty() {
        println!("{name}: {} items, as {name}/public-api.txt says", listing.lines().count());
        return Ok(true);
    }
    println!(
        "{name}: differs from {name}/public-api.txt; if it is meant, ./dev api --write and a line in CHANGELOG.md:"
    );
    changes.iter().for_each(|change| println!("  {change}"));
    Ok(false)
}
