//! What the tests share: herds, clients, and stand-ins for everything around them.

pub(crate) mod child;
pub(crate) mod client;
pub(crate) mod herd;
pub(crate) mod mock;
pub(crate) mod peer;
pub(crate) mod proxy;

use std::path::Path;
use std::time::Duration;

pub(crate) use client::Client;
pub(crate) use herd::TestHerd;

/// How long anything may take before a test says that it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Waits for `work`, and fails instead of hanging.
#[track_caller]
pub(crate) fn soon<T>(what: &str, work: impl Future<Output = T>) -> impl Future<Output = T> {
    let (what, caller) = (what.to_owned(), std::panic::Location::caller());
    async move {
        match tokio::time::timeout(PATIENCE, work).await {
            Ok(result) => result,
            Err(_) => panic!("{caller}: waited too long for {what}"),
        }
    }
}

/// Waits until the file at `path` is as `is_right` wants it, and returns it.
#[track_caller]
pub(crate) fn file_with(path: &Path, what: &str, is_right: impl Fn(&str) -> bool) -> impl Future<Output = String> {
    let path = path.to_owned();
    soon(what, async move {
        loop {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            if is_right(&text) {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
}

/// The current time as clients write it, some seconds on.
pub(crate) fn posix(seconds_on: i64) -> String {
    let now = herd_node::clock::posix();
    format!("{}.{:09}", now.seconds().saturating_add_signed(seconds_on), now.nanos())
}

/// Numbers that look random and are the same each time.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (crate::splitmix::next(&mut self.0) % end as u64) as usize
    }
}
