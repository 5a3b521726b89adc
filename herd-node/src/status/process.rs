//! What the process uses of the machine, where the system tells (Linux's `/proc`).

use std::fs;

/// Files that are open.
pub(crate) fn open_files() -> Option<u64> {
    // Since Linux 6.2 their number is the size of the directory; before, that is 0, and they have to be counted.
    let size = fs::metadata("/proc/self/fd").ok()?.len();
    if size > 0 {
        return Some(size);
    }
    // One of them is the one that reads the directory.
    let entries = fs::read_dir("/proc/self/fd").ok()?.count();
    u64::try_from(entries.saturating_sub(1)).ok()
}

/// Files that may be open.
pub(crate) fn files_max() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

/// Bytes of memory that it holds.
#[cfg(feature = "admin")]
pub(crate) fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}
