//! Instructions of single steps, counted by callgrind: figures that neither a busy machine nor a slow one changes, held against
//! limits that are kept with the code. See `README.md` for how to run and read it.

// The replica of `micro`, with its handshakes.
#[path = "../micro/herd.rs"]
mod herd;
mod limits;
mod options;
mod steps;
mod table;
mod valgrind;

use std::io;
use std::process::ExitCode;

use herd_bench::{Results, machine, programs};
use limits::Limits;
use options::Options;
use steps::{STEPS, Step};
use table::Table;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(wrong) => {
            eprintln!("counts: {wrong}\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    if let Some(step) = options.step {
        // What runs under valgrind.
        println!("{}", (step.run)());
        return ExitCode::SUCCESS;
    }
    match count_all(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("counts: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Counts, tells, keeps. False when a limit is exceeded.
fn count_all(options: &Options) -> io::Result<bool> {
    let Some(valgrind) = valgrind::version() else {
        println!("counts: skipped, valgrind is not installed");
        return Ok(true);
    };
    let directory = programs::target_directory()?.join("counts");
    std::fs::create_dir_all(&directory)?;
    let mut table = Table::default();
    for Step { name, item, .. } in STEPS.iter().filter(|step| options.wants(step.name)) {
        eprintln!("counts: {name}");
        let profile = directory.join(format!("callgrind.{name}"));
        table.add(name, item, valgrind::count(name, &profile)?);
    }
    let compiler = machine::version_of("rustc", "--version").unwrap_or_default();
    if options.writes {
        let path = Limits::new(&compiler, &table).write()?;
        println!("counts: written to {}", path.display());
    }
    let limits = Limits::read()?;
    let holds = limits.hold_for(&compiler);
    print!("{}", table.shown(&limits));
    println!("profiles: callgrind_annotate {}/callgrind.STEP", directory.display());
    let mut results = Results::new("counts").trial(options.is_partial());
    results.version("valgrind", &valgrind);
    results.results = table.json(&limits);
    eprintln!("counts: figures in {}", results.write()?.display());
    if !holds {
        println!("counts: limits not held against: they are those of rustc {} on x86_64", limits.rustc);
    }
    Ok(table.is_within(&limits) || !holds)
}
