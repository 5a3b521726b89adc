//! Whole servers on loopback beside an echo of the same bytes: see `README.md` for how to run and read it.

mod options;
mod propagation;
mod subject;
mod table;

use std::io;

use herd_bench::Load;
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
    let mut table = Table::new(subjects.iter().map(Subject::name).collect(), options.pipelines.clone());
    // The first round makes the records and warms everything up; it isn't counted.
    for round in 0..=options.rounds {
        for (column, pipeline) in options.pipelines.iter().enumerate() {
            for (row, subject) in subjects.iter().enumerate() {
                let load = Load { pipeline: *pipeline, ..options.load.clone() };
                let rate = measure(subject, &load)?;
                if round > 0 {
                    table.add(row, column, rate);
                }
            }
        }
    }
    println!("{table}");
    println!("{}", table.json(&options.load));
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
    let begin = herd_node::clock::monotonic();
    let posts = load.run(subject.addresses())?;
    subject.converge()?;
    let elapsed = herd_node::clock::monotonic().duration_since(begin);
    Ok(posts as f64 / elapsed.as_secs_f64())
}
