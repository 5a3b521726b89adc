//! What the demo says, without what differs from run to run.

use std::collections::VecDeque;

use herd_proto::herd::{DEFAULT_SERVERS, DefaultServer};

/// Times and skews in the order in which they first appear become these.
const TIMES: [&str; 2] = ["1621464827.959498503", "1621464871.204117380"];
const SKEWS: [&str; 2] = ["+0.000263873", "+0.000198401"];

/// Where on a line its speakers end and the text begins.
const TEXT_COLUMN: usize = 22;
/// The keys of JSON that are shown.
const SHOWN: [&str; 2] = ["\"name\"", "\"status\""];

/// `said` with the same times and skews in each run, of every update the shortest way to each server, and of JSON the names.
///
/// # Panics
/// A server was not told, or by one who should not have.
pub(crate) fn settled(said: &str) -> String {
    let same_numbers = with_the_same_numbers(said.trim_start_matches('\n'));
    let mut lines: Vec<String> = Vec::new();
    let mut flood: Vec<Told<'_>> = Vec::new();
    for line in same_numbers.lines().chain([""]) {
        if let Some(told) = Told::read(line) {
            flood.push(told);
            continue;
        }
        if !flood.is_empty() {
            lines.extend(shortest_ways(&flood));
            flood.clear();
        }
        let line = without_details(line);
        if !(line.ends_with('…') && lines.last() == Some(&line)) {
            lines.push(line);
        }
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.join("\n") + "\n"
}

fn with_the_same_numbers(said: &str) -> String {
    let mut times: Vec<&str> = Vec::new();
    let mut settled = String::new();
    for line in said.lines() {
        // A line speaks of one time at most, and the skew is of the same post.
        if let Some(time) = line.split(' ').find(|word| is_decimal(word, 10))
            && !times.contains(&time)
        {
            times.push(time);
        }
        let words: Vec<&str> =
            line.split(' ').map(|word| settled_number(word, times.len().saturating_sub(1))).collect();
        settled.push_str(&words.join(" "));
        settled.push('\n');
    }
    settled
}

/// `word`, or what stands for it if it is a time or skew of the post of that number.
fn settled_number(word: &str, post: usize) -> &str {
    if is_decimal(word, 10) {
        TIMES[post]
    } else if word.strip_prefix(['+', '-']).is_some_and(|digits| is_decimal(digits, 1)) {
        SKEWS[post]
    } else {
        word
    }
}

/// Whether it is a number of at least so many digits, and nine decimals.
fn is_decimal(word: &str, digits_min: usize) -> bool {
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    word.split_once('.').is_some_and(|(whole, decimals)| {
        whole.len() >= digits_min && decimals.len() == 9 && is_digits(whole) && is_digits(decimals)
    })
}

/// One server telling another: `Riley -> Jaquez  AT … Riley 1`.
struct Told<'a> {
    from: &'a DefaultServer,
    to: &'a DefaultServer,
    /// The line but for its sender and hops.
    at: &'a str,
    hops: usize,
}

impl<'a> Told<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let (from, rest) = line.split_once(" -> ")?;
        let (to, said) = rest.split_once(' ')?;
        let (from, to) = (server(from)?, server(to)?);
        let (rest, hops) = said.rsplit_once(' ')?;
        let (at, sender) = rest.rsplit_once(' ')?;
        assert_eq!(sender, from.name, "the sender is the one who says it: {line}");
        assert!(from.peers.contains(&to.name), "they are no peers: {line}");
        Some(Self { from, to, at: at.trim_start(), hops: hops.parse().unwrap() })
    }
}

fn server(name: &str) -> Option<&'static DefaultServer> {
    DEFAULT_SERVERS.iter().find(|server| server.name == name)
}

/// The lines by which everybody who was told in `flood` would have been told first if every line took the same time.
fn shortest_ways(flood: &[Told<'_>]) -> Vec<String> {
    let at = flood[0].at;
    let origin = at.split(' ').nth(1).and_then(server).unwrap();
    let mut distances = vec![(origin.name, 0)];
    let mut next = VecDeque::from([(origin, 0)]);
    let mut lines = Vec::new();
    while let Some((from, hops)) = next.pop_front() {
        for to in from.peers.iter().filter_map(|name| server(name)) {
            let was_told = flood.iter().any(|told| told.to.name == to.name);
            if was_told && !distances.iter().any(|(name, _)| *name == to.name) {
                distances.push((to.name, hops + 1));
                next.push_back((to, hops + 1));
                let speakers = format!("{} -> {}", from.name, to.name);
                lines.push(format!("{speakers:<20}  {at} {} {}", from.name, hops + 1));
            }
        }
    }
    for told in flood {
        let distance = distances.iter().find(|(name, _)| *name == told.to.name).expect("someone who can be reached").1;
        assert_eq!(told.at, at, "one flood is about one update");
        assert!((distance..DEFAULT_SERVERS.len()).contains(&told.hops), "{} hops to {}", told.hops, told.to.name);
        assert!(told.from.name == origin.name || distances.iter().any(|(name, _)| *name == told.from.name));
    }
    lines
}

/// Of a line of JSON only that there is more, unless it is a name or the status.
fn without_details(line: &str) -> String {
    match line.split_at_checked(TEXT_COLUMN) {
        Some((speaker, json))
            if speaker.contains(" -> client")
                && json.starts_with(' ')
                && !SHOWN.iter().any(|key| json.contains(key)) =>
        {
            format!("{speaker}   …")
        }
        _ => line.to_owned(),
    }
}
