//! The man pages: one for the program, one for each command, made of what `--help` says.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::Args;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::{Page, texts};
use crate::fault::Fault;

/// Lets formatters print the apostrophe that was meant, as `roff` begins its documents.
const ROMAN_APOSTROPHE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

/// The options.
#[derive(Args, Clone, Debug)]
pub(crate) struct ManArgs {
    /// Which page: the name of a command [default: that of the program]
    #[arg(value_name = "COMMAND", conflicts_with = "dir")]
    page: Option<String>,
    /// Write all pages, each as a file, into this directory
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

/// The page that was asked for; nothing, if all were written as files.
pub(crate) fn man(args: &ManArgs) -> Result<String, Fault> {
    let pages = pages().map_err(Fault::Output)?;
    if let Some(dir) = &args.dir {
        let write = |(name, text): &(String, String)| {
            let file = dir.join(format!("{name}.1"));
            fs::write(&file, text).map_err(|source| Fault::File { file, source })
        };
        return pages.iter().try_for_each(write).map(|()| String::new());
    }
    let name = args.page.as_ref().map_or_else(|| "herd-cli".to_owned(), |name| format!("herd-cli-{name}"));
    let known = || pages.iter().filter_map(|(name, _)| name.strip_prefix("herd-cli-")).collect::<Vec<_>>().join(", ");
    let unknown = || {
        Fault::Usage(format!("no command is called '{}': there are {}", name.trim_start_matches("herd-cli-"), known()))
    };
    pages.iter().find(|(known, _)| *known == name).map(|(_, text)| text.clone()).ok_or_else(unknown)
}

/// The names and texts of all pages.
fn pages() -> io::Result<Vec<(String, String)>> {
    let mut command = super::command().disable_help_subcommand(true);
    command.build();
    let subcommands: Vec<_> = command.get_subcommands().cloned().collect();
    let others: Vec<String> = subcommands.iter().map(|command| format!("herd-cli-{}", command.get_name())).collect();
    let root = ("herd-cli".to_owned(), page("", &command, &others)?);
    let others = subcommands
        .iter()
        .zip(&others)
        .map(|(command, name)| Ok((name.clone(), page(command.get_name(), command, &["herd-cli".to_owned()])?)));
    [Ok(root)].into_iter().chain(others).collect()
}

/// One page. `others` are those it refers to.
fn page(name: &str, command: &clap::Command, others: &[String]) -> io::Result<String> {
    let title = if name.is_empty() { "herd-cli".to_owned() } else { format!("herd-cli-{name}") };
    let man = Man::new(command.clone());
    // Without a date: a page is the same whenever it is made.
    let mut out =
        format!("{ROMAN_APOSTROPHE}.TH {title} 1 \"\" \"herd-cli {}\" Herd\n", env!("CARGO_PKG_VERSION")).into_bytes();
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    let known = Page::of(name);
    if let Some(page) = known {
        text(page.text).to_writer(&mut out)?;
    }
    man.render_options_section(&mut out)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut out)?;
    }
    match known {
        Some(page) => rest(page).to_writer(&mut out)?,
        // Then all there is stands after the options.
        None => man.render_extra_section(&mut out)?,
    }
    see_also(others).to_writer(&mut out)?;
    // What every formatter reads, whatever it takes its input for.
    Ok(String::from_utf8_lossy(&out).replace('…', "..."))
}

/// Paragraphs; those with an indented line stay as they are.
fn text(text: &str) -> Roff {
    let mut roff = Roff::new();
    for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()) {
        roff.control("PP", []);
        let is_set = paragraph.lines().any(|line| line.starts_with("  "));
        if is_set {
            roff.control("nf", []);
            for line in paragraph.lines() {
                roff.text([roman(line)]);
            }
            roff.control("fi", []);
        } else {
            roff.text([roman(paragraph.lines().collect::<Vec<_>>().join(" "))]);
        }
    }
    roff
}

fn rest(page: &Page) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXAMPLES"]);
    for (line, what) in page.examples {
        roff.control("TP", []).text([bold(*line)]).text([roman(*what)]);
    }
    roff.control("SH", ["EXIT STATUS"]);
    for (code, what) in page.codes {
        roff.control("TP", []).text([bold(code.to_string())]).text([roman(*what)]);
    }
    roff.control("SH", ["ENVIRONMENT"]);
    for (name, what) in texts::ENVIRONMENT {
        roff.control("TP", []).text([bold(*name)]).text([roman(*what)]);
    }
    roff.control("SH", ["FILES"]);
    let configuration = ("FILE of --config", "a herd's configuration: the name, client and admin of every [[server]]");
    for (file, what) in [configuration].iter().chain(page.files) {
        roff.control("TP", []).text([bold(*file)]).text([roman(*what)]);
    }
    roff
}

fn see_also(others: &[String]) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]);
    for (index, other) in others.iter().enumerate() {
        let after = if index + 1 == others.len() { "(1)" } else { "(1)," };
        roff.text([bold(other.as_str()), roman(after)]);
    }
    roff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_with_its_sections() {
        let pages = pages().unwrap();
        let commands = crate::pages::command().get_subcommands().count();
        assert_eq!(pages.len(), commands + 1);
        for (name, text) in &pages {
            for section in [
                "NAME",
                "SYNOPSIS",
                "DESCRIPTION",
                "OPTIONS",
                "EXAMPLES",
                "EXIT STATUS",
                "ENVIRONMENT",
                "FILES",
                "SEE ALSO",
            ] {
                let quoted = format!(".SH \"{section}\"\n");
                assert!(text.contains(&format!(".SH {section}\n")) || text.contains(&quoted), "{name}: {section}");
            }
        }
    }

    #[test]
    fn an_unknown_page_is_a_fault_of_usage() {
        let args = ManArgs { page: Some("cow".to_owned()), dir: None };
        assert!(
            man(&args).unwrap_err().one_line().starts_with("no command is called 'cow': there are iamat, whatsat, ")
        );
    }
}
