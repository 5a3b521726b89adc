//! What `--help` and the man pages say beyond the options: examples, exit codes, environment, files. Said once, shown in both.

mod completions;
mod man;
mod texts;

use clap::{CommandFactory, ValueEnum};

use crate::args::Cli;

pub(crate) use completions::completions;
pub(crate) use man::{ManArgs, man};

/// What a command has to say.
#[derive(Clone, Copy, Debug)]
struct Page {
    /// The subcommand; empty for the program itself.
    name: &'static str,
    /// More than the options say: paragraphs, and lines that stay as they are where one of them is indented.
    text: &'static str,
    /// A command line, and what it is for.
    examples: &'static [(&'static str, &'static str)],
    /// What its exit codes mean.
    codes: &'static [(u8, &'static str)],
    /// Files besides that of `--config`.
    files: &'static [(&'static str, &'static str)],
}

/// The program's command line, with everything that `--help` says.
pub(crate) fn command() -> clap::Command {
    texts::PAGES.iter().fold(Cli::command(), |command, page| {
        let text = page.help();
        match page.name {
            "" => command.after_long_help(text),
            name => command.mut_subcommand(name, |command| command.after_long_help(text)),
        }
    })
}

impl Page {
    fn of(name: &str) -> Option<&'static Self> {
        texts::PAGES.iter().find(|page| page.name == name)
    }

    /// As `--help` shows it after the options.
    fn help(&self) -> String {
        let mut parts = Vec::new();
        if !self.text.is_empty() {
            parts.push(self.text.trim_end().to_owned());
        }
        let examples = self.examples.iter().map(|(line, what)| format!("\n  {line}\n      {what}"));
        parts.push(format!("Examples:{}", examples.collect::<String>()));
        let listed = |(what, text): &(&str, &str)| format!("\n  {what}\n      {text}");
        if !self.files.is_empty() {
            parts.push(format!("Files:{}", self.files.iter().map(listed).collect::<String>()));
        }
        if self.name.is_empty() {
            parts.push(format!("Environment:{}", texts::ENVIRONMENT.iter().map(listed).collect::<String>()));
        }
        let codes = self.codes.iter().map(|(code, text)| format!("\n  {code:<4} {text}"));
        parts.push(format!("Exit codes:{}", codes.collect::<String>()));
        parts.join("\n\n")
    }
}

/// What `completions` can print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Completion {
    /// A script for bash
    Bash,
    /// A script for zsh
    Zsh,
    /// A script for fish
    Fish,
    /// The names of servers, one a line, as the scripts ask for them
    Servers,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::ExitCode;

    #[test]
    fn every_command_has_examples_that_are_command_lines() {
        let command = command();
        command.clone().debug_assert();
        for subcommand in command.get_subcommands() {
            let help = subcommand.get_after_long_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples:") && help.contains("Exit codes:"), "{}", subcommand.get_name());
        }
        for page in texts::PAGES {
            let known = page.name.is_empty() || command.find_subcommand(page.name).is_some();
            assert!(known && !page.examples.is_empty(), "{}", page.name);
            for (line, _) in page.examples {
                // What the shell does with it is not the program's.
                let line = line.split([';', '|', '<', '>']).find(|part| part.contains("herd-cli ")).unwrap();
                let words = line.split_whitespace().skip_while(|word| *word != "herd-cli");
                let words = words.map(|word| word.trim_matches('\''));
                super::command().try_get_matches_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
            }
        }
    }

    #[test]
    fn exit_codes_are_those_of_the_program() {
        use ExitCode::{Answered, Interrupted, Refused, Terminated, Unanswered, Usage};
        let all = [Answered, Refused, Usage, Unanswered, Interrupted, Terminated].map(|code| code as u8);
        let root = Page::of("").unwrap();
        assert_eq!(root.codes.iter().map(|(code, _)| *code).collect::<Vec<_>>(), all);
        for page in texts::PAGES {
            assert!(page.codes.is_sorted() && page.codes.iter().all(|(code, _)| all.contains(code)), "{}", page.name);
        }
    }

    #[test]
    fn help_fits_a_terminal_of_100_columns() {
        for page in texts::PAGES {
            for line in page.help().lines() {
                assert!(line.chars().count() <= 100, "{}: {line}", page.name);
            }
        }
    }
}
