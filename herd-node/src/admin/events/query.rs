//! What is wanted: the query of `/events`.

use herd_proto::ClientId;

use super::area::{Area, CIRCLE_KM_MAX};

/// The most clients in a list. It is looked through ten times a second, under the replica's lock.
pub(super) const CLIENTS_MAX: usize = 1_000;

/// Whom to tell of.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::admin) enum Filter {
    /// Everybody.
    All,
    /// Whoever is there.
    Area(Area),
    /// These, each once.
    Clients(Vec<Box<[u8]>>),
}

const EXPECTED_BOX: &str = "a box is four numbers: lat_min,lon_min,lat_max,lon_max, latitudes from -90 to 90 and in order, longitudes from -180 to 180";
const EXPECTED_CIRCLE: &str =
    "a circle is three numbers: lat,lon,km, of at most 90, 180 and 20040, and with km more than 0";

/// What the query asks for. Nothing of it is in the error.
pub(super) fn parse(query: Option<&str>) -> Result<Filter, &'static str> {
    let mut filter = Filter::All;
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decoded(value)?;
        filter = match (key, filter) {
            ("box", Filter::All) => Filter::Area(read_box(&value).ok_or(EXPECTED_BOX)?),
            ("circle", Filter::All) => Filter::Area(read_circle(&value).ok_or(EXPECTED_CIRCLE)?),
            ("client", Filter::All) => Filter::Clients(vec![read_client(&value)?]),
            ("client", Filter::Clients(clients)) => Filter::Clients(with(clients, read_client(&value)?)?),
            ("box" | "circle" | "client", _) => return Err("one box, or one circle, or clients: not two of these"),
            _ => return Err("a query is box=, circle= or client="),
        };
    }
    Ok(filter)
}

fn with(mut clients: Vec<Box<[u8]>>, client: Box<[u8]>) -> Result<Vec<Box<[u8]>>, &'static str> {
    if clients.contains(&client) {
        return Ok(clients);
    }
    if clients.len() == CLIENTS_MAX {
        return Err("more than 1000 clients");
    }
    clients.push(client);
    Ok(clients)
}

/// With `%41` made `A`. A `+` is one: in what is asked for here nothing is a space.
fn decoded(text: &str) -> Result<Vec<u8>, &'static str> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (mut bytes, mut out) = (text.as_bytes(), Vec::with_capacity(text.len()));
    while let [first, rest @ ..] = bytes {
        bytes = rest;
        out.push(match (first, rest) {
            (b'%', [high, low, rest @ ..]) => {
                bytes = rest;
                digit(high)
                    .zip(digit(low))
                    .map(|(high, low)| high << 4 | low)
                    .ok_or("% needs two hexadecimal digits")?
            }
            (b'%', _) => return Err("% needs two hexadecimal digits"),
            (byte, _) => *byte,
        });
    }
    Ok(out)
}

fn read_client(value: &[u8]) -> Result<Box<[u8]>, &'static str> {
    let client = ClientId::new(value).map_err(|_| "a client is 1 to 4096 bytes of UTF-8 without white space")?;
    Ok(client.as_bytes().into())
}

fn read_box(value: &[u8]) -> Option<Area> {
    let [south, west, north, east] = numbers(value)?;
    let is_good =
        is_latitude(south) && is_latitude(north) && south <= north && is_longitude(west) && is_longitude(east);
    is_good.then_some(Area::Box { south, north, west, east })
}

fn read_circle(value: &[u8]) -> Option<Area> {
    let [latitude, longitude, km] = numbers(value)?;
    let is_good = is_latitude(latitude) && is_longitude(longitude) && km > 0.0 && km <= CIRCLE_KM_MAX;
    is_good.then(|| Area::circle(latitude, longitude, km))
}

fn is_latitude(degrees: f64) -> bool {
    degrees.abs() <= 90.0
}

fn is_longitude(degrees: f64) -> bool {
    degrees.abs() <= 180.0
}

/// So many decimal numbers with commas between.
fn numbers<const N: usize>(value: &[u8]) -> Option<[f64; N]> {
    let text = std::str::from_utf8(value).ok()?;
    let mut numbers = [0.0; N];
    let mut texts = text.split(',');
    for number in &mut numbers {
        *number = decimal(texts.next()?)?;
    }
    texts.next().is_none().then_some(numbers)
}

/// Digits with a sign and a point at most: no `inf`, no `1e9`.
fn decimal(text: &str) -> Option<f64> {
    let is_plain = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'+' | b'-'));
    text.parse().ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients(names: &[&str]) -> Filter {
        Filter::Clients(names.iter().map(|name| name.as_bytes().into()).collect())
    }

    #[test]
    fn what_can_be_asked_for() {
        for nothing in [None, Some(""), Some("&")] {
            assert_eq!(parse(nothing), Ok(Filter::All));
        }
        let box_of = |south, west, north, east| Ok(Filter::Area(Area::Box { south, north, west, east }));
        assert_eq!(parse(Some("box=-1.5,+170,2,-170.25")), box_of(-1.5, 170.0, 2.0, -170.25));
        assert_eq!(parse(Some("box=-90%2C-180%2c90,180")), box_of(-90.0, -180.0, 90.0, 180.0));
        assert_eq!(parse(Some("circle=.5,0,20040")), Ok(Filter::Area(Area::circle(0.5, 0.0, 20_040.0))));
        assert_eq!(parse(Some("client=kiwi")), Ok(clients(&["kiwi"])));
        assert_eq!(parse(Some("client=a%26b&client=%C3%A9+1&client=a%26b")), Ok(clients(&["a&b", "é+1"])));
    }

    #[test]
    fn a_list_of_clients_has_an_end() {
        let list = |count| (0..count).map(|number| format!("client={number}")).collect::<Vec<_>>().join("&");
        assert!(
            matches!(parse(Some(&list(CLIENTS_MAX))), Ok(Filter::Clients(clients)) if clients.len() == CLIENTS_MAX)
        );
        assert_eq!(parse(Some(&list(CLIENTS_MAX + 1))), Err("more than 1000 clients"));
        let client = |length| format!("client={}", "k".repeat(length));
        assert!(parse(Some(&client(4_096))).is_ok());
        assert!(parse(Some(&client(4_097))).is_err());
    }

    #[test]
    fn what_is_wrong_is_said_in_words_of_ours() {
        let boxes = [
            "",
            "1,2,3",
            "1,2,3,4,5",
            "1,2,0,4",
            "91,0,92,1",
            "0,-181,1,1",
            "nan,0,1,1",
            "0,0,1e0,1",
            "0,0,1,inf",
            " 0,0,1,1",
        ];
        for value in boxes {
            assert_eq!(parse(Some(&format!("box={value}"))), Err(EXPECTED_BOX), "{value}");
        }
        for value in ["1,2", "1,2,0", "1,2,-1", "1,2,20040.1", "1,2,inf", "91,0,1"] {
            assert_eq!(parse(Some(&format!("circle={value}"))), Err(EXPECTED_CIRCLE), "{value}");
        }
        for value in ["", "a%20b", "%0a", "%ff"] {
            assert!(
                parse(Some(&format!("client={value}"))).is_err_and(|why| why.starts_with("a client is")),
                "{value:?}"
            );
        }
        for value in ["%", "%4", "%zz", "%%41", "%+1"] {
            assert_eq!(parse(Some(&format!("client={value}"))), Err("% needs two hexadecimal digits"), "{value}");
        }
        for query in ["boxes=1", "box", "Client=a", "token=x"] {
            assert!(parse(Some(query)).is_err(), "{query}");
        }
        for query in ["box=0,0,1,1&box=0,0,1,1", "client=a&circle=0,0,1", "circle=0,0,1&client=a"] {
            assert_eq!(parse(Some(query)), Err("one box, or one circle, or clients: not two of these"), "{query}");
        }
    }
}
