use std::fmt::Write as _;
use std::path::PathBuf;

use herd_proto::{Limit, Location, Radius};
use proptest::prelude::*;
use serde_json::Value;

use super::gazetteer::Place;
use super::kind::Kind;
use super::point::degrees;
use super::*;

const UCLA: &str = "+34.068930-118.445127";

pub(super) fn body(places: &Embedded, location: &str, radius: &str, limit: u8) -> String {
    let query = Query {
        location: Location::new(location).unwrap(),
        radius: Radius::new(radius).unwrap(),
        limit: Limit::from_count(limit).unwrap(),
    };
    match places.nearby(&query) {
        Answer::Now(Reply { body, failure: None }) => String::from_utf8(body.to_vec()).unwrap(),
        other => panic!("expected an answer at once, got {other:?}"),
    }
}

fn built_in() -> Embedded {
    Embedded::new(&Settings::default()).unwrap()
}

fn names(body: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(body).unwrap();
    let results = value["results"].as_array().unwrap();
    results.iter().map(|result| result["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_known_places_of_ucla() {
    let body = body(&built_in(), UCLA, "10", 5);
    assert_eq!(names(&body), ["Bel Air", "Brentwood", "Sawtelle", "Westwood", "Century City"]);
    let first = r#"{
   "html_attributions" : [
      "Places: \u003ca href=\"https://www.geonames.org/\"\u003eGeoNames\u003c/a\u003e (\u003ca href=\"https://creativecommons.org/licenses/by/4.0/\"\u003eCC BY 4.0\u003c/a\u003e)"
   ],
   "results" : [
      {
         "geometry" : {
            "location" : {
               "lat" : 34.08334,
               "lng" : -118.44869
            },
"#;
    assert!(body.starts_with(first), "{body}");
    assert!(body.contains(
        r#"         "name" : "Bel Air",
         "place_id" : "geonames:5327259",
         "reference" : "geonames:5327259",
         "scope" : "LOCAL",
         "types" : [ "locality", "political" ],
         "vicinity" : "California, United States"
      },
"#
    ));
    assert!(body.ends_with("\n   ],\n   \"status\" : \"OK\"\n}"), "{body}");
}

#[test]
fn heliports_come_last_and_are_few() {
    let body = body(&built_in(), UCLA, "3", 20);
    let value: Value = serde_json::from_str(&body).unwrap();
    let types: Vec<&str> =
        value["results"].as_array().unwrap().iter().map(|result| result["types"][0].as_str().unwrap()).collect();
    let first = types.iter().position(|&name| name == "heliport").unwrap();
    assert_eq!(types.len() - first, 4, "{types:?}");
    assert!(types[first..].iter().all(|&name| name == "heliport"), "{types:?}");
    assert_eq!(value["html_attributions"].as_array().unwrap().len(), 2);
}

#[test]
fn nothing_near_is_zero_results() {
    let expected = "{\n   \"html_attributions\" : [],\n   \"results\" : [],\n   \"status\" : \"ZERO_RESULTS\"\n}";
    assert_eq!(body(&built_in(), "-48.876667-123.393333", "50", 20), expected);
    assert_eq!(body(&built_in(), UCLA, "50", 0), expected);
}

#[test]
fn the_bounds_of_the_globe_are_answered() {
    let places = built_in();
    for (location, expected) in [
        ("-90+0", Some("South Pole Station Airport")),
        ("-90-180", Some("South Pole Station Airport")),
        ("-89.9999+123.4", Some("South Pole Station Airport")),
        ("+90+0", None),
        // Rabi is west of the 180th meridian and Laucala east of it; both are Fiji.
        ("-16.69+180", Some("Rabi Island Airport")),
        ("-16.69-180", Some("Laucala Island Airport")),
    ] {
        let found = names(&body(&places, location, "50", 20));
        match expected {
            Some(name) => assert!(found.iter().any(|found| found.contains(name)), "{location}: {found:?}"),
            None => assert!(found.is_empty(), "{location}: {found:?}"),
        }
    }
    assert_eq!(
        body(&places, "-16.69+180", "50", 20),
        body(&places, "-16.69-180", "50", 20),
        "the two names of the meridian differ"
    );
}

#[test]
fn radii_below_a_metre_find_what_is_there() {
    // Its own coordinates, and a metre and a half north of them.
    let places = built_in();
    let body_of = |latitude: f64, longitude: f64, radius: &str| {
        names(&body(&places, &format!("{latitude:+.6}{longitude:+.6}"), radius, 20))
    };
    let place = place_named(&places, "Bel Air", 34.08334);
    let (latitude, longitude) = (degrees(place.point.latitude), degrees(place.point.longitude));
    assert_eq!(body_of(latitude, longitude, "0.000000001"), ["Bel Air"]);
    assert_eq!(body_of(latitude + 1.4e-5, longitude, "0.0016"), ["Bel Air"]);
    assert_eq!(body_of(latitude + 1.4e-5, longitude, "0.0015"), [""; 0]);
}

fn place_named<'a>(places: &'a Embedded, name: &str, latitude: f64) -> &'a Place {
    let gazetteer = &places.gazetteer;
    let mut named = gazetteer.index().iter().filter(|place| gazetteer.name(place) == name);
    named.find(|place| (degrees(place.point.latitude) - latitude).abs() < 1e-9).unwrap()
}

#[test]
fn the_data_file_is_whole_and_its_source_is_right() {
    let places = built_in();
    let count = |kind| places.gazetteer.index().iter().filter(|place| place.kind == kind).count();
    assert_eq!(Kind::BUNDLED.map(count), [234_908, 450, 4_770, 39_097, 1_120, 46, 18_632]);
    assert_eq!(places.len(), 299_023);
    assert!(!places.is_empty());
}

#[test]
fn the_built_in_places_are_shared() {
    assert!(Arc::ptr_eq(&built_in().gazetteer, &built_in().gazetteer));
    assert_eq!(format!("{:?}", built_in()), "Embedded { places: 299023, .. }");
}

#[test]
fn user_places_replace_the_built_in_ones() {
    let directory = tempfile::tempdir().unwrap();
    let mut text = String::from("name,lat,lng,types\n");
    for number in 0..40 {
        writeln!(text, "Cafe {number},34.{:04},-118.4451,cafe;food", 690 + number).unwrap();
    }
    let file = directory.path().join("cafes.csv");
    std::fs::write(&file, text).unwrap();
    let settings = Settings { data: vec![file], ..Settings::default() };
    let places = Embedded::new(&settings).unwrap();
    let body = body(&places, UCLA, "10", 3);
    assert_eq!(names(&body), ["Cafe 0", "Cafe 1", "Cafe 2"]);
    assert!(body.starts_with("{\n   \"html_attributions\" : [],\n"), "{body}");
    assert!(body.contains("\"place_id\" : \"file:1\""), "{body}");
    assert!(body.contains("\"types\" : [ \"cafe\", \"food\" ]\n      }"), "{body}");
}

#[test]
fn a_missing_file_is_an_error() {
    let settings = Settings { data: vec![PathBuf::from("/nowhere/places.csv")], ..Settings::default() };
    let error = Embedded::new(&settings).unwrap_err().to_string();
    assert!(error.starts_with("/nowhere/places.csv: can't be read: "), "{error}");
}

/// Locations where the globe is awkward, and any others.
fn location() -> impl Strategy<Value = (f64, f64)> {
    let latitude = prop_oneof![-90.0..=90.0, 89.5..=90.0, -90.0..=-89.5, 30.0..=60.0, Just(90.0), Just(-90.0)];
    let longitude = prop_oneof![-180.0..=180.0, 179.5..=180.0, -180.0..=-179.5, Just(180.0), Just(-180.0)];
    (latitude, longitude)
}

proptest! {
    #[test]
    fn replies_are_valid_inside_the_radius_and_always_the_same(
        (latitude, longitude) in location(), radius in 1..=50_000_u32, limit in 0..=20_u8,
    ) {
        let places = built_in();
        let location = format!("{latitude:+.6}{longitude:+.6}");
        let radius_text = format!("{}.{:03}", radius / 1000, radius % 1000);
        let body = body(&places, &location, &radius_text, limit);
        prop_assert_eq!(&body, &super::tests::body(&places, &location, &radius_text, limit));
        check_reply(&body, &location, f64::from(radius), limit);
    }
}

fn check_reply(body: &str, location: &str, radius: f64, limit: u8) {
    assert!(!body.contains("\n\n") && !body.ends_with('\n'));
    let value: Value = serde_json::from_str(body).unwrap();
    let results = value["results"].as_array().unwrap();
    assert!(results.len() <= usize::from(limit));
    assert_eq!(value["status"], if results.is_empty() { "ZERO_RESULTS" } else { "OK" });
    let circle = Circle::around(Location::new(location).unwrap(), radius);
    for result in results {
        let angle = |path: &str| result.pointer(path).unwrap().as_f64().unwrap();
        let (latitude, longitude) = (angle("/geometry/location/lat"), angle("/geometry/location/lng"));
        assert!(circle.reaches(point::Point::from_degrees(latitude, longitude).unwrap()).is_some(), "{result}");
        assert!(
            angle("/geometry/viewport/northeast/lat") >= latitude
                && angle("/geometry/viewport/southwest/lat") <= latitude
        );
        assert_eq!(result["place_id"], result["reference"]);
    }
    assert_eq!(body, printed(&value));
}

/// The same JSON in the layout of the legacy service, printed by other means.
fn printed(value: &Value) -> String {
    fn print(value: &Value, indent: usize, key: &str, out: &mut String) {
        let pad = "   ".repeat(indent + 1);
        let end = "   ".repeat(indent);
        match value {
            Value::Object(object) => {
                // serde_json's map is sorted by key, as Google's keys are.
                let items: Vec<String> = object
                    .iter()
                    .map(|(key, value)| {
                        let mut item = format!("{pad}\"{key}\" : ");
                        print(value, indent + 1, key, &mut item);
                        item
                    })
                    .collect();
                write!(out, "{{\n{}\n{end}}}", items.join(",\n")).unwrap();
            }
            Value::Array(array) if array.is_empty() => out.push_str("[]"),
            Value::Array(array) if key == "types" => {
                let items: Vec<String> = array.iter().map(Value::to_string).collect();
                write!(out, "[ {} ]", items.join(", ")).unwrap();
            }
            Value::Array(array) => {
                let items: Vec<String> = array
                    .iter()
                    .map(|value| {
                        let mut item = pad.clone();
                        print(value, indent + 1, key, &mut item);
                        item
                    })
                    .collect();
                write!(out, "[\n{}\n{end}]", items.join(",\n")).unwrap();
            }
            Value::String(text) if key == "html_attributions" => {
                out.push_str(&Value::from(text.as_str()).to_string().replace('<', "\\u003c").replace('>', "\\u003e"));
            }
            other => out.push_str(&other.to_string()),
        }
    }
    let mut out = String::new();
    print(value, 0, "", &mut out);
    out
}
