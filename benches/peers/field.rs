//! All who are measured, and what is measured of them. Who fails drops out, with the reason; the others go on.

use std::io;
use std::path::Path;

use herd_bench::comparison::{self, Cell, Comparison, Latency, Skipped};
use herd_bench::{Load, Rounds};

use crate::latency;
use crate::options::Options;
use crate::progress::{self, Progress};
use crate::subject::{Plan, Subject};

/// Everybody who is there.
#[derive(Debug)]
pub(crate) struct Field {
    entrants: Vec<Entrant>,
    skipped: Vec<Skipped>,
    failed: usize,
}

#[derive(Debug)]
struct Entrant {
    plan: Plan,
    /// `None` once it has failed.
    subject: Option<Subject>,
    full_bytes: u64,
    /// Processor time and posts, one a pipeline depth.
    work: Vec<(f64, u64)>,
    latency: Vec<Latency>,
    propagation: Vec<Latency>,
}

impl Field {
    /// Starts all whose programs are installed.
    pub(crate) fn start(options: &Options, plans: Vec<Plan>, directory: &Path) -> Self {
        let mut field = Self { entrants: Vec::new(), skipped: Vec::new(), failed: 0 };
        let mut progress = Progress::new(plans.len());
        for plan in plans {
            progress.step(&format!("starting {}", plan.name));
            if let Some(why) = plan.missing() {
                field.skip(plan.name, why);
                continue;
            }
            let work = directory.join(format!("{}", field.entrants.len()));
            let started = std::fs::create_dir(&work).and_then(|()| plan.start(&work));
            let columns = vec![(0.0, 0); options.pipelines.len()];
            let (latency, propagation) = (Vec::new(), Vec::new());
            field.entrants.push(Entrant { plan, subject: None, full_bytes: 0, work: columns, latency, propagation });
            let row = field.entrants.len() - 1;
            field.entrants[row].subject = field.checked(row, started);
        }
        field
    }

    /// Makes every client known to everybody, and looks at the memory that this takes.
    pub(crate) fn fill(&mut self, options: &Options) {
        let load = Load { pipeline: 128, ..options.load.clone() };
        let mut progress = Progress::new(self.entrants.len());
        for row in 0..self.entrants.len() {
            let entrant = &mut self.entrants[row];
            progress.step(&format!("{} clients to {}", load.clients, entrant.plan.name));
            let Some(subject) = &mut entrant.subject else { continue };
            let filled = subject.fill(&load);
            self.entrants[row].full_bytes = self.checked(row, filled).unwrap_or_default();
        }
    }

    /// The rates of all, in rounds. Not a number where a subject has failed.
    pub(crate) fn race(&mut self, options: &Options) -> Rounds {
        let (rows, columns) = (self.entrants.len(), options.pipelines.len());
        let mut progress = Progress::new((options.rounds + 1) * rows * columns);
        let rates = Rounds::interleave(options.rounds, rows, columns, |cell| {
            let pipeline = options.pipelines[cell.column];
            let entrant = &mut self.entrants[cell.row];
            let round = match cell.round {
                0 => "warming up".to_owned(),
                round => format!("round {round} of {}", options.rounds),
            };
            progress.step(&format!("{round}, P={pipeline}, {}", entrant.plan.name));
            let Some(subject) = &mut entrant.subject else { return Ok(f64::NAN) };
            let measured = subject.measure(&Load { pipeline, ..options.load.clone() });
            let Some(run) = self.checked(cell.row, measured) else { return Ok(f64::NAN) };
            if cell.round > 0 {
                let (cpu_seconds, posts) = &mut self.entrants[cell.row].work[cell.column];
                *cpu_seconds += run.cpu_seconds;
                *posts += run.posts;
            }
            Ok::<f64, std::convert::Infallible>(run.posts as f64 / run.seconds)
        });
        rates.unwrap_or_else(|never| match never {})
    }

    /// How long answers and news take in the herds.
    pub(crate) fn time(&mut self, options: &Options, rates: &Rounds) {
        let program = match latency::program() {
            Ok(program) => program,
            Err(why) => return eprintln!("peers: no latencies: {why}"),
        };
        let herds: Vec<usize> = (0..self.entrants.len()).filter(|row| self.entrants[*row].plan.is_herd()).collect();
        let mut progress = Progress::new(herds.len());
        for row in herds {
            let entrant = &mut self.entrants[row];
            progress.step(&format!("latencies of {}", entrant.plan.name));
            let Some(subject) = &entrant.subject else { continue };
            // Of the depth in the middle: nobody's record, and nobody's worst.
            let half = rates.median(row, options.pipelines.len() / 2) / 2.0;
            let timer = latency::Timer { program: &program, addresses: subject.fleet.addresses(), half, options };
            // Who can't keep up with this has still been measured otherwise.
            match timer.answers().and_then(|answers| Ok((answers, timer.news()?))) {
                Ok(times) => (entrant.latency, entrant.propagation) = times,
                Err(error) => {
                    let name = format!("the latency of {}", entrant.plan.name);
                    self.failed += 1;
                    self.skip(&name, error.to_string());
                }
            }
        }
    }

    /// What was found out, and how many have failed.
    pub(crate) fn finish(self, options: &Options, rates: &Rounds) -> (Comparison, usize) {
        let mut comparison = Comparison {
            connections: options.load.connections,
            clients: options.load.clients,
            seconds: options.load.duration.as_secs_f64(),
            rounds: options.rounds,
            pipelines: options.pipelines.clone(),
            subjects: Vec::new(),
            skipped: self.skipped,
        };
        for (row, entrant) in self.entrants.into_iter().enumerate() {
            if let Some(subject) = &entrant.subject {
                let cells = entrant.cells(options, rates, row);
                comparison.subjects.push(comparison::Subject {
                    name: entrant.plan.name.to_owned(),
                    kind: entrant.plan.kind,
                    processes: entrant.plan.processes(),
                    cells,
                    empty_bytes: subject.empty_bytes,
                    full_bytes: entrant.full_bytes,
                    lines_of_code: entrant.plan.lines_of_code(),
                    latency: entrant.latency,
                    propagation: entrant.propagation,
                });
            }
        }
        (comparison, self.failed)
    }

    fn skip(&mut self, name: &str, why: String) {
        eprintln!("{}peers: {name} is skipped: {why}", progress::clear());
        self.skipped.push(Skipped { name: name.to_owned(), why });
    }

    /// The value, or the end of that subject.
    fn checked<T>(&mut self, row: usize, outcome: io::Result<T>) -> Option<T> {
        outcome
            .map_err(|error| {
                self.entrants[row].subject = None;
                self.failed += 1;
                self.skip(self.entrants[row].plan.name, format!("failed: {error}"));
            })
            .ok()
    }
}

impl Entrant {
    fn cells(&self, options: &Options, rates: &Rounds, row: usize) -> Vec<Cell> {
        let columns = options.pipelines.iter().zip(&self.work).enumerate();
        let cell = |(column, (pipeline, (cpu_seconds, posts))): (usize, (&usize, &(f64, u64)))| Cell {
            pipeline: *pipeline,
            posts_per_s: rates.median(row, column).round(),
            cpu_us_per_post: hundredths(cpu_seconds * 1e6 / *posts as f64),
            rounds: rates.values(row, column).iter().map(|rate| rate.round()).collect(),
        };
        columns.map(cell).collect()
    }
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
