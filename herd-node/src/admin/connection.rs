//! One connection: one request, one answer, the end.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::StatusCode;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::time::error::Elapsed;

use super::guarded::Guarded;
use super::{CONNECTIONS_MAX, HEAD_BYTES_MAX, REQUEST_MAX, pages};
use crate::net::{self, Shared, TcpStream};

/// More than a request may have, so that ours is the limit that is met.
const BUFFER_BYTES: usize = 4 * HEAD_BYTES_MAX;

/// Serves one connection to its end.
pub(super) async fn serve(shared: &Shared, mut stream: TcpStream) {
    let asked = AtomicBool::new(false);
    let mut guarded = Guarded::new(&mut stream, HEAD_BYTES_MAX, &asked);
    let answer = service_fn(|request| {
        asked.store(true, Ordering::Relaxed);
        std::future::ready(Ok::<_, Infallible>(pages::answer(shared, &request)))
    });
    let mut http = http1::Builder::new();
    // One request a connection: there is no idle one to be kept, and no second request to be read behind the first.
    http.keep_alive(false).half_close(true).max_buf_size(BUFFER_BYTES);
    let ended = tokio::time::timeout(REQUEST_MAX, http.serve_connection(TokioIo::new(&mut guarded), answer)).await;
    let is_too_long = guarded.is_too_long();
    if let Some((status, why)) = refusal(&ended, is_too_long).filter(|_| !asked.load(Ordering::Relaxed)) {
        // Fits at once into what the system keeps for a connection that has been sent nothing.
        let _ = stream.try_write(&refusal_bytes(status, &why));
    }
    net::end_connection(stream).await;
}

/// For a connection too many. Best effort, and waits for nothing.
pub(super) fn turn_away(stream: &TcpStream) {
    let why = format!("{CONNECTIONS_MAX} connections are open");
    let _ = stream.try_write(&refusal_bytes(StatusCode::SERVICE_UNAVAILABLE, &why));
}

/// What to say where no request could be made out. hyper has answers for this, but without a body.
fn refusal(ended: &Result<hyper::Result<()>, Elapsed>, is_too_long: bool) -> Option<(StatusCode, String)> {
    let seconds = |time: Duration| time.as_secs();
    match ended {
        Err(_) => Some((StatusCode::REQUEST_TIMEOUT, format!("no whole request within {} s", seconds(REQUEST_MAX)))),
        Ok(Ok(())) => None,
        Ok(Err(_)) if is_too_long => {
            let why = format!("the request's line and headers have more than {HEAD_BYTES_MAX} bytes");
            Some((StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, why))
        }
        Ok(Err(error)) if error.is_parse_too_large() => {
            Some((StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "too many headers".to_owned()))
        }
        Ok(Err(error)) if error.is_parse() => Some((StatusCode::BAD_REQUEST, "this is no HTTP/1 request".to_owned())),
        Ok(Err(error)) if error.is_incomplete_message() => {
            Some((StatusCode::BAD_REQUEST, "the request ends early".to_owned()))
        }
        // The connection is broken.
        Ok(Err(_)) => None,
    }
}

fn refusal_bytes(status: StatusCode, why: &str) -> Vec<u8> {
    let body = pages::error_line(why);
    let reason = status.canonical_reason().unwrap_or_default();
    format!(
        "HTTP/1.1 {} {reason}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        status.as_str(),
        body.len(),
    )
    .into_bytes()
}
