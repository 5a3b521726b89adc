//! What must be seen now and then: a simulation that no longer does what it is there for must not go on saying that all is well.

use std::collections::BTreeMap;

/// What 2,000 histories, the run that is made of each commit, must see at least [`OFTEN`] times each.
const SEEN: [&[&str]; 6] = [
    &[
        "fault BlackHole",
        "fault BothDial",
        "fault Break",
        "fault ClockStep",
        "fault Crash",
        "fault CrashAll",
        "fault CrashAllBut",
        "fault Flap",
        "fault HalfOpen",
        "fault Impostor",
        "fault Join",
        "fault Lapse",
        "fault OneWay",
        "fault Partition",
        "fault Pause",
        "fault PowerLoss",
        "fault Redial",
        "fault Rotate",
        "fault Slow",
        "fault Stranger",
        "fault Tune",
        "fault Unlink",
        "dial beside a link",
        "dial refused",
        "dial timed out",
        "peer added",
        "peer removed",
        "update not taken in",
    ],
    &[
        "stranger BadProof",
        "stranger Drip",
        "stranger Flood",
        "stranger Garbage",
        "stranger HelloOnly",
        "stranger LateHello",
        "stranger NoPeer",
        "stranger OtherHerd",
        "stranger OtherName",
        "stranger OtherSettings",
        "stranger OutOfOrder",
        "stranger OverLong",
        "stranger OwnBoot",
        "stranger OtherVersion",
        "stranger SameName",
        "stranger Silence",
    ],
    &["AT", "AUTH", "BYE", "DIG", "ERR", "GET", "HELLO", "LST", "PING", "PONG", "READY", "ACK"],
    &[
        "error bad-auth",
        "error bad-message",
        "error busy",
        "error duplicate-name",
        "error self-dial",
        "error settings",
        "error timeout",
        "error unknown-peer",
        "error wrong-herd",
        "error wrong-name",
        "error wrong-version",
        "close: Error",
        "close: Lost",
        "close: PeerBye",
        "close: PeerError",
        "close: Removed",
        "close: Replaced",
        "close: Silent",
    ],
    &["decided by Bytes", "decided by Origin", "decided by Skew", "decided by Time", "post Known", "post Newer"],
    &[
        "commit",
        "reply that can't tell",
        "reply with copies",
        "cost judged under load",
        "record alive on all clocks",
        "link up",
        "link up in agreement",
        "reconcile Always",
        "reconcile AtConnect",
        "reconcile Dump",
        "servers with disks",
    ],
];

/// How often in [`RUN`] histories.
const OFTEN: u64 = 100;
const RUN: u64 = 2_000;
/// Of fewer histories nothing can be said.
const FEWEST: u64 = 300;

/// What was seen too rarely in so many histories, and how often it was.
pub(crate) fn too_rare(seen: &BTreeMap<String, u64>, histories: u64) -> Vec<(&'static str, u64)> {
    let wanted = match histories {
        RUN.. => OFTEN,
        // What is rare may by chance be rarer still in a few.
        FEWEST..RUN => OFTEN * histories / RUN / 3,
        _ => 0,
    };
    let times = |what: &'static str| (what, seen.get(what).copied().unwrap_or_default());
    SEEN.into_iter().flatten().map(|what| times(what)).filter(|(_, times)| *times < wanted).collect()
}

#[test]
fn what_is_never_seen_is_too_rare() {
    let mut seen: BTreeMap<String, u64> = SEEN.into_iter().flatten().map(|what| ((*what).to_owned(), OFTEN)).collect();
    assert_eq!(too_rare(&seen, RUN), []);
    seen.insert("GET".to_owned(), OFTEN / 2);
    assert_eq!(too_rare(&seen, RUN), [("GET", OFTEN / 2)]);
    assert_eq!(too_rare(&seen, RUN - 1), []);
    seen.remove("AT");
    assert_eq!(too_rare(&seen, RUN / 4), [("AT", 0)]);
}
