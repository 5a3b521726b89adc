//! What the command line says.

use std::time::Duration;

use crate::sections::SECTIONS;

pub(crate) const USAGE: &str = "usage: costs [--quick] [--only NAME[,NAME…]] [--seconds S] [--rounds N]";

/// What to measure, and for how long.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Just enough to see that everything runs.
    pub(crate) is_quick: bool,
    /// Names of sections. Empty: all.
    only: Vec<String>,
    /// Of each measurement of a rate.
    pub(crate) duration: Duration,
    pub(crate) rounds: usize,
}

impl Options {
    /// Reads the arguments, the program's name not among them.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { is_quick: false, only: Vec::new(), duration: Duration::from_secs(1), rounds: 5 };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                // Said by cargo to whatever it runs as a bench or a test; the last is criterion's.
                "--bench" | "--noplot" => {}
                "--quick" | "--test" => {
                    (options.is_quick, options.rounds) = (true, 1);
                    options.duration = Duration::from_millis(100);
                }
                "--only" => options.only = value()?.split(',').map(section).collect::<Result<_, _>>()?,
                "--seconds" => options.duration = seconds(&value()?)?,
                "--rounds" => options.rounds = count(&value()?)?,
                _ => return Err(format!("no such argument: {argument}")),
            }
        }
        Ok(options)
    }

    pub(crate) fn wants(&self, section: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == section)
    }

    pub(crate) const fn is_partial(&self) -> bool {
        self.is_quick || !self.only.is_empty()
    }

    /// `full`, or what is enough to see that it runs.
    pub(crate) fn pick<T>(&self, full: T, quick: T) -> T {
        if self.is_quick { quick } else { full }
    }
}

fn section(name: &str) -> Result<String, String> {
    let known = || SECTIONS.map(|(name, _)| name).join(", ");
    if SECTIONS.iter().any(|(known, _)| *known == name) {
        Ok(name.to_owned())
    } else {
        Err(format!("no section {name:?}; there are {}", known()))
    }
}

fn count(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| format!("not a count: {text}"))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.filter(|seconds| !seconds.is_zero()).ok_or_else(|| format!("not a time in seconds: {text}"))
}
