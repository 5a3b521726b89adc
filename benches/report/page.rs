//! The page: a section for each program that has left results, and where they are from.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use herd_bench::Results;
use herd_bench::comparison::Comparison;

use crate::{Files, beside, findings};

/// Of the page.
pub(crate) const NAME: &str = "REPORT.md";

const HEAD: &str = "\
# What the benchmarks found

Made by `./dev bench report` from [results/](results); a test holds it against them. To measure anew: `./dev bench`. What each
program does is said in [README.md](README.md). Machines differ, and one machine differs from minute to minute: trust the ratios
within one run, not the figures of two.
";

/// Programs whose results are single findings, with the head of their section and what there is to know about it.
const SECTIONS: [(&str, &str, &str); 3] = [
    (
        "costs",
        "How cost grows",
        "Real `herd-node` processes on loopback, on the same machine as what drives them. Both axes are logarithmic: a level line is a \
         cost that does not grow.",
    ),
    (
        "counts",
        "Instructions of single steps",
        "Counted by callgrind, which neither a busy machine nor a slow one disturbs, and held against limits in every run.",
    ),
    ("micro", "Times of single steps", "Criterion's medians, in one thread, with nothing else to do."),
];

/// The report of the results in `directory`.
pub(crate) fn make(directory: &Path) -> io::Result<Files> {
    let mut files = Files::new();
    let mut page = HEAD.to_owned();
    let mut sources = Vec::new();
    if let Some(results) = Results::read(directory, "peers")? {
        let comparison: Comparison = serde_json::from_value(results.results.clone())?;
        page.push_str(&beside::section(&comparison, &mut files));
        sources.push(results);
    }
    for (bench, head, about) in SECTIONS {
        if let Some(results) = Results::read(directory, bench)? {
            let _ = write!(page, "\n## {head}\n\n{about}\n");
            page.push_str(&findings::section(bench, &results.results, &mut files)?);
            sources.push(results);
        }
    }
    page.push_str(&provenance(&sources));
    files.insert(NAME.to_owned(), page);
    Ok(files)
}

/// When, where, by what command and with what each was measured.
fn provenance(sources: &[Results]) -> String {
    let mut text = "\n## Where the figures are from\n".to_owned();
    if sources.is_empty() {
        text.push_str("\nThere are none yet.\n");
    }
    for results in sources {
        let machine = &results.machine;
        let gib = machine.memory_bytes as f64 / f64::from(1 << 30);
        let versions: Vec<String> =
            results.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
        let _ = write!(
            text,
            "\n**{}**, {}: `{}`\\\n{} cores of {}, {gib:.0} GiB, {}, {}\\\n{}\n",
            results.bench,
            results.date,
            results.command,
            machine.cores,
            machine.cpu,
            machine.os,
            machine.kernel,
            versions.join(", ")
        );
    }
    text
}
