//! Replies in the legacy shape that no upstream wrote: failures, and the answer to bound 0.

use bytes::Bytes;
use serde_json::json;

use super::layout;
use super::{Failure, Reply};

/// The request was malformed: ours to mend.
pub(crate) const INVALID_REQUEST: &str = "INVALID_REQUEST";
/// Too many calls, by Google's count or by our own budget.
pub(crate) const OVER_QUERY_LIMIT: &str = "OVER_QUERY_LIMIT";
/// The key is not accepted.
pub(crate) const REQUEST_DENIED: &str = "REQUEST_DENIED";
/// No answer that can be used.
pub(crate) const UNKNOWN_ERROR: &str = "UNKNOWN_ERROR";

/// The reply of a backend that could not answer (WIRE §3.6). `message` must hold no secret.
pub(crate) fn failure_reply(status: &'static str, message: impl Into<String>) -> Reply {
    reply_of(Failure { status, message: message.into(), bound: None })
}

/// The same, of a failure that is known.
pub(crate) fn reply_of(failure: Failure) -> Reply {
    let Failure { status, message, .. } = &failure;
    let body = json!({ "error_message": message, "html_attributions": [], "results": [], "status": status });
    Reply { body: Bytes::from(layout::print(&body)), failure: Some(failure) }
}

/// The reply to bound 0, for which nobody is asked (WIRE §3.7).
pub(crate) fn empty_reply() -> Reply {
    Reply { body: Bytes::from_static(EMPTY), failure: None }
}

const EMPTY: &[u8] = b"{\n   \"html_attributions\" : [],\n   \"results\" : [],\n   \"status\" : \"OK\"\n}";

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Failure, REQUEST_DENIED, empty_reply, failure_reply};

    #[test]
    fn a_failure_has_the_legacy_shape() {
        let reply = failure_reply(REQUEST_DENIED, "the key is \"bad\"");
        let expected = concat!(
            "{\n   \"error_message\" : \"the key is \\\"bad\\\"\",\n   \"html_attributions\" : [],\n",
            "   \"results\" : [],\n   \"status\" : \"REQUEST_DENIED\"\n}",
        );
        assert_eq!(reply.body, expected);
        let failure = Failure { status: REQUEST_DENIED, message: "the key is \"bad\"".into(), bound: None };
        assert_eq!(reply.failure, Some(failure));
    }

    #[test]
    fn bound_zero_is_an_empty_success() {
        let reply = empty_reply();
        let value: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(value, json!({ "html_attributions": [], "results": [], "status": "OK" }));
        assert_eq!(super::layout::print(&value), reply.body);
        assert_eq!(reply.failure, None);
    }
}
