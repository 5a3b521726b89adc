//! A connection to a server that may be anything: it answers nothing, too much, rubbish, or goes away. Each wait ends, and no more is kept
//! than a line or a body of a herd may have.

use std::fmt;
use std::io;
use std::time::Duration;

use herd_cli::Stream;
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::time::timeout;

use super::text::shown;

/// No line of a correct server is longer: an AT with the longest of everything, and what a server without a cap sends back of ours.
pub(super) const LINE_MAX: usize = 64 * 1024;
/// No body of a correct server is longer, its empty line included.
pub(super) const BODY_MAX: usize = 8 * 1024 * 1024;
/// Behind bytes that end no line, so that the server most likely reads them by themselves. Nothing fails if it doesn't.
const PART_PAUSE: Duration = Duration::from_millis(10);

/// What came instead of what was waited for.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Nothing, for so long.
    Silence(Duration),
    /// One answer after the other, and no end of them, for so long.
    Late(Duration),
    /// The end of the connection, behind these bytes.
    End(Vec<u8>),
    /// A line without end.
    LongLine(Vec<u8>),
    LongBody,
    Body(String),
    /// More, where nothing was to come.
    More(Vec<u8>),
    Unreachable(String),
    Broken(String),
}

impl Trouble {
    /// The server says nothing at all, or can't be reached: it will be no better the next time.
    pub(super) const fn is_silence(&self) -> bool {
        matches!(self, Self::Silence(_) | Self::Unreachable(_))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silence(wait) => write!(f, "nothing for {} s", wait.as_secs_f64()),
            Self::Late(wait) => write!(f, "no end of it after {} s", wait.as_secs_f64()),
            Self::End(bytes) if bytes.is_empty() => f.write_str("the end of the connection"),
            Self::End(bytes) => write!(f, "\"{}\" and the end of the connection", shown(bytes)),
            Self::LongLine(bytes) => write!(f, "a line of more than {LINE_MAX} bytes: \"{}\"", shown(bytes)),
            Self::LongBody => write!(f, "more than {BODY_MAX} bytes without an empty line"),
            Self::Body(what) => f.write_str(what),
            Self::More(bytes) => write!(f, "more: \"{}\"", shown(bytes)),
            Self::Unreachable(what) => write!(f, "no connection: {what}"),
            Self::Broken(what) => write!(f, "a broken connection: {what}"),
        }
    }
}

#[derive(Debug)]
pub(super) struct Connection {
    stream: BufReader<Stream>,
    wait: Duration,
}

/// What of a Places reply is looked at.
#[derive(Deserialize)]
struct Places {
    results: Vec<IgnoredAny>,
}

impl Connection {
    pub(super) fn new(stream: impl Into<Stream>, wait: Duration) -> Self {
        let stream = stream.into();
        // A server that gets pieces of a line gets them as they are cut.
        let _ = stream.set_nodelay(true);
        Self { stream: BufReader::new(stream), wait }
    }

    /// Sends all of it, and pauses behind what ends no line.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.within(async |stream| {
            stream.get_mut().write_all(bytes).await.map_err(broken)?;
            stream.get_mut().flush().await.map_err(broken)
        })
        .await?;
        if !bytes.ends_with(b"\n") {
            tokio::time::sleep(PART_PAUSE).await;
        }
        Ok(())
    }

    pub(super) async fn finish(&mut self) -> Result<(), Trouble> {
        self.within(async |stream| stream.get_mut().shutdown().await.map_err(broken)).await
    }

    /// The next line, without its LF.
    pub(super) async fn line(&mut self) -> Result<Vec<u8>, Trouble> {
        self.within(read_line).await
    }

    /// What follows an AT, up to its empty line: how many results it has.
    pub(super) async fn places(&mut self) -> Result<usize, Trouble> {
        let body = self.within(read_body).await?;
        match serde_json::from_slice::<Places>(&body) {
            Ok(places) => Ok(places.results.len()),
            Err(error) => {
                Err(Trouble::Body(format!("no JSON object with a list of results ({error}): \"{}\"", shown(&body))))
            }
        }
    }

    /// Nothing but the end of the connection.
    pub(super) async fn end(&mut self) -> Result<(), Trouble> {
        let mut some = [0; 256];
        let read = self.within(async |stream| match stream.read(&mut some).await {
            // A server that closes before it has read all that we sent resets the connection.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(0),
            read => read.map_err(broken),
        });
        match read.await {
            Ok(0) => Ok(()),
            Ok(count) => Err(Trouble::More(some[..count].to_vec())),
            Err(trouble) => Err(trouble),
        }
    }

    /// The whole of it within the time for one answer: a server that sends a byte now and then gains nothing.
    async fn within<T>(
        &mut self,
        doing: impl AsyncFnOnce(&mut BufReader<Stream>) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        match timeout(self.wait, doing(&mut self.stream)).await {
            Ok(done) => done,
            Err(_) => Err(Trouble::Silence(self.wait)),
        }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn broken(error: io::Error) -> Trouble {
    Trouble::Broken(error.to_string())
}

async fn read_line(stream: &mut BufReader<Stream>) -> Result<Vec<u8>, Trouble> {
    let mut line = Vec::new();
    loop {
        let some = stream.fill_buf().await.map_err(broken)?;
        if some.is_empty() {
            return Err(Trouble::End(line));
        }
        let end = memchr::memchr(b'\n', some);
        line.extend_from_slice(&some[..end.unwrap_or(some.len())]);
        let taken = end.map_or(some.len(), |end| end + 1);
        stream.consume(taken);
        if line.len() > LINE_MAX {
            return Err(Trouble::LongLine(line));
        }
        if end.is_some() {
            return Ok(line);
        }
    }
}

async fn read_body(stream: &mut BufReader<Stream>) -> Result<Vec<u8>, Trouble> {
    let mut body = Vec::new();
    loop {
        let some = stream.fill_buf().await.map_err(broken)?;
        if some.is_empty() {
            return Err(Trouble::End(body));
        }
        // Line by line, so that nothing behind the empty one is taken.
        let end = memchr::memchr(b'\n', some).map_or(some.len(), |end| end + 1);
        body.extend_from_slice(&some[..end]);
        stream.consume(end);
        if body.len() > BODY_MAX {
            return Err(Trouble::LongBody);
        }
        if body == b"\n" || body.ends_with(b"\n\n") {
            return Ok(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// A connection to somebody who sends `bytes` and goes away.
    async fn sending(bytes: Vec<u8>) -> Connection {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            // Whoever has had enough reads no more.
            let _ = stream.write_all(&bytes).await;
        });
        Connection::new(TcpStream::connect(address).await.unwrap(), Duration::from_secs(30))
    }

    #[tokio::test]
    async fn lines_have_a_bound() {
        let line = |len: usize| [vec![b'y'; len], b"\n".to_vec()].concat();
        assert_eq!(sending(line(LINE_MAX)).await.line().await.unwrap().len(), LINE_MAX);
        let trouble = sending(line(LINE_MAX + 1)).await.line().await.unwrap_err();
        assert!(matches!(trouble, Trouble::LongLine(_)), "{trouble}");
        let trouble = sending(b"AT Ril".to_vec()).await.line().await.unwrap_err();
        assert_eq!(trouble.to_string(), "\"AT Ril\" and the end of the connection");
    }

    #[tokio::test]
    async fn bodies_have_a_bound() {
        let body = |len: usize| {
            let (begin, end) = (b"{\"results\":[1,2],\"x\":\"".to_vec(), b"\"}\n\n".to_vec());
            let filler = vec![b'y'; len - begin.len() - end.len()];
            [begin, filler, end].concat()
        };
        assert_eq!(sending(body(BODY_MAX)).await.places().await.unwrap(), 2);
        let trouble = sending(body(BODY_MAX + 1)).await.places().await.unwrap_err();
        assert!(matches!(trouble, Trouble::LongBody), "{trouble}");
    }

    #[tokio::test]
    async fn bodies_are_objects_with_results() {
        for wrong in
            ["\n", "\n\n", "[]\n\n", "{}\n\n", "{\"results\":7}\n\n", "{\"results\":[\n\n]}\n\n", "places!\n\n"]
        {
            let trouble = sending(wrong.into()).await.places().await.unwrap_err();
            assert!(trouble.to_string().starts_with("no JSON object with a list of results"), "{wrong}: {trouble}");
        }
        let trouble = sending(b"{\"results\":[]}\n".to_vec()).await.places().await.unwrap_err();
        assert!(matches!(trouble, Trouble::End(_)), "{trouble}");
        // As deep as a stack: refused, and no overflow.
        let deep = [b"{\"results\":".to_vec(), vec![b'['; 100_000], b"\n\n".to_vec()].concat();
        assert!(sending(deep).await.places().await.is_err());
    }
}
