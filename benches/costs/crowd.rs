//! What a crowd of any size sends, made as it is sent: ten million clients' posts kept ready would take 660 MB.

use herd_node::clock;
use herd_proto::PosixTime;

use crate::spots::SPOTS;

/// From one client to the next. It has no divisor in common with any number of clients here, so that a lap meets each of them once, and
/// in another order than they came: a store that is walked from end to end never misses a cache.
const STRIDE: usize = 7_919;

/// A request of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The 66-byte IAMAT of all benchmarks.
    Post,
    /// An IAMAT from near a city, anywhere on Earth.
    PostFromCity,
    /// A WHATSAT for the best five within ten kilometres.
    Ask,
    /// The same data as a post's, as Redis is told to keep it.
    RedisSet,
}

impl Kind {
    /// What a good reply begins with.
    pub(crate) const fn reply_begins(self) -> u8 {
        if matches!(self, Self::RedisSet) { b'+' } else { b'A' }
    }
}

/// Some clients, who take turns and go round and round. Each lap is later by their clocks than the one before.
#[derive(Clone, Debug)]
pub(crate) struct Crowd {
    kind: Kind,
    first: usize,
    count: usize,
    stride: usize,
    /// Where in the lap it is, and who is next.
    at: usize,
    next: usize,
    time: PosixTime,
    time_text: String,
    batch: Vec<u8>,
}

impl Crowd {
    /// The clients with these numbers, for the first time: one after the other, as they come.
    pub(crate) fn arriving(kind: Kind, clients: std::ops::Range<usize>) -> Self {
        let time = clock::posix();
        let (first, count) = (clients.start, clients.len());
        Self { kind, first, count, stride: 1, at: 0, next: 0, time, time_text: text(time), batch: Vec::new() }
    }

    /// The clients with these numbers, in scattered order.
    pub(crate) fn moving(kind: Kind, clients: std::ops::Range<usize>) -> Self {
        Self { stride: STRIDE, ..Self::arriving(kind, clients) }
    }

    pub(crate) const fn is_lap_over(&self) -> bool {
        self.at == self.count
    }

    /// The next requests, and how many: at most `count`, fewer where a lap ends.
    pub(crate) fn next_batch(&mut self, count: usize) -> (&[u8], usize) {
        if self.is_lap_over() {
            self.begin_lap();
        }
        self.batch.clear();
        let count = count.min(self.count - self.at);
        for _ in 0..count {
            self.push(self.first + self.next);
            self.next = (self.next + self.stride) % self.count;
        }
        self.at += count;
        (&self.batch, count)
    }

    fn begin_lap(&mut self) {
        let carries = self.time.nanos() == 999_999_999;
        let (seconds, nanos) = (self.time.seconds() + u64::from(carries), self.time.nanos() + 1);
        self.time = PosixTime::new(seconds, if carries { 0 } else { nanos }).unwrap_or_default();
        self.time_text = text(self.time);
        (self.at, self.next) = (0, 0);
    }

    fn push(&mut self, client: usize) {
        let digits = digits(client);
        let out = &mut self.batch;
        let mut put = |text: &[u8]| out.extend_from_slice(text);
        match self.kind {
            Kind::Post | Kind::PostFromCity => put(b"IAMAT client"),
            Kind::Ask => put(b"WHATSAT client"),
            Kind::RedisSet => put(b"*3\r\n$3\r\nSET\r\n$16\r\nclient"),
        }
        put(&digits);
        match self.kind {
            Kind::Post => put(b" +34."),
            Kind::RedisSet => put(b"\r\n$42\r\n+34."),
            Kind::Ask => return put(b" 10 5\n"),
            Kind::PostFromCity => {
                let (latitude, longitude) = SPOTS[client % SPOTS.len()];
                put(b" ");
                put(latitude.as_bytes());
                put(&digits[6..]);
                put(longitude.as_bytes());
            }
        }
        if self.kind != Kind::PostFromCity {
            put(&digits[4..]);
            put(b"-118.4");
            put(&digits[5..6]);
        }
        put(&digits[6..]);
        put(b" ");
        put(self.time_text.as_bytes());
        put(if self.kind == Kind::RedisSet { b"\r\n" } else { b"\n" });
    }
}

/// Ten of them.
fn digits(mut number: usize) -> [u8; 10] {
    let mut digits = [b'0'; 10];
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
    digits
}

fn text(time: PosixTime) -> String {
    format!("{:010}.{:09}", time.seconds(), time.nanos())
}
