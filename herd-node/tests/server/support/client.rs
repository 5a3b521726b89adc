//! A client that says exactly what it is told and hears exactly what comes.

use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::soon;

/// One connection.
pub(crate) struct Client {
    pub(crate) reader: BufReader<OwnedReadHalf>,
    pub(crate) writer: OwnedWriteHalf,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::over(soon("a connection", TcpStream::connect(address)).await.unwrap())
    }

    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        let (reader, writer) = stream.into_split();
        Self { reader: BufReader::with_capacity(256 * 1024, reader), writer }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        soon("room to send", self.writer.write_all(bytes.as_ref())).await.unwrap();
    }

    /// Says that nothing more will be sent.
    pub(crate) async fn finish(&mut self) {
        // The server may have closed it already.
        let _ = self.writer.shutdown().await;
    }

    /// The next line, without its LF. Empty at the end of input, too.
    pub(crate) async fn line(&mut self) -> Vec<u8> {
        let mut line = Vec::new();
        soon("a line", self.reader.read_until(b'\n', &mut line)).await.unwrap();
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        line
    }

    pub(crate) async fn text(&mut self) -> String {
        String::from_utf8(self.line().await).unwrap()
    }

    /// Lines up to the blank one that ends a WHATSAT's reply.
    pub(crate) async fn body(&mut self) -> String {
        let mut body = String::new();
        loop {
            let line = self.text().await;
            if line.is_empty() {
                return body;
            }
            body += &line;
            body.push('\n');
        }
    }

    /// One line there, one line back.
    pub(crate) async fn ask(&mut self, line: &str) -> String {
        self.send(format!("{line}\n")).await;
        self.text().await
    }

    /// Posts, and returns `origin skew client location time` as the server told it.
    pub(crate) async fn post(&mut self, client: &str, location: &str, time: &str) -> String {
        let reply = self.ask(&format!("IAMAT {client} {location} {time}")).await;
        reply.strip_prefix("AT ").unwrap_or_else(|| panic!("{reply}")).to_owned()
    }

    /// Where the server thinks `client` is: what stands in the AT line, or `None` if it knows nothing.
    pub(crate) async fn whereabouts(&mut self, client: &str) -> Option<String> {
        let reply = self.ask(&format!("WHATSAT {client} 1 0")).await;
        let known = reply.strip_prefix("AT ")?.to_owned();
        self.body().await;
        Some(known)
    }

    /// Everything up to the end of input. A reset ends it, too: what a closed socket had not read is thrown away.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // What came before the reset is in `rest`.
        let _ = soon("the end of input", self.reader.read_to_end(&mut rest)).await;
        rest
    }
}
