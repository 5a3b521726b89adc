//! One and the same post in the languages of those who store or pass on positions: client ID, location, time.

use std::io;
use std::ops::Range;

use herd_proto::PosixTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Whose language. Each answers a request with one line, which is all that the generator has to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// `IAMAT`, answered with `AT`. An echo answers it, too.
    Herd,
    /// The location and the time as the client's value, in Redis.
    RedisSet,
    /// The location in a set that can be asked what is near. It has no time, and each post moves its client by some 90 m.
    RedisGeoadd,
    /// The location and the time as the client's value, in memcached.
    Memcached,
    /// The location and the time, published under the client's name.
    Nats,
}

impl Encoding {
    /// A post of client number `client`, at `time`. All those of an encoding have the same length.
    pub(crate) fn request(self, client: usize, time: PosixTime) -> String {
        let (minutes, micros, time) = (client % 60, client % 1_000_000, time_text(time));
        let name = format!("client{client:010}");
        let (latitude, longitude) = (format!("34.{micros:06}"), format!("-118.4{minutes:05}"));
        let value = format!("+{latitude}{longitude} {time}");
        let len = value.len();
        match self {
            Self::Herd => format!("IAMAT {name} {value}\n"),
            Self::RedisSet => array(&["SET", &name, &value]),
            Self::RedisGeoadd => array(&["GEOADD", "herd", &longitude, &latitude, &name]),
            Self::Memcached => format!("set {name} 0 0 {len}\r\n{value}\r\n"),
            Self::Nats => format!("PUB herd.{name} {len}\r\n{value}\r\n"),
        }
    }

    /// Where in a request stands what is another each time, by [`Self::news`].
    pub(crate) fn place_of_news(self, request: &str) -> Range<usize> {
        match self {
            Self::RedisGeoadd => {
                let third_decimal = request.find("-118.4").map_or(0, |start| start + "-118.4".len() + 1);
                third_decimal..third_decimal + 1
            }
            // The time is the last word of each of the others.
            _ => {
                let end = request.trim_end().len();
                end - TIME_LEN..end
            }
        }
    }

    /// What makes the posts of lap number `lap`, at `time`, news.
    pub(crate) fn news(self, lap: u64, time: PosixTime) -> String {
        match self {
            Self::RedisGeoadd => (lap % 10).to_string(),
            _ => time_text(time),
        }
    }

    /// A byte that is in each reply once, and in nothing else that comes.
    pub(crate) fn reply_mark(self) -> u8 {
        match self {
            // Between its replies NATS asks now and then whether we are alive.
            Self::Nats => b'+',
            _ => b'\n',
        }
    }

    /// Whether a reply may begin so. Errors begin otherwise, and must not be counted.
    pub(crate) fn is_reply(self, first: u8) -> bool {
        match self {
            Self::Herd => matches!(first, b'A' | b'I'),
            Self::RedisSet => first == b'+',
            Self::RedisGeoadd => first == b':',
            Self::Memcached => first == b'S',
            Self::Nats => matches!(first, b'+' | b'P'),
        }
    }

    /// What has to be said before the first request.
    pub(crate) async fn greet(self, stream: &mut TcpStream) -> io::Result<()> {
        if self != Self::Nats {
            return Ok(());
        }
        read_line(stream).await?;
        stream.write_all(b"CONNECT {\"verbose\":true,\"pedantic\":false}\r\n").await?;
        let reply = read_line(stream).await?;
        if reply == "+OK\r\n" { Ok(()) } else { Err(io::Error::other(format!("not greeted: {reply}"))) }
    }
}

const TIME_LEN: usize = "1621464827.959498503".len();

fn time_text(time: PosixTime) -> String {
    let text = format!("{:010}.{:09}", time.seconds(), time.nanos());
    assert_eq!(text.len(), TIME_LEN, "ten digits of seconds reach until 2286");
    text
}

/// A command of Redis.
fn array(words: &[&str]) -> String {
    let words_text: String = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
    format!("*{}\r\n{words_text}", words.len())
}

async fn read_line(stream: &mut TcpStream) -> io::Result<String> {
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        line.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Encoding; 5] =
        [Encoding::Herd, Encoding::RedisSet, Encoding::RedisGeoadd, Encoding::Memcached, Encoding::Nats];

    #[test]
    fn the_same_post_in_all_languages() {
        let time = PosixTime::new(1_621_464_827, 959_498_503).unwrap();
        for (encoding, request) in ALL.into_iter().zip([
            "IAMAT client0000000007 +34.000007-118.400007 1621464827.959498503\n",
            "*3\r\n$3\r\nSET\r\n$16\r\nclient0000000007\r\n$42\r\n+34.000007-118.400007 1621464827.959498503\r\n",
            "*5\r\n$6\r\nGEOADD\r\n$4\r\nherd\r\n$11\r\n-118.400007\r\n$9\r\n34.000007\r\n$16\r\nclient0000000007\r\n",
            "set client0000000007 0 0 42\r\n+34.000007-118.400007 1621464827.959498503\r\n",
            "PUB herd.client0000000007 42\r\n+34.000007-118.400007 1621464827.959498503\r\n",
        ]) {
            assert_eq!(encoding.request(7, time), request);
            assert_eq!(encoding.request(99_999, time).len(), request.len());
            let place = encoding.place_of_news(request);
            let news = encoding.news(0, time);
            assert_eq!(request[place], news, "{encoding:?}");
            assert_eq!(encoding.news(7, time).len(), news.len());
        }
    }
}
