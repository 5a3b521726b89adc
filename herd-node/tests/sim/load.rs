//! What clients do: posts with times that rise, repeat and go back, and retries at a second server.

use super::queue::{MILLIS, Nanos};
use super::rng::Rng;

/// A client's post that is going to happen.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) at: Nanos,
    pub(crate) server: usize,
    /// `IAMAT client location time`.
    pub(crate) line: String,
}

/// How much the clients of one history do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Volume {
    pub(crate) clients: usize,
    pub(crate) posts: usize,
    pub(crate) until: Nanos,
}

/// POSIX seconds at the beginning of every history.
pub(crate) const EPOCH: u64 = 1_621_464_827;

/// The posts of a history, in no order.
pub(crate) fn posts(rng: &mut Rng, volume: Volume, servers: usize) -> Vec<Post> {
    let mut posts = Vec::with_capacity(volume.posts);
    while posts.len() < volume.posts {
        let post = match rng.below(10) {
            0..=3 if !posts.is_empty() => variation(rng, volume, servers, &posts),
            _ => fresh(rng, volume, servers),
        };
        posts.push(post);
    }
    posts
}

fn fresh(rng: &mut Rng, volume: Volume, servers: usize) -> Post {
    let at = rng.nanos(0, volume.until);
    let client = rng.below(volume.clients);
    // Clients' clocks are right, wrong by seconds, or give no fraction.
    let time = match rng.below(8) {
        0 => EPOCH * 1_000_000_000 + at - at % 1_000_000_000,
        1 => EPOCH * 1_000_000_000 + at + rng.nanos(0, 5_000 * MILLIS),
        2 => EPOCH * 1_000_000_000 + at - rng.nanos(0, 5_000 * MILLIS),
        _ => EPOCH * 1_000_000_000 + at,
    };
    let line = format!("IAMAT client-{client} {} {}", location(rng), time_text(rng, time));
    Post { at, server: rng.below(servers), line }
}

/// A retry elsewhere, the same instant at another server, another place or text at the same time, or at nearly the same.
fn variation(rng: &mut Rng, volume: Volume, servers: usize, posts: &[Post]) -> Post {
    let first = &posts[rng.below(posts.len())];
    let mut post = first.clone();
    let words: Vec<&str> = first.line.split(' ').collect();
    let [_, client, place, time] = words.as_slice() else { return post };
    let other = rng.below(servers);
    match rng.below(5) {
        // The reply was lost: the client goes to another server with the same line.
        0 => {
            post.at = (first.at + rng.nanos(0, 2_000 * MILLIS)).min(volume.until);
            post.server = other;
        }
        // Two servers take it at the same instant: equal skews where their clocks agree.
        1 => post.server = other,
        // Two positions for one time at one server and instant.
        2 => post.line = format!("IAMAT {client} {} {time}", location(rng)),
        // Times that no floating-point number tells apart.
        3 => {
            let (seconds, fraction) = time.split_once('.').unwrap_or((time, ""));
            let nanos: u64 = format!("{fraction:0<9}").parse().expect("digits");
            let nanos = if nanos == 0 { 1 } else { nanos - 1 };
            post.line = format!("IAMAT {client} {} {seconds}.{nanos:09}", location(rng));
            post.at = (first.at + rng.nanos(0, 500 * MILLIS)).min(volume.until);
        }
        // The same time in other digits.
        _ => {
            let text = if time.contains('.') { format!("{time:0<20}") } else { format!("{time}.0") };
            post.line = format!("IAMAT {client} {place} {}", &text[..text.len().min(20)]);
        }
    }
    post
}

fn location(rng: &mut Rng) -> String {
    format!("+{:02}.{:06}-{:03}.{:06}", rng.below(90), rng.below(1_000_000), rng.below(180), rng.below(1_000_000))
}

fn time_text(rng: &mut Rng, nanos: u64) -> String {
    let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    match rng.below(4) {
        _ if rest == 0 => format!("{seconds}"),
        0 => format!("{seconds}.{}", rest / 100_000_000),
        _ => format!("{seconds}.{rest:09}"),
    }
}
