//! Places API (New): one POST with a mask of what is wanted, and a reply of another shape.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, Uri};
use serde::Deserialize;

use super::api::coordinates;
use super::client::Upstream;
use super::fault::Fault;
use super::json;
use super::mapping::Place;
use super::retry::Retry;
use crate::places::legacy::{INVALID_REQUEST, OVER_QUERY_LIMIT, REQUEST_DENIED, UNKNOWN_ERROR};
use crate::places::{Mask, Query};
use crate::secret::Secret;

/// Where Google has it.
pub(super) const ENDPOINT: &str = "https://places.googleapis.com/v1/places:searchNearby";

/// Places API (New).
#[derive(Debug)]
pub(super) struct NewApi {
    pub(super) endpoint: Uri,
    pub(super) key: Secret,
    pub(super) mask: Mask,
    pub(super) place_type: Option<String>,
}

// Google wants no spaces in a mask. `attributions` has to be shown where there are any, and costs nothing.
macro_rules! pro_mask {
    () => {
        concat!(
            "places.id,places.displayName,places.location,places.viewport,places.types,places.shortFormattedAddress,",
            "places.businessStatus,places.iconMaskBaseUri,places.iconBackgroundColor,places.plusCode,places.photos,",
            "places.attributions"
        )
    };
}

const PRO: &str = pro_mask!();
const ENTERPRISE: &str =
    concat!(pro_mask!(), ",places.rating,places.userRatingCount,places.priceLevel,places.regularOpeningHours.openNow");

impl NewApi {
    /// The body of the request. It asks for as many places as there can be, whatever the bound: Google charges by the call,
    /// and so questions that differ only in the bound share one.
    pub(super) fn ask(&self, query: &Query<'_>) -> String {
        let (latitude, longitude) = coordinates(query.location);
        let (latitude, longitude) = (json_number(&latitude), json_number(&longitude));
        let types = match &self.place_type {
            Some(place_type) => format!("\"includedTypes\":[\"{place_type}\"],"),
            None => String::new(),
        };
        format!(
            "{{{types}\"maxResultCount\":20,\"rankPreference\":\"POPULARITY\",\"locationRestriction\":{{\"circle\":{{\
             \"center\":{{\"latitude\":{latitude},\"longitude\":{longitude}}},\"radius\":{}}}}}}}",
            query.radius.metres()
        )
    }

    pub(super) fn request(&self, ask: &str) -> Option<Request<Full<Bytes>>> {
        let mut key = HeaderValue::from_bytes(self.key.expose()).ok()?;
        key.set_sensitive(true);
        let mask = match self.mask {
            Mask::Pro => PRO,
            Mask::Enterprise => ENTERPRISE,
        };
        Request::post(self.endpoint.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("x-goog-api-key", key)
            .header("x-goog-fieldmask", mask)
            .body(Full::from(ask.to_owned()))
            .ok()
    }

    /// Reads a reply: the body first, the code second.
    pub(super) fn read(upstream: &Upstream) -> Result<Vec<Place>, Fault> {
        let code = upstream.code;
        let body = json::object(&upstream.body).and_then(|text| {
            serde_json::from_str::<Body>(text).map_err(|_| String::from("JSON that is no reply of its kind"))
        });
        match body {
            Ok(Body { error: Some(error), .. }) => Err(of_error(error, upstream)),
            _ if !code.is_success() => Err(Fault::of_code(code).waiting(upstream.retry_after)),
            Ok(Body { places, error: None }) => Ok(places),
            Err(reason) => Err(Fault::unknown(format!("the places service answered {reason}"))),
        }
    }
}

/// What the service sends: places, nothing (`{}`: no place), or an error.
#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    places: Vec<Place>,
    error: Option<RpcStatus>,
}

/// `google.rpc.Status`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct RpcStatus {
    message: String,
    status: String,
    details: Vec<Detail>,
}

/// `google.rpc.ErrorInfo` has a reason, `google.rpc.RetryInfo` a delay.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Detail {
    reason: Option<String>,
    retry_delay: Option<String>,
}

fn of_error(error: RpcStatus, upstream: &Upstream) -> Fault {
    let is_denial =
        |reason: &str| reason.starts_with("API_KEY_") || matches!(reason, "SERVICE_DISABLED" | "BILLING_DISABLED");
    let denied = error.details.iter().filter_map(|detail| detail.reason.as_deref()).any(is_denial);
    let (status, retry) = match error.status.as_str() {
        _ if denied => (REQUEST_DENIED, Retry::Never),
        "INVALID_ARGUMENT" => (INVALID_REQUEST, Retry::Never),
        "UNAUTHENTICATED" | "PERMISSION_DENIED" => (REQUEST_DENIED, Retry::Never),
        "RESOURCE_EXHAUSTED" => (OVER_QUERY_LIMIT, Retry::Quota),
        _ if upstream.code.is_server_error() => (UNKNOWN_ERROR, Retry::BackOff),
        "UNKNOWN" | "INTERNAL" | "UNAVAILABLE" | "ABORTED" | "DEADLINE_EXCEEDED" => (UNKNOWN_ERROR, Retry::BackOff),
        _ => (UNKNOWN_ERROR, Retry::Never),
    };
    let wait = error.details.iter().find_map(|detail| seconds(detail.retry_delay.as_deref()?));
    let message =
        if error.message.is_empty() { format!("the places service answered {status}") } else { error.message };
    Fault::new(status, message).retried(retry).waiting(wait.max(upstream.retry_after))
}

/// A `google.protobuf.Duration`: `3.5s`.
fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.strip_suffix('s')?.parse().ok()?).ok()
}

/// A plain decimal number as JSON wants it: without needless zeros in front.
fn json_number(text: &str) -> String {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let significant = digits.trim_start_matches('0');
    let zero = if significant.is_empty() || significant.starts_with('.') { "0" } else { "" };
    format!("{sign}{zero}{significant}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use herd_proto::{Limit, Location, Radius};
    use hyper::StatusCode;
    use serde_json::{Value, json};

    use super::{ENDPOINT, ENTERPRISE, Mask, NewApi, PRO, Query, Retry, Secret, Upstream, json_number, seconds};

    fn api() -> NewApi {
        NewApi { endpoint: ENDPOINT.parse().unwrap(), key: Secret::new(*b"canary"), mask: Mask::Pro, place_type: None }
    }

    fn ask(api: &NewApi, location: &str) -> Value {
        let location = Location::new(location).unwrap();
        let query = Query { location, radius: Radius::new("10").unwrap(), limit: Limit::from_count(5).unwrap() };
        serde_json::from_str(&api.ask(&query)).unwrap()
    }

    #[test]
    fn asks_as_google_wants_it() {
        let mut expected = json!({ "maxResultCount": 20, "rankPreference": "POPULARITY", "locationRestriction": {
            "circle": { "center": { "latitude": 34.06893, "longitude": -118.445127 }, "radius": 10000 } } });
        assert_eq!(ask(&api(), "+34.068930-118.445127"), expected);
        expected["includedTypes"] = json!(["cafe"]);
        assert_eq!(ask(&NewApi { place_type: Some("cafe".into()), ..api() }, "+34.068930-118.445127"), expected);
        assert_eq!(ask(&api(), "-0+007.5")["locationRestriction"]["circle"]["center"]["longitude"], json!(7.5));
    }

    #[test]
    fn the_key_is_in_its_header_only() {
        let request = api().request("{}").unwrap();
        assert_eq!(request.headers()["x-goog-api-key"], "canary");
        assert_eq!(request.uri(), ENDPOINT);
        assert!(!format!("{request:?} {:?}", api()).contains("canary"));
    }

    #[test]
    fn masks_have_no_spaces() {
        assert!(ENTERPRISE.starts_with(PRO) && ENTERPRISE.contains(",places.rating,"));
        assert!(ENTERPRISE.split(',').all(|field| field.starts_with("places.") && !field.contains(' ')));
    }

    #[test]
    fn numbers_become_json() {
        for (text, expected) in [
            ("007.5", "7.5"),
            ("-0", "-0"),
            ("-00.5", "-0.5"),
            ("0", "0"),
            ("000", "0"),
            ("-118.4", "-118.4"),
            ("10", "10"),
        ] {
            assert_eq!(json_number(text), expected);
            assert!(serde_json::from_str::<Value>(expected).is_ok());
        }
    }

    #[test]
    fn delays_are_durations() {
        assert_eq!(seconds("3.5s"), Some(Duration::from_millis(3500)));
        for bad in ["", "3", "s", "-1s", "NaNs", "infs", "1e99s"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }

    #[test]
    fn errors_have_legacy_names() {
        for (code, status, reason, expected, retry) in [
            (400, "INVALID_ARGUMENT", "", "INVALID_REQUEST", Retry::Never),
            (400, "INVALID_ARGUMENT", "API_KEY_INVALID", "REQUEST_DENIED", Retry::Never),
            (400, "FAILED_PRECONDITION", "BILLING_DISABLED", "REQUEST_DENIED", Retry::Never),
            (401, "UNAUTHENTICATED", "", "REQUEST_DENIED", Retry::Never),
            (403, "PERMISSION_DENIED", "", "REQUEST_DENIED", Retry::Never),
            (403, "PERMISSION_DENIED", "SERVICE_DISABLED", "REQUEST_DENIED", Retry::Never),
            (429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED", "OVER_QUERY_LIMIT", Retry::Quota),
            (404, "NOT_FOUND", "", "UNKNOWN_ERROR", Retry::Never),
            (500, "INTERNAL", "", "UNKNOWN_ERROR", Retry::BackOff),
            (503, "UNAVAILABLE", "", "UNKNOWN_ERROR", Retry::BackOff),
            (200, "", "", "UNKNOWN_ERROR", Retry::Never),
        ] {
            let details = json!([{ "@type": "x", "reason": reason }, { "@type": "y", "retryDelay": "2s" }]);
            let error = json!({ "error": { "code": code, "message": "m", "status": status, "details": details } });
            let body = error.to_string().into_bytes();
            let upstream = Upstream { code: StatusCode::from_u16(code).unwrap(), retry_after: None, body };
            let fault = NewApi::read(&upstream).unwrap_err();
            assert_eq!(
                (fault.status, fault.retry, fault.message.as_str()),
                (expected, retry, "m"),
                "{status} {reason}"
            );
            assert_eq!(fault.wait, Some(Duration::from_secs(2)));
        }
    }
}
