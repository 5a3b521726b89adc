//! Many questions, few calls: sharing, bounds, retries, breaker, budget.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use herd_node::clock;
use herd_node::places::google::BreakerState;
use herd_node::places::{Backend, Google, Settings};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::mock::{Act, Mock, ok, response};
use crate::{HERE, THREE, ask, begin, fail, google, hasty, legacy, settings};

/// A mock that answers when told to, and the means to tell it.
async fn gated() -> (Mock, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let answer = Arc::clone(&gate);
    (Mock::new(move |_, _| Act::When(Arc::clone(&answer), ok(THREE))).await, gate)
}

/// Waits for what has no event of its own.
async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn status_body(status: &str) -> String {
    json!({ "html_attributions": [], "results": [], "status": status }).to_string()
}

#[tokio::test]
async fn the_same_question_is_asked_once_and_each_gets_its_own_bound() {
    for backend in [Backend::GoogleLegacy, Backend::Google] {
        let gate = Arc::new(Semaphore::new(0));
        let answer = Arc::clone(&gate);
        let body = if backend == Backend::Google {
            "{\"places\":[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"}]}"
        } else {
            THREE
        };
        let mock = Mock::new(move |_, _| Act::When(Arc::clone(&answer), ok(body))).await;
        let google = google(&settings(backend, &mock));
        let waiting: Vec<_> = (1..=20).map(|limit| begin(&google, HERE, limit)).collect();
        assert_eq!(google.stats().shared, 19);
        gate.add_permits(1);
        for (limit, reply) in (1_usize..).zip(waiting) {
            let value: serde_json::Value = serde_json::from_slice(&reply.await.body).unwrap();
            assert_eq!(value["results"].as_array().unwrap().len(), limit.min(3));
        }
        assert_eq!((mock.seen().len(), google.stats().calls), (1, 1));
        // Nothing is stored: the next question is a call of its own.
        gate.add_permits(1);
        ask(&google).await;
        assert_eq!(mock.seen().len(), 2);
    }
}

#[tokio::test]
async fn other_questions_are_other_calls() {
    let mock = Mock::always(ok(THREE)).await;
    let google = legacy(&mock);
    let both = (begin(&google, "+1+1", 5), begin(&google, "+1+2", 5));
    tokio::join!(both.0, both.1);
    assert_eq!((mock.seen().len(), google.stats().shared), (2, 0));
}

#[tokio::test]
async fn one_who_goes_away_spoils_nothing_for_the_rest() {
    let (mock, gate) = gated().await;
    let google = legacy(&mock);
    let (first, second) = (begin(&google, HERE, 5), begin(&google, HERE, 5));
    mock.requests(1).await;
    drop(first);
    gate.add_permits(1);
    assert_eq!(second.await.failure, None);
    assert_eq!((mock.seen().len(), google.stats().abandoned), (1, 0));
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_is_abandoned() {
    let mock = Mock::new(|_, _| Act::Hold).await;
    let google = legacy(&mock);
    let waiting = [begin(&google, HERE, 5), begin(&google, HERE, 5)];
    mock.requests(1).await;
    drop(waiting);
    mock.hang_ups(1).await;
    until(|| google.stats().in_flight == 0).await;
    assert_eq!((google.stats().abandoned, google.stats().breaker), (1, BreakerState::Closed));
}

#[tokio::test]
async fn a_question_dropped_before_it_began_leaves_nothing_behind() {
    let (mock, _gate) = gated().await;
    let google = google(&Settings { in_flight_max: 1, queue_max: 1, ..settings(Backend::GoogleLegacy, &mock) });
    for _ in 0..50 {
        drop(begin(&google, HERE, 5));
        until(|| google.stats().in_flight == 0).await;
    }
    assert_eq!((google.stats().abandoned, google.stats().queue_refusals), (50, 0));
}

#[tokio::test]
async fn beyond_the_queue_questions_fail_at_once() {
    let (mock, gate) = gated().await;
    let google = google(&Settings { in_flight_max: 2, queue_max: 1, ..settings(Backend::GoogleLegacy, &mock) });
    let waiting: Vec<_> = ["+1+1", "+1+2", "+1+3"].map(|location| begin(&google, location, 5)).into();
    mock.requests(2).await;
    assert_eq!((google.stats().in_flight, google.stats().queued), (2, 1));
    let refused = begin(&google, "+1+4", 5).await.failure.unwrap();
    assert_eq!((refused.status, google.stats().queue_refusals), ("OVER_QUERY_LIMIT", 1));
    // Who asks what is under way needs no place.
    let joined = begin(&google, "+1+3", 5);
    gate.add_permits(3);
    for reply in waiting {
        assert_eq!(reply.await.failure, None);
    }
    assert_eq!(joined.await.failure, None);
    assert_eq!(mock.seen().len(), 3);
    until(|| google.stats().in_flight == 0).await;
}

#[tokio::test]
async fn a_turn_that_does_not_come_in_time_is_a_failure() {
    let mock = Mock::new(|_, _| Act::Hold).await;
    let google = google(&Settings { in_flight_max: 1, ..hasty(&mock) });
    let first = begin(&google, "+1+1", 5);
    mock.requests(1).await;
    let (first, second) = tokio::join!(first, begin(&google, "+1+2", 5));
    assert_eq!((first.failure.unwrap().status, second.failure.unwrap().status), ("UNKNOWN_ERROR", "UNKNOWN_ERROR"));
}

#[tokio::test]
async fn a_failure_that_passes_is_got_over() {
    let mock = Mock::new(|number, _| match number {
        0 => Act::Send(ok(status_body("UNKNOWN_ERROR"))),
        1 => Act::Send(response(502, "", "<html>")),
        _ => Act::Send(ok(THREE)),
    })
    .await;
    let google = legacy(&mock);
    assert_eq!(ask(&google).await.failure, None);
    let stats = google.stats();
    assert_eq!((stats.calls, stats.retries, stats.failures.unknown_error), (3, 2, 2));
}

#[tokio::test]
async fn over_query_limit_backs_off_twice_then_opens_the_breaker() {
    let mock = Mock::always(ok(status_body("OVER_QUERY_LIMIT"))).await;
    let google = legacy(&mock);
    assert_eq!(fail(&google).await.0, "OVER_QUERY_LIMIT");
    assert_eq!((mock.seen().len(), google.stats().breaker), (3, BreakerState::Open));
    assert_eq!(fail(&google).await.0, "OVER_QUERY_LIMIT");
    let stats = google.stats();
    assert_eq!((mock.seen().len(), stats.breaker_refusals, stats.failures.over_query_limit), (3, 1, 3));
}

#[tokio::test]
async fn over_query_limit_that_passes_opens_nothing() {
    let limit = || Act::Send(ok(status_body("OVER_QUERY_LIMIT")));
    let mock = Mock::new(move |number, _| if number == 0 { limit() } else { Act::Send(ok(THREE)) }).await;
    let google = legacy(&mock);
    assert_eq!(ask(&google).await.failure, None);
    assert_eq!(google.stats().breaker, BreakerState::Closed);
}

#[tokio::test]
async fn retry_after_is_waited_for() {
    let mock = Mock::new(|number, _| match number {
        0 => Act::Send(response(429, "Retry-After: 1\r\n", "slow down")),
        _ => Act::Send(ok(THREE)),
    })
    .await;
    let begun = clock::monotonic();
    assert_eq!(ask(&legacy(&mock)).await.failure, None);
    assert!(clock::monotonic() - begun >= Duration::from_secs(1));
}

#[tokio::test]
async fn retry_after_beyond_the_deadline_is_not() {
    let mock = Mock::always(response(429, "Retry-After: 60\r\n", "")).await;
    let google = legacy(&mock);
    assert_eq!(fail(&google).await.0, "OVER_QUERY_LIMIT");
    assert_eq!((mock.seen().len(), google.stats().breaker), (1, BreakerState::Open));
}

fn fragile(mock: &Mock) -> Google {
    let pause = Duration::from_millis(700);
    google(&Settings { breaker_failures: 2, breaker_pause: pause, ..settings(Backend::GoogleLegacy, mock) })
}

#[tokio::test]
async fn the_breaker_opens_lets_one_probe_through_and_closes() {
    let gate = Arc::new(Semaphore::new(0));
    let answer = Arc::clone(&gate);
    let mock = Mock::new(move |number, _| match number {
        0 | 1 => Act::Send(ok(status_body("REQUEST_DENIED"))),
        2 => Act::Send(response(500, "", "")),
        _ => Act::When(Arc::clone(&answer), ok(THREE)),
    })
    .await;
    let google = fragile(&mock);
    for _ in 0..2 {
        assert_eq!(fail(&google).await.0, "REQUEST_DENIED");
    }
    // Open: it says what opened it, at once and without a call.
    assert_eq!(google.stats().breaker, BreakerState::Open);
    assert_eq!((fail(&google).await.0, mock.seen().len()), ("REQUEST_DENIED", 2));
    // A probe that fails opens it again, without retries.
    until(|| google.stats().breaker == BreakerState::HalfOpen).await;
    assert_eq!((fail(&google).await.0, mock.seen().len()), ("UNKNOWN_ERROR", 3));
    // One that succeeds closes it; meanwhile the others are refused.
    until(|| google.stats().breaker == BreakerState::HalfOpen).await;
    let probe = begin(&google, HERE, 5);
    mock.requests(4).await;
    assert_eq!(begin(&google, "+1+1", 5).await.failure.unwrap().status, "UNKNOWN_ERROR");
    gate.add_permits(1);
    assert_eq!(probe.await.failure, None);
    assert_eq!((mock.seen().len(), google.stats().breaker), (4, BreakerState::Closed));
}

#[tokio::test]
async fn an_abandoned_probe_leaves_the_next_question_to_probe() {
    let mock = Mock::new(|number, _| match number {
        0 | 1 => Act::Send(ok(status_body("REQUEST_DENIED"))),
        2 => Act::Hold,
        _ => Act::Send(ok(THREE)),
    })
    .await;
    let google = fragile(&mock);
    for _ in 0..2 {
        fail(&google).await;
    }
    until(|| google.stats().breaker == BreakerState::HalfOpen).await;
    let probe = begin(&google, HERE, 5);
    mock.requests(3).await;
    drop(probe);
    mock.hang_ups(1).await;
    until(|| google.stats().in_flight == 0).await;
    assert_eq!(ask(&google).await.failure, None);
}

#[tokio::test]
async fn bad_requests_open_nothing() {
    let mock = Mock::always(response(400, "", status_body("INVALID_REQUEST"))).await;
    let google = fragile(&mock);
    for _ in 0..5 {
        assert_eq!(fail(&google).await.0, "INVALID_REQUEST");
    }
    assert_eq!((mock.seen().len(), google.stats().failures.invalid_request), (5, 5));
}

#[tokio::test]
async fn a_used_up_budget_asks_no_more() {
    let mock = Mock::always(ok(THREE)).await;
    for (calls_per_minute, calls_per_day, window) in [(Some(2), None, "minute"), (None, Some(2), "day")] {
        let google = google(&Settings { calls_per_minute, calls_per_day, ..settings(Backend::GoogleLegacy, &mock) });
        let before = mock.seen().len();
        for _ in 0..2 {
            assert_eq!(ask(&google).await.failure, None);
        }
        let (status, message) = fail(&google).await;
        assert!(status == "OVER_QUERY_LIMIT" && message.contains(window), "{message}");
        assert_eq!((mock.seen().len() - before, google.stats().budget_refusals), (2, 1));
    }
}

#[tokio::test]
async fn retries_are_paid_from_the_budget() {
    let mock = Mock::always(ok(status_body("UNKNOWN_ERROR"))).await;
    let google = google(&Settings { calls_per_day: Some(2), ..settings(Backend::GoogleLegacy, &mock) });
    // What went wrong is said, not that the money was out.
    assert_eq!(fail(&google).await.0, "UNKNOWN_ERROR");
    assert_eq!((mock.seen().len(), google.stats().calls), (2, 2));
}

#[test]
fn without_a_runtime_there_is_a_failure_and_no_panic() {
    let settings =
        Settings { backend: Backend::Google, key: Some(herd_node::secret::Secret::new(*b"k")), ..Settings::default() };
    let google = google(&settings);
    let mut reply = pin!(begin(&google, HERE, 5));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(matches!(reply.as_mut().poll(&mut context), std::task::Poll::Ready(reply) if reply.failure.is_some()));
}
