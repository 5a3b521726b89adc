//! What the command line says.

use std::time::Duration;

use herd_bench::Load;

pub(crate) const USAGE: &str = "usage: loopback [--quick] [--seconds S] [--rounds N] [--connections N] [--clients N] \
[--pipeline P[,P…]] [--only one|one+journal|five] | --propagation [--samples N]";

/// What to measure, and for how long.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) load: Load,
    pub(crate) rounds: usize,
    pub(crate) pipelines: Vec<usize>,
    /// The only subject beside the echo.
    pub(crate) only: Option<String>,
    pub(crate) propagation: bool,
    pub(crate) samples: usize,
}

impl Default for Options {
    fn default() -> Self {
        let load = Load { connections: 16, clients: 100_000, pipeline: 1, duration: Duration::from_secs(1) };
        Self { load, rounds: 5, pipelines: vec![1, 16, 128], only: None, propagation: false, samples: 2_000 }
    }
}

impl Options {
    /// Reads the arguments, the program's name not among them.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        let mut arguments = arguments;
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
                "--only" => options.only = Some(value()?),
                "--propagation" => options.propagation = true,
                "--samples" => options.samples = count(&value()?)?,
                _ => return Err(format!("no such argument: {argument}")),
            }
        }
        if options.load.clients < options.load.connections {
            return Err("each connection needs a client".to_owned());
        }
        Ok(options)
    }

    /// Just enough to see that everything runs.
    fn make_quick(&mut self) {
        self.load.duration = Duration::from_millis(150);
        self.rounds = 3;
        self.samples = 200;
    }
}

fn count(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| format!("not a count: {text}"))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.filter(|seconds| !seconds.is_zero()).ok_or_else(|| format!("not a time in seconds: {text}"))
}
