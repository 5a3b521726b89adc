//! The legacy service when all is well, and its own errors.

use bytes::Bytes;
use herd_node::places::{Backend, Settings};
use serde_json::json;

use crate::mock::{Act, Mock, ok, response};
use crate::{CANARY, HERE, THREE, ask, begin, fail, google, legacy, settings};

#[tokio::test]
async fn ok_keeps_googles_own_bytes() {
    let mock = Mock::always(ok(THREE)).await;
    let reply = ask(&legacy(&mock)).await;
    assert_eq!((reply.body, reply.failure), (Bytes::from(THREE.trim_end()), None));
}

#[tokio::test]
async fn ok_is_cut_to_the_bound_by_spans() {
    let mock = Mock::always(ok(THREE)).await;
    let google = legacy(&mock);
    let second_end = THREE.find("  ,\n      {\n         \"name\" : \"Third\"").unwrap();
    let first_end = THREE.find(",\n      {\n         \"name\" : \"Second").unwrap();
    let rest = "\n   ],\n   \"status\" : \"OK\"\n}";
    for (limit, kept) in [(1, first_end), (2, second_end)] {
        let body = begin(&google, HERE, limit).await.body;
        assert_eq!(std::str::from_utf8(&body).unwrap(), format!("{}{rest}", &THREE[..kept]));
    }
    assert_eq!(begin(&google, HERE, 3).await.body, THREE.trim_end());
    assert_eq!(begin(&google, HERE, 20).await.body, THREE.trim_end());
}

#[tokio::test]
async fn runs_of_newlines_are_squeezed_and_those_at_the_end_dropped() {
    let sent = "\n\n{\r\n\r\n\"html_attributions\":[],\n\n\n\"results\":[\n\n{\"name\":\"a\\n\\nb\"}\n\n,2]\n,\"status\":\"OK\"}\r\n\n";
    let mock = Mock::always(ok(sent)).await;
    let google = legacy(&mock);
    let whole = "{\r\n\"html_attributions\":[],\n\"results\":[\n{\"name\":\"a\\n\\nb\"}\n,2]\n,\"status\":\"OK\"}";
    assert_eq!(ask(&google).await.body, whole);
    assert_eq!(begin(&google, HERE, 1).await.body, whole.replace("\n,2", ""));
}

#[tokio::test]
async fn zero_results_pass_as_they_are() {
    let sent = "{\n   \"html_attributions\" : [],\n   \"results\" : [],\n   \"status\" : \"ZERO_RESULTS\"\n}\n";
    let mock = Mock::always(ok(sent)).await;
    let reply = ask(&legacy(&mock)).await;
    assert_eq!((reply.body, reply.failure), (Bytes::from(sent.trim_end()), None));
}

#[tokio::test]
async fn the_request_is_what_google_wants() {
    let mock = Mock::always(ok(THREE)).await;
    ask(&google(&Settings { place_type: Some("cafe".into()), ..settings(Backend::GoogleLegacy, &mock) })).await;
    ask(&legacy(&mock)).await;
    let seen = mock.seen();
    let path = "/maps/api/place/nearbysearch/json?location=34.068930,-118.445127&radius=10000&key=";
    assert!(seen[0].head.starts_with(&format!("GET {path}{CANARY}&type=cafe HTTP/1.1\r\n")), "{seen:?}");
    assert!(seen[1].head.starts_with(&format!("GET {path}{CANARY} HTTP/1.1\r\n")), "{seen:?}");
    assert_eq!(seen[1].header("user-agent"), Some(concat!("herd-node/", env!("CARGO_PKG_VERSION"))));
    assert_eq!(seen[1].header("accept-encoding"), Some("gzip"));
    assert_eq!(seen[1].header("host"), Some(&*mock.address.to_string()));
}

#[tokio::test]
async fn bound_zero_asks_nothing() {
    let mock = Mock::always(ok(THREE)).await;
    let google = legacy(&mock);
    let reply = begin(&google, HERE, 0).await;
    assert_eq!(reply.body, "{\n   \"html_attributions\" : [],\n   \"results\" : [],\n   \"status\" : \"OK\"\n}");
    assert_eq!((reply.failure, google.stats().calls, mock.seen().len()), (None, 0, 0));
}

#[tokio::test]
async fn errors_come_in_the_body_whatever_the_code() {
    for code in [200, 400, 403, 500] {
        for (sent, status, calls) in [
            ("INVALID_REQUEST", "INVALID_REQUEST", 1),
            ("REQUEST_DENIED", "REQUEST_DENIED", 1),
            ("UNKNOWN_ERROR", "UNKNOWN_ERROR", 3),
            ("SOMETHING_ELSE", "UNKNOWN_ERROR", 1),
        ] {
            let body = json!({ "error_message": "Google's words", "results": [], "status": sent });
            let mock = Mock::always(response(code, "", body.to_string())).await;
            let (failed, message) = fail(&legacy(&mock)).await;
            assert_eq!((failed, mock.seen().len()), (status, calls), "{code} {sent}");
            assert!(message == "Google's words" || sent == "SOMETHING_ELSE", "{message}");
        }
    }
}

#[tokio::test]
async fn an_error_without_a_message_gets_one() {
    let mock = Mock::always(response(403, "", "{\"status\":\"REQUEST_DENIED\"}")).await;
    assert_eq!(fail(&legacy(&mock)).await, ("REQUEST_DENIED", "the places service answered REQUEST_DENIED".into()));
}

#[tokio::test]
async fn a_code_without_a_body_decides() {
    for (code, status, calls) in [
        (400, "INVALID_REQUEST", 1),
        (401, "REQUEST_DENIED", 1),
        (403, "REQUEST_DENIED", 1),
        (404, "UNKNOWN_ERROR", 1),
        (500, "UNKNOWN_ERROR", 3),
        (503, "UNKNOWN_ERROR", 3),
    ] {
        for body in ["<html>oops</html>", "{\"status\":\"OK\",\"results\":[]}", ""] {
            let mock = Mock::always(response(code, "", body)).await;
            let (failed, message) = fail(&legacy(&mock)).await;
            assert_eq!((failed, mock.seen().len()), (status, calls), "{code}");
            assert!(message.contains(&code.to_string()) && !message.contains("oops"), "{message}");
        }
    }
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_not_followed() {
    let elsewhere = Mock::always(ok(THREE)).await;
    for code in [301, 302, 303, 307, 308] {
        let location = format!("Location: {}\r\n", elsewhere.url());
        let mock = Mock::new(move |_, _| Act::Send(response(code, &location, THREE))).await;
        assert_eq!(fail(&legacy(&mock)).await.0, "UNKNOWN_ERROR");
        assert_eq!(mock.seen().len(), 1);
    }
    assert_eq!(elsewhere.seen(), []);
}
