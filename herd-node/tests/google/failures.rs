//! An upstream that breaks, stalls, floods or lies.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use herd_node::places::{Backend, Settings};
use tokio::net::TcpListener;

use crate::mock::{Act, Mock, ok, response};
use crate::{THREE, ask, fail, google, hasty, legacy, settings};

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn nobody_listens() {
    let mock = Mock::always(Vec::new()).await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let google = google(&Settings { base_url: Some(url), ..settings(Backend::GoogleLegacy, &mock) });
    let (status, message) = fail(&google).await;
    assert_eq!((status, google.stats().calls, google.stats().retries), ("UNKNOWN_ERROR", 3, 2));
    assert!(message.starts_with("the places service could not be asked: "), "{message}");
}

#[tokio::test]
async fn no_answer_before_the_deadline() {
    let mock = Mock::new(|_, _| Act::Hold).await;
    let google = google(&hasty(&mock));
    assert_eq!(fail(&google).await, ("UNKNOWN_ERROR", "the places service did not answer in time".into()));
    mock.hang_ups(1).await;
    assert_eq!((mock.seen().len(), google.stats().failures.unknown_error), (1, 1));
}

#[tokio::test]
async fn dripping_is_cut_off_at_the_deadline() {
    for start in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{"] {
        let mock = Mock::new(move |_, _| Act::Drip(start.into())).await;
        let (status, _) = fail(&google(&hasty(&mock))).await;
        assert_eq!(status, "UNKNOWN_ERROR", "{start:?}");
        mock.hang_ups(1).await;
    }
}

#[tokio::test]
async fn too_large_a_body_is_not_read() {
    let large = format!("{{\"results\":[],\"status\":\"OK\",\"x\":\"{}\"}}", "x".repeat(10 << 20));
    let announced = ok(&large);
    let chunked = {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        format!("{head}{:x}\r\n{large}\r\n0\r\n\r\n", large.len()).into_bytes()
    };
    let until_closed = format!("HTTP/1.1 200 OK\r\n\r\n{large}").into_bytes();
    for reply in [announced, chunked, until_closed] {
        let mock = Mock::new(move |_, _| Act::SendAndClose(reply.clone())).await;
        let google = google(&Settings { body_max: 4096, ..settings(Backend::GoogleLegacy, &mock) });
        assert_eq!(fail(&google).await, ("UNKNOWN_ERROR", "the places service answered more than 4096 bytes".into()));
        assert_eq!(mock.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_body_of_exactly_the_cap_is_read() {
    let mock = Mock::always(ok(THREE)).await;
    for (body_max, good) in [(THREE.len(), true), (THREE.len() - 1, false)] {
        let google = google(&Settings { body_max, ..settings(Backend::GoogleLegacy, &mock) });
        assert_eq!(ask(&google).await.failure.is_none(), good);
    }
}

#[tokio::test]
async fn gzip_is_undone() {
    let mock = Mock::always(response(200, "Content-Encoding: gzip\r\n", gzip(THREE.as_bytes()))).await;
    assert_eq!(ask(&legacy(&mock)).await.body, THREE.trim_end());
}

#[tokio::test]
async fn a_gzip_bomb_does_not_go_off() {
    let bomb = gzip(&vec![b' '; 64 << 20]);
    let mock = Mock::always(response(200, "Content-Encoding: gzip\r\n", bomb)).await;
    assert_eq!(
        fail(&legacy(&mock)).await,
        ("UNKNOWN_ERROR", "the places service answered more than 8388608 bytes".into())
    );
}

#[tokio::test]
async fn other_compressions_and_broken_gzip_are_refused() {
    let truncated = gzip(THREE.as_bytes())[..40].to_vec();
    for (encoding, body) in
        [("br", THREE.into()), ("gzip, gzip", THREE.into()), ("gzip", THREE.into()), ("gzip", truncated)]
    {
        let mock = Mock::always(response(200, &format!("Content-Encoding: {encoding}\r\n"), body)).await;
        let (status, message) = fail(&legacy(&mock)).await;
        assert!(status == "UNKNOWN_ERROR" && message.contains("compression"), "{encoding}: {message}");
    }
}

#[tokio::test]
async fn what_is_no_reply_is_never_passed_on() {
    let deep = format!("{{\"results\":[{}{}],\"status\":\"OK\"}}", "[".repeat(5000), "]".repeat(5000));
    for body in [
        b"".as_slice(),
        b"not JSON\n\nAT Riley",
        b"<!DOCTYPE html>",
        b"{}",
        b"null",
        b"[]",
        b"[[],\"OK\"]",
        b"[null,null,{\"status\":\"OK\",\"results\":[]}]",
        b"{\"results\":[],\"status\":\"OK\"",
        b"{\"results\":[],\"status\":\"OK\"}{}",
        b"{\"results\":[],\"status\":\"OK\",\"x\":\"\xff\"}",
        b"{\"results\":[],\"status\":\"OK\",\"x\":\"\\ud800\"}",
        b"{\"results\":[],\"status\":\"OK\",\"x\":\"a\n\nb\"}",
        b"{\"results\":[1],\"status\":\"OK\",\"results\":[2]}",
        b"{\"results\":{},\"status\":\"OK\"}",
        b"{\"results\":null,\"status\":\"OK\"}",
        b"{\"status\":\"OK\"}",
        b"{\"status\":\"ZERO_RESULTS\"}",
        b"{\"results\":[]}",
        b"{\"results\":[],\"status\":null}",
        b"{\"results\":[],\"status\":7}",
        deep.as_bytes(),
        &THREE.as_bytes()[..THREE.len() / 2],
    ] {
        let mock = Mock::always(ok(body)).await;
        let (status, message) = fail(&legacy(&mock)).await;
        assert_eq!((status, mock.seen().len()), ("UNKNOWN_ERROR", 1), "{message}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_tried_again() {
    let half = &ok(THREE)[..200];
    let acts: [fn(&[u8]) -> Act; 2] = [|_| Act::HangUp, |half| Act::SendAndClose(half.into())];
    for act in acts {
        let half = half.to_vec();
        let mock = Mock::new(move |number, _| if number == 0 { act(&half) } else { Act::Send(ok(THREE)) }).await;
        let google = legacy(&mock);
        assert_eq!(ask(&google).await.body, THREE.trim_end());
        assert_eq!((mock.seen().len(), google.stats().retries), (2, 1));
    }
}

#[tokio::test]
async fn a_connection_that_always_breaks_is_given_up() {
    let mock = Mock::new(|_, _| Act::HangUp).await;
    assert_eq!(fail(&legacy(&mock)).await.0, "UNKNOWN_ERROR");
    assert_eq!(mock.seen().len(), 3);
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_meanwhile_harms_nobody() {
    let mock = Mock::new(|_, _| Act::SendAndClose(ok(THREE))).await;
    let google = legacy(&mock);
    for _ in 0..20 {
        assert_eq!(ask(&google).await.failure, None);
    }
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_question() {
    let mock = Mock::always(ok(THREE)).await;
    let google = legacy(&mock);
    for _ in 0..20 {
        assert_eq!(ask(&google).await.failure, None);
    }
    // A connection goes back to the pool a moment after its reply, so that now and then there is a second.
    assert!(mock.seen().len() == 20 && mock.connections() < 10, "{}", mock.connections());
}
