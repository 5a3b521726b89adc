//! How cost grows: with clients, connections and servers; what memory, journal, joins and starts take. Real `herd-node` processes. See
//! `README.md` for how to run and read it.

mod crowd;
mod findings;
mod nodes;
mod options;
mod redis;
mod sections;
mod spots;
mod status;
mod traffic;

use std::io;
use std::process::ExitCode;

use herd_bench::{Results, machine};

use findings::Findings;
use options::Options;
use sections::SECTIONS;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(wrong) => {
            eprintln!("costs: {wrong}\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    match measure(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("costs: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &Options) -> io::Result<()> {
    let mut results = Results::new("costs").trial(options.is_partial());
    if let Some(version) = machine::version_of(redis::PROGRAM, "--version") {
        results.version("redis", &version);
    }
    let mut findings = Findings::new(options.is_quick);
    for (name, run) in SECTIONS.iter().filter(|(name, _)| options.wants(name)) {
        run(options, &mut findings).map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))?;
    }
    print!("{}", findings.shown());
    results.results = findings.json();
    eprintln!("costs: figures in {}", results.write()?.display());
    Ok(())
}
