//! Servers in network namespaces of their own, joined by a router that loses what it is told to lose.
//!
//! All of it is in namespaces of the suite's own: the router is the network that this process was started in.

use std::net::SocketAddr;
use std::time::Duration;

use herd_node::clock;
use tokio::time::sleep;

use crate::Fault;
use crate::agreement::judge;
use crate::herd::Herd;
use crate::isolation::{Own, is_inside, run_inside, tool};
use crate::load::{Load, Pace};
use crate::plan::Plan;
use crate::process::find;
use crate::report::Report;

/// A ring of three: each reaches each other by two ways.
const RING: [(&str, &str); 3] = [("Riley", "Jaquez"), ("Jaquez", "Juzang"), ("Juzang", "Riley")];
const HASTY: &str = "[replication]\nping_ms = 300\ndead_ms = 1500\nbackoff_max_ms = 500\n";
const CLIENT_PORT: u16 = 12_000;
const PEER_PORT: u16 = 13_000;

/// What goes dead: from one server to another, by their numbers.
const CUTS: [(&str, &[(u8, u8)]); 5] = [
    ("Riley to Jaquez", &[(0, 1)]),
    ("both ways between them", &[(0, 1), (1, 0)]),
    ("all to Juzang", &[(0, 2), (1, 2)]),
    ("all from Juzang", &[(2, 0), (2, 1)]),
    ("all around Riley", &[(0, 1), (1, 0), (0, 2), (2, 0)]),
];

/// One direction between two servers goes dead, then both, then all around one server.
pub(super) async fn half_open(is_full: bool) -> Result<Report, Fault> {
    if !is_inside() {
        return run_inside("half-open", is_full, Own::MountsAndNetwork).await;
    }
    let probe = || set_dead("add", CUTS[0].1).and_then(|()| set_dead("del", CUTS[0].1));
    if let Err(why) = lay_network().and_then(|()| probe()) {
        return Ok(Report::skipped(format!("no network of the suite's own: {why}")));
    }
    // More than the time after which a silent peer is dead.
    let time = Duration::from_millis(if is_full { 6_000 } else { 2_200 });
    let cuts = if is_full { &CUTS[..] } else { &CUTS[3..] };
    let mut herd = Herd::start(plan()?).await?;
    let load = Load::start(&herd, &herd.names(), Pace::MODERATE)?;
    let mut healed = clock::monotonic();
    for (what, directions) in cuts {
        eprintln!("faults: half-open: {what}");
        set_dead("add", directions)?;
        sleep(time).await;
        set_dead("del", directions)?;
        healed = clock::monotonic();
        herd.wait_linked().await?;
    }
    let what: Vec<&str> = cuts.iter().map(|(what, _)| *what).collect();
    let mut report = Report { injected: what.join("; "), ..Report::default() };
    judge(&mut herd, &load.stop().await?, healed, &mut report).await?;
    let lost: usize = herd.names().iter().map(|name| herd.count_events(name, "link-lost ")).sum();
    report.note(format!("{lost} links were lost"));
    report.expect(lost > 0, || "no link was ever lost: nothing was injected".to_owned());
    Ok(report)
}

/// 1, 5 and 10 % of all packets between servers are lost.
pub(super) async fn lossy(is_full: bool) -> Result<Report, Fault> {
    if !is_inside() {
        return run_inside("lossy", is_full, Own::MountsAndNetwork).await;
    }
    if find("iptables").is_none() {
        return Ok(Report::skipped("needs iptables, which is not installed"));
    }
    if let Err(why) = lay_network().and_then(|()| set_loss("-A", "0.01")).and_then(|()| set_loss("-D", "0.01")) {
        return Ok(Report::skipped(format!("no lossy network of the suite's own: {why}")));
    }
    let time = Duration::from_millis(if is_full { 10_000 } else { 700 });
    let mut herd = Herd::start(plan()?).await?;
    let load = Load::start(&herd, &herd.names(), Pace::MODERATE)?;
    let mut lost_packets = 0;
    for share in ["0.01", "0.05", "0.10"] {
        eprintln!("faults: lossy: {share}");
        set_loss("-A", share)?;
        sleep(time).await;
        lost_packets += count_lost()?;
        set_loss("-D", share)?;
    }
    let healed = clock::monotonic();
    let mut report =
        Report { injected: "1, 5 and 10 % of the packets between servers".to_owned(), ..Report::default() };
    judge(&mut herd, &load.stop().await?, healed, &mut report).await?;
    let lost: usize = herd.names().iter().map(|name| herd.count_events(name, "link-lost ")).sum();
    report.note(format!("{lost_packets} packets and {lost} links were lost"));
    report.expect(lost_packets > 0, || "no packet was ever lost: nothing was injected".to_owned());
    Ok(report)
}

fn plan() -> Result<Plan, Fault> {
    let mut plan = Plan::new(&RING)?;
    // Others than ourselves could connect to such addresses, if there were others.
    plan.has_secret = true;
    HASTY.clone_into(&mut plan.tables);
    for (number, (name, server)) in (0..).zip(&mut plan.servers) {
        let number = order(name).unwrap_or(number);
        server.client = SocketAddr::from(([10, 77, number, 2], CLIENT_PORT));
        server.peer = SocketAddr::from(([10, 77, number, 2], PEER_PORT));
        let ip = find("ip").ok_or("no ip (iproute2)")?;
        server.prefix = [&*ip.to_string_lossy(), "netns", "exec", &space(number)].map(str::to_owned).into();
    }
    Ok(plan)
}

/// Riley is 0, Jaquez 1 and Juzang 2.
fn order(name: &str) -> Option<u8> {
    (0..).zip(RING).find_map(|(number, (left, _))| (left == name).then_some(number))
}

fn space(number: u8) -> String {
    format!("server{number}")
}

/// A namespace for each server, and a line from each to here.
fn lay_network() -> Result<(), Fault> {
    // What `ip netns` keeps there is in no other process's sight.
    tool(&["mount", "-t", "tmpfs", "none", "/run"])?;
    tool(&["ip", "link", "set", "lo", "up"])?;
    std::fs::write("/proc/sys/net/ipv4/ip_forward", "1")?;
    for number in 0..3_u8 {
        let (space, line) = (space(number), line(number));
        let [here, there] = [1, 2].map(|host| format!("10.77.{number}.{host}"));
        let within = |words: &[&str]| tool(&[&["ip", "-n", &space], words].concat());
        tool(&["ip", "netns", "add", &space])?;
        tool(&["ip", "link", "add", &line, "type", "veth", "peer", "name", "eth0", "netns", &space])?;
        tool(&["ip", "address", "add", &format!("{here}/24"), "dev", &line])?;
        tool(&["ip", "link", "set", &line, "up"])?;
        within(&["link", "set", "lo", "up"])?;
        within(&["address", "add", &format!("{there}/24"), "dev", "eth0"])?;
        within(&["link", "set", "eth0", "up"])?;
        within(&["route", "add", "default", "via", &here])?;
    }
    Ok(())
}

fn line(number: u8) -> String {
    format!("line{number}")
}

/// Has the router lose, or no longer lose, what goes from one server to another, without a word to anybody.
fn set_dead(verb: &str, directions: &[(u8, u8)]) -> Result<(), Fault> {
    for (from, to) in directions {
        let target = format!("10.77.{to}.2");
        tool(&["ip", "rule", verb, "iif", &line(*from), "to", &target, "priority", "1", "blackhole"])?;
    }
    Ok(())
}

fn set_loss(verb: &str, share: &str) -> Result<(), Fault> {
    let statistic = ["-m", "statistic", "--mode", "random", "--probability", share, "-j", "DROP"];
    tool(&[&["iptables", verb, "FORWARD"][..], &statistic].concat()).map(drop)
}

/// The packets that the present rule has dropped: the first column of the line that says DROP.
fn count_lost() -> Result<u64, Fault> {
    let rules = tool(&["iptables", "-L", "FORWARD", "-v", "-x", "-n"])?;
    let rule = rules.lines().find(|line| line.split_whitespace().nth(2) == Some("DROP"));
    Ok(rule.and_then(|rule| rule.split_whitespace().next()).ok_or("no such rule")?.parse()?)
}
