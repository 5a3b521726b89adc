//! A TOML file as tables, keys and values that know their line, so that every error names it.

use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::settings::Origin;
use super::{ConfigError, Place, Problem};

/// The text of a configuration file and where it came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub(super) path: &'a Path,
    text: &'a str,
}

impl<'a> Source<'a> {
    /// The file at `path`, which holds `text`.
    pub(super) fn new(path: &'a Path, text: &'a [u8]) -> Result<Self, ConfigError> {
        let text = str::from_utf8(text).map_err(|error| {
            let line = line_of(text, error.valid_up_to());
            ConfigError::new(Place::File(path.to_owned(), Some(line)), None, Problem::NotUtf8)
        })?;
        Ok(Self { path, text })
    }

    /// The file, to be kept.
    pub(super) fn origin(&self) -> Origin {
        Origin { path: self.path.to_owned(), text: self.text.to_owned() }
    }

    /// The whole file as a tree.
    pub(super) fn parse(&self) -> Result<DeTable<'a>, ConfigError> {
        let tree = DeTable::parse(self.text).map_err(|error| {
            let at = error.span().map(|span| span.start);
            self.error(at, None, Problem::Syntax(error.message().replace('\n', ", ")))
        })?;
        Ok(tree.into_inner())
    }

    /// What is wrong at byte `at`.
    pub(super) fn error(&self, at: Option<usize>, key: Option<&str>, problem: Problem) -> ConfigError {
        let line = at.map(|at| self.line(at));
        ConfigError::new(Place::File(self.path.to_owned(), line), key, problem)
    }

    /// The line of byte `at`, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        line_of(self.text.as_bytes(), at)
    }
}

/// A table, or the idea of one that isn't there.
#[derive(Clone, Debug)]
pub(super) struct Section<'a> {
    source: Source<'a>,
    /// Its name and a point, or nothing for the file itself.
    prefix: String,
    at: Option<usize>,
    table: Option<&'a DeTable<'a>>,
}

impl<'a> Section<'a> {
    /// The file itself.
    pub(super) fn root(source: Source<'a>, tree: &'a DeTable<'a>) -> Self {
        Self { source, prefix: String::new(), at: None, table: Some(tree) }
    }

    /// Refuses every key but `known` ones: the first in the file's order.
    pub(super) fn only(&self, known: &'static [&'static str]) -> Result<(), ConfigError> {
        let keys = self.table.into_iter().flat_map(|table| table.keys());
        let unknown = keys.filter(|key| !known.contains(&key.get_ref().as_ref())).min_by_key(|key| key.span().start);
        unknown.map_or(Ok(()), |key| {
            let path = format!("{}{}", self.prefix, key.get_ref());
            Err(self.source.error(Some(key.span().start), Some(&path), Problem::UnknownKey(known)))
        })
    }

    /// The value of `key`, if there is one.
    pub(super) fn value(&self, key: &str) -> Option<Value<'a>> {
        let (key, value) = self.table?.iter().find(|(there, _)| there.get_ref() == key)?;
        let key = format!("{}{}", self.prefix, key.get_ref());
        Some(Value { source: self.source, key, at: value.span().start, value: value.get_ref() })
    }

    /// The value of `key`.
    pub(super) fn required(&self, key: &str) -> Result<Value<'a>, ConfigError> {
        let path = format!("{}{key}", self.prefix);
        self.value(key).ok_or_else(|| self.source.error(self.at, Some(&path), Problem::Missing))
    }

    /// The table of `key`. One that isn't there has no keys.
    pub(super) fn section(&self, key: &str) -> Result<Self, ConfigError> {
        self.value(key).map_or_else(
            || Ok(Self { source: self.source, prefix: format!("{}{key}.", self.prefix), at: None, table: None }),
            |value| value.section(),
        )
    }

    /// All values, in the order of their keys.
    pub(super) fn values(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> {
        let (source, prefix) = (self.source, self.prefix.clone());
        self.table.into_iter().flatten().map(move |(key, value)| {
            let path = format!("{prefix}{}", key.get_ref());
            (key.get_ref().as_ref(), Value { source, key: path, at: value.span().start, value: value.get_ref() })
        })
    }

    /// Where it is, if it is anywhere.
    pub(super) const fn at(&self) -> Option<usize> {
        self.at
    }

    /// The number of `key`, into `into`. Nothing happens if it isn't there.
    pub(super) fn number<T: TryFrom<u64>>(
        &self,
        key: &str,
        range: RangeInclusive<u64>,
        into: &mut T,
    ) -> Result<(), ConfigError> {
        if let Some(value) = self.value(key) {
            *into = value.number(range)?;
        }
        Ok(())
    }

    /// The number of `key`, of which 0 means none.
    pub(super) fn number_or_off<T: TryFrom<u64>>(
        &self,
        key: &str,
        range: RangeInclusive<u64>,
        into: &mut Option<T>,
    ) -> Result<(), ConfigError> {
        if let Some(value) = self.value(key) {
            let number: u64 = value.number(range.clone())?;
            *into = if number == 0 { None } else { Some(value.number(range)?) };
        }
        Ok(())
    }

    /// The milliseconds of `key`, into `into`. Nothing happens if it isn't there.
    pub(super) fn millis(&self, key: &str, range: RangeInclusive<u64>, into: &mut Duration) -> Result<(), ConfigError> {
        if let Some(value) = self.value(key) {
            *into = Duration::from_millis(value.number(range)?);
        }
        Ok(())
    }
}

/// A value and its key.
#[derive(Clone, Debug)]
pub(super) struct Value<'a> {
    pub(super) source: Source<'a>,
    key: String,
    pub(super) at: usize,
    value: &'a DeValue<'a>,
}

impl<'a> Value<'a> {
    /// What is wrong with this value.
    pub(super) fn error(&self, problem: Problem) -> ConfigError {
        self.source.error(Some(self.at), Some(&self.key), problem)
    }

    /// Its text.
    pub(super) fn string(&self) -> Result<&'a str, ConfigError> {
        self.value.as_str().ok_or_else(|| self.wrong_type("a string"))
    }

    /// Yes or no.
    pub(super) fn boolean(&self) -> Result<bool, ConfigError> {
        self.value.as_bool().ok_or_else(|| self.wrong_type("true or false"))
    }

    /// A whole number within `range`, all of which is a `T`.
    pub(super) fn number<T: TryFrom<u64>>(&self, range: RangeInclusive<u64>) -> Result<T, ConfigError> {
        let written = self.value.as_integer().ok_or_else(|| self.wrong_type("a whole number"))?;
        let number = u64::from_str_radix(written.as_str(), written.radix()).ok();
        let fits = number.filter(|number| range.contains(number)).and_then(|number| T::try_from(number).ok());
        fits.ok_or_else(|| {
            let found = written.to_string();
            self.error(Problem::OutOfRange { found, min: *range.start(), max: *range.end() })
        })
    }

    /// One of `choices`.
    pub(super) fn choice<T: Copy>(&self, choices: &[(&'static str, T)]) -> Result<T, ConfigError> {
        let found = self.string()?;
        let chosen = choices.iter().find(|(word, _)| *word == found);
        chosen.map(|&(_, choice)| choice).ok_or_else(|| {
            let choices = choices.iter().map(|&(word, _)| word).collect();
            self.error(Problem::BadChoice { found: found.to_owned(), choices })
        })
    }

    /// What its text means, or else `problem`.
    pub(super) fn parsed<T: FromStr>(&self, problem: fn(String) -> Problem) -> Result<T, ConfigError> {
        let text = self.string()?;
        text.parse().map_err(|_| self.error(problem(text.to_owned())))
    }

    /// The values of a list.
    pub(super) fn list(&self) -> Result<Vec<Self>, ConfigError> {
        let list = self.value.as_array().ok_or_else(|| self.wrong_type("a list"))?;
        let (source, key) = (self.source, &self.key);
        Ok(list
            .iter()
            .map(|value| Self { source, key: key.clone(), at: value.span().start, value: value.get_ref() })
            .collect())
    }

    /// The table it is.
    pub(super) fn section(&self) -> Result<Section<'a>, ConfigError> {
        let table = self.value.as_table().ok_or_else(|| self.wrong_type("a table"))?;
        Ok(Section { source: self.source, prefix: format!("{}.", self.key), at: Some(self.at), table: Some(table) })
    }

    fn wrong_type(&self, expected: &'static str) -> ConfigError {
        let found = match self.value {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.error(Problem::WrongType { expected, found })
    }
}

fn line_of(text: &[u8], at: usize) -> usize {
    1 + memchr::memchr_iter(b'\n', &text[..at.min(text.len())]).count()
}
