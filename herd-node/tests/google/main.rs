//! The Google backends against a Google that does everything wrong.

mod canary;
mod failures;
mod legacy;
mod load;
mod mock;
mod new;
mod tls;

use std::time::Duration;

use herd_node::places::{Answer, Backend, Google, Places, Query, Reply, Settings};
use herd_node::secret::Secret;
use herd_proto::{Limit, Location, Radius};
use mock::Mock;

/// A key as long as Google's. It must turn up nowhere but at Google.
pub(crate) const CANARY: &str = "AIzaCanary-0123456789_abcdefghijklmnopq";

/// A legacy reply with three places, in Google's layout, with what a careless printer would change.
pub(crate) const THREE: &str = include_str!("three.json");

pub(crate) fn settings(backend: Backend, mock: &Mock) -> Settings {
    Settings {
        backend,
        base_url: Some(mock.url()),
        key: Some(Secret::new(CANARY.as_bytes())),
        // Out of the way of tests that are about something else.
        breaker_failures: 1000,
        ..Settings::default()
    }
}

/// Settings for tests in which the time has to run out. Long enough for a loaded machine to do everything else.
pub(crate) fn hasty(mock: &Mock) -> Settings {
    Settings { deadline: Duration::from_millis(800), ..settings(Backend::GoogleLegacy, mock) }
}

/// A backend in an environment without proxies, whatever this machine's is.
pub(crate) fn google(settings: &Settings) -> Google {
    Google::with_environment(settings, |_| None).unwrap()
}

pub(crate) fn legacy(mock: &Mock) -> Google {
    google(&settings(Backend::GoogleLegacy, mock))
}

/// Asks for `limit` places around `location`. The question is under way when this returns.
pub(crate) fn begin(
    google: &Google,
    location: &str,
    limit: u8,
) -> impl Future<Output = Reply> + Send + 'static + use<> {
    let query = Query {
        location: Location::new(location).unwrap(),
        radius: Radius::new("10").unwrap(),
        limit: Limit::from_count(limit).unwrap(),
    };
    let answer = google.nearby(&query);
    async move {
        let reply = match answer {
            Answer::Now(reply) => reply,
            Answer::Later(reply) => reply.await,
        };
        check(&reply);
        reply
    }
}

/// Asks for five places around the usual location.
pub(crate) async fn ask(google: &Google) -> Reply {
    begin(google, HERE, 5).await
}

pub(crate) const HERE: &str = "+34.068930-118.445127";

/// Asks and expects a failure; its status and message.
pub(crate) async fn fail(google: &Google) -> (&'static str, String) {
    let failure = ask(google).await.failure.expect("a failure");
    (failure.status, failure.message)
}

/// What holds for every reply.
fn check(reply: &Reply) {
    let text = std::str::from_utf8(&reply.body).unwrap();
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    assert!(!text.contains("\n\n") && !text.ends_with('\n'), "{text}");
    assert!(!format!("{text}{reply:?}").contains(CANARY), "{text}");
    assert!(value["results"].is_array() && value["html_attributions"].is_array(), "{text}");
    if let Some(failure) = &reply.failure {
        assert_eq!(value["results"], serde_json::json!([]));
        assert_eq!(
            (value["status"].as_str(), value["error_message"].as_str()),
            (Some(failure.status), Some(&*failure.message))
        );
        assert!(!failure.message.is_empty() && !failure.message.contains(char::is_control), "{failure:?}");
        assert!(VOCABULARY.contains(&failure.status), "{failure:?}");
    }
}

const VOCABULARY: [&str; 4] = ["REQUEST_DENIED", "OVER_QUERY_LIMIT", "INVALID_REQUEST", "UNKNOWN_ERROR"];
