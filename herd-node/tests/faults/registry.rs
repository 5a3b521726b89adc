//! Which processes of ours are running: so that none is left behind, however the suite ends.

use std::collections::BTreeMap;
use std::io;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// Ids, and the signal that ends each. `None` once all are to end: nothing is started after that.
static RUNNING: Mutex<Option<BTreeMap<u32, Signal>>> = Mutex::new(Some(BTreeMap::new()));

/// How often a process is asked whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(2);

fn running() -> MutexGuard<'static, Option<BTreeMap<u32, Signal>>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a process that `ending` ends.
pub(crate) fn spawn(command: &mut Command, ending: Signal) -> io::Result<Child> {
    let mut running = running();
    let Some(running) = running.as_mut() else {
        return Err(io::Error::other("the suite is ending"));
    };
    let child = command.spawn()?;
    running.insert(child.id(), ending);
    Ok(child)
}

/// Whether `child` has ended, and how. Its id is somebody else's from then on, and is forgotten in the same moment.
pub(crate) fn ended(child: &mut Child) -> io::Result<Option<ExitStatus>> {
    let mut running = running();
    let status = child.try_wait()?;
    if let (Some(_), Some(running)) = (status, running.as_mut()) {
        running.remove(&child.id());
    }
    Ok(status)
}

/// Waits until `child` has ended. For a process that was told to end: this holds the thread up.
pub(crate) fn reap(child: &mut Child) -> io::Result<ExitStatus> {
    loop {
        if let Some(status) = ended(child)? {
            return Ok(status);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Ends whatever is running.
pub(crate) fn kill_all() {
    for (id, ending) in running().take().into_iter().flatten() {
        if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
            // It may have ended by itself; nobody has waited for it, so the id is still its own.
            let _ = kill_process(pid, ending);
        }
    }
}
