//! `herd-cli digest`: asks the servers of a herd what they hold, and says whether it is the same.
//!
//! Servers live while they are asked, so two that agree may seem to differ for a moment: they are asked again before that is said.

mod targets;
mod verdict;

use std::time::Duration;

use herd_cli::{AdminError, AdminServer, ServerStatus};
use tokio::task::JoinSet;

use crate::fault::{Fault, causes};

pub(crate) use targets::{Target, targets};
pub(crate) use verdict::{Verdict, grouped};

/// The pause before servers are asked again, at first and in the end.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// Who is asked again before something is said of them, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    time: Duration,
    /// Besides those that differ, those that have not answered and may.
    is_for_all: bool,
}

impl Wait {
    /// For servers that differ, unless told otherwise.
    pub(crate) const USUAL: Self = Self::to_settle(Duration::from_secs(2));

    /// For servers that differ: they may just be telling each other. That one is down is said at once.
    pub(crate) const fn to_settle(time: Duration) -> Self {
        Self { time, is_for_all: false }
    }

    /// Until all answer and agree: some may still have to start, or to read their disk.
    pub(crate) const fn to_agree(time: Duration) -> Self {
        Self { time, is_for_all: true }
    }

    fn is_worth_it(self, report: &Report) -> bool {
        report.verdict.differs() || (self.is_for_all && report.rows.iter().any(|row| row.may_come))
    }
}

/// What came of asking one server: its status, or why there is none.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) target: Target,
    pub(crate) status: Result<ServerStatus, String>,
    /// It has not answered, and by itself it may: it is down, or reads its disk. A mistake of whoever asks is still there later.
    pub(super) may_come: bool,
}

impl Row {
    /// The server's name; of one that gave none, what it was asked by.
    pub(crate) fn name(&self) -> &str {
        self.status.as_ref().map_or(&self.target.name, |status| &status.name)
    }
}

/// What all of them said, and what follows from it.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
    pub(crate) verdict: Verdict,
}

/// Asks all `targets`, and those again and again for whom `wait` is.
pub(crate) async fn compare(targets: &[Target], timeout: Duration, wait: Wait) -> Report {
    let mut report = ask_all(targets, timeout).await;
    let settle = async {
        let mut pause = PAUSE_MIN;
        while wait.is_worth_it(&report) {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
            report = ask_all(targets, timeout).await;
        }
    };
    // Whichever answers were the last to be complete are those that count.
    let _ = tokio::time::timeout(wait.time, settle).await;
    report
}

/// All at once, so that what they say is of the same moment as nearly as can be.
async fn ask_all(targets: &[Target], timeout: Duration) -> Report {
    let mut asked = JoinSet::new();
    for (index, target) in targets.iter().enumerate() {
        let target = target.clone();
        asked.spawn(async move { (index, ask(target, timeout).await) });
    }
    let mut rows = asked.join_all().await;
    rows.sort_by_key(|(index, _)| *index);
    let mut rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    refuse_repetitions(&mut rows);
    Report { verdict: Verdict::of(&rows), rows }
}

async fn ask(target: Target, timeout: Duration) -> Row {
    let answer = match &target.address {
        Ok(address) => {
            let server = AdminServer::new(address.clone(), timeout).with_token(target.token.clone());
            server.status().await.map_err(|error| (reason(&error), may_come(&error)))
        }
        Err(why) => Err(((*why).to_owned(), false)),
    };
    let may_come = matches!(answer, Err((_, true)));
    let status = answer.map_err(|(why, _)| why).and_then(|status| match &target.expected {
        Some(name) if *name != status.name => Err(format!("{} answers there", status.name)),
        _ => Ok(status),
    });
    Row { target, status, may_come }
}

/// Whether asking again may help though nobody does anything about it.
const fn may_come(error: &AdminError) -> bool {
    match error {
        AdminError::Unreachable { .. } | AdminError::TimedOut { .. } | AdminError::NotHttp { .. } => true,
        AdminError::Refused { status, .. } => *status == 503,
        _ => false,
    }
}

/// Where the address is known already, it need not be said again.
fn reason(error: &AdminError) -> String {
    match error {
        AdminError::Unreachable { source, .. } => causes(source),
        AdminError::TimedOut { timeout, .. } => format!("no answer within {} s", timeout.as_secs_f64()),
        AdminError::NotHttp { source, .. } => format!("no HTTP answer: {}", causes(source)),
        AdminError::Refused { status: 401, .. } => {
            "it wants a token, and is shown none or another: --token-file, HERD_ADMIN_TOKEN".to_owned()
        }
        AdminError::Refused { status: 503, .. } => "it can't say: it still reads its disk, or too many ask".to_owned(),
        AdminError::Refused { status, .. } => format!("HTTP status {status}"),
        AdminError::NotAStatus { why, .. } => format!("the answer is no server's status: {why}"),
        other => causes(other),
    }
}

/// One server under two addresses would agree with itself.
fn refuse_repetitions(rows: &mut [Row]) {
    for index in 1..rows.len() {
        let (before, rest) = rows.split_at_mut(index);
        let Some(row) = rest.first_mut() else { return };
        let Ok(status) = &row.status else { continue };
        let is_same = |other: &Row| other.status.as_ref().is_ok_and(|other| other.name == status.name);
        if before.iter().any(is_same) {
            row.status = Err(format!("{} answers there, and elsewhere too", status.name));
        }
    }
}

impl From<&Report> for crate::exit::ExitCode {
    fn from(report: &Report) -> Self {
        report.verdict.code()
    }
}

/// A fault of the command line that clap can't see.
pub(crate) fn usage(what: impl Into<String>) -> Fault {
    Fault::Usage(what.into())
}
