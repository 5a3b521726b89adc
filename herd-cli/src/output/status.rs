//! How the servers of a herd are: each on a line, then their links, what is wrong, and whether they hold the same.

use std::fmt::Write;

use herd_cli::{Alarm, PeerStatus, ServerStatus};
use herd_proto::Escaped;
use serde::Serialize;

use super::digest::verdict_json;
use super::style::{Role, Style};
use super::table::{self, Align};
use super::units;
use crate::digest::{Report, Row, grouped};

/// Digits of a root that are shown in a table: those of the sentence under it.
const ROOT_DIGITS: usize = 12;

/// A table of servers, one of links, the alarms, and the verdict.
pub(super) fn human(report: &Report, style: Style, width: usize) -> String {
    let mut out = servers(report, style, width);
    out += &links(report, style, width);
    for (server, alarm) in alarms(report) {
        for line in folded(&format!("{server}: {}", alarm_text(alarm)), width) {
            let _ = writeln!(out, "{}", style.paint(Role::Bad, line));
        }
    }
    if alarms(report).next().is_some() {
        out.push('\n');
    }
    let role = if report.verdict.agree() { Role::Strong } else { Role::Bad };
    for line in folded(&escaped(&report.verdict.sentence), width) {
        let _ = writeln!(out, "{}", style.paint(role, line));
    }
    out
}

fn servers(report: &Report, style: Style, width: usize) -> String {
    let head = ["SERVER", "STATE", "UPTIME", "VERSION", "CLIENTS", "RECORDS", "POSTS/S", "LINKS", "ROOT"];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(report.rows.iter().map(server_cells));
    let aligns = [
        Align::Left,
        Align::Left,
        Align::Right,
        Align::Left,
        Align::Right,
        Align::Right,
        Align::Right,
        Align::Right,
        Align::Left,
    ];
    let is_good = |row: &Row| row.status.as_ref().is_ok_and(|status| is_ready(status) && status.alarms.is_empty());
    painted(&table::lines(aligns, &rows, width), report.rows.iter().map(is_good), style)
}

fn server_cells(row: &Row) -> [String; 9] {
    let name = escaped(row.name());
    match &row.status {
        Ok(status) => {
            let up = status.peers.iter().filter(|peer| peer.is_connected()).count();
            [
                name,
                state(status),
                or_dash(status.uptime_ms.map(|millis| units::span(u128::from(millis / 1_000)))),
                or_dash(status.version.as_deref().map(escaped)),
                or_dash(status.clients.map(grouped)),
                grouped(status.records),
                or_dash(status.posts_per_s.map(|rate| format!("{rate:.1}"))),
                format!("{up}/{}", status.peers.len()),
                status.root.get(..ROOT_DIGITS).unwrap_or(&status.root).to_owned(),
            ]
        }
        Err(why) => {
            let [uptime, version, clients, records, posts, links, root] = ["-"; 7].map(str::to_owned);
            [name, format!("down: {}", escaped(why)), uptime, version, clients, records, posts, links, root]
        }
    }
}

/// `ready`, or why not; `up`, of a server that does not say.
fn state(status: &ServerStatus) -> String {
    match &status.ready {
        None => "up".to_owned(),
        Some(ready) if ready.ready => "ready".to_owned(),
        Some(ready) => format!("not ready: {}", escaped(ready.why.as_deref().unwrap_or("it does not say why"))),
    }
}

fn is_ready(status: &ServerStatus) -> bool {
    status.ready.as_ref().is_none_or(|ready| ready.ready)
}

/// A link as both ends see it: the one that was asked first, and the other.
struct Link<'a> {
    ends: [&'a str; 2],
    seen: [Option<&'a PeerStatus>; 2],
}

/// Every link once, in the order of the servers.
fn links_of(report: &Report) -> Vec<Link<'_>> {
    let mut links: Vec<Link<'_>> = Vec::new();
    for status in answers(report) {
        for peer in &status.peers {
            let ends = [status.name.as_str(), peer.name.as_str()];
            match links.iter_mut().find(|link| link.ends == [ends[1], ends[0]]) {
                Some(link) => link.seen[1] = Some(peer),
                None => links.push(Link { ends, seen: [Some(peer), None] }),
            }
        }
    }
    links
}

fn answers(report: &Report) -> impl Iterator<Item = &ServerStatus> {
    report.rows.iter().filter_map(|row| row.status.as_ref().ok())
}

fn links(report: &Report, style: Style, width: usize) -> String {
    let links = links_of(report);
    if links.is_empty() {
        return "\n".to_owned();
    }
    let mut rows = vec![["LINK", "STATE", "IN SYNC", "QUEUED", "HEARD", "LAST END"].map(str::to_owned)];
    rows.extend(links.iter().map(Link::cells));
    let aligns = [Align::Left, Align::Left, Align::Left, Align::Right, Align::Right, Align::Left];
    let lines = table::lines(aligns, &rows, width);
    format!("\n{}\n", painted(&lines, links.iter().map(Link::is_up), style))
}

impl Link<'_> {
    fn is_up(&self) -> bool {
        self.seen.iter().flatten().all(|peer| peer.is_connected())
    }

    fn cells(&self) -> [String; 6] {
        let [near, far] = self.ends.map(escaped);
        let in_sync = |peer: &PeerStatus| if peer.in_sync { "yes" } else { "no" }.to_owned();
        let heard = |peer: &PeerStatus| peer.heard_ms.map(|millis| format!("{:.1} s", millis as f64 / 1_000.0));
        // Of a link that is up its last end is history.
        let closed = |peer: &PeerStatus| {
            let closed = peer.closed.as_ref().filter(|_| !peer.is_connected())?;
            Some(format!("{}, {} ago", escaped(&closed.why), units::span(u128::from(closed.ago_ms / 1_000))))
        };
        [
            format!("{near} - {far}"),
            self.both(|peer| Some(escaped(&peer.state))),
            self.both(|peer| Some(in_sync(peer))),
            self.both(|peer| peer.dirty.map(grouped)),
            self.both(heard),
            self.seen.iter().flatten().find_map(|peer| closed(peer)).unwrap_or_default(),
        ]
    }

    /// What both ends say: once, where it is the same.
    fn both(&self, say: impl Fn(&PeerStatus) -> Option<String>) -> String {
        let [near, far] = self.seen.map(|peer| peer.map(|peer| or_dash(say(peer))));
        match (near, far) {
            (Some(near), Some(far)) if near != far => format!("{near} / {far}"),
            (Some(one), _) | (None, Some(one)) => one,
            (None, None) => or_dash(None),
        }
    }
}

/// The head faint, what is not good red.
fn painted(lines: &[String], is_good: impl Iterator<Item = bool>, style: Style) -> String {
    let mut out = String::new();
    let mut lines = lines.iter();
    if let Some(head) = lines.next() {
        let _ = writeln!(out, "{}", style.paint(Role::Faint, head));
    }
    for (line, is_good) in lines.zip(is_good) {
        let _ = if is_good { writeln!(out, "{line}") } else { writeln!(out, "{}", style.paint(Role::Bad, line)) };
    }
    out
}

fn alarms(report: &Report) -> impl Iterator<Item = (String, &Alarm)> {
    answers(report).flat_map(|status| status.alarms.iter().map(|alarm| (escaped(&status.name), alarm)))
}

/// `link_down Juzang, 12 s: no connection`.
fn alarm_text(alarm: &Alarm) -> String {
    let peer = alarm.peer.as_deref().map(|peer| format!(" {}", escaped(peer))).unwrap_or_default();
    let since = alarm.since_ms.map(|millis| format!(", {}", units::span(u128::from(millis / 1_000))));
    let text = alarm.text.as_deref().map(|text| format!(": {}", escaped(text))).unwrap_or_default();
    format!("{}{peer}{}{text}", escaped(&alarm.alarm), since.unwrap_or_default())
}

/// `text` in lines of at most `width` characters, broken between words where there are any.
fn folded(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last().map_or(0, |line| line.chars().count());
        match lines.last_mut() {
            Some(last) if line == 0 => last.push_str(word),
            Some(last) if line + 1 + word.chars().count() <= width => last.extend([" ", word]),
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The same for programs: what a line is, and fields with tabs between them. A server's view of a link is a line.
pub(super) fn raw(report: &Report) -> String {
    let mut out = String::new();
    let number = |number: Option<u64>| or_dash(number.map(|number| number.to_string()));
    for row in &report.rows {
        let cells = match &row.status {
            Ok(status) => {
                let [name, state, _, version, .., links, _] = server_cells(row);
                let (uptime, clients) = (number(status.uptime_ms), number(status.clients));
                let (records, root) = (status.records.to_string(), status.root.clone());
                let posts = or_dash(status.posts_per_s.map(|rate| rate.to_string()));
                [name, state, uptime, version, clients, records, posts, links, root]
            }
            Err(_) => server_cells(row),
        };
        let _ = writeln!(out, "server\t{}", cells.join("\t"));
    }
    for status in answers(report) {
        for peer in &status.peers {
            let (name, to, state) = (escaped(&status.name), escaped(&peer.name), escaped(&peer.state));
            let (queue, heard) = (number(peer.dirty), number(peer.heard_ms));
            let in_sync = if peer.in_sync { "yes" } else { "no" };
            let _ = writeln!(out, "link\t{name}\t{to}\t{state}\t{in_sync}\t{queue}\t{heard}");
        }
    }
    for (server, alarm) in alarms(report) {
        let _ = writeln!(out, "alarm\t{server}\t{}", alarm_text(alarm));
    }
    let _ = writeln!(out, "{}", escaped(&report.verdict.sentence));
    out
}

/// The same as JSON, one object a line. The schema is documented in this crate's README.
pub(super) fn json(report: &Report) -> String {
    let lines = report.rows.iter().map(line);
    let lines = lines.map(|line| super::json::compact(&serde_json::to_string(&line).unwrap_or_default()) + "\n");
    lines.chain([verdict_json(report)]).collect()
}

#[derive(Serialize)]
struct Line<'a> {
    reply: &'static str,
    server: &'a str,
    address: Option<String>,
    #[serde(flatten)]
    says: Option<Says<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct Says<'a> {
    herd: &'a str,
    version: Option<&'a str>,
    boot: &'a str,
    uptime_ms: Option<u64>,
    ack: Option<&'a str>,
    ready: Option<bool>,
    not_ready: Option<&'a str>,
    clients: Option<u64>,
    records: u64,
    root: &'a str,
    posts_per_s: Option<f64>,
    links: Vec<LinkLine<'a>>,
    alarms: Vec<AlarmLine<'a>>,
}

#[derive(Serialize)]
struct LinkLine<'a> {
    peer: &'a str,
    state: &'a str,
    since_ms: Option<u64>,
    in_sync: bool,
    queued: Option<u64>,
    heard_ms: Option<u64>,
    closed: Option<&'a str>,
}

#[derive(Serialize)]
struct AlarmLine<'a> {
    alarm: &'a str,
    peer: Option<&'a str>,
    since_ms: Option<u64>,
    text: Option<&'a str>,
}

fn line(row: &Row) -> Line<'_> {
    Line {
        reply: "status",
        server: row.name(),
        address: row.target.address.as_ref().ok().map(ToString::to_string),
        says: row.status.as_ref().ok().map(says),
        error: row.status.as_ref().err().map(String::as_str),
    }
}

fn says(status: &ServerStatus) -> Says<'_> {
    Says {
        herd: &status.herd,
        version: status.version.as_deref(),
        boot: &status.boot,
        uptime_ms: status.uptime_ms,
        ack: status.ack.as_deref(),
        ready: status.ready.as_ref().map(|ready| ready.ready),
        not_ready: status.ready.as_ref().and_then(|ready| ready.why.as_deref()),
        clients: status.clients,
        records: status.records,
        root: &status.root,
        posts_per_s: status.posts_per_s,
        links: status.peers.iter().map(link_line).collect(),
        alarms: status.alarms.iter().map(alarm_line).collect(),
    }
}

fn link_line(peer: &PeerStatus) -> LinkLine<'_> {
    LinkLine {
        peer: &peer.name,
        state: &peer.state,
        since_ms: peer.since_ms,
        in_sync: peer.in_sync,
        queued: peer.dirty,
        heard_ms: peer.heard_ms,
        closed: peer.closed.as_ref().map(|closed| closed.why.as_str()),
    }
}

fn alarm_line(alarm: &Alarm) -> AlarmLine<'_> {
    AlarmLine {
        alarm: &alarm.alarm,
        peer: alarm.peer.as_deref(),
        since_ms: alarm.since_ms,
        text: alarm.text.as_deref(),
    }
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "-".to_owned())
}

fn escaped(text: &str) -> String {
    Escaped(text.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_sentences_are_broken_between_words() {
        assert_eq!(folded("one two three", 7), ["one two", "three"]);
        assert_eq!(folded("one two three", 100), ["one two three"]);
        assert_eq!(folded("incomprehensible words", 5), ["incomprehensible", "words"]);
        assert_eq!(folded("", 5), [""]);
    }
}
