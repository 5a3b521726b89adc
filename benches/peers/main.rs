//! The herd beside others that do the same work, each as processes of its own: see `README.md` for how to run and read it.

mod agreement;
mod echo;
mod field;
mod herd;
mod latency;
mod memcached;
mod nats;
mod options;
mod progress;
mod redis;
mod subject;
mod table;

use std::io;
use std::net::SocketAddr;

use field::Field;
use herd_bench::Results;
use options::Options;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [echo::ARGUMENT, address] => return echo::serve(parsed(address)?),
        [nats::ARGUMENT, server, address] => return nats::subscribe(parsed(server)?, parsed(address)?),
        _ => {}
    }
    let options = Options::parse(arguments.into_iter()).unwrap_or_else(|wrong| refuse(&wrong));
    let mut plans = subject::all();
    if options.list {
        plans.iter().for_each(|plan| println!("{}", plan.name));
        return Ok(());
    }
    if let Some(unknown) = options.only.iter().find(|name| !plans.iter().any(|plan| plan.name == **name)) {
        let known: Vec<&str> = plans.iter().map(|plan| plan.name).collect();
        refuse(&format!("no subject {unknown:?}; there are {}", known.join(", ")));
    }
    plans.retain(|plan| options.only.is_empty() || options.only.iter().any(|name| name == plan.name));
    compare(&options, plans)
}

/// Measures, prints, keeps.
fn compare(options: &Options, plans: Vec<subject::Plan>) -> io::Result<()> {
    let mut results = Results::new("peers").trial(options.is_trial());
    for (name, version) in plans.iter().filter_map(subject::Plan::version) {
        results.version(name, &version);
    }
    let directory = tempfile::tempdir()?;
    let mut field = Field::start(options, plans, directory.path());
    field.fill(options);
    let rates = field.race(options);
    field.time(options, &rates);
    let (comparison, failed) = field.finish(options, &rates);
    print!("{}", table::Table(&comparison));
    results.results = serde_json::to_value(&comparison)?;
    let path = results.write()?;
    eprintln!("peers: kept in {}", path.display());
    if failed == 0 { Ok(()) } else { Err(io::Error::other(format!("{failed} of the subjects failed"))) }
}

fn parsed(address: &str) -> io::Result<SocketAddr> {
    address.parse().map_err(|_| io::Error::other(format!("no address: {address}")))
}

fn refuse(wrong: &str) -> ! {
    eprintln!("peers: {wrong}\n{}", options::USAGE);
    std::process::exit(2);
}
