//! The oracle: every server is asked about every client.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::Fault;
use super::herd::Herd;
use super::ledger::{Known, Ledger};
use super::report::Report;
use super::talk::Talk;

/// Servers that can reach each other agree within this time (hardening: real processes within 10 s).
pub(crate) const AGREE_WITHIN: Duration = Duration::from_secs(10);
const PASS_PAUSE: Duration = Duration::from_millis(20);
const TELL_EVERY: Duration = Duration::from_secs(2);
/// How many of a kind are named in a report.
const NAMED_MAX: usize = 3;

/// What servers said of a client, in their order.
type Answers = Vec<Option<Known>>;

/// What was found.
#[derive(Debug)]
pub(crate) struct Agreement {
    /// From the heal until every server gave the same answers, none older than what was acknowledged.
    pub(crate) took: Option<Duration>,
    /// Clients of which some server knows nothing, or something older than was acknowledged.
    pub(crate) lost: Vec<String>,
    /// Clients of which the servers say different things.
    pub(crate) disputed: Vec<String>,
    /// What each server says of one of those.
    pub(crate) example: String,
}

/// Asks `servers` about all clients of `ledger` until they agree, or too much time has passed since `healed`. What `may_be_lost`
/// is named in `lost` all the same, but nobody waits for it.
pub(crate) async fn agree(
    herd: &Herd,
    servers: &[String],
    ledger: &Ledger,
    healed: Instant,
    may_be_lost: impl Fn(&str) -> bool,
) -> Result<Agreement, Fault> {
    let clients = ledger.clients();
    let mut pending: Vec<&str> = clients.iter().map(String::as_str).collect();
    let (mut took, mut told) = (None, Duration::ZERO);
    while took.is_none() && healed.elapsed() <= AGREE_WITHIN {
        let answers = ask_all(herd, servers, &pending).await?;
        let is_fine = |client: &str| {
            let said = answers.get(client).map(Vec::as_slice).unwrap_or_default();
            is_agreed(said) && (may_be_lost(client) || !is_lost(ledger, client, said))
        };
        pending.retain(|client| !is_fine(client));
        if pending.is_empty() {
            took = Some(healed.elapsed());
        } else {
            // A bar of sorts: in nearly every scene it is never seen.
            if healed.elapsed() > told + TELL_EVERY {
                told = healed.elapsed();
                eprintln!(
                    "faults: after {:.1} s {} of {} are not agreed on",
                    told.as_secs_f64(),
                    pending.len(),
                    clients.len()
                );
            }
            sleep(PASS_PAUSE).await;
        }
    }
    // Once more about all of them: what was right must be right still.
    let all: Vec<&str> = clients.iter().map(String::as_str).collect();
    let answers = ask_all(herd, servers, &all).await?;
    let named = |is_wanted: &dyn Fn(&str, &[Option<Known>]) -> bool| -> Vec<String> {
        answers.iter().filter(|(client, said)| is_wanted(client, said)).map(|(client, _)| client.clone()).collect()
    };
    let lost = named(&|client, said| is_lost(ledger, client, said));
    let disputed = named(&|_, said| !is_agreed(said));
    let example = disputed.first().and_then(|client| answers.get(client)).map(|said| {
        let says = |known: &Option<Known>| known.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
        let said = servers.iter().zip(said).map(|(server, known)| format!("{server} says {}", says(known)));
        said.collect::<Vec<String>>().join("; ")
    });
    let took = took.filter(|_| disputed.is_empty());
    Ok(Agreement { took, lost, disputed, example: example.unwrap_or_default() })
}

fn is_agreed(answers: &[Option<Known>]) -> bool {
    answers.windows(2).all(|pair| pair[0] == pair[1])
}

fn is_lost(ledger: &Ledger, client: &str, answers: &[Option<Known>]) -> bool {
    let wanted = ledger.get(client).map(|entry| &entry.known);
    answers.iter().any(|answer| answer.as_ref() < wanted)
}

/// All servers at once.
async fn ask_all(herd: &Herd, servers: &[String], clients: &[&str]) -> Result<HashMap<String, Answers>, Fault> {
    let asked: Arc<[String]> = clients.iter().map(|client| (*client).to_owned()).collect();
    let mut asking = Vec::new();
    for server in servers {
        let (address, asked) = (herd.address(server)?, Arc::clone(&asked));
        asking.push(tokio::spawn(async move {
            let clients: Vec<&str> = asked.iter().map(String::as_str).collect();
            Talk::connect(address).await?.whereabouts(&clients).await
        }));
    }
    let mut all: HashMap<String, Answers> = clients.iter().map(|client| ((*client).to_owned(), Vec::new())).collect();
    for answers in asking {
        for (client, answer) in clients.iter().zip(answers.await??) {
            all.entry((*client).to_owned()).or_default().push(answer);
        }
    }
    Ok(all)
}

/// Lets the oracle speak, and takes down what it says: nothing may be lost.
pub(crate) async fn judge(herd: &mut Herd, ledger: &Ledger, healed: Instant, report: &mut Report) -> Result<(), Fault> {
    let agreement = agree(herd, &herd.names(), ledger, healed, |_| false).await?;
    report.acknowledged = ledger.acknowledged;
    report.lost = agreement.lost.len() as u64;
    report.expect(agreement.lost.is_empty(), || few("acknowledged and not everywhere", &agreement.lost));
    conclude(herd, &agreement, report);
    Ok(())
}

/// The part of the verdict that is the same whatever may be lost: agreement, and nobody has fallen.
pub(crate) fn conclude(herd: &mut Herd, agreement: &Agreement, report: &mut Report) {
    report.agreement = agreement.took;
    report.expect(agreement.disputed.is_empty(), || {
        format!("{}; of the first {}", few("told differently", &agreement.disputed), agreement.example)
    });
    report.expect(agreement.took.is_some(), || format!("no agreement within {} s", AGREE_WITHIN.as_secs()));
    let fallen = herd.fallen();
    report.expect(fallen.is_empty(), || few("servers that ended by themselves", &fallen));
}

/// Some of `names`, for a message.
pub(crate) fn few(what: &str, names: &[String]) -> String {
    let named: Vec<&str> = names.iter().take(NAMED_MAX).map(String::as_str).collect();
    let more = if names.len() > NAMED_MAX { ", …" } else { "" };
    format!("{} {what}: {}{more}", names.len(), named.join(", "))
}
