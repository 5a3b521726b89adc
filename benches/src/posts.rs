//! Posts of many clients, as the bytes that a client sends.

use std::ops::Range;

use herd_node::clock;
use herd_proto::PosixTime;

use crate::encoding::Encoding;

/// The length of each post to a herd, its LF included.
pub const LINE_LEN: usize = 66;

/// The posts of some clients, one after the other and round again. Each lap is later by the clients' clocks than the one before,
/// so that every post is news to whoever gets it.
///
/// All is made beforehand but the time, which is copied into a batch when it is asked for: a nanosecond a post.
#[derive(Clone, Debug)]
pub struct Posts {
    encoding: Encoding,
    requests: Vec<u8>,
    /// Of each request.
    len: usize,
    /// Where the next batch begins.
    at: usize,
    time: PosixTime,
    lap: u64,
    /// What is new in this lap, and where it stands in each request.
    news: Vec<u8>,
    place: Range<usize>,
}

impl Posts {
    /// Posts of the clients with these numbers to a herd, in this order, from now on.
    pub fn new(clients: impl Iterator<Item = usize>) -> Self {
        Self::encoded(Encoding::Herd, clients)
    }

    /// The same to somebody else.
    ///
    /// # Panics
    /// When there is no client.
    pub fn encoded(encoding: Encoding, clients: impl Iterator<Item = usize>) -> Self {
        let time = clock::posix();
        // Another lap than that of the posts made before: Redis is to see its clients move, also the first time round.
        let lap = u64::from(time.nanos());
        let (mut requests, mut len, mut place) = (Vec::new(), 0, 0..0);
        for client in clients {
            let request = encoding.request(client, time);
            (len, place) = (request.len(), encoding.place_of_news(&request));
            requests.extend_from_slice(request.as_bytes());
        }
        assert!(!requests.is_empty() && requests.len().is_multiple_of(len), "there must be a client");
        Self { encoding, requests, len, at: 0, time, lap, news: encoding.news(lap, time).into_bytes(), place }
    }

    /// The length of each.
    pub fn request_len(&self) -> usize {
        self.len
    }

    /// The next posts, at most `count`: fewer where a lap ends.
    pub fn next_batch(&mut self, count: usize) -> &[u8] {
        if self.is_lap_over() {
            self.begin_lap();
        }
        let start = self.at;
        self.at = self.requests.len().min(start + count * self.len);
        let batch = &mut self.requests[start..self.at];
        for request in batch.chunks_exact_mut(self.len) {
            request[self.place.clone()].copy_from_slice(&self.news);
        }
        batch
    }

    /// Whether the next batch is of the first clients again.
    pub fn is_lap_over(&self) -> bool {
        self.at == self.requests.len()
    }

    /// The last post of the batch before; nothing if there was none.
    pub fn last(&self) -> &[u8] {
        &self.requests[self.at.saturating_sub(self.len)..self.at]
    }

    fn begin_lap(&mut self) {
        let carries = self.time.nanos() == 999_999_999;
        let (seconds, nanos) = (self.time.seconds() + u64::from(carries), self.time.nanos() + 1);
        self.time = PosixTime::new(seconds, if carries { 0 } else { nanos }).unwrap_or_default();
        self.lap += 1;
        self.news = self.encoding.news(self.lap, self.time).into_bytes();
        self.at = 0;
    }
}

#[cfg(test)]
mod tests {
    use herd_proto::Request;

    use super::*;

    #[test]
    fn every_lap_is_later() {
        let mut posts = Posts::new(998..1_001);
        assert_eq!((posts.request_len(), posts.last()), (LINE_LEN, &b""[..]));
        let mut last: Option<PosixTime> = None;
        for _ in 0..5 {
            let lap: Vec<u8> = [posts.next_batch(2).to_vec(), posts.next_batch(2).to_vec()].concat();
            assert_eq!((lap.len(), posts.is_lap_over()), (3 * LINE_LEN, true));
            assert_eq!(posts.last(), &lap[2 * LINE_LEN..]);
            for (line, client) in lap.chunks(LINE_LEN).zip(998..) {
                let Ok(Request::Iamat(iamat)) = Request::parse(&line[..LINE_LEN - 1]) else { panic!("{line:?}") };
                assert_eq!(iamat.client().as_str(), format!("client{client:010}"));
                assert!(client > 998 || last.is_none_or(|last| last < iamat.posix_time()));
                last = Some(iamat.posix_time());
            }
        }
    }

    #[test]
    fn clients_move_each_lap_where_there_is_no_time() {
        let mut posts = Posts::encoded(Encoding::RedisGeoadd, 0..3);
        let laps: Vec<Vec<u8>> = (0..10).map(|_| posts.next_batch(3).to_vec()).collect();
        for (lap, next) in laps.iter().zip(&laps[1..]) {
            assert_ne!(lap, next);
        }
    }
}
