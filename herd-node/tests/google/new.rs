//! Places API (New), told in the legacy shape.

use herd_node::places::google::BreakerState;
use herd_node::places::{Backend, Google, Mask, Settings};
use serde_json::{Value, json};

use crate::mock::{Act, Mock, ok, response};
use crate::{CANARY, HERE, ask, begin, fail, google, settings};

fn new(mock: &Mock) -> Google {
    google(&settings(Backend::Google, mock))
}

const TWO: &str = r##"{ "places": [ {
    "id": "ChIJa", "types": [ "museum", "establishment" ], "plusCode": { "globalCode": "85633H93+HX" },
    "location": { "latitude": 34.06893, "longitude": -118.445127 },
    "viewport": { "low": { "latitude": 34.0, "longitude": -118.5 }, "high": { "latitude": 34.1, "longitude": -118.4 } },
    "rating": 4, "iconMaskBaseUri": "https://maps.gstatic.com/mapfiles/place_api/icons/v2/museum_pinlet",
    "iconBackgroundColor": "#13B5C7", "displayName": { "text": "Fowler Museum", "languageCode": "en" },
    "businessStatus": "OPERATIONAL", "shortFormattedAddress": "308 Charles E Young Dr N, Los Angeles"
}, { "id": "ChIJb", "displayName": { "text": "Second" }, "attributions": [ { "provider": "B" } ] } ] }"##;

const ONE_LEGACY: &str = r##"{
   "html_attributions" : [],
   "results" : [
      {
         "business_status" : "OPERATIONAL",
         "geometry" : {
            "location" : {
               "lat" : 34.06893,
               "lng" : -118.445127
            },
            "viewport" : {
               "northeast" : {
                  "lat" : 34.1,
                  "lng" : -118.4
               },
               "southwest" : {
                  "lat" : 34.0,
                  "lng" : -118.5
               }
            }
         },
         "icon" : "https://maps.gstatic.com/mapfiles/place_api/icons/v1/png_71/museum-71.png",
         "icon_background_color" : "#13B5C7",
         "icon_mask_base_uri" : "https://maps.gstatic.com/mapfiles/place_api/icons/v2/museum_pinlet",
         "name" : "Fowler Museum",
         "place_id" : "ChIJa",
         "plus_code" : {
            "global_code" : "85633H93+HX"
         },
         "rating" : 4,
         "reference" : "ChIJa",
         "scope" : "GOOGLE",
         "types" : [ "museum", "establishment" ],
         "vicinity" : "308 Charles E Young Dr N, Los Angeles"
      }
   ],
   "status" : "OK"
}"##;

#[tokio::test]
async fn places_are_told_in_the_legacy_shape_and_layout() {
    let mock = Mock::always(ok(TWO)).await;
    let google = new(&mock);
    let reply = begin(&google, HERE, 1).await;
    assert_eq!((std::str::from_utf8(&reply.body), reply.failure), (Ok(ONE_LEGACY), None));
    let both: Value = serde_json::from_slice(&ask(&google).await.body).unwrap();
    assert_eq!(both["html_attributions"], json!(["B"]), "credit only where it is due");
    assert_eq!(
        both["results"][1],
        json!({ "name": "Second", "place_id": "ChIJb", "reference": "ChIJb", "scope": "GOOGLE" })
    );
}

#[tokio::test]
async fn nothing_found_is_zero_results() {
    for body in ["{}", "{}\n", "{\"places\":[]}"] {
        let mock = Mock::always(ok(body)).await;
        let reply = ask(&new(&mock)).await;
        let expected = "{\n   \"html_attributions\" : [],\n   \"results\" : [],\n   \"status\" : \"ZERO_RESULTS\"\n}";
        assert_eq!((reply.failure, reply.body.as_ref()), (None, expected.as_bytes()));
    }
}

#[tokio::test]
async fn the_request_is_what_google_wants() {
    let mock = Mock::always(ok("{}")).await;
    begin(&new(&mock), "+07.5-008.50", 5).await;
    let enterprise = Settings { mask: Mask::Enterprise, ..settings(Backend::Google, &mock) };
    ask(&google(&enterprise)).await;
    let seen = mock.seen();
    assert!(seen[0].head.starts_with("POST /maps/api/place/nearbysearch/json HTTP/1.1\r\n"), "{seen:?}");
    assert_eq!(seen[0].header("x-goog-api-key"), Some(CANARY));
    assert_eq!(seen[0].header("content-type"), Some("application/json"));
    let pro = "places.id,places.displayName,places.location,places.viewport,places.types,places.shortFormattedAddress,\
               places.businessStatus,places.iconMaskBaseUri,places.iconBackgroundColor,places.plusCode,places.photos,\
               places.attributions";
    let more = ",places.rating,places.userRatingCount,places.priceLevel,places.regularOpeningHours.openNow";
    assert_eq!(seen[0].header("x-goog-fieldmask"), Some(pro));
    assert_eq!(seen[1].header("x-goog-fieldmask"), Some(&*format!("{pro}{more}")));
    let expected = "{\"maxResultCount\":20,\"rankPreference\":\"POPULARITY\",\"locationRestriction\":{\"circle\":{\
                    \"center\":{\"latitude\":7.5,\"longitude\":-8.50},\"radius\":10000}}}";
    assert_eq!(seen[0].body, expected);
}

fn error(code: u16, status: &str, reason: &str) -> String {
    let info =
        json!({ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com" });
    json!({ "error": { "code": code, "message": "Google's words", "status": status, "details": [info] } }).to_string()
}

#[tokio::test]
async fn errors_have_the_legacy_names() {
    for (code, sent, reason, status, calls) in [
        (400, "INVALID_ARGUMENT", "", "INVALID_REQUEST", 1),
        (400, "INVALID_ARGUMENT", "API_KEY_INVALID", "REQUEST_DENIED", 1),
        (401, "UNAUTHENTICATED", "", "REQUEST_DENIED", 1),
        (403, "PERMISSION_DENIED", "SERVICE_DISABLED", "REQUEST_DENIED", 1),
        (404, "NOT_FOUND", "", "UNKNOWN_ERROR", 1),
        (500, "INTERNAL", "", "UNKNOWN_ERROR", 3),
        (503, "UNAVAILABLE", "", "UNKNOWN_ERROR", 3),
    ] {
        let mock = Mock::always(response(code, "", error(code, sent, reason))).await;
        assert_eq!(fail(&new(&mock)).await, (status, "Google's words".into()), "{sent} {reason}");
        assert_eq!(mock.seen().len(), calls, "{sent} {reason}");
    }
}

#[tokio::test]
async fn too_many_calls_are_backed_off_from() {
    let exhausted = || error(429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED");
    let mock = Mock::always(response(429, "", exhausted())).await;
    let google = new(&mock);
    assert_eq!(fail(&google).await.0, "OVER_QUERY_LIMIT");
    assert_eq!((mock.seen().len(), google.stats().breaker), (3, BreakerState::Open));
    // A delay past the deadline is not waited for, in the header or in the body.
    let mut with_info: Value = serde_json::from_str(&exhausted()).unwrap();
    let info = json!({ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "33.5s" });
    with_info["error"]["details"].as_array_mut().unwrap().push(info);
    for reply in [response(429, "Retry-After: 33\r\n", exhausted()), response(429, "", with_info.to_string())] {
        let mock = Mock::always(reply).await;
        assert_eq!(fail(&new(&mock)).await.0, "OVER_QUERY_LIMIT");
        assert_eq!(mock.seen().len(), 1);
    }
}

#[tokio::test]
async fn what_is_no_reply_is_never_passed_on() {
    for body in [
        "",
        "[]",
        "null",
        "{",
        "{}{}",
        "{\"places\":{}}",
        "{\"places\":[3]}",
        "{\"places\":[{\"id\":7}]}",
        "{\"places\":null}",
        "{\"error\":[]}",
        "{\"error\":{}}",
    ] {
        let mock = Mock::always(ok(body)).await;
        assert_eq!((fail(&new(&mock)).await.0, mock.seen().len()), ("UNKNOWN_ERROR", 1), "{body}");
    }
    let mock = Mock::new(|_, _| Act::Send(response(500, "", "<html>"))).await;
    assert_eq!((fail(&new(&mock)).await.0, mock.seen().len()), ("UNKNOWN_ERROR", 3));
}
