//! The reply's JSON, in the layout of a legacy Nearby Search reply: three spaces, ` : `, keys in alphabetical order.
//!
//! Texts come escaped from the gazetteer, so that a reply is copied together and nothing is looked at twice.

use bytes::BufMut;

use super::gazetteer::{Gazetteer, Id, Place, Source};
use super::index::Hit;
use super::point::{Point, UNITS, degrees};

/// Google escapes angle brackets in attributions, and so does this.
const CREDITS: [(Source, &str); 2] = [
    (
        Source::GeoNames,
        r#""Places: \u003ca href=\"https://www.geonames.org/\"\u003eGeoNames\u003c/a\u003e (\u003ca href=\"https://creativecommons.org/licenses/by/4.0/\"\u003eCC BY 4.0\u003c/a\u003e)""#,
    ),
    (
        Source::OurAirports,
        r#""Airports: \u003ca href=\"https://ourairports.com/\"\u003eOurAirports\u003c/a\u003e (public domain)""#,
    ),
];

/// Metres in a degree of latitude.
const DEGREE: f64 = 111_195.08;

/// Most results take 700 bytes: one allocation is enough for them.
const RESULT_SIZE: usize = 768;

/// Writes the reply that lists `hits`.
pub(super) fn reply(out: &mut Vec<u8>, gazetteer: &Gazetteer, hits: &[Hit<'_>]) {
    out.reserve(RESULT_SIZE * (hits.len() + 1));
    credits(out, hits);
    if hits.is_empty() {
        return out.put_slice(b"   \"results\" : [],\n   \"status\" : \"ZERO_RESULTS\"\n}");
    }
    out.put_slice(b"   \"results\" : [\n");
    for (at, hit) in hits.iter().enumerate() {
        out.put_slice(if at == 0 { b"" } else { b",\n" });
        result(out, gazetteer, hit.place);
    }
    out.put_slice(b"\n   ],\n   \"status\" : \"OK\"\n}");
}

fn credits(out: &mut Vec<u8>, hits: &[Hit<'_>]) {
    out.put_slice(b"{\n   \"html_attributions\" : [");
    let mut written = false;
    for (source, credit) in CREDITS {
        if hits.iter().any(|hit| hit.place.source == source) {
            out.put_slice(if written { b",\n      " } else { b"\n      " });
            out.put_slice(credit.as_bytes());
            written = true;
        }
    }
    out.put_slice(if written { b"\n   ],\n" } else { b"],\n" });
}

fn result(out: &mut Vec<u8>, gazetteer: &Gazetteer, place: &Place) {
    let view = viewport(place.point, place.extent);
    out.put_slice(b"      {\n         \"geometry\" : {\n            \"location\" : {\n");
    point(out, b"               ", place.point);
    out.put_slice(b"            },\n            \"viewport\" : {\n               \"northeast\" : {\n");
    point(out, b"                  ", view.northeast);
    out.put_slice(b"               },\n               \"southwest\" : {\n");
    point(out, b"                  ", view.southwest);
    out.put_slice(b"               }\n            }\n         },\n         \"name\" : \"");
    out.put_slice(gazetteer.name(place).as_bytes());
    out.put_slice(b"\",\n         \"place_id\" : \"");
    id(out, gazetteer, place);
    out.put_slice(b"\",\n         \"reference\" : \"");
    id(out, gazetteer, place);
    out.put_slice(b"\",\n         \"scope\" : \"LOCAL\",\n         \"types\" : ");
    out.put_slice(gazetteer.types(place).as_bytes());
    match gazetteer.vicinity(place) {
        "" => {}
        vicinity => {
            out.put_slice(b",\n         \"vicinity\" : \"");
            out.put_slice(vicinity.as_bytes());
            out.put_slice(b"\"");
        }
    }
    out.put_slice(b"\n      }");
}

fn id(out: &mut Vec<u8>, gazetteer: &Gazetteer, place: &Place) {
    match (place.source, gazetteer.id(place)) {
        (Source::GeoNames, _) => out.put_slice(b"geonames:"),
        (Source::OurAirports, _) => out.put_slice(b"ourairports:"),
        (Source::File, Id::Number(_)) => out.put_slice(b"file:"),
        (Source::File, Id::Text(_)) => {}
    }
    match gazetteer.id(place) {
        Id::Number(number) => out.put_slice(itoa::Buffer::new().format(number).as_bytes()),
        Id::Text(text) => out.put_slice(text.as_bytes()),
    }
}

fn point(out: &mut Vec<u8>, indent: &[u8], point: Point) {
    out.put_slice(indent);
    out.put_slice(b"\"lat\" : ");
    angle(out, point.latitude);
    out.put_slice(b",\n");
    out.put_slice(indent);
    out.put_slice(b"\"lng\" : ");
    angle(out, point.longitude);
    out.put_slice(b"\n");
}

/// Degrees, with one decimal at least and no zeros after that.
fn angle(out: &mut Vec<u8>, units: i32) {
    if units < 0 {
        out.put_u8(b'-');
    }
    let (magnitude, one) = (units.unsigned_abs(), UNITS.unsigned_abs());
    let mut buffer = itoa::Buffer::new();
    out.put_slice(buffer.format(magnitude / one).as_bytes());
    out.put_u8(b'.');
    // Eight digits, of which the first, a 1, keeps the zeros in place.
    let digits = buffer.format(one + magnitude % one).as_bytes();
    let end = digits.iter().rposition(|digit| *digit != b'0').unwrap_or_default();
    out.put_slice(digits.get(1..=end.max(1)).unwrap_or_default());
}

struct Viewport {
    northeast: Point,
    southwest: Point,
}

/// What a map should show of a place: `extent` metres each way. Cut off at the poles; across the antimeridian, the north-east
/// is west of the south-west, as Google has it.
fn viewport(centre: Point, extent: u16) -> Viewport {
    let high = f64::from(extent) / DEGREE;
    let wide = high / degrees(centre.latitude).to_radians().cos();
    let latitude = |degree: f64| (degree.clamp(-90.0, 90.0) * f64::from(UNITS)).round() as i32;
    let longitude = |degree: f64| {
        let turned = if degree > 180.0 { degree - 360.0 } else { degree };
        let turned = if turned < -180.0 { turned + 360.0 } else { turned };
        (turned.clamp(-180.0, 180.0) * f64::from(UNITS)).round() as i32
    };
    // At a pole, `wide` is beyond all bounds.
    let (west, east) = if wide < 180.0 {
        let centre = degrees(centre.longitude);
        (longitude(centre - wide), longitude(centre + wide))
    } else {
        (-180 * UNITS, 180 * UNITS)
    };
    let (south, north) = (latitude(degrees(centre.latitude) - high), latitude(degrees(centre.latitude) + high));
    Viewport {
        northeast: Point { latitude: north, longitude: east },
        southwest: Point { latitude: south, longitude: west },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_are_written_short() {
        for (units, expected) in [
            (0, "0.0"),
            (1, "0.0000001"),
            (-1, "-0.0000001"),
            (340_689_300, "34.06893"),
            (-1_184_451_270, "-118.445127"),
            (1_800_000_000, "180.0"),
            (-900_000_000, "-90.0"),
        ] {
            let mut out = Vec::new();
            angle(&mut out, units);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn viewports_stay_on_the_globe() {
        let view = |latitude, longitude| {
            let view = viewport(Point::from_degrees(latitude, longitude).unwrap(), 30_000);
            (view.southwest, view.northeast)
        };
        let (southwest, northeast) = view(0.0, 179.9);
        assert!(southwest.longitude > 0 && northeast.longitude < 0);
        let (southwest, northeast) = view(90.0, 0.0);
        assert_eq!((southwest.longitude, northeast.longitude), (-180 * UNITS, 180 * UNITS));
        assert_eq!(northeast.latitude, 90 * UNITS);
        assert!(southwest.latitude < northeast.latitude);
    }
}
