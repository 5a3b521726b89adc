//! What the command line says.

use crate::steps::{STEPS, Step};

pub(crate) const USAGE: &str = "usage: counts [--quick] [--only STEP] [--write]";

/// What to count.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    /// The only step besides what it is compared with.
    only: Option<&'static str>,
    /// For continuous integration: the same counts, which do not belong to what the repository keeps.
    is_quick: bool,
    /// The counts become the limits.
    pub(crate) writes: bool,
    /// Done at once: this is the program that is counted.
    pub(crate) step: Option<&'static Step>,
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
                "--quick" | "--test" => options.is_quick = true,
                "--only" => options.only = Some(step(&value()?)?.name),
                "--step" => options.step = Some(step(&value()?)?),
                "--write" => options.writes = true,
                _ => return Err(format!("no such argument: {argument}")),
            }
        }
        if options.writes && options.only.is_some() {
            return Err("--write wants all steps".to_owned());
        }
        Ok(options)
    }

    pub(crate) fn wants(&self, name: &str) -> bool {
        let is_baseline = STEPS.iter().take(2).any(|step| step.name == name);
        is_baseline || self.only.is_none_or(|only| only == name)
    }

    pub(crate) const fn is_partial(&self) -> bool {
        self.is_quick || self.only.is_some()
    }
}

fn step(name: &str) -> Result<&'static Step, String> {
    let known = || STEPS.iter().map(|step| step.name).collect::<Vec<_>>().join(", ");
    STEPS.iter().find(|step| step.name == name).ok_or_else(|| format!("no step {name:?}; there are {}", known()))
}
