//! Colours, where they are wanted.

use std::env;
use std::fmt;

use crate::args::When;

/// Whether text is painted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    coloured: bool,
}

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// What the reply is about.
    Strong,
    /// What is there for completeness.
    Faint,
    /// What went wrong.
    Bad,
}

impl Style {
    /// `auto` paints on a terminal that can show it, unless NO_COLOR is set to something.
    pub(super) fn new(when: When, terminal: bool) -> Self {
        let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|value| value == "dumb");
        let coloured = match when {
            When::Auto => terminal && !unwanted && !dumb,
            When::Always => true,
            When::Never => false,
        };
        Self { coloured }
    }

    #[cfg(test)]
    pub(super) const fn fixed(coloured: bool) -> Self {
        Self { coloured }
    }

    pub(super) fn paint<T: fmt::Display>(self, role: Role, text: T) -> Painted<T> {
        Painted { role: self.coloured.then_some(role), text }
    }
}

/// Text with the escape sequences of its role around it.
#[derive(Debug)]
pub(super) struct Painted<T> {
    role: Option<Role>,
    text: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = match self.role {
            None => return self.text.fmt(f),
            Some(Role::Strong) => "1",
            Some(Role::Faint) => "2",
            Some(Role::Bad) => "31",
        };
        write!(f, "\x1b[{code}m{}\x1b[0m", self.text)
    }
}
