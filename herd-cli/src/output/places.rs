//! What of a Nearby Search reply is shown to people.
//!
//! Read leniently: a foreign server's JSON may lack anything, and what is there is shown. All texts are strangers' texts.

use serde_json::Value;

use super::units::Point;

/// A Nearby Search reply.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Places {
    pub(super) status: String,
    pub(super) error_message: Option<String>,
    /// Whom the data is from, without the HTML around it.
    pub(super) attributions: Vec<String>,
    pub(super) results: Vec<Place>,
}

/// One place.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Place {
    pub(super) name: String,
    pub(super) point: Option<Point>,
    pub(super) types: Vec<String>,
    pub(super) vicinity: String,
}

impl Places {
    /// `None` if `body` is no JSON object.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let body = body.as_object()?;
        let attributions = body.get("html_attributions").map(texts).unwrap_or_default();
        Some(Self {
            status: body.get("status").map(text).unwrap_or_default(),
            error_message: body.get("error_message").map(text).filter(|text| !text.is_empty()),
            attributions: attributions.iter().map(|html| without_tags(html)).collect(),
            results: body.get("results").and_then(Value::as_array).into_iter().flatten().map(place).collect(),
        })
    }
}

fn place(result: &Value) -> Place {
    let field = |name| result.get(name).map(text).unwrap_or_default();
    Place {
        name: field("name"),
        point: point(result),
        types: result.get("types").map(texts).unwrap_or_default(),
        vicinity: field("vicinity"),
    }
}

fn point(result: &Value) -> Option<Point> {
    let location = result.get("geometry")?.get("location")?;
    let (lat, lng) = (location.get("lat")?.as_f64()?, location.get("lng")?.as_f64()?);
    (lat.abs() <= 90.0 && lng.abs() <= 360.0).then_some((lat, lng))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).filter(|text| !text.is_empty()).collect()
}

/// HTML as plain text, near enough for a line of credit.
fn without_tags(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_reply_is_read() {
        let body = br#"{"html_attributions":["Listings by <a href=\"x\">Y &amp; Z</a>"],"results":[{"name":"UCLA",
            "geometry":{"location":{"lat":34.07,"lng":-118.44}},"types":["university","school"],"vicinity":"LA"}],
            "status":"OK"}"#;
        let places = Places::read(body).unwrap();
        assert_eq!(places.status, "OK");
        assert_eq!(places.attributions, ["Listings by Y &amp; Z"]);
        assert_eq!(places.results[0].point, Some((34.07, -118.44)));
        assert_eq!(places.results[0].types, ["university", "school"]);
    }

    #[test]
    fn what_is_missing_or_wrong_is_empty() {
        let places = Places::read(br#"{"results":[{}, 7, {"name":1,"geometry":{"location":{"lat":"x","lng":0}}}]}"#);
        assert_eq!(places.unwrap().results, vec![Place::default(); 3]);
        assert_eq!(Places::read(b"{}"), Some(Places::default()));
        assert_eq!(Places::read(b"[]"), None);
        assert_eq!(Places::read(b"<html>"), None);
        assert_eq!(Places::read("[".repeat(100_000).as_bytes()), None);
    }
}
