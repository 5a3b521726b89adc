//! The key goes to Google and nowhere else, whatever Google says. (Every other test looks for it in its replies, too.)

use herd_node::places::{Backend, Google, Settings};
use herd_node::secret::Secret;
use serde_json::json;
use tokio::task::JoinSet;

use crate::mock::{Mock, ok, response};
use crate::{CANARY, ask, google, settings};

/// The key in the forms in which an upstream may repeat it.
fn echoes() -> Vec<String> {
    let each = |prefix: &str| CANARY.bytes().map(|byte| format!("{prefix}{byte:02X}")).collect::<String>();
    vec![
        CANARY.into(),
        CANARY.replace('-', "%2D").replace('_', "%5f"),
        each("%"),
        each("%25"),
        format!("GET /json?location=1,2&key={CANARY}&type=x HTTP/1.1"),
        format!("{CANARY}{CANARY}"),
    ]
}

/// `text` with nothing of percent-encoding or JSON escapes left that could hide a key.
fn plain(text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..3 {
        for byte in CANARY.bytes().chain(*b"%") {
            for form in [format!("%{byte:02X}"), format!("%{byte:02x}"), format!("\\u00{byte:02x}")] {
                text = text.replace(&form, &char::from(byte).to_string());
            }
        }
    }
    text
}

async fn written(google: &Google) -> String {
    let reply = ask(google).await;
    let text = std::str::from_utf8(&reply.body).unwrap().to_owned();
    plain(&format!("{text}{reply:?}{reply:#?}{google:?}{google:#?}{:?}", google.stats()))
}

#[tokio::test]
async fn nothing_that_is_written_has_the_key() {
    let escaped: String = CANARY.bytes().map(|byte| format!("\\u00{byte:02x}")).collect();
    let mut replies = vec![
        ok(format!("{{\"status\":\"OK\",\"html_attributions\":[],\"results\":[\"{escaped}\"]}}")),
        ok(format!("{{\"status\":\"REQUEST_DENIED\",\"error_message\":\"{escaped}\"}}")),
        ok(format!("{{\"places\":[{{\"id\":\"{escaped}\"}}]}}")),
    ];
    for echo in echoes() {
        replies.push(ok(json!({ "status": "REQUEST_DENIED", "error_message": echo, "results": [] }).to_string()));
        replies.push(ok(json!({ "status": "OK", "html_attributions": [echo], "results": [{ "name": echo }], "next_page_token": echo }).to_string()));
        replies.push(ok(json!({ "status": echo, "results": [] }).to_string()));
        replies.push(ok(json!({ "places": [{ "id": echo, "attributions": [{ "provider": echo }] }] }).to_string()));
        let error = json!({ "code": 400, "message": echo, "status": "INVALID_ARGUMENT" });
        replies.push(response(400, "", json!({ "error": error }).to_string()));
        replies.push(response(404, "", format!("<html>{echo}</html>")));
        replies.push(ok(format!("{{\"{echo}")));
        replies.push(response(302, &format!("Location: https://elsewhere.example/?{CANARY}\r\n"), ""));
        replies.push(format!("HTTP/1.1 bad {echo}\r\n\r\n").into_bytes());
    }
    let mut cases = JoinSet::new();
    for reply in replies {
        for backend in [Backend::GoogleLegacy, Backend::Google] {
            let reply = reply.clone();
            cases.spawn(async move {
                let mock = Mock::always(reply).await;
                let written = written(&google(&settings(backend, &mock))).await;
                assert!(!written.contains(CANARY), "{written}");
                let seen = format!("{:?}", mock.seen());
                assert!(seen.contains(CANARY), "Google needs it: {seen}");
            });
        }
    }
    cases.join_all().await;
}

#[tokio::test]
async fn a_reply_that_repeats_the_key_is_otherwise_googles_own() {
    let body =
        |key: &str| format!("{{\"html_attributions\":[],\"results\":[ {{\"name\" : \"{key}\"}} ],\"status\":\"OK\"}}");
    let mock = Mock::always(ok(body(CANARY))).await;
    assert_eq!(ask(&google(&settings(Backend::GoogleLegacy, &mock))).await.body, body("[redacted]"));
}

#[tokio::test]
async fn no_setting_or_setup_error_shows_the_key() {
    let mock = Mock::always(Vec::new()).await;
    let good = settings(Backend::GoogleLegacy, &mock);
    assert!(!format!("{good:?}{good:#?}").contains(CANARY));
    let long = CANARY.repeat(20);
    for key in [format!("{CANARY}\n"), format!("{CANARY}\0"), format!("{CANARY} {CANARY}"), long] {
        let bad = Settings { key: Some(Secret::new(key.as_bytes())), ..good.clone() };
        let error = Google::new(&bad).unwrap_err();
        assert!(!format!("{error}{error:?}").contains(CANARY), "{error}");
    }
    for base_url in [format!("https://{CANARY}@h/"), format!("http://h/?key={CANARY}"), format!("https://h/#{CANARY}")]
    {
        let error = Google::new(&Settings { base_url: Some(base_url), ..good.clone() }).unwrap_err();
        assert!(!format!("{error}{error:?}").contains(CANARY), "{error}");
    }
}
