//! Whole servers on loopback beside an echo of the same bytes: see `README.md` for how to run and read it.

mod options;
mod propagation;
mod subject;
mod table;

use std::io;

use herd_bench::{Encoding, Load, Rounds};
use options::Options;
use subject::Subject;
use table::Table;

fn main() -> io::Result<()> {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(wrong) => {
            eprintln!("loopback: {wrong}\n{}", options::USAGE);
            std::process::exit(2);
        }
    };
    if options.propagation {
        return propagation::run(options.samples);
    }
    throughput(&options)
}

/// Posts a second of each subject, at each pipeline depth, in rounds that interleave them: what disturbs one disturbs all.
fn throughput(options: &Options) -> io::Result<()> {
    let directory = tempfile::tempdir()?;
    let subjects = subjects(options, directory.path())?;
    let rates = Rounds::interleave(options.rounds, subjects.len(), options.pipelines.len(), |cell| {
        measure(&subjects[cell.row], &Load { pipeline: options.pipelines[cell.column], ..options.load.clone() })
    })?;
    let table = Table { names: subjects.iter().map(Subject::name).collect(), options, rates };
    println!("{table}");
    println!("{}", table.json());
    Ok(())
}

fn subjects(options: &Options, directory: &std::path::Path) -> io::Result<Vec<Subject>> {
    let mut subjects = Vec::new();
    for name in subject::NAMES {
        if options.only.as_deref().is_none_or(|only| only == name || name == subject::ECHO) {
            subjects.push(Subject::start(name, directory)?);
        }
    }
    Ok(subjects)
}

/// Posts a second, from the first post until every server has all of them.
fn measure(subject: &Subject, load: &Load) -> io::Result<f64> {
    let done = load.run_as(Encoding::Herd, subject.addresses())?;
    subject.converge()?;
    let elapsed = herd_node::clock::monotonic().duration_since(done.began);
    Ok(done.posts as f64 / elapsed.as_secs_f64())
}
