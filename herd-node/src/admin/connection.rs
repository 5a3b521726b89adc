//! One connection: one request, one answer, the end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

use super::answer::{Content, error_line};
use super::desk::Desk;
use super::guarded::{Guarded, Stage};
use super::{CONNECTIONS_MAX, HEAD_BYTES_MAX, REQUEST_MAX, STALL_MAX, pages};
use crate::net::{self, Reason, TcpStream};

/// More than a request may have, so that ours is the limit that is met. Also what waits to be sent at most, an event more or less.
const BUFFER_BYTES: usize = 4 * HEAD_BYTES_MAX;

/// How HTTP ended on a connection; `None`: it took too long.
type Ended = Option<hyper::Result<()>>;

/// Serves one connection to its end.
pub(super) async fn serve(desk: &Arc<Desk>, mut stream: TcpStream) {
    let stage = Stage::default();
    let mut guarded = Guarded::new(&mut stream, HEAD_BYTES_MAX, STALL_MAX, &stage);
    let answer = service_fn(async |request| {
        stage.set_asked();
        let answer = pages::answer(desk, &request).await;
        if matches!(answer.body(), Content::Events(_)) {
            stage.set_streams();
        }
        Ok::<_, Infallible>(answer)
    });
    let mut http = http1::Builder::new();
    // One request a connection: there is no idle one to be kept, and no second request to be read behind the first.
    http.keep_alive(false).half_close(true).max_buf_size(BUFFER_BYTES);
    let ended = tokio::select! {
        ended = http.serve_connection(TokioIo::new(&mut guarded), answer) => Some(ended),
        () = overdue(&stage) => None,
    };
    let is_too_long = guarded.is_too_long();
    if let Some((status, why)) = refusal(&ended, is_too_long).filter(|_| !stage.is_asked()) {
        desk.count(if ended.is_none() { Reason::AdminLate } else { Reason::AdminInvalid });
        // Fits at once into what the system keeps for a connection that has been sent nothing.
        let _ = stream.try_write(&refusal_bytes(status, &why));
    }
    net::end_connection(stream).await;
}

/// Ends when a connection has had its time, unless its answer is one that does not end.
async fn overdue(stage: &Stage) {
    tokio::time::sleep(REQUEST_MAX).await;
    if stage.streams() {
        std::future::pending::<()>().await;
    }
}

/// For a connection too many. Best effort, and waits for nothing.
pub(super) fn turn_away(stream: &TcpStream) {
    let why = format!("{CONNECTIONS_MAX} connections are open");
    let _ = stream.try_write(&refusal_bytes(StatusCode::SERVICE_UNAVAILABLE, &why));
}

/// What to say where no request could be made out. hyper has answers for this, but without a body.
fn refusal(ended: &Ended, is_too_long: bool) -> Option<(StatusCode, String)> {
    let seconds = |time: Duration| time.as_secs();
    match ended {
        None => Some((StatusCode::REQUEST_TIMEOUT, format!("no whole request within {} s", seconds(REQUEST_MAX)))),
        Some(Ok(())) => None,
        Some(Err(_)) if is_too_long => {
            let why = format!("the request's line and headers have more than {HEAD_BYTES_MAX} bytes");
            Some((StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, why))
        }
        Some(Err(error)) if error.is_parse_too_large() => {
            Some((StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "too many headers".to_owned()))
        }
        Some(Err(error)) if error.is_parse() => Some((StatusCode::BAD_REQUEST, "this is no HTTP/1 request".to_owned())),
        Some(Err(error)) if error.is_incomplete_message() => {
            Some((StatusCode::BAD_REQUEST, "the request ends early".to_owned()))
        }
        // The connection is broken.
        Some(Err(_)) => None,
    }
}

fn refusal_bytes(status: StatusCode, why: &str) -> Vec<u8> {
    let body = error_line(why);
    let reason = status.canonical_reason().unwrap_or_default();
    format!(
        "HTTP/1.1 {} {reason}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        status.as_str(),
        body.len(),
    )
    .into_bytes()
}
