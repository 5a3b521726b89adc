//! A place as Places API (New) tells it, as the legacy service would have told it.

use serde::Deserialize;
use serde_json::{Map, Number, Value, json};

use crate::places::layout;

/// A place of Places API (New). What is missing there is missing here.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Place {
    id: Option<String>,
    display_name: Option<Text>,
    location: Option<Point>,
    viewport: Option<Viewport>,
    types: Option<Vec<String>>,
    short_formatted_address: Option<String>,
    formatted_address: Option<String>,
    business_status: Option<String>,
    icon_mask_base_uri: Option<String>,
    icon_background_color: Option<String>,
    plus_code: Option<PlusCode>,
    photos: Vec<Photo>,
    rating: Option<Number>,
    user_rating_count: Option<Number>,
    price_level: Option<String>,
    regular_opening_hours: Option<OpeningHours>,
    attributions: Vec<Attribution>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Text {
    text: Option<String>,
}

/// Google leaves out a coordinate that is 0.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Point {
    latitude: Option<Number>,
    longitude: Option<Number>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Viewport {
    low: Point,
    high: Point,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PlusCode {
    compound_code: Option<String>,
    global_code: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Photo {
    name: Option<String>,
    width_px: Option<Number>,
    height_px: Option<Number>,
    author_attributions: Vec<Author>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Author {
    display_name: String,
    uri: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OpeningHours {
    open_now: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Attribution {
    provider: String,
    provider_uri: String,
}

/// The legacy reply with `places`, printed as the legacy service prints.
pub(super) fn reply(places: &[Place]) -> String {
    let mut credits: Vec<String> = Vec::new();
    for credit in places.iter().flat_map(|place| &place.attributions) {
        let link = link(&credit.provider_uri, &credit.provider);
        if !credits.contains(&link) {
            credits.push(link);
        }
    }
    let results: Vec<Value> = places.iter().map(legacy).collect();
    let status = if results.is_empty() { "ZERO_RESULTS" } else { "OK" };
    layout::print(&json!({ "html_attributions": credits, "results": results, "status": status }))
}

fn legacy(place: &Place) -> Value {
    let mut legacy = Members::default();
    legacy.put("business_status", place.business_status.as_deref());
    legacy.put("geometry", geometry(place));
    legacy.put("icon", place.icon_mask_base_uri.as_deref().and_then(icon));
    legacy.put("icon_background_color", place.icon_background_color.as_deref());
    legacy.put("icon_mask_base_uri", place.icon_mask_base_uri.as_deref());
    legacy.put("name", place.display_name.as_ref().and_then(|name| name.text.as_deref()));
    let open_now = place.regular_opening_hours.as_ref().and_then(|hours| hours.open_now);
    legacy.put("opening_hours", open_now.map(|open_now| json!({ "open_now": open_now })));
    legacy.put("photos", place.photos.first().map(|first| Value::Array(vec![photo(first)])));
    legacy.put("place_id", place.id.as_deref());
    legacy.put("plus_code", place.plus_code.as_ref().map(plus_code));
    legacy.put("price_level", place.price_level.as_deref().and_then(price_level));
    legacy.put("rating", place.rating.clone().map(Value::Number));
    legacy.put("reference", place.id.as_deref());
    legacy.put("scope", Some("GOOGLE"));
    legacy.put("types", place.types.clone());
    legacy.put("user_ratings_total", place.user_rating_count.clone().map(Value::Number));
    legacy.put("vicinity", place.short_formatted_address.as_deref().or(place.formatted_address.as_deref()));
    legacy.into()
}

fn geometry(place: &Place) -> Option<Value> {
    let mut geometry = Members::default();
    geometry.put("location", place.location.as_ref().map(lat_lng));
    let viewport = |v: &Viewport| json!({ "northeast": lat_lng(&v.high), "southwest": lat_lng(&v.low) });
    geometry.put("viewport", place.viewport.as_ref().map(viewport));
    (!geometry.0.is_empty()).then(|| geometry.into())
}

fn lat_lng(point: &Point) -> Value {
    let degrees = |number: &Option<Number>| number.clone().unwrap_or_else(|| Number::from(0));
    json!({ "lat": degrees(&point.latitude), "lng": degrees(&point.longitude) })
}

fn plus_code(code: &PlusCode) -> Value {
    let mut members = Members::default();
    members.put("compound_code", code.compound_code.as_deref());
    members.put("global_code", code.global_code.as_deref());
    members.into()
}

fn photo(photo: &Photo) -> Value {
    let authors: Vec<String> =
        photo.author_attributions.iter().map(|author| link(&author.uri, &author.display_name)).collect();
    let mut members = Members::default();
    members.put("height", photo.height_px.clone().map(Value::Number));
    members.put("html_attributions", Some(authors));
    // The resource name: the only reference by which the photo can be fetched with the key that found it.
    members.put("photo_reference", photo.name.as_deref());
    members.put("width", photo.width_px.clone().map(Value::Number));
    members.into()
}

/// The coloured icon that goes with a mask: `…/v2/restaurant_pinlet` -> `…/v1/png_71/restaurant-71.png`.
fn icon(mask: &str) -> Option<String> {
    let file = mask.rsplit('/').next()?;
    let name = file.strip_suffix("_pinlet").unwrap_or(file);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if name.is_empty() || !name.bytes().all(is_plain) {
        return None;
    }
    Some(format!("https://maps.gstatic.com/mapfiles/place_api/icons/v1/png_71/{name}-71.png"))
}

fn price_level(name: &str) -> Option<u8> {
    match name {
        "PRICE_LEVEL_FREE" => Some(0),
        "PRICE_LEVEL_INEXPENSIVE" => Some(1),
        "PRICE_LEVEL_MODERATE" => Some(2),
        "PRICE_LEVEL_EXPENSIVE" => Some(3),
        "PRICE_LEVEL_VERY_EXPENSIVE" => Some(4),
        _ => None,
    }
}

/// A credit in HTML. Names are anybody's text and are escaped.
fn link(uri: &str, name: &str) -> String {
    // Google writes some without a scheme.
    let scheme = if uri.starts_with("//") { "https:" } else { "" };
    match uri {
        "" => escape(name),
        _ if !scheme.is_empty() || uri.starts_with("https://") || uri.starts_with("http://") => {
            format!("<a href=\"{scheme}{}\">{}</a>", escape(uri), escape(name))
        }
        _ => escape(name),
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// An object that only has the members there is something to say about.
#[derive(Default)]
struct Members(Map<String, Value>);

impl Members {
    fn put(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.0.insert(name.into(), value.into());
        }
    }
}

impl From<Members> for Value {
    fn from(members: Members) -> Self {
        Self::Object(members.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Place, icon, link, price_level, reply};

    fn places(value: Value) -> Vec<Place> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_full_place_has_the_legacy_members_and_layout() {
        let places = places(json!([{
            "id": "ChIJ1", "displayName": { "text": "Caf\u{e9} <1>", "languageCode": "en" },
            "location": { "latitude": 34.06893, "longitude": -118.445127 },
            "viewport": { "low": { "latitude": 34, "longitude": -118.5 }, "high": { "latitude": 34.1, "longitude": -118.4 } },
            "types": ["cafe", "food"], "shortFormattedAddress": "1 A St", "formattedAddress": "1 A St, Town, US",
            "businessStatus": "OPERATIONAL", "iconBackgroundColor": "#FF9E67",
            "iconMaskBaseUri": "https://maps.gstatic.com/mapfiles/place_api/icons/v2/cafe_pinlet",
            "plusCode": { "globalCode": "8553+X", "compoundCode": "3+X Town" },
            "photos": [
                { "name": "places/ChIJ1/photos/p1", "widthPx": 400, "heightPx": 300,
                  "authorAttributions": [{ "displayName": "A & B", "uri": "//maps.google.com/maps/contrib/1", "photoUri": "x" }] },
                { "name": "places/ChIJ1/photos/p2" },
            ],
            "rating": 4.5, "userRatingCount": 12, "priceLevel": "PRICE_LEVEL_MODERATE",
            "regularOpeningHours": { "openNow": false },
            "attributions": [{ "provider": "Listings", "providerUri": "https://listings.example/" }],
        }]));
        assert_eq!(reply(&places), include_str!("testdata/full_place.json").trim_end());
    }

    #[test]
    fn what_is_missing_stays_missing() {
        let text = reply(&places(json!([{}, { "formattedAddress": "long", "location": { "latitude": 1.5 } }])));
        let value: Value = serde_json::from_str(&text).unwrap();
        let expected = json!({ "html_attributions": [], "status": "OK", "results": [
            { "scope": "GOOGLE" },
            { "scope": "GOOGLE", "vicinity": "long", "geometry": { "location": { "lat": 1.5, "lng": 0 } } },
        ] });
        assert_eq!(value, expected);
    }

    #[test]
    fn nothing_found_is_zero_results() {
        let expected = "{\n   \"html_attributions\" : [],\n   \"results\" : [],\n   \"status\" : \"ZERO_RESULTS\"\n}";
        assert_eq!(reply(&[]), expected);
    }

    #[test]
    fn prices_have_numbers() {
        let names = ["FREE", "INEXPENSIVE", "MODERATE", "EXPENSIVE", "VERY_EXPENSIVE"];
        for (number, name) in (0..).zip(names) {
            assert_eq!(price_level(&format!("PRICE_LEVEL_{name}")), Some(number));
        }
        assert_eq!(price_level("PRICE_LEVEL_UNSPECIFIED"), None);
    }

    #[test]
    fn icons_are_built_from_plain_names_only() {
        let prefix = "https://maps.gstatic.com/mapfiles/place_api/icons/v1/png_71";
        assert_eq!(icon("https://x/v2/generic_pinlet"), Some(format!("{prefix}/generic-71.png")));
        for bad in ["", "https://x/", "https://x/_pinlet", "https://x/a?b", "https://x/\u{e9}"] {
            assert_eq!(icon(bad), None, "{bad}");
        }
    }

    #[test]
    fn credits_are_escaped_and_link_to_the_web_only() {
        assert_eq!(link("//h/1", "A"), "<a href=\"https://h/1\">A</a>");
        assert_eq!(
            link("https://h/\"><script>", "<b>"),
            "<a href=\"https://h/&quot;&gt;&lt;script&gt;\">&lt;b&gt;</a>"
        );
        assert_eq!(link("javascript:alert(1)", "it's"), "it&#39;s");
        assert_eq!(link("", "A"), "A");
    }
}
