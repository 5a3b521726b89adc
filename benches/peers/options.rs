//! What the command line says.

use std::time::Duration;

use herd_bench::Load;

pub(crate) const USAGE: &str = "usage: peers [--quick] [--rounds N] [--seconds S] [--clients N] [--connections N] \
[--pipeline P[,P…]] [--only NAME[,NAME…]] [--list]";

/// What to measure, and for how long.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) load: Load,
    pub(crate) rounds: usize,
    pub(crate) pipelines: Vec<usize>,
    /// The only subjects, by name. Empty: all of them.
    pub(crate) only: Vec<String>,
    /// Just enough to see that everything runs.
    pub(crate) is_quick: bool,
    /// Say what subjects there are.
    pub(crate) list: bool,
}

impl Default for Options {
    fn default() -> Self {
        let load = Load { connections: 16, clients: 100_000, pipeline: 1, duration: Duration::from_secs(1) };
        Self { load, rounds: 5, pipelines: vec![1, 16, 128], only: Vec::new(), is_quick: false, list: false }
    }
}

impl Options {
    /// Reads the arguments, the program's name not among them.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                // Said by cargo to whatever it runs as a bench or a test; the last is criterion's.
                "--bench" | "--noplot" => {}
                "--quick" | "--test" => options.make_quick(),
                "--seconds" => options.load.duration = seconds(&value()?)?,
                "--rounds" => options.rounds = count(&value()?)?,
                "--connections" => options.load.connections = count(&value()?)?,
                "--clients" => options.load.clients = count(&value()?)?,
                "--pipeline" => options.pipelines = value()?.split(',').map(count).collect::<Result<_, _>>()?,
                "--only" => options.only = value()?.split(',').map(|name| name.trim().to_owned()).collect(),
                "--list" => options.list = true,
                _ => return Err(format!("no such argument: {argument}")),
            }
        }
        if options.load.clients < options.load.connections {
            return Err("each connection needs a client".to_owned());
        }
        Ok(options)
    }

    fn make_quick(&mut self) {
        self.is_quick = true;
        self.load.duration = Duration::from_millis(100);
        self.load.clients = 10_000;
        self.pipelines = vec![16];
        self.rounds = 1;
    }

    /// Whether its figures are not for keeping: of too few rounds, not of everything, or under other conditions.
    pub(crate) fn is_trial(&self) -> bool {
        let usual = Self::default();
        let is_usual = self.load.connections == usual.load.connections
            && self.load.clients == usual.load.clients
            && self.pipelines == usual.pipelines;
        self.is_quick || !self.only.is_empty() || self.rounds < usual.rounds || !is_usual
    }
}

fn count(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| format!("not a count: {text}"))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.filter(|seconds| !seconds.is_zero()).ok_or_else(|| format!("not a time in seconds: {text}"))
}
