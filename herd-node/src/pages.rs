//! The man page and the completions for shells, made of what the command line says of itself: they can't be of another version.

use std::io::{self, Write};

use clap::{Command, ValueEnum};
use clap_complete::{Shell, generate};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

/// The section of the manual: what looks after a system.
const SECTION: &str = "8";

/// What the page says of files, beyond what `--help` does. Those of the Debian package.
const FILES: [(&str, &str); 4] = [
    ("/etc/herd/herd.toml", "the configuration that the units herd-node.service and herd-node@NAME.service run"),
    ("/etc/default/herd-node", "which of its servers herd-node.service runs"),
    ("/var/lib/herd/NAME/", "the disk log of server NAME, where the configuration says so"),
    ("/var/log/herd/NAME.log", "its journal, which rotates itself"),
];

/// What the page says of signals.
const SIGNALS: [(&str, &str); 1] = [(
    "SIGINT, SIGTERM",
    "stops in good order: what was read is answered, peers are told, journal and disk log are written out; a second one ends at once",
)];

/// A shell with completions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum For {
    /// A script for bash
    Bash,
    /// A script for zsh
    Zsh,
    /// A script for fish
    Fish,
}

/// The script for `shell`.
pub(crate) fn completions(mut command: Command, shell: For, out: &mut dyn Write) -> io::Result<()> {
    let shell = match shell {
        For::Bash => Shell::Bash,
        For::Zsh => Shell::Zsh,
        For::Fish => Shell::Fish,
    };
    // It panics where a write fails.
    let mut script = Vec::new();
    generate(shell, &mut command, "herd-node", &mut script);
    // clap takes the hyphen in the program's name for a place between commands, in one half of its script for bash only.
    out.write_all(String::from_utf8_lossy(&script).replace("herd__subcmd__node", "herd__node").as_bytes())
}

/// The page: the program, and under it each command with its options.
pub(crate) fn man(command: Command, out: &mut dyn Write) -> io::Result<()> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let mut text = Vec::new();
    let page = Man::new(command.clone());
    // Without a date: a page is the same whenever it is made. The first lines let formatters print the apostrophe that was meant.
    write!(text, ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n")?;
    writeln!(text, ".TH herd-node {SECTION} \"\" \"herd-node {}\" Herd", env!("CARGO_PKG_VERSION"))?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    Roff::new().control("SH", ["COMMANDS"]).to_writer(&mut text)?;
    for subcommand in command.get_subcommands() {
        describe(subcommand).to_writer(&mut text)?;
    }
    let mut roff = Roff::new();
    listed(&mut roff, "SIGNALS", &SIGNALS);
    listed(&mut roff, "FILES", &FILES);
    // Examples, environment and exit codes, as --help has them.
    roff.control("SH", ["NOTES"]).control("nf", []);
    for line in command.get_after_help().map(ToString::to_string).unwrap_or_default().lines() {
        roff.text([roman(line)]);
    }
    roff.control("fi", []).control("SH", ["SEE ALSO"]);
    roff.text([bold("herd-cli"), roman("(1), "), bold("systemctl"), roman("(1), "), bold("journalctl"), roman("(1)")]);
    roff.to_writer(&mut text)?;
    // What every formatter reads, whatever it takes its input for.
    out.write_all(String::from_utf8_lossy(&text).replace('…', "...").as_bytes())
}

fn listed(roff: &mut Roff, title: &str, items: &[(&str, &str)]) {
    roff.control("SH", [title]);
    for (what, text) in items {
        roff.control("TP", []).text([bold(*what)]).text([roman(*text)]);
    }
}

fn describe(command: &Command) -> Roff {
    let mut roff = Roff::new();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage);
    let about = |text: Option<&clap::builder::StyledStr>| text.map(ToString::to_string).unwrap_or_default();
    roff.control("SS", [usage]);
    roff.text([roman(about(command.get_long_about().or(command.get_about())))]);
    for argument in command.get_arguments().filter(|argument| argument.get_id() != "help") {
        let name = match argument.get_long() {
            Some(long) => format!("--{long}"),
            None => {
                argument.get_value_names().and_then(|names| names.first()).map(ToString::to_string).unwrap_or_default()
            }
        };
        roff.control("TP", []).text([bold(name)]);
        roff.text([roman(about(argument.get_long_help().or(argument.get_help())))]);
    }
    roff
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::command_line;

    #[test]
    fn the_page_has_every_command_and_every_section() {
        let mut page = Vec::new();
        man(command_line(), &mut page).unwrap();
        // Hyphens are minus signs there.
        let page = String::from_utf8(page).unwrap().replace("\\-", "-");
        for command in command_line().get_subcommands() {
            let begins = format!(".SS \"herd-node {}", command.get_name());
            assert!(page.contains(&begins), "{}: {page}", command.get_name());
        }
        for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "SIGNALS", "FILES", "NOTES", "SEE ALSO"] {
            let is_there = [format!(".SH {section}\n"), format!(".SH \"{section}\"\n")];
            assert!(is_there.iter().any(|line| page.contains(line)), "{section}");
        }
        assert!(page.contains("--config") && page.contains("Exit codes: 0 done"), "{page}");
    }

    #[test]
    fn scripts_complete_the_commands() {
        for shell in [For::Bash, For::Zsh, For::Fish] {
            let mut script = Vec::new();
            completions(command_line(), shell, &mut script).unwrap();
            let script = String::from_utf8(script).unwrap();
            assert!(script.contains("check-config") && !script.contains("herd__subcmd__node"), "{shell:?}: {script}");
        }
    }
}
