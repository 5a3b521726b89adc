//! A terminal on which a text takes the place of the one before. Plain ANSI, no other screen: what was shown last stays.

use std::env;
use std::io::{self, IsTerminal};

/// Standard output, when that is a terminal that moves its cursor.
#[derive(Debug)]
pub(super) struct Screen(());

impl Screen {
    pub(super) fn of_terminal() -> Option<Self> {
        let is_dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
        (io::stdout().is_terminal() && !is_dumb).then_some(Self(()))
    }

    /// An empty screen without a cursor. Lines that are too long end at its edge: a line is a row.
    #[allow(clippy::unused_self, reason = "there is nothing to begin where there is no screen")]
    pub(super) const fn begin(&self) -> &'static str {
        "\x1b[?25l\x1b[?7l\x1b[2J\x1b[H"
    }

    /// The cursor is there again, and long lines are broken.
    #[allow(clippy::unused_self, reason = "there is nothing to end where there is no screen")]
    pub(super) const fn end(&self) -> &'static str {
        "\x1b[?7h\x1b[?25h"
    }

    /// `text` from the top on, as much of it as there is room for, and nothing else.
    pub(super) fn show(&self, text: &str) -> String {
        let rows = rows().saturating_sub(1).max(1);
        let lines: String = text.lines().take(rows).map(|line| format!("{line}\x1b[K\n")).collect();
        format!("\x1b[H{lines}\x1b[J")
    }
}

/// The rows of the terminal behind standard output; what they have been for fifty years where that is not known.
fn rows() -> usize {
    const ROWS: usize = 24;
    #[cfg(unix)]
    let rows = rustix::termios::tcgetwinsize(io::stdout()).map_or(0, |size| usize::from(size.ws_row));
    #[cfg(not(unix))]
    let rows = 0;
    if rows == 0 { ROWS } else { rows }
}
