//! What a server says of itself at its admin address.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::Fault;

const PATIENCE: Duration = Duration::from_secs(2);

/// How much it holds, and the digest of that.
pub(crate) type Held = (u64, String);

pub(crate) async fn held(address: SocketAddr) -> Result<Held, Fault> {
    let status = timeout(PATIENCE, status(address)).await??;
    let (records, root) = (status["records"].as_u64(), status["root"].as_str());
    Ok((records.ok_or("no records in a status")?, root.ok_or("no root in a status")?.to_owned()))
}

async fn status(address: SocketAddr) -> Result<Value, Fault> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /status.json HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let body = answer.windows(4).position(|four| four == b"\r\n\r\n").map(|end| end + 4).ok_or("no answer")?;
    Ok(serde_json::from_slice(answer.get(body..).unwrap_or_default())?)
}
