//! A small file system fills up under a server.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use herd_node::clock;
use tokio::time::sleep;

use crate::Fault;
use crate::agreement::judge;
use crate::files;
use crate::herd::{Herd, LOOK_EVERY, wait};
use crate::isolation::{Own, is_inside, run_inside, tool};
use crate::latency::Watcher;
use crate::ledger::Ledger;
use crate::load::post;
use crate::plan::Plan;
use crate::report::Report;
use crate::talk::Talk;

const PAIR: [(&str, &str); 1] = [("Riley", "Jaquez")];
/// Some directory. In the suite's own namespace it is the small file system, and everywhere else what it was.
const SMALL: &str = "/run";
/// Room for the journal, for the log, and for what is to be taken away.
const SIZE: &str = "size=8m";
const JOURNAL_BYTES: usize = 1 << 20;
/// Posts while there is no room: more than any buffer hides.
const POSTS: usize = 5_000;
const BATCH: usize = 100;
/// A durable server may take so long to promise again.
const HEAL_MAX: Duration = Duration::from_secs(10);

pub(super) async fn run(is_full: bool) -> Result<Report, Fault> {
    if !is_inside() {
        return run_inside("disk-full", is_full, Own::Mounts).await;
    }
    if let Err(why) = tool(&["mount", "-t", "tmpfs", "-o", SIZE, "none", SMALL]) {
        return Ok(Report::skipped(format!("no file system of the suite's own: {why}")));
    }
    fill(Path::new(SMALL)).await
}

async fn fill(small: &Path) -> Result<Report, Fault> {
    let mut plan = Plan::new(&PAIR)?;
    plan.each(|name, server| {
        if name == "Riley" {
            server.journal = Some(small.join("logs"));
            server.tables = format!(
                "[journal]\ndirectory = \"{}\"\nfile_bytes_max = {JOURNAL_BYTES}\nfiles_kept = 0\n",
                small.join("logs").display()
            );
        }
    });
    let mut with_log = plan.clone();
    let roomy = files::directory()?;
    with_log.each(|name, server| {
        // The other's file says of Riley what Riley's own does; so it has a log, too, where there is room.
        let directory = if name == "Riley" { small } else { &roomy };
        server.keys += if name == "Riley" { "ack = \"durable\"\n" } else { "" };
        server.tables += &format!("[disk]\ndirectory = \"{}\"\n", directory.join("data").display());
    });
    let is_durable = Herd::probe(&with_log).is_ok();
    let injected = "a tmpfs of 8 MiB under the journal".to_owned() + if is_durable { " and the log" } else { "" };
    let mut report = Report { injected, ..Report::default() };
    if !is_durable {
        report.note("without a disk log: this herd-node has none".to_owned());
    }
    let mut herd = Herd::start(if is_durable { with_log } else { plan }).await?;
    let mut ledger = Ledger::default();
    let mut talk = Talk::connect(herd.address("Riley")?).await?;
    post_all(&mut talk, &mut ledger, "before").await?;
    report.expect(ledger.refused == 0, || format!("{} posts refused with room on the disk", ledger.refused));
    let watcher = if is_durable { None } else { Some(Watcher::start(&herd, &["Riley".to_owned()]).await?) };
    let full = clock::monotonic();
    let ballast = ballast(small)?;
    post_all(&mut talk, &mut ledger, "during").await?;
    report.note(format!("{} of {POSTS} posts refused with no room on the disk", ledger.refused));
    report.expect(is_durable == (ledger.refused > 0), || "refused is what can't be kept, and nothing else".to_owned());
    wait("Riley to say on standard error that the journal fails", || {
        herd.stderr("Riley").lines().any(|line| line.contains("journal"))
    })
    .await?;
    if let Some(watcher) = watcher {
        report.note(format!("honest posts with no room: {}", watcher.between(full, clock::monotonic())));
        watcher.stop().await?;
    }
    std::fs::remove_file(ballast)?;
    let healed = clock::monotonic();
    heal(&herd, &mut talk, &mut ledger).await?;
    judge(&mut herd, &ledger, healed, &mut report).await?;
    herd.stderr("Riley").lines().for_each(|line| report.note(without_path(line)));
    Ok(report)
}

/// Posts until posts are promised again and the journal says what it lacks.
async fn heal(herd: &Herd, talk: &mut Talk, ledger: &mut Ledger) -> Result<(), Fault> {
    let begun = clock::monotonic();
    loop {
        let reply = talk.ask(&post("after", clock::posix())).await?;
        ledger.take_down("Riley", &reply)?;
        // On standard error: the journal itself is kept small, and its notice soon thrown away with what is old.
        let says_what_it_lacks = herd.stderr("Riley").contains("lines are written again");
        if reply.starts_with(b"AT ") && says_what_it_lacks {
            return Ok(());
        }
        if begun.elapsed() > HEAL_MAX {
            let (promised, said) = (reply.starts_with(b"AT "), says_what_it_lacks);
            return Err(format!("room again, yet a promise is {promised}, a word about lost lines {said}").into());
        }
        sleep(LOOK_EVERY).await;
    }
}

async fn post_all(talk: &mut Talk, ledger: &mut Ledger, when: &str) -> Result<(), Fault> {
    for first in (0..POSTS).step_by(BATCH) {
        let clients = first..first + BATCH;
        let posts: String = clients.map(|number| post(&format!("{when}-{number}"), clock::posix()) + "\n").collect();
        talk.send(posts.as_bytes()).await?;
        for _ in 0..BATCH {
            ledger.take_down("Riley", &talk.line().await?.ok_or("closed by a server with a full disk")?)?;
        }
    }
    Ok(())
}

/// Takes all room there is.
fn ballast(directory: &Path) -> Result<PathBuf, Fault> {
    let path = directory.join("ballast");
    let mut file = File::create(&path)?;
    for piece in [vec![0; 64 * 1024], vec![0; 1]] {
        while file.write_all(&piece).is_ok() {}
    }
    Ok(path)
}

/// Of `herd-node: journal /tmp/…/Riley.log: …` what does not change from run to run.
fn without_path(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').filter(|word| !word.starts_with('/')).collect();
    format!("it said: {}", words.join(" "))
}
