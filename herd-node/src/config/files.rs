//! The files a configuration names: read with a bound, and secrets only from files that are private.

use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::Problem;
use super::read::Value;
use crate::config::ConfigError;
use crate::secret::Secret;

/// The shortest shared secret, in bytes: as long as what HMAC-SHA256 makes of it.
const SECRET_LEN_MIN: usize = 32;

/// The shortest token of the admin listener, in bytes.
const TOKEN_LEN_MIN: usize = 16;

/// Rotation needs two.
const SECRETS_MAX: usize = 8;

/// The largest file of secrets or of a key, in bytes.
const SECRET_FILE_LEN_MAX: u64 = 64 * 1024;

/// The largest file of certificates, in bytes.
pub(super) const PEM_LEN_MAX: u64 = 1024 * 1024;

/// The file `path` names, relative to the configuration file.
pub(super) fn path_of(value: &Value<'_>) -> Result<PathBuf, ConfigError> {
    let path = value.string()?;
    if path.is_empty() {
        return Err(value.error(Problem::Empty));
    }
    Ok(value.source.path.parent().unwrap_or(Path::new("")).join(path))
}

/// The path of `value`, once it is known that the file can be read.
pub(super) fn readable(value: &Value<'_>) -> Result<PathBuf, ConfigError> {
    let path = path_of(value)?;
    open(&path).map_err(|problem| in_file(value, &path, problem))?;
    Ok(path)
}

/// What `parse` finds in the private file that `value` names.
pub(super) fn private<T>(value: &Value<'_>, parse: fn(&[u8]) -> Result<T, Problem>) -> Result<T, ConfigError> {
    let path = path_of(value)?;
    read_private(&path).and_then(|bytes| parse(&bytes)).map_err(|problem| in_file(value, &path, problem))
}

/// The bytes of the file at `path`, if there are no more than `len_max`.
pub(super) fn read(path: &Path, len_max: u64) -> Result<Vec<u8>, Problem> {
    let (file, _) = open(path)?;
    read_all(file, len_max)
}

/// Shared secrets, one a line.
pub(super) fn parse_secrets(bytes: &[u8]) -> Result<Vec<Secret>, Problem> {
    let lines = bytes.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut secrets = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let number = secrets.len() + 1;
        if line.len() < SECRET_LEN_MIN {
            return Err(Problem::ShortSecret { number, found: line.len(), min: SECRET_LEN_MIN });
        }
        if number > SECRETS_MAX {
            return Err(Problem::TooManySecrets(SECRETS_MAX));
        }
        secrets.push(Secret::new(line));
    }
    if secrets.is_empty() { Err(Problem::NoSecret) } else { Ok(secrets) }
}

/// The admin listener's token: one line, fit for an HTTP header.
pub(super) fn parse_token(bytes: &[u8]) -> Result<Secret, Problem> {
    let token = parse_key(bytes)?;
    match token.expose().len() {
        found @ 0..TOKEN_LEN_MIN => Err(Problem::ShortToken { found, min: TOKEN_LEN_MIN }),
        _ => Ok(token),
    }
}

/// An API key: one line, fit for an HTTP header or a query.
pub(super) fn parse_key(bytes: &[u8]) -> Result<Secret, Problem> {
    let key = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let key = key.strip_suffix(b"\r").unwrap_or(key);
    if key.is_empty() {
        Err(Problem::NoSecret)
    } else if key.iter().all(u8::is_ascii_graphic) {
        Ok(Secret::new(key))
    } else {
        Err(Problem::BadKey)
    }
}

fn in_file(value: &Value<'_>, path: &Path, problem: Problem) -> ConfigError {
    value.error(Problem::InFile { path: path.to_owned(), problem: Box::new(problem) })
}

/// The bytes of the file at `path`, if not everybody can read it.
pub(super) fn read_private(path: &Path) -> Result<Vec<u8>, Problem> {
    let (file, metadata) = open(path)?;
    if is_world_readable(&metadata) {
        return Err(Problem::WorldReadable(path.to_owned()));
    }
    read_all(file, SECRET_FILE_LEN_MAX)
}

fn open(path: &Path) -> Result<(File, Metadata), Problem> {
    let unreadable = |error: std::io::Error| Problem::Unreadable(error.to_string());
    // Asked before opening: opening a pipe would wait for a writer.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(Problem::NotAFile);
    }
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    Ok((file, metadata))
}

fn read_all(file: File, len_max: u64) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    file.take(len_max + 1).read_to_end(&mut bytes).map_err(|error| Problem::Unreadable(error.to_string()))?;
    if bytes.len() as u64 > len_max { Err(Problem::TooLarge(len_max)) } else { Ok(bytes) }
}

#[cfg(unix)]
fn is_world_readable(metadata: &Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o004 != 0
}

#[cfg(not(unix))]
fn is_world_readable(_: &Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_lines() {
        let (old, new) = ("o".repeat(32), "n".repeat(40));
        let secrets = parse_secrets(format!("{new}\r\n\n{old}\n").as_bytes()).unwrap();
        assert_eq!(secrets.iter().map(Secret::expose).collect::<Vec<_>>(), [new.as_bytes(), old.as_bytes()]);
        let short = Problem::ShortSecret { number: 2, found: 31, min: 32 };
        assert_eq!(parse_secrets(format!("{new}\n{}", &old[1..]).as_bytes()), Err(short));
        assert_eq!(parse_secrets(b"\n\r\n"), Err(Problem::NoSecret));
        assert_eq!(parse_secrets(format!("{old}\n").repeat(9).as_bytes()), Err(Problem::TooManySecrets(8)));
    }

    #[test]
    fn a_token_is_a_key_that_can_not_be_guessed() {
        assert_eq!(parse_token(b"0123456789abcdef\n").unwrap().expose(), b"0123456789abcdef");
        assert_eq!(parse_token(b"0123456789abcde\n"), Err(Problem::ShortToken { found: 15, min: 16 }));
        assert_eq!(parse_token(b"0123456789 abcdef"), Err(Problem::BadKey));
        assert_eq!(parse_token(b""), Err(Problem::NoSecret));
    }

    #[test]
    fn keys_lose_their_line_end() {
        for bytes in ["AIzaKey", "AIzaKey\n", "AIzaKey\r\n"] {
            assert_eq!(parse_key(bytes.as_bytes()).unwrap().expose(), b"AIzaKey");
        }
        assert_eq!(parse_key(b"\n"), Err(Problem::NoSecret));
        for bytes in [&b"two keys"[..], b"one\ntwo", b" key", b"k\xc3\xa9y"] {
            assert_eq!(parse_key(bytes), Err(Problem::BadKey));
        }
    }
}
