//! The page at `/`: one document that draws the herd as this server sees it, from `/status.json` and `/events` alone.
//!
//! Its sources are beside this file: `index.html`, `style.css`, the scripts of `js`, and the land of `coastline`. They are put together
//! once, at the first request. The document asks nobody but its own server, and its policy lets it run no script and take no style but its
//! own, by their hashes; so text of clients could not become a program even if it became markup, which it never does.

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use bytes::Bytes;
use hyper::header::{CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, X_FRAME_OPTIONS};
use sha2::{Digest as _, Sha256};

const HTML: &str = include_str!("index.html");
const STYLE: &str = include_str!("style.css");
const COASTLINE: &str = include_str!("coastline/coastline.txt");
/// In one function, so that nothing of it is anybody else's to find.
const SCRIPT: &str = concat!(
    "(() => {\n'use strict';\n",
    include_str!("js/text.js"),
    include_str!("js/store.js"),
    include_str!("js/coastline.js"),
    include_str!("js/map.js"),
    include_str!("js/graph.js"),
    include_str!("js/plots.js"),
    include_str!("js/tables.js"),
    include_str!("js/search.js"),
    include_str!("js/feed.js"),
    include_str!("js/page.js"),
    "})();\n",
);

/// The document and the policy it is served under.
#[derive(Debug)]
struct Document {
    text: Bytes,
    policy: HeaderValue,
}

static DOCUMENT: LazyLock<Document> = LazyLock::new(Document::new);

impl Document {
    fn new() -> Self {
        let script = SCRIPT.replace("/* coastline */", COASTLINE.trim_end());
        let text = HTML.replace("/* style */", STYLE).replace("/* script */", &script);
        let policy = format!(
            "default-src 'none'; script-src {}; style-src {}; img-src data:; connect-src 'self'; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
            source(&script),
            source(STYLE),
        );
        // Only ASCII that is printed: it can't fail; and a page without a policy had better not run.
        let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("sandbox"));
        Self { text: text.into(), policy }
    }
}

/// The page, as UTF-8 HTML.
pub(super) fn document() -> Bytes {
    DOCUMENT.text.clone()
}

/// What goes before it, besides what goes before every answer.
pub(super) fn headers() -> [(HeaderName, HeaderValue); 3] {
    [
        (CONTENT_SECURITY_POLICY, DOCUMENT.policy.clone()),
        // For browsers that know no `frame-ancestors`.
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    ]
}

/// A script or style as a policy names it: `'sha256-…'`.
fn source(text: &str) -> String {
    format!("'sha256-{}'", base64(&Sha256::digest(text)))
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at)) as usize % 64];
            text.push(if at <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}
