//! Posts of many clients, as the bytes that a client sends.

use std::ops::Range;

use herd_node::clock;
use herd_proto::PosixTime;

/// The length of each post, its LF included.
pub const LINE_LEN: usize = 66;
/// Where the client's time stands in a post.
const TIME: Range<usize> = 45..65;

/// The posts of some clients, one after the other and round again. Each lap is later by the clients' clocks than the one before,
/// so that every post is news to whoever gets it.
///
/// All is made beforehand but the time, which is copied into a batch when it is asked for: a nanosecond a post.
#[derive(Clone, Debug)]
pub struct Posts {
    lines: Vec<u8>,
    /// Where the next batch begins.
    at: usize,
    time: PosixTime,
    time_text: [u8; 20],
}

impl Posts {
    /// Posts of the clients with these numbers, in this order, from now on.
    pub fn new(clients: impl Iterator<Item = usize>) -> Self {
        let time = clock::posix();
        let mut lines = Vec::new();
        for client in clients {
            let (minutes, micros) = (client % 60, client % 1_000_000);
            let line = format!("IAMAT client{client:010} +34.{micros:06}-118.4{minutes:05} {}\n", text(time));
            lines.extend_from_slice(line.as_bytes());
        }
        assert!(lines.len().is_multiple_of(LINE_LEN) && !lines.is_empty());
        Self { lines, at: 0, time, time_text: time_text(time) }
    }

    /// The next posts, at most `count`: fewer where a lap ends.
    pub fn next_batch(&mut self, count: usize) -> &[u8] {
        if self.at == self.lines.len() {
            self.begin_lap();
        }
        let start = self.at;
        self.at = self.lines.len().min(start + count * LINE_LEN);
        let batch = &mut self.lines[start..self.at];
        for line in batch.chunks_exact_mut(LINE_LEN) {
            line[TIME].copy_from_slice(&self.time_text);
        }
        batch
    }

    fn begin_lap(&mut self) {
        let carries = self.time.nanos() == 999_999_999;
        let (seconds, nanos) = (self.time.seconds() + u64::from(carries), self.time.nanos() + 1);
        self.time = PosixTime::new(seconds, if carries { 0 } else { nanos }).unwrap_or_default();
        self.time_text = time_text(self.time);
        self.at = 0;
    }
}

fn text(time: PosixTime) -> String {
    format!("{:010}.{:09}", time.seconds(), time.nanos())
}

fn time_text(time: PosixTime) -> [u8; 20] {
    text(time).as_bytes().try_into().expect("ten digits of seconds reach until 2286")
}

#[cfg(test)]
mod tests {
    use herd_proto::Request;

    use super::*;

    #[test]
    fn every_lap_is_later() {
        let mut posts = Posts::new(998..1_001);
        let mut last: Option<PosixTime> = None;
        for _ in 0..5 {
            let lap: Vec<u8> = [posts.next_batch(2).to_vec(), posts.next_batch(2).to_vec()].concat();
            assert_eq!(lap.len(), 3 * LINE_LEN);
            for (line, client) in lap.chunks(LINE_LEN).zip(998..) {
                let Ok(Request::Iamat(iamat)) = Request::parse(&line[..LINE_LEN - 1]) else { panic!("{line:?}") };
                assert_eq!(iamat.client().as_str(), format!("client{client:010}"));
                assert!(client > 998 || last.is_none_or(|last| last < iamat.posix_time()));
                last = Some(iamat.posix_time());
            }
        }
    }
}
