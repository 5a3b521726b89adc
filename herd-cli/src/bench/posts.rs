//! What a connection says: posts of its clients, one after the other and round again, and questions about them in between.
//!
//! All is made before the clock runs but the time, which is copied in: a few nanoseconds a line, and nothing is allocated.

use std::ops::Range;

use herd_cli::now;
use herd_proto::PosixTime;

use super::mix::{Kind, Mix};

/// Digits of a client's number in its ID.
const ID_DIGITS: usize = 10;
/// The length of a time as it is written here: ten digits of seconds reach until the year 2286.
const TIME_LEN: usize = 20;
const COMMAND: &[u8] = b"IAMAT ";
/// From one client that is asked about to the next: anywhere else in the list, and a prime, so that all get their turn.
const STRIDE: usize = 7_919;

/// The requests of one connection, without end.
///
/// Each lap over the clients is later by their clocks than the one before, and none is ahead of this machine's clock; so every
/// post is news to whoever gets it, also when a run follows another.
#[derive(Clone, Debug)]
pub(super) struct Posts {
    /// Posts of one length, a time in each.
    lines: Vec<u8>,
    line_len: usize,
    id: Range<usize>,
    /// The next post.
    at: usize,
    time: PosixTime,
    time_text: [u8; TIME_LEN],
    mix: Mix,
    /// Whom the next question is about: where the client's post begins.
    asked: usize,
    /// The end of each question: ` KM N` and LF.
    question_end: Vec<u8>,
}

impl Posts {
    /// The posts of the clients called `prefix` and a number of `clients`, in this order, from now on. Of all requests the
    /// share that `mix` says are questions, which end in `radius_and_limit`. There must be a client.
    pub(super) fn new(prefix: &str, clients: Range<usize>, mix: Mix, radius_and_limit: &str) -> Self {
        let id = COMMAND.len()..COMMAND.len() + prefix.len() + ID_DIGITS;
        let time = now();
        let mut template = line(prefix, 0, time).into_bytes();
        let line_len = template.len();
        let mut lines = Vec::with_capacity(line_len * clients.len());
        for client in clients {
            number(&mut template, id.end, client);
            lines.extend_from_slice(&template);
        }
        let question_end = format!(" {radius_and_limit}\n").into_bytes();
        Self { lines, line_len, id, at: 0, time, time_text: text(time), mix, asked: 0, question_end }
    }

    /// From now on so many of the requests are questions.
    pub(super) const fn set_mix(&mut self, mix: Mix) {
        self.mix = mix;
    }

    /// How many clients these are.
    pub(super) const fn clients(&self) -> usize {
        self.lines.len() / self.line_len
    }

    /// The longest that a request can be.
    pub(super) fn longest(&self) -> usize {
        self.line_len.max(2 + self.id.len() + COMMAND.len() + self.question_end.len())
    }

    /// Appends the next `count` requests.
    pub(super) fn push(&mut self, out: &mut Vec<u8>, count: usize) {
        if self.mix.is_posts_only() {
            return self.push_posts(out, count);
        }
        for _ in 0..count {
            match self.mix.next() {
                Kind::Iamat => self.push_posts(out, 1),
                Kind::Whatsat => self.push_question(out),
            }
        }
    }

    /// Appends posts, and no question.
    pub(super) fn push_posts(&mut self, out: &mut Vec<u8>, count: usize) {
        let mut left = count * self.line_len;
        while left > 0 {
            if self.at == self.lines.len() {
                self.begin_lap();
            }
            let len = left.min(self.lines.len() - self.at);
            let begin = out.len();
            out.extend_from_slice(&self.lines[self.at..self.at + len]);
            for line in out[begin..].chunks_exact_mut(self.line_len) {
                if let Some((_, before)) = line.split_last_mut()
                    && let Some(time) = before.last_chunk_mut()
                {
                    *time = self.time_text;
                }
            }
            self.at += len;
            left -= len;
        }
    }

    fn push_question(&mut self, out: &mut Vec<u8>) {
        let line = &self.lines[self.asked..self.asked + self.line_len];
        out.extend_from_slice(b"WHATSAT ");
        out.extend_from_slice(&line[self.id.clone()]);
        out.extend_from_slice(&self.question_end);
        self.asked = (self.asked + STRIDE * self.line_len) % self.lines.len();
    }

    fn begin_lap(&mut self) {
        self.time = now().max(next_nanosecond(self.time));
        self.time_text = text(self.time);
        self.at = 0;
    }
}

/// The whole line of one post.
pub(super) fn line(prefix: &str, client: usize, time: PosixTime) -> String {
    let (minutes, micros) = (client % 60, client % 1_000_000);
    let time = format!("{:010}.{:09}", time.seconds(), time.nanos());
    format!("IAMAT {prefix}{client:0ID_DIGITS$} +34.{micros:06}-118.4{minutes:05} {time}\n")
}

/// Makes `line` that of another client. Formatting each would take seconds where there are ten million.
fn number(line: &mut [u8], id_end: usize, client: usize) {
    // What stands between them: ` +34.` and `-118.4`.
    let (micros, minutes) = (id_end + 5, id_end + 5 + 6 + 6);
    digits(&mut line[id_end - ID_DIGITS..id_end], client as u64);
    digits(&mut line[micros..micros + 6], client as u64 % 1_000_000);
    digits(&mut line[minutes..minutes + 5], client as u64 % 60);
}

/// The time as digits, without allocating.
fn text(time: PosixTime) -> [u8; TIME_LEN] {
    let mut text = [b'.'; TIME_LEN];
    let (seconds, nanos) = text.split_at_mut(10);
    digits(seconds, time.seconds());
    digits(&mut nanos[1..], u64::from(time.nanos()));
    text
}

fn digits(to: &mut [u8], mut number: u64) {
    for digit in to.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

pub(super) fn next_nanosecond(time: PosixTime) -> PosixTime {
    let carries = time.nanos() == 999_999_999;
    let (seconds, nanos) = (time.seconds() + u64::from(carries), if carries { 0 } else { time.nanos() + 1 });
    PosixTime::new(seconds, nanos).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use herd_proto::Request;

    use super::*;

    fn requests(bytes: &[u8]) -> Vec<Request<Vec<u8>>> {
        let lines = bytes.split_inclusive(|byte| *byte == b'\n');
        lines.map(|line| Request::parse(line.strip_suffix(b"\n").unwrap().to_vec()).unwrap()).collect()
    }

    #[test]
    fn posts_have_66_bytes_and_every_lap_is_later_but_not_ahead_of_the_clock() {
        let mut posts = Posts::new("client", 998..1_001, Mix::posts_only(), "");
        let mut last: Option<PosixTime> = None;
        for _ in 0..50 {
            let mut lap = Vec::new();
            posts.push(&mut lap, 2);
            posts.push(&mut lap, 1);
            assert_eq!(lap.len(), 3 * 66);
            for (request, client) in requests(&lap).into_iter().zip(998..) {
                let Request::Iamat(iamat) = request else { panic!("{request:?}") };
                assert_eq!(iamat.client().as_str(), format!("client{client:010}"));
                assert!(client > 998 || last.is_none_or(|last| last < iamat.posix_time()));
                assert!(iamat.posix_time() <= now());
                last = Some(iamat.posix_time());
            }
        }
    }

    #[test]
    fn lines_are_as_if_each_was_written() {
        for (prefix, client) in [("client", 7), ("", 1_234_567), ("日本-", 9_999_999_999), ("x", 59)] {
            let mut posts = Posts::new(prefix, client..client + 1, Mix::posts_only(), "");
            let mut out = Vec::new();
            posts.push(&mut out, 1);
            assert_eq!(str::from_utf8(&out), Ok(&*line(prefix, client, posts.time)));
        }
    }

    #[test]
    fn a_batch_may_go_round_more_than_once() {
        let mut posts = Posts::new("c", 0..2, Mix::posts_only(), "");
        let mut out = Vec::new();
        posts.push(&mut out, 5);
        let requests = requests(&out);
        let times: Vec<_> = requests
            .iter()
            .map(|request| match request {
                Request::Iamat(iamat) => iamat.posix_time(),
                Request::Whatsat(_) => panic!("a question"),
            })
            .collect();
        assert!(times[0] == times[1] && times[1] < times[2] && times[2] == times[3] && times[3] < times[4]);
    }

    #[test]
    fn questions_are_about_all_clients_and_as_many_as_they_should_be() {
        let mut posts = Posts::new("client", 10..20, Mix::new(0.25), "7.5 3");
        let mut out = Vec::with_capacity(posts.longest() * 80);
        posts.push(&mut out, 80);
        let (mut asked, mut posted) = (std::collections::HashMap::new(), 0);
        for request in requests(&out) {
            match request {
                Request::Iamat(_) => posted += 1,
                Request::Whatsat(whatsat) => {
                    assert_eq!((whatsat.radius().as_str(), whatsat.limit().get()), ("7.5", 3));
                    *asked.entry(whatsat.client().as_str().to_owned()).or_insert(0) += 1;
                }
            }
        }
        assert_eq!((posted, asked.len()), (60, 10));
        assert!(asked.values().all(|times| *times == 2), "{asked:?}");
        assert!(out.split_inclusive(|byte| *byte == b'\n').all(|line| line.len() <= posts.longest()));
    }

    #[test]
    fn a_second_may_end() {
        let time = |seconds, nanos| PosixTime::new(seconds, nanos).unwrap();
        assert_eq!(next_nanosecond(time(7, 999_999_999)), time(8, 0));
        assert_eq!(&text(time(1_621_464_827, 12)), b"1621464827.000000012");
    }
}
