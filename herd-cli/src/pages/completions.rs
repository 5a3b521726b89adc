//! Completions for shells: clap's scripts, in which the names of servers are asked for when they are needed.

use clap::builder::PossibleValuesParser;
use clap_complete::{Shell, generate};
use herd_cli::Servers;

use super::Completion;
use crate::args::ServerArgs;
use crate::fault::Fault;

/// Stands in clap's scripts where the names belong.
const NAMES: &str = "__herd_servers__";

/// What asks for them. A shell's own quiet failure is better than words in the middle of a line.
const ASK: &str = "$(herd-cli completions servers 2>/dev/null)";

/// The text that was asked for.
pub(crate) fn completions(what: Completion, server: &ServerArgs) -> Result<String, Fault> {
    Ok(match what {
        // clap takes the hyphen in the program's name for a place between commands, in one half of its script only.
        Completion::Bash => script(Shell::Bash).replace(NAMES, ASK).replace("herd__subcmd__cli", "herd__cli"),
        Completion::Zsh => script(Shell::Zsh).replace(&format!("({NAMES})"), &format!("{{compadd -- {ASK}}}")),
        // In fish it is the parentheses alone, and each line is one.
        Completion::Fish => script(Shell::Fish).replace(&format!("{NAMES}\\t''"), ASK.trim_start_matches('$')),
        Completion::Servers => {
            let servers = match server.config() {
                Some(file) => Servers::from_config(&file)?,
                None => Servers::default_herd(),
            };
            servers.iter().map(|server| format!("{}\n", server.name())).collect()
        }
    })
}

fn script(shell: Shell) -> String {
    let mut command =
        super::command().mut_arg("servers", |server| server.value_parser(PossibleValuesParser::new([NAMES])));
    let mut script = Vec::new();
    generate(shell, &mut command, "herd-cli", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::Cli;

    #[test]
    fn the_names_of_servers_are_asked_for() {
        let cli = Cli::try_parse_from(["herd-cli", "digest"]).unwrap();
        for what in [Completion::Bash, Completion::Zsh, Completion::Fish] {
            let script = completions(what, &cli.server).unwrap();
            assert!(script.contains("(herd-cli completions servers 2>/dev/null)"), "{what:?}");
            assert!(!script.contains(NAMES), "{what:?}");
        }
    }
}
