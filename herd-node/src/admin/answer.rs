//! Answers: their bodies, and the headers that all of them have.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};

use super::events::Stream;

pub(super) const JSON: &str = "application/json";
pub(super) const HTML: &str = "text/html; charset=utf-8";
pub(super) const TEXT: &str = "text/plain; charset=utf-8";
/// Of `/events`.
const EVENTS: &str = "text/event-stream";

/// What is answered.
pub(super) type Answer = Response<Content>;

/// What an answer holds.
#[derive(Debug)]
pub(super) enum Content {
    /// All of it; `None` once it is sent.
    Whole(Option<Bytes>),
    /// Events, until the reader goes.
    Events(Stream),
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take()),
            Self::Events(stream) => stream.poll_next(cx),
        };
        bytes.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Events(_) => SizeHint::default(),
        }
    }
}

/// An answer of a whole text.
pub(super) fn whole(status: StatusCode, kind: &'static str, text: impl Into<Bytes>) -> Answer {
    answer(status, kind, Content::Whole(Some(text.into())))
}

/// Events; without `stream` only what is said before them.
pub(super) fn events(stream: Option<Stream>) -> Answer {
    answer(StatusCode::OK, EVENTS, stream.map_or(Content::Whole(None), Content::Events))
}

/// A line of JSON that says what is wrong.
pub(super) fn error(status: StatusCode, why: &str) -> Answer {
    whole(status, JSON, error_line(why))
}

/// `{"error":"…"}` and LF.
pub(super) fn error_line(why: &str) -> String {
    format!("{}\n", serde_json::json!({ "error": why }))
}

fn answer(status: StatusCode, kind: &'static str, content: Content) -> Answer {
    let mut response = Response::new(content);
    *response.status_mut() = status;
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        // Whatever is in it, a browser that shows it as a page does nothing with it.
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        // Pages of others can't have it, be it as an image.
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
