//! Where the lines are kept that were typed: the directory for state of the XDG base directories.

use std::env;
use std::fs::{self, DirBuilder};
use std::path::{Path, PathBuf};

/// The most lines that are kept.
pub(super) const LINES_MAX: usize = 1_000;

/// A file beyond this is no history of ours, and is left alone.
pub(super) const FILE_MAX: u64 = 4 * 1024 * 1024;

/// The file: `$XDG_STATE_HOME/herd-cli/history`, `~/.local/state/herd-cli/history` without that. `None` where neither is set to an
/// absolute path.
pub(super) fn file() -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    under(absolute("XDG_STATE_HOME"), absolute("HOME"))
}

fn under(state: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    let state = state.or_else(|| home.map(|home| home.join(".local/state")))?;
    Some(state.join("herd-cli").join("history"))
}

/// Whether the file can be used: its directory is there now, for its owner alone, and the file is no monster.
pub(super) fn prepare(file: &Path) -> bool {
    let Some(directory) = file.parent() else { return false };
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let usable = |file: &Path| fs::metadata(file).map_or(true, |file| file.is_file() && file.len() <= FILE_MAX);
    builder.create(directory).is_ok() && usable(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_where_state_belongs() {
        let path = |text: &str| Some(PathBuf::from(text));
        assert_eq!(under(path("/s"), path("/home/me")), path("/s/herd-cli/history"));
        assert_eq!(under(None, path("/home/me")), path("/home/me/.local/state/herd-cli/history"));
        assert_eq!(under(None, None), None);
    }

    #[test]
    fn what_can_not_be_used_is_let_be() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a/herd-cli/history");
        assert!(prepare(&file));
        fs::File::create(&file).unwrap().set_len(FILE_MAX).unwrap();
        assert!(prepare(&file));
        fs::File::create(&file).unwrap().set_len(FILE_MAX + 1).unwrap();
        assert!(!prepare(&file));
        let in_a_file = directory.path().join("a/herd-cli/history/herd-cli/history");
        assert!(!prepare(&in_a_file));
    }
}
