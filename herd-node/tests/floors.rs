//! The floors of ARCHITECTURE.md: imports point down. Reads the sources; an upward import fails with its file and line.

use std::fs;
use std::path::{Path, PathBuf};

/// A module at the top of a crate, and what it may lean on.
struct Room {
    name: &'static str,
    /// Other modules of its crate. It may always use itself.
    may_use: &'static [&'static str],
    /// Paths and words that stand for what it must not know.
    must_not_say: &'static [&'static str],
}

const fn room(name: &'static str, may_use: &'static [&'static str], must_not_say: &'static [&'static str]) -> Room {
    Room { name, may_use, must_not_say }
}

/// What the pure floors have nothing of: sockets, files, threads, tasks, clocks, randomness, the environment.
const WORLD: &[&str] = &[
    "std::net",
    "std::fs",
    "std::io",
    "std::thread",
    "std::process",
    "std::env",
    "tokio",
    "tokio_util",
    "hyper",
    "hyper_util",
    "native_tls",
    "socket2",
    "rustix",
    "getrandom",
    "Instant::now",
    "SystemTime",
    "async",
    "await",
];

/// The same for the language below the codecs.
const CODEC_OR_WORLD: &[&str] = &[
    "std::net",
    "std::fs",
    "std::io",
    "std::thread",
    "std::time",
    "std::env",
    "tokio",
    "tokio_util",
    "async",
    "await",
];

const CLOCKS: &[&str] = &["Instant::now", "SystemTime::now"];

/// Besides, a connection asks for places by the trait, whoever answers.
const BACKENDS_AND_CLOCKS: &[&str] = &["embedded", "Embedded", "google", "Google", "Instant::now", "SystemTime::now"];

const NODE: &[Room] = &[
    // Ground.
    // In a simulation tokio keeps the time.
    room("clock", &[], &["tokio::net", "tokio::task", "async", "await"]),
    room("random", &[], &["tokio", "Instant::now", "SystemTime::now", "async", "await"]),
    room("secret", &[], WORLD),
    // 1: the pure core.
    room("replica", &["secret"], WORLD),
    // 2: the shell. Its modules do not know one another, but for net, which serves what the others offer.
    // Of tokio, disk has a channel to await a commit by: its work is done by threads of its own.
    room(
        "disk",
        &["clock"],
        &["tokio::net", "tokio::fs", "tokio::task", "tokio::spawn", "Instant::now", "SystemTime::now"],
    ),
    room("journal", &[], &["tokio", "Instant::now", "SystemTime::now"]),
    room("places", &["clock", "secret"], CLOCKS),
    // Certificates and what rustls is told of them: no socket, no file.
    room("tls", &["clock"], &["tokio", "tokio_rustls", "std::fs", "Instant::now", "SystemTime", "async", "await"]),
    room("net", &["clock", "disk", "journal", "places", "random", "replica", "secret", "tls"], BACKENDS_AND_CLOCKS),
    // On top of net: what is to be seen of a server, and who shows it.
    room("status", &["clock", "disk", "journal", "net", "places", "replica", "tls"], CLOCKS),
    room("admin", &["clock", "disk", "journal", "net", "places", "replica", "secret", "status"], CLOCKS),
    // 3: assembly.
    room("config", &["disk", "journal", "net", "places", "secret", "tls"], &["tokio", "Instant::now", "SystemTime"]),
    room(
        "recovery",
        &["clock", "config", "disk", "journal", "net", "replica"],
        &["tokio", "Instant::now", "SystemTime::now"],
    ),
    room("handle", &["journal", "net", "replica", "status", "tls"], CLOCKS),
    room(
        "server",
        &[
            "admin", "clock", "config", "disk", "handle", "journal", "net", "places", "random", "recovery", "replica",
            "secret", "status", "tls",
        ],
        CLOCKS,
    ),
    // 4: the program. It sees the library as any other program does.
    room("notify", &["run"], CLOCKS),
    room("pages", &["command"], CLOCKS),
    room("run", &["attend", "command", "notify"], CLOCKS),
    room("attend", &["command", "control", "notify", "run"], CLOCKS),
    room("control", &[], CLOCKS),
    room("reload_command", &["command", "control", "run"], CLOCKS),
    room("demo", &["command", "run"], CLOCKS),
    room("dump", &["command"], CLOCKS),
    room("pki", &["command", "run"], &["tokio", "Instant::now", "SystemTime::now"]),
    room("command", &["control", "demo", "dump", "pages", "pki", "reload_command", "run"], CLOCKS),
    room("main", &["command"], CLOCKS),
    room("lib", &[], &[]),
];

const PROTO: &[Room] = &[
    room("ascii", &[], CODEC_OR_WORLD),
    room("digits", &["ascii"], CODEC_OR_WORLD),
    room("error", &["escape"], CODEC_OR_WORLD),
    room("escape", &[], CODEC_OR_WORLD),
    room("herd", &[], CODEC_OR_WORLD),
    room("output", &[], CODEC_OR_WORLD),
    // Boundaries, and no idea of what a line means.
    room("frame", &["ascii"], CODEC_OR_WORLD),
    // Meaning: values, the messages made of them, the grammar that reads both and the functions that write them.
    room("client_id", MEANING, CODEC_OR_WORLD),
    room("location", MEANING, CODEC_OR_WORLD),
    room("numbers", MEANING, CODEC_OR_WORLD),
    room("radius", MEANING, CODEC_OR_WORLD),
    room("server_name", MEANING, CODEC_OR_WORLD),
    room("skew", MEANING, CODEC_OR_WORLD),
    room("timestamp", MEANING, CODEC_OR_WORLD),
    room("message", MEANING, CODEC_OR_WORLD),
    room("peer", MEANING, CODEC_OR_WORLD),
    room("ack", MEANING, CODEC_OR_WORLD),
    room("version", MEANING, CODEC_OR_WORLD),
    room("sync", MEANING, CODEC_OR_WORLD),
    room("grammar", MEANING, CODEC_OR_WORLD),
    room("encode", MEANING, CODEC_OR_WORLD),
    // On top of that: the same as JSON, and what to test with.
    room("json", MEANING, CODEC_OR_WORLD),
    room("strategies", MEANING, CODEC_OR_WORLD),
    // On top of both.
    room(
        "codec",
        &["ascii", "encode", "error", "frame", "message", "peer"],
        &["std::net", "std::time", "tokio", "async"],
    ),
    // Texts, and nothing that reads them.
    room("vectors", &[], CODEC_OR_WORLD),
    room("lib", &[], &[]),
];

const MEANING: &[&str] = &[
    "ascii",
    "client_id",
    "digits",
    "encode",
    "error",
    "escape",
    "grammar",
    "location",
    "message",
    "numbers",
    "output",
    "peer",
    "radius",
    "server_name",
    "skew",
    "sync",
    "timestamp",
    "version",
];

#[test]
fn imports_of_the_node_point_down() {
    assert_holds("herd-node/src", NODE);
}

#[test]
fn imports_of_the_language_point_down() {
    assert_holds("herd-proto/src", PROTO);
}

/// Whatever herd-cli can do, any other client can.
#[test]
fn the_client_is_made_of_the_language_only() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("herd-cli/Cargo.toml");
    let text = fs::read_to_string(manifest).unwrap();
    let sections = text.split("\n[").filter(|section| section.contains("dependencies]\n"));
    for section in sections.filter(|section| !section.starts_with("dev-dependencies")) {
        assert!(!section.contains("herd-node"), "herd-cli depends on herd-node:\n{section}");
    }
}

fn assert_holds(directory: &str, rooms: &[Room]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    collect(&root.join(directory), &mut files);
    assert!(files.len() > 10, "{directory} has only {} files", files.len());
    let mut broken = Vec::new();
    for file in files {
        let inside = file.strip_prefix(root.join(directory)).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        broken.extend(violations(rooms, inside, &text).iter().map(|found| format!("{directory}/{found}")));
    }
    assert!(broken.is_empty(), "see ARCHITECTURE.md, \"Floors\":\n{}", broken.join("\n"));
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// What `text`, which stands at `inside` of a crate's `src`, imports against the rules.
fn violations(rooms: &[Room], inside: &Path, text: &str) -> Vec<String> {
    let modules = module_path(inside);
    let Some(room) = rooms.iter().find(|room| room.name == modules[0]) else {
        return vec![format!("{}:1: module {} has no floor; give it one in this test", inside.display(), modules[0])];
    };
    let code = without_comments_and_strings(text);
    let mut found = Vec::new();
    for (line, path) in paths(&code) {
        if let Some(other) = at_the_top(&path, modules.len())
            && rooms.iter().any(|room| room.name == other)
            && other != room.name
            && !room.may_use.contains(&other)
        {
            found.push((line, format!("{} must not use {other}", room.name)));
        }
        for phrase in room.must_not_say {
            let phrase: Vec<&str> = phrase.split("::").collect();
            if path.windows(phrase.len()).any(|part| part == phrase) {
                found.push((line, format!("{} must know nothing of {}", room.name, phrase.join("::"))));
            }
        }
    }
    found.sort();
    found.dedup();
    found.iter().map(|(line, what)| format!("{}:{line}: {what}", inside.display())).collect()
}

/// `net/client.rs` is `[net, client]`, `net/mod.rs` is `[net]`.
fn module_path(inside: &Path) -> Vec<String> {
    let mut modules: Vec<String> =
        inside.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if modules.len() > 1 && modules.last().is_some_and(|last| last == "mod") {
        modules.pop();
    }
    modules
}

/// The module at the crate's top that `path` leads to: after `crate`, or after as many `super` as lead there from `depth`.
fn at_the_top<'a>(path: &[&'a str], depth: usize) -> Option<&'a str> {
    match path {
        ["crate", other, ..] => Some(other),
        _ if path.len() > depth && path[..depth].iter().all(|part| *part == "super") => Some(path[depth]),
        _ => None,
    }
}

/// Every path in `code` with its line, those in `a::{groups, of::{them}}` spelled out. A word by itself is a path, too.
fn paths(code: &str) -> Vec<(usize, Vec<&str>)> {
    let (mut found, mut line, mut rest) = (Vec::new(), 1, code);
    let mut path: Vec<&str> = Vec::new();
    // How long `path` is at the start of each group that is open; 0 for a brace that opens no group.
    let mut groups: Vec<usize> = Vec::new();
    while let Some(c) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let len = if is_word(c) { rest.find(|c| !is_word(c)).unwrap_or(rest.len()) } else { c.len_utf8() };
        let (token, after) = rest.split_at(len);
        let goes_on = after.trim_start().starts_with("::");
        let begins = groups.last().copied().unwrap_or(0);
        match c {
            '\n' => line += 1,
            ':' | ' ' => {}
            '{' => groups.push(path.len()),
            _ if is_word(c) && goes_on => path.push(token),
            _ => {
                if is_word(c) {
                    path.push(token);
                }
                // The word that ends it, or what follows `::` in `a::*` and `a::<B>`.
                if path.len() > begins {
                    found.push((line, path.clone()));
                }
                if c == '}' {
                    groups.pop();
                }
                path.truncate(groups.last().copied().unwrap_or(0));
            }
        }
        rest = after;
    }
    found
}

/// The same text with comments, strings and characters blanked, so that every position stays where it is.
fn without_comments_and_strings(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let len = skipped(rest);
        if len == 0 {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            code.extend(rest[..len].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
            rest = &rest[len..];
        }
    }
    code
}

/// How many bytes at the start of `text` are a comment, a string or a character.
fn skipped(text: &str) -> usize {
    let end =
        |from: usize, pattern: &str| text[from..].find(pattern).map_or(text.len(), |at| from + at + pattern.len());
    let quoted = |from: usize| {
        let mut escaped = false;
        let close = text[from..].find(|c| {
            let is_close = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            is_close
        });
        close.map_or(text.len(), |at| from + at + 1)
    };
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return end(2, "*/");
    }
    if text.starts_with('"') {
        return quoted(1);
    }
    if let Some(raw) = text.strip_prefix("r#").or_else(|| text.strip_prefix("r\"").map(|_| &text[1..])) {
        let hashes = text[1..].len() - text[1..].trim_start_matches('#').len();
        if raw.trim_start_matches('#').starts_with('"') {
            return end(2 + hashes, &format!("\"{}", "#".repeat(hashes)));
        }
    }
    // A character, and not a lifetime.
    for literal in [r"'\''", r"'\\'", "'\"'"] {
        if text.starts_with(literal) {
            return literal.len();
        }
    }
    0
}

#[test]
fn every_module_has_its_sentence() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("ARCHITECTURE.md");
    let text = fs::read_to_string(path).unwrap();
    for room in NODE.iter().chain(PROTO).filter(|room| room.name != "lib") {
        assert!(text.contains(&format!("`{}`", room.name)), "ARCHITECTURE.md does not say what {} is", room.name);
    }
}

#[test]
fn a_planted_violation_is_found() {
    let planted = [
        (
            "replica/store.rs",
            "//! Pure.\n\nuse std::net::TcpStream;\n",
            "replica/store.rs:3: replica must know nothing of std::net",
        ),
        (
            "replica/mod.rs",
            "use crate::{\n    net::{Limits},\n    secret,\n};\n",
            "replica/mod.rs:2: replica must not use net",
        ),
        (
            "replica/link.rs",
            "fn now() -> Instant { Instant::now() }",
            "replica/link.rs:1: replica must know nothing of Instant::now",
        ),
        ("replica/link.rs", "use super::super::journal::Journal;", "replica/link.rs:1: replica must not use journal"),
        (
            "replica/mod.rs",
            "use std::{fmt, net::{self, TcpStream}};",
            "replica/mod.rs:1: replica must know nothing of std::net",
        ),
        ("replica/mod.rs", "use crate::net::*;", "replica/mod.rs:1: replica must not use net"),
        ("replica/mod.rs", "async fn f() {}", "replica/mod.rs:1: replica must know nothing of async"),
        (
            "net/client.rs",
            "use crate::{clock, places::{self, google::cut}};",
            "net/client.rs:1: net must know nothing of google",
        ),
        ("journal/mod.rs", "use super::net;", "journal/mod.rs:1: journal must not use net"),
        (
            "places/google/mod.rs",
            "fn f() {\n  crate::config::load();\n}",
            "places/google/mod.rs:2: places must not use config",
        ),
        ("net/client.rs", "use crate::places::Google;", "net/client.rs:1: net must know nothing of Google"),
        ("attic.rs", "", "attic.rs:1: module attic has no floor; give it one in this test"),
    ];
    for (file, text, expected) in planted {
        assert_eq!(violations(NODE, Path::new(file), text), [expected], "{text}");
    }
}

#[test]
fn what_is_allowed_is_not_found() {
    let allowed = [
        ("replica/store.rs", "use crate::secret::Secret;\nuse super::link::Link;\nuse super::super::replica::Link;"),
        (
            "replica/store.rs",
            "// use crate::net;\n/* std::net */ const A: &str = \"crate::net \\\" tokio\"; const B: &str = r#\"tokio\"#;",
        ),
        ("replica/store.rs", "use std::network; fn tokio_like(my_tokio: u8, crates: u8) { '\"'; my_crate::net(); }"),
        ("net/client.rs", "use crate::places::{self, Answer};\nuse super::journal;\nuse crate::net::limits;"),
    ];
    for (file, text) in allowed {
        assert_eq!(violations(NODE, Path::new(file), text), [""; 0], "{text}");
    }
}
