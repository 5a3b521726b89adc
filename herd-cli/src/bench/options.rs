//! What `herd-cli bench` is asked for on the command line.

use std::time::Duration;

use clap::Args;
use herd_proto::{ClientId, Limit, Radius};

use super::load::Amount;
use crate::args::span;
use crate::fault::Fault;

/// What `--help` says after the options.
pub(crate) const AFTER: &str = "\
Closed loop, without --rate: each connection keeps --pipeline requests in flight, a
new one leaves for each reply. Latency counts from when a request left.
Open loop, with --rate: requests are due at fixed times, whatever became of earlier
ones, and latency counts from when a request was due, also where it had to wait until
one of --pipeline was answered. What was due and never left is 'unsent'.

Every post is later than the last one of its client and not ahead of this machine's
clock; clients are called --prefix and a number, no two connections post for one.
A server's figures are to be read beside those of --echo, the generator's own limit.

--propagation asks every other server for the client, one question after the other,
until its reply has the new time. The time of one such question is the resolution: it
is shown as 'poll'. --burst counts both latencies from when a client was due.

With --json there is one object, whatever was measured; times are in seconds (_s) or
microseconds (_us), {…} is the same everywhere:
  {\"bench\":\"load\",\"mode\":\"closed\"|\"open\",\"servers\":[…],\"connections\":…,\"pipeline\":…,
   \"clients\":…,\"whatsat_share\":…,\"rate\":null|…,\"warmup_s\":…,\"duration_s\":…,\"requests\":…,
   \"replies\":…,\"invalid\":…,\"unsent\":…,\"requests_per_s\":…,\"replies_per_s\":…,\"bytes_sent\":…,
   \"bytes_received\":…,\"latency_us\":{\"count\":…,\"min\":…,\"mean\":…,\"p50\":…,\"p90\":…,\"p99\":…,
   \"p999\":…,\"max\":…}}
  {\"bench\":\"propagation\",\"servers\":[…],\"samples\":…,\"rate\":null|…,
   \"replies_per_s\":null|…,\"latency_us\":{…},\"poll_us\":{…},
   \"by_server\":[{\"server\":…,\"latency_us\":{…}},…]}
  {\"bench\":\"burst\",\"servers\":[…],\"clients\":…,\"window_s\":…,\"connected\":…,\"answered\":…,
   \"failed\":…,\"elapsed_s\":…,\"connect_us\":{…},\"latency_us\":{…}}

Ctrl-C or SIGTERM ends it early, and what was measured is shown; a second one ends it
at once.";

/// The options. Without `--propagation` and `--burst` it is a load.
#[derive(Args, Clone, Debug)]
pub(crate) struct BenchArgs {
    /// Connections, which the servers take in turn
    #[arg(long, short = 'C', value_name = "N", default_value = "16", value_parser = count(100_000))]
    connections: u64,
    /// Requests in flight on each connection; with --rate the most that may be [default: 1; with --rate 128]
    #[arg(long, short = 'P', value_name = "P", value_parser = count(65_536))]
    pipeline: Option<u64>,
    /// Clients that post, shared out among the connections [default: 100000; with --burst 10000]
    #[arg(long, value_name = "N", value_parser = count(100_000_000))]
    clients: Option<u64>,
    /// How long it is measured
    #[arg(long, short, value_name = "SECONDS", default_value = "10", value_parser = span)]
    duration: Duration,
    /// Measure so many requests instead of for a time
    #[arg(long, value_name = "N", conflicts_with = "duration", value_parser = count(u64::MAX >> 16))]
    requests: Option<u64>,
    /// How long it runs before it is measured
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = span_or_none)]
    warmup: Duration,
    /// Share of WHATSAT in the requests, 0 to 1. All clients are posted once before anything is measured
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share)]
    whatsat: f64,
    /// How far those look, in kilometres
    #[arg(long, value_name = "KM", default_value = "10", value_parser = radius)]
    radius: String,
    /// How many places those want; with --propagation the bound it begins with, 1 being tried where 0 is refused
    /// [default: 5; with --propagation 0]
    #[arg(long, value_name = "N", value_parser = limit)]
    limit: Option<String>,
    /// Requests a second of all connections together: an open loop. With --propagation, of a load meanwhile
    #[arg(long, value_name = "R", value_parser = rate)]
    rate: Option<f64>,
    /// What the clients' IDs begin with
    #[arg(long, value_name = "TEXT", default_value = "client", value_parser = prefix)]
    prefix: String,
    /// Threads of the generator [default: 1, on machines of eight cores and more a quarter of them]
    #[arg(long, value_name = "N", value_parser = count(1_024))]
    threads: Option<u64>,
    /// Load an echo in this process instead of a server: the generator's own limit
    #[arg(long, group = "mode", conflicts_with = "servers")]
    echo: bool,
    /// Measure from a post at one server, each in turn, until it is visible at every other
    #[arg(long, group = "mode", conflicts_with_all = ["duration", "requests"])]
    propagation: bool,
    /// Posts that are measured so
    #[arg(long, value_name = "N", default_value = "2000", requires = "propagation", value_parser = count(10_000_000))]
    samples: u64,
    /// Let each client connect and post once, all within --window
    #[arg(long, group = "mode")]
    #[arg(conflicts_with_all = ["connections", "pipeline", "duration", "requests", "warmup", "whatsat", "rate", "threads"])]
    burst: bool,
    /// The time in which the clients of --burst come, evenly
    #[arg(long, value_name = "SECONDS", default_value = "5", requires = "burst", value_parser = span_or_none)]
    window: Duration,
}

/// What is to be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Load,
    Echo,
    Propagation,
    Burst,
}

impl BenchArgs {
    pub(super) const fn mode(&self) -> Mode {
        match (self.echo, self.propagation, self.burst) {
            (true, ..) => Mode::Echo,
            (_, true, _) => Mode::Propagation,
            (.., true) => Mode::Burst,
            _ => Mode::Load,
        }
    }

    pub(super) fn connections(&self) -> usize {
        number(self.connections)
    }

    pub(super) fn pipeline(&self) -> usize {
        // What our servers take before they read no further.
        const OPEN: u64 = 128;
        number(self.pipeline.unwrap_or(if self.rate.is_some() { OPEN } else { 1 }))
    }

    /// How many clients; an error if some connection would have none.
    pub(super) fn clients(&self) -> Result<usize, Fault> {
        let clients = self.clients.unwrap_or(if self.burst { 10_000 } else { 100_000 });
        if !self.burst && clients < self.connections {
            let what =
                format!("each connection needs a client: --clients {clients} for --connections {}", self.connections);
            return Err(Fault::Usage(what));
        }
        Ok(number(clients))
    }

    pub(super) fn amount(&self) -> Amount {
        match self.requests {
            _ if self.propagation => Amount::Endless,
            Some(requests) => Amount::Requests(requests),
            None => Amount::Duration(self.duration),
        }
    }

    pub(super) const fn warmup(&self) -> Duration {
        self.warmup
    }

    pub(super) const fn whatsat(&self) -> f64 {
        self.whatsat
    }

    pub(super) fn radius_and_limit(&self) -> String {
        format!("{} {}", self.radius, self.limit.as_deref().unwrap_or("5"))
    }

    /// The bound of the questions of `--propagation`.
    pub(super) fn first_limit(&self) -> &str {
        self.limit.as_deref().unwrap_or("0")
    }

    pub(super) const fn rate(&self) -> Option<f64> {
        self.rate
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(super) fn threads(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let sensible = if cores < 8 { 1 } else { cores / 4 };
        self.threads.map_or(sensible, number).min(self.connections())
    }

    pub(super) fn samples(&self) -> usize {
        number(self.samples)
    }

    pub(super) const fn window(&self) -> Duration {
        self.window
    }
}

/// Bounded by its parser to what fits.
fn number(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn count(most: u64) -> clap::builder::RangedU64ValueParser {
    clap::builder::RangedU64ValueParser::new().range(1..=most)
}

fn span_or_none(text: &str) -> Result<Duration, &'static str> {
    let digits = text.trim_end_matches(|ch: char| ch.is_ascii_lowercase());
    let is_zero = text.bytes().all(|byte| byte != b'-') && digits.parse() == Ok(0.0);
    let wrong = "expected a time, at least 0, such as 10, 0.5s or 200ms";
    if is_zero { Ok(Duration::ZERO) } else { span(text).map_err(|_| wrong) }
}

fn share(text: &str) -> Result<f64, &'static str> {
    decimal(text).filter(|share| *share <= 1.0).ok_or("expected a share from 0 to 1, such as 0.1")
}

fn rate(text: &str) -> Result<f64, &'static str> {
    const WRONG: &str = "expected requests a second, at least 0.001 and at most 100000000";
    decimal(text).filter(|rate| (0.001..=1e8).contains(rate)).ok_or(WRONG)
}

/// Digits with or without a fraction: none of the dress of floating point.
fn decimal(text: &str) -> Option<f64> {
    if !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    text.parse().ok()
}

fn radius(text: &str) -> Result<String, String> {
    Radius::new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

fn limit(text: &str) -> Result<String, String> {
    Limit::new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// Servers need not take lines of more than 512 bytes, and in this one there is more than the ID.
fn prefix(text: &str) -> Result<String, &'static str> {
    const LONGEST: usize = 256;
    let is_right = text.len() <= LONGEST && ClientId::new(&format!("{text}0000000000")).is_ok();
    if is_right { Ok(text.to_owned()) } else { Err("expected at most 256 bytes without white space") }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        bench: BenchArgs,
        #[arg(long)]
        servers: Vec<String>,
    }

    fn parse(line: &str) -> Result<BenchArgs, String> {
        let words = ["bench"].into_iter().chain(line.split_whitespace());
        Line::try_parse_from(words).map(|line| line.bench).map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_are_those_of_the_mode() {
        let bench = parse("").unwrap();
        assert_eq!((bench.mode(), bench.connections(), bench.pipeline()), (Mode::Load, 16, 1));
        assert_eq!(bench.amount(), Amount::Duration(Duration::from_secs(10)));
        assert_eq!((bench.clients().unwrap(), bench.radius_and_limit()), (100_000, "10 5".to_owned()));
        let bench = parse("--rate 1000 --requests 7").unwrap();
        assert_eq!((bench.pipeline(), bench.amount()), (128, Amount::Requests(7)));
        assert_eq!(parse("--burst").unwrap().clients().unwrap(), 10_000);
        let bench = parse("--propagation --rate 5 --limit 1").unwrap();
        assert_eq!((bench.mode(), bench.amount(), bench.first_limit()), (Mode::Propagation, Amount::Endless, "1"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let wrong = "--connections 0;--pipeline 65537;--clients x;--duration 0;--duration 5 --requests 5;--warmup -1;\
                     --whatsat 1.1;--whatsat nan;--radius 51;--limit 21;--rate 0;--rate 1e3;--prefix a\u{b}b;--threads 0;\
                     --samples 5;--window 5;--echo --burst;--propagation --echo;--burst --rate 5;--burst --pipeline 2;\
                     --propagation --duration 5;--window 5m --burst";
        for line in wrong.split(';') {
            assert!(parse(line).is_err(), "{line}");
        }
        assert!(parse("--clients 5").unwrap().clients().is_err());
    }

    #[test]
    fn times_may_have_a_unit() {
        for (text, millis) in [("10", 10_000), ("10s", 10_000), ("0.5s", 500), ("250ms", 250)] {
            assert_eq!(span(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["0", "0ms", "0s"] {
            assert_eq!(span_or_none(text), Ok(Duration::ZERO), "{text}");
        }
        for text in ["", "s", "ms", "-0", "5m", "1e3s", "5 s"] {
            assert!(span_or_none(text).is_err(), "{text}");
        }
    }
}
