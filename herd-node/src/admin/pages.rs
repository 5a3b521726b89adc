//! What there is to be asked for.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::{Method, Request, Response, StatusCode};

use crate::net::Shared;
use crate::status::Status;

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

type Page = fn(&Shared) -> (&'static str, String);

/// Every page by its path.
const PAGES: [(&str, Page); 2] = [("/status.json", status), ("/healthz", health)];

/// The answer to a request, whatever it asks for.
pub(super) fn answer<B>(shared: &Shared, request: &Request<B>) -> Response<Full<Bytes>> {
    let page = PAGES.iter().find(|(path, _)| *path == request.uri().path());
    let Some((_, page)) = page else {
        let [first, second] = PAGES.map(|(path, _)| path);
        return error(StatusCode::NOT_FOUND, &format!("there is {first} and {second}"));
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = error(StatusCode::METHOD_NOT_ALLOWED, "this can only be read");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    if request.uri().query().is_some() {
        return error(StatusCode::BAD_REQUEST, "this takes no query");
    }
    let (kind, text) = page(shared);
    response(StatusCode::OK, kind, text)
}

/// `{"error":"…"}` and LF.
pub(super) fn error_line(why: &str) -> String {
    format!("{}\n", serde_json::json!({ "error": why }))
}

fn error(status: StatusCode, why: &str) -> Response<Full<Bytes>> {
    response(status, JSON, error_line(why))
}

fn response(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn status(shared: &Shared) -> (&'static str, String) {
    // Strings and numbers: there is nothing in it that could fail.
    let mut json = serde_json::to_string(&Status::of(shared)).unwrap_or_default();
    json.push('\n');
    (JSON, json)
}

fn health(_: &Shared) -> (&'static str, String) {
    (TEXT, "ok\n".to_owned())
}
