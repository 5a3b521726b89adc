//! The herd's own programs, built like the benchmark that runs them.

use std::io;
use std::path::PathBuf;

/// Where cargo has put this build's programs: the directory of the profile, such as `target/release`.
///
/// # Errors
/// When this program does not know where it is itself.
pub fn profile_directory() -> io::Result<PathBuf> {
    let mut directory = std::env::current_exe()?;
    directory.pop();
    // Tests and benchmarks are one below the programs.
    if directory.ends_with("deps") {
        directory.pop();
    }
    Ok(directory)
}

/// Cargo's target directory.
///
/// # Errors
/// As [`profile_directory`].
pub fn target_directory() -> io::Result<PathBuf> {
    let mut directory = profile_directory()?;
    directory.pop();
    Ok(directory)
}

/// The program `name` of this workspace, `herd-node` or `herd-cli`, of the same profile.
///
/// # Errors
/// When it hasn't been built; says how to.
pub fn program(name: &str) -> io::Result<PathBuf> {
    let path = profile_directory()?.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    if path.is_file() {
        return Ok(path);
    }
    Err(io::Error::new(io::ErrorKind::NotFound, format!("no {name} yet: cargo build --release -p {name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_built_is_said() {
        let error = program("herd-nothing").unwrap_err().to_string();
        assert_eq!(error, "no herd-nothing yet: cargo build --release -p herd-nothing");
        assert!(target_directory().unwrap().is_dir());
    }
}
