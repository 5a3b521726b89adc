//! Configurations as files: what is accepted, and what each mistake is answered with, to the letter.

mod files;
mod good;
mod later;
mod mistakes;

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;

/// Two servers that know each other: lines 1 to 10.
const PAIR: &str = r#"[[server]]
name = "Riley"
client = "127.0.0.1:12000"
peer = "127.0.0.1:13000"
peers = ["Jaquez"]
[[server]]
name = "Jaquez"
client = "127.0.0.1:12001"
peer = "127.0.0.1:13001"
peers = ["Riley"]
"#;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn no_env(_: &str) -> Option<String> {
    None
}

fn parsed(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text.as_bytes(), Path::new("herd.toml"), &no_env)
}

fn server(name: &str, client: &str, peer: &str, rest: &str) -> String {
    format!("[[server]]\nname = \"{name}\"\nclient = \"{client}\"\npeer = \"{peer}\"\n{rest}\n")
}

fn write(directory: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
    let path = directory.join(name);
    fs::write(&path, text).unwrap();
    #[cfg(unix)]
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    path
}

/// Text that is nearly a configuration: lines of a right one, some broken.
fn nearly_toml() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        4 => proptest::sample::select(PAIR.lines().map(str::to_owned).collect::<Vec<_>>()),
        2 => proptest::sample::select(mistakes::TABLES.iter().map(|(text, _)| (*text).to_owned()).collect::<Vec<_>>()),
        1 => "[\\[\\]{}\"'a-z.=0-9\\\\ ,#\n-]{0,20}",
    ];
    proptest::collection::vec(line, 0..20).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_an_error_of_one_line(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Err(error) = Config::parse(&bytes, Path::new("herd.toml"), &no_env) {
            prop_assert!(!error.to_string().contains(|ch: char| ch.is_control()));
        }
    }

    #[test]
    fn nearly_right_files_are_an_error_of_one_line(text in nearly_toml()) {
        if let Err(error) = parsed(&text) {
            prop_assert!(!error.to_string().contains(|ch: char| ch.is_control()));
        }
    }
}
