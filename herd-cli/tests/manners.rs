//! How the program behaves as a member of a shell's pipelines: help, man pages, completions, pipes that close, full disks, odd
//! arguments, exit codes.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{answering_all, ends, herd, herd_cli, reply, run};

const COMMANDS: [&str; 11] =
    ["iamat", "whatsat", "send", "watch", "digest", "status", "bench", "replay", "repl", "completions", "man"];

fn in_package(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn text_of(arguments: &[&str]) -> String {
    let output = herd_cli(arguments).output().unwrap();
    assert_eq!((output.status.code(), &output.stderr[..]), (Some(0), &b""[..]), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The subcommands that `--help` lists.
fn commands() -> Vec<String> {
    let help = text_of(&["-h"]);
    let (_, rest) = help.split_once("\nCommands:\n").unwrap();
    let lines = rest.lines().take_while(|line| line.starts_with("  "));
    let names =
        lines.filter(|line| !line.starts_with("   ")).map(|line| line.split_whitespace().next().unwrap().to_owned());
    names.filter(|name| name != "help").collect()
}

#[test]
fn every_command_has_a_short_and_a_long_help_with_examples_and_codes() {
    let commands = commands();
    assert!(COMMANDS.iter().all(|known| commands.iter().any(|name| name == known)), "{commands:?}");
    for name in &commands {
        let (short, long) = (text_of(&[name, "-h"]), text_of(&[name, "--help"]));
        assert!(!short.contains("Examples:") && short.lines().count() < long.lines().count(), "{name}");
        let examples = long.split_once("Examples:").unwrap_or_else(|| panic!("{name} has no examples")).1;
        assert!(examples.contains(&format!("herd-cli {name}")), "{name}");
        assert!(long.contains("Exit codes:"), "{name}");
        assert!(long.lines().all(|line| line.chars().count() <= 100), "{name}");
        assert_eq!(text_of(&["help", name]), long);
    }
}

/// The same table in `--help`, the man page and the README.
#[test]
fn exit_codes_are_documented_alike() {
    let (help, man) = (text_of(&["--help"]), text_of(&["man"]));
    let readme = fs::read_to_string(in_package("README.md")).unwrap();
    let section = readme.split_once("### Exit codes").unwrap().1;
    let section = section.split("\n#").next().unwrap();
    for code in [0, 1, 2, 3, 130, 143] {
        assert!(help.contains(&format!("\n  {code:<4} ")), "--help: {code}");
        assert!(man.contains(&format!("\\fB{code}\\fR\n")), "man: {code}");
        assert!(section.contains(&format!("\n| {code} |")), "README: {code}");
    }
}

#[test]
fn packaged_man_pages_are_those_that_the_program_makes() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(text_of(&["man", "--dir", &directory.path().to_string_lossy()]), "");
    let names = |path: &Path| {
        let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = entries.collect();
        names.sort();
        names
    };
    let (made, packaged) = (names(directory.path()), names(&in_package("man")));
    let again = "make them anew: herd-cli man --dir herd-cli/man";
    assert_eq!(made, packaged, "{again}");
    assert_eq!(made.len(), commands().len() + 1);
    for name in made {
        let [made, packaged] =
            [directory.path(), &in_package("man")].map(|path| fs::read_to_string(path.join(&name)).unwrap());
        assert!(made == packaged, "{name} is not as the program makes it; {again}");
        assert!(made.is_ascii(), "{name}");
    }
    assert_eq!(text_of(&["man", "replay"]), fs::read_to_string(in_package("man/herd-cli-replay.1")).unwrap());
}

#[test]
fn man_pages_can_be_formatted() {
    let formatted = |page: &Path| Command::new("groff").args(["-man", "-ww", "-Tascii"]).arg(page).output().ok();
    for entry in fs::read_dir(in_package("man")).unwrap() {
        let page = entry.unwrap().path();
        let Some(output) = formatted(&page) else {
            eprintln!("skipped: there is no groff here");
            return;
        };
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && complaints.is_empty(), "{}: {complaints}", page.display());
    }
}

#[test]
fn packaged_completions_are_those_that_the_program_makes() {
    for (shell, file) in [("bash", "herd-cli.bash"), ("zsh", "_herd-cli"), ("fish", "herd-cli.fish")] {
        let packaged = fs::read_to_string(in_package("completions").join(file)).unwrap();
        let same = packaged == text_of(&["completions", shell]);
        assert!(
            same,
            "{file} is not as the program makes it: herd-cli completions {shell} > herd-cli/completions/{file}"
        );
    }
    assert_eq!(text_of(&["completions", "servers"]), "Riley\nJaquez\nJuzang\nCampbell\nBernard\n");
}

/// The directory of the program, so that the shells find it.
fn path() -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_herd-cli")).parent().unwrap().display().to_string();
    format!("{program}:{}", std::env::var("PATH").unwrap_or_default())
}

#[test]
fn bash_completes_commands_options_and_servers() {
    const SCRIPT: &str = r#"
        source "$1"
        complete() { :; }
        words() {
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
            "$function" herd-cli "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
            echo "${COMPREPLY[*]}"
        }
        function=$(declare -F | grep -o '_herd[^ ]*$' | head -1)
        words herd-cli re
        words herd-cli iamat --server J
        words herd-cli replay --from ''
        words herd-cli completions z
        words herd-cli whatsat --ser
        export HERD_CONFIG=$2
        words herd-cli send -s ''
    "#;
    let directory = tempfile::tempdir().unwrap();
    let configuration = directory.path().join("herd.toml");
    fs::write(&configuration, "[[server]]\nname = \"Ann\"\nclient = \"127.0.0.1:1\"\n").unwrap();
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", SCRIPT, "bash"]).arg(in_package("completions/herd-cli.bash")).arg(&configuration);
    let Ok(output) = bash.env("PATH", path()).env_remove("HERD_CONFIG").output() else {
        eprintln!("skipped: there is no bash here");
        return;
    };
    let expected = "replay repl\nJaquez Juzang\ngpx nmea csv\nzsh\n--server\nAnn\n";
    assert_eq!((&*String::from_utf8_lossy(&output.stdout), &*String::from_utf8_lossy(&output.stderr)), (expected, ""));
}

#[test]
fn fish_completes_servers() {
    let script = format!(
        "source {}; complete -C 'herd-cli iamat --server J'",
        in_package("completions/herd-cli.fish").display()
    );
    let mut fish = Command::new("fish");
    let Ok(output) = fish.args(["--no-config", "-c", &script]).env("PATH", path()).env_remove("HERD_CONFIG").output()
    else {
        eprintln!("skipped: there is no fish here");
        return;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let names: Vec<_> = text.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(names, ["Jaquez", "Juzang"]);
}

#[test]
fn zsh_takes_the_script() {
    let Ok(output) = Command::new("zsh").args(["-f", "-n"]).arg(in_package("completions/_herd-cli")).output() else {
        eprintln!("skipped: there is no zsh here");
        return;
    };
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Runs the program with a standard output that nobody reads any more.
fn into_a_closed_pipe(arguments: &[&str], server: Option<std::net::SocketAddr>) -> (Option<i32>, String) {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = herd_cli(arguments);
    if let Some(server) = server {
        command.args(["--server", &server.to_string()]);
    }
    let output = command.stdout(writer).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_reader_who_goes_away_is_no_error() {
    let quiet = (Some(0), String::new());
    for arguments in [
        &["--help"][..],
        &["-h"],
        &["--version"],
        &["bench", "--help"],
        &["help", "replay"],
        &["man"],
        &["completions", "bash"],
    ] {
        assert_eq!(into_a_closed_pipe(arguments, None), quiet, "{arguments:?}");
    }
    let track = in_package("examples/tracks/taxis.csv").display().to_string();
    let bench = ["bench", "--json", "--requests", "10", "--warmup", "0", "-C", "1"];
    let asked = [&["iamat", "kiwi", "+1+1"][..], &["whatsat", "kiwi", "1", "1"], &["send", "IAMAT a +1+1 7"], &bench];
    for arguments in asked.into_iter().chain([&["replay", &track, "--speed", "max"][..]]) {
        assert_eq!(into_a_closed_pipe(arguments, Some(answering_all(reply))), quiet, "{arguments:?}");
    }
    let refused = into_a_closed_pipe(&["digest", "--admin", "127.0.0.1:1"], None);
    assert_eq!(refused.0, Some(3), "{}", refused.1);
    let mut repl = herd_cli(&["repl"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = repl.stdin(Stdio::piped()).stdout(writer).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"help\nhelp\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), &output.stderr[..]), (Some(0), &b""[..]));
}

/// As `| head -1` does: one line is read, and the pipe closed.
#[test]
fn the_first_line_is_enough() {
    let mut child = herd_cli(&["send", "--server", &herd().to_string()]).stdin(Stdio::piped()).spawn().unwrap();
    let mut to = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || while std::io::Write::write_all(&mut to, b"IAMAT a +1+1 7\n").is_ok() {});
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert_eq!(first, "AT Riley +0.263873386 a +1+1 7\n");
    let mut complaints = String::new();
    child.stderr.take().unwrap().read_to_string(&mut complaints).unwrap();
    assert_eq!((child.wait().unwrap().code(), complaints.as_str()), (Some(0), ""));
    writer.join().unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error_whatever_is_written() {
    let track = in_package("examples/tracks/taxis.csv").display().to_string();
    let server = answering_all(reply).to_string();
    let commands = [
        &["--help"][..],
        &["--version"],
        &["man"],
        &["completions", "zsh"],
        &["iamat", "kiwi", "+1+1", "--server", &server],
        &["replay", &track, "--speed", "max", "--server", &server],
        &["bench", "--requests", "5", "--warmup", "0", "-C", "1", "--server", &server],
    ];
    for arguments in commands {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = herd_cli(arguments).stdout(full).output().unwrap();
        ends(&output, 3, "", "herd-cli: can't write the answer: no space left on device\n");
    }
    let output = herd_cli(&["man", "--dir", "/nowhere/man1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(output.stderr.starts_with(b"herd-cli: can't write /nowhere/man1/herd-cli.1: no such file"));
}

#[test]
fn usage_errors_are_one_line_of_every_command() {
    let wrong = [
        &["frobnicate"][..],
        &["iamat", "kiwi"],
        &["whatsat", "kiwi", "1"],
        &["send", "--frobnicate"],
        &["digest", "--wait", "x"],
        &["bench", "--pipeline", "0"],
        &["replay", "x", "--speed", "fast"],
        &["repl", "now"],
        &["completions"],
        &["completions", "csh"],
        &["man", "cow"],
        &["man", "replay", "--dir", "x"],
    ];
    for arguments in wrong {
        let output = herd_cli(arguments).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}: {text}");
        assert!(text.starts_with("herd-cli: ") && text.lines().count() == 1, "{text}");
    }
}

#[test]
#[cfg(unix)]
fn arguments_need_not_be_text() {
    use std::os::unix::ffi::OsStrExt;
    let odd = std::ffi::OsStr::from_bytes(b"\xff\x1b[2J");
    let cases: [(&[&str], i32); 5] = [
        (&["iamat", "kiwi"], 2),
        (&["replay"], 2),
        (&["man"], 2),
        (&["digest", "--admin"], 2),
        (&["repl", "--config"], 2),
    ];
    for (arguments, code) in cases {
        let output = herd_cli(arguments).arg(odd).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(text.lines().count() == 1 && !text.contains('\u{1b}'), "{text:?}");
    }
    // Lines may hold anything.
    let output = herd_cli(&["send", "--server", &herd().to_string()]).arg(odd).output().unwrap();
    ends(&output, 1, b"? \xff\x1b[2J\n", "");
}

#[test]
fn colours_are_there_when_asked_for_and_not_when_unwanted() {
    let has_colours = |more: &[&str], name: &str, value: &str| {
        let mut command =
            herd_cli(&[&["send", "x", "--format", "human", "--server", &herd().to_string()], more].concat());
        command.env(name, value).output().unwrap().stdout.contains(&b'\x1b')
    };
    assert!(has_colours(&["--color", "always"], "NO_COLOR", "1"));
    assert!(has_colours(&["--color", "always"], "TERM", "dumb"));
    assert!(!has_colours(&["--color", "never"], "TERM", "xterm"));
    assert!(!has_colours(&[], "TERM", "xterm"));
}

/// On a terminal of 40 columns and on one of 300: through `script` of util-linux, where it is to be had.
#[test]
fn tables_fit_the_terminal() {
    let shown = |columns: u16, no_color: bool| {
        let line = format!(
            "stty cols {columns}; {}{} whatsat kiwi 10 5 --server {}",
            if no_color { "NO_COLOR=1 " } else { "" },
            env!("CARGO_BIN_EXE_herd-cli"),
            herd()
        );
        let mut command = Command::new("script");
        command.args(["-qec", &line, "/dev/null"]).env("SHELL", "/bin/sh").env("TERM", "xterm").env_remove("NO_COLOR");
        command.stdin(Stdio::null()).output().ok().map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let Some(narrow) = shown(40, true) else {
        eprintln!("skipped: there is no `script` here to make a terminal");
        return;
    };
    let table: Vec<&str> = narrow.lines().filter(|line| line.starts_with("  ") && !line.contains("UTC")).collect();
    assert!(table.len() == 2 && table.iter().all(|line| line.trim_end().chars().count() <= 40), "{narrow:?}");
    assert!(!narrow.contains("\u{1b}["), "{narrow:?}");
    let wide = shown(300, false).unwrap();
    assert!(wide.contains("\u{1b}[1mkiwi\u{1b}[0m") && wide.contains("Los Angeles"), "{wide:?}");
}

#[test]
fn a_server_that_refuses_gives_the_code_in_every_form() {
    for form in ["human", "raw", "json"] {
        assert_eq!(run(herd(), &["whatsat", "nobody", "1", "1", "--format", form]).status.code(), Some(1), "{form}");
    }
}
