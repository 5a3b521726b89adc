//! A client's connection.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use super::Fault;
use super::ledger::Known;

/// How long a server may take to answer before the connection is given up.
const PATIENCE: Duration = Duration::from_secs(10);
/// Questions in flight. Their answers fit into what the kernel keeps, so that neither side waits for the other.
const IN_FLIGHT: usize = 256;

/// One connection.
#[derive(Debug)]
pub(crate) struct Talk {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

impl Talk {
    pub(crate) async fn connect(address: SocketAddr) -> Result<Self, Fault> {
        let stream = timeout(PATIENCE, TcpStream::connect(address)).await??;
        stream.set_nodelay(true)?;
        let (reader, writer) = stream.into_split();
        Ok(Self { reader: BufReader::with_capacity(64 * 1024, reader), writer })
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        Ok(timeout(PATIENCE, self.writer.write_all(bytes)).await??)
    }

    /// The next line, without its LF. `None` at the end, however it came.
    pub(crate) async fn line(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        let mut line = Vec::new();
        match timeout(PATIENCE, self.reader.read_until(b'\n', &mut line)).await? {
            Ok(1..) if line.pop() == Some(b'\n') => Ok(Some(line)),
            // Half a reply is none.
            _ => Ok(None),
        }
    }

    /// One line there, one line back.
    pub(crate) async fn ask(&mut self, line: &str) -> Result<Vec<u8>, Fault> {
        self.send(format!("{line}\n").as_bytes()).await?;
        self.line().await?.ok_or_else(|| "closed by the server".into())
    }

    /// What the server knows of each of `clients`.
    pub(crate) async fn whereabouts(&mut self, clients: &[&str]) -> Result<Vec<Option<Known>>, Fault> {
        let mut found = Vec::with_capacity(clients.len());
        for clients in clients.chunks(IN_FLIGHT) {
            let questions: String = clients.iter().map(|client| format!("WHATSAT {client} 1 0\n")).collect();
            self.send(questions.as_bytes()).await?;
            for client in clients {
                found.push(self.answer(client).await?);
            }
        }
        Ok(found)
    }

    async fn answer(&mut self, client: &str) -> Result<Option<Known>, Fault> {
        match self.told(client).await? {
            Told::Known(known) => Ok(Some(known)),
            Told::Unknown => Ok(None),
            Told::Closed => Err("closed by the server".into()),
            Told::Wrong(why) => Err(why.into()),
        }
    }

    /// The answer to a WHATSAT about `client`, whatever is near it. Fails if none comes in time.
    pub(crate) async fn told(&mut self, client: &str) -> Result<Told, Fault> {
        let Some(line) = self.line().await? else { return Ok(Told::Closed) };
        if line.starts_with(b"? ") {
            return Ok(Told::Unknown);
        }
        // The places end with a blank line, the only one there is.
        loop {
            match self.line().await? {
                Some(line) if line.is_empty() => break,
                Some(_) => {}
                None => return Ok(Told::Closed),
            }
        }
        Ok(match Known::read(&line) {
            Some((about, known)) if about == client => Told::Known(known),
            _ => Told::Wrong(format!("asked for {client}, told {}", String::from_utf8_lossy(&line))),
        })
    }
}

/// What a server says of a client.
#[derive(Debug)]
pub(crate) enum Told {
    Known(Known),
    Unknown,
    /// The connection ended first.
    Closed,
    /// What is no answer to that question.
    Wrong(String),
}
