//! The token that servers may want before they say anything of themselves: from a file, or from the environment.

use std::fs;
use std::path::Path;

use herd_cli::AdminToken;

use crate::digest::usage;
use crate::fault::{Fault, causes};

/// Where it is looked for without a file.
pub(crate) const VARIABLE: &str = "HERD_ADMIN_TOKEN";

/// That of the file of `--token-file`; else of the environment; else none.
pub(crate) fn of(file: Option<&Path>) -> Result<Option<AdminToken>, Fault> {
    if let Some(file) = file {
        return read(file).map(Some);
    }
    let Some(text) = std::env::var_os(VARIABLE).filter(|text| !text.is_empty()) else { return Ok(None) };
    let token = text.to_str().and_then(|text| AdminToken::new(text).ok());
    token.map(Some).ok_or_else(|| usage(format!("{VARIABLE}: {}", herd_cli::TokenError)))
}

/// The first line of a file that not everybody may read.
fn read(file: &Path) -> Result<AdminToken, Fault> {
    let wrong = |why: String| usage(format!("--token-file {}: {why}", file.display()));
    let said = |error: std::io::Error| wrong(causes(&error));
    if is_open_to_all(&fs::metadata(file).map_err(said)?) {
        return Err(wrong("everybody can read it: chmod o-rwx".to_owned()));
    }
    let text = fs::read_to_string(file).map_err(said)?;
    AdminToken::new(text.lines().next().unwrap_or_default().trim()).map_err(|error| wrong(error.to_string()))
}

#[cfg(unix)]
fn is_open_to_all(file: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.permissions().mode() & 0o004 != 0
}

#[cfg(not(unix))]
fn is_open_to_all(_: &fs::Metadata) -> bool {
    false
}
