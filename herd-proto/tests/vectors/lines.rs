//! One line: what it means or what is wrong with it, and the line that its values make.

use herd_proto::{
    Angle, At, Dig, Hashes, Hello, Iamat, ParseError, PeerMessage, PosixTime, Request, Response, ServerName, Timestamp,
    Versions, Whatsat, encode,
};
use serde_json::{Value, json};

use super::{Vector, bytes, hex, text, vectors, with_texts};

/// `seconds` and `nanos` of a vector.
pub(crate) fn moment(value: &Value) -> PosixTime {
    let seconds = value["seconds"].as_str().unwrap().parse().unwrap();
    PosixTime::new(seconds, u32::try_from(value["nanos"].as_u64().unwrap()).unwrap()).unwrap()
}

pub(crate) fn error(error: ParseError) -> Value {
    json!({ "field": error.field.as_str(), "offset": error.offset, "expected": error.expected.as_str() })
}

/// What a line gave, in the words of the vectors.
type Fields = serde_json::Map<String, Value>;

fn fields(value: Value) -> Fields {
    let Value::Object(fields) = value else { unreachable!() };
    fields
}

/// A written line without its LF.
fn line(mut written: Vec<u8>) -> Value {
    assert_eq!(written.pop(), Some(b'\n'));
    text(&written)
}

/// Every field but those that go in is what came, and nothing else came.
fn compare(vector: &Vector, mut got: Fields) {
    const GIVEN: [&str; 5] = ["id", "section", "direction", "line", "live"];
    for (name, value) in vector.fields.iter().filter(|(name, _)| !GIVEN.contains(&name.as_str())) {
        let expected = match name.as_str() {
            "encoded" | "refused" => text(&bytes(value)),
            "answer" => with_texts(value, &["line"]),
            _ => with_texts(value, &["client"]),
        };
        let value =
            got.remove(name).unwrap_or_else(|| panic!("{}: expected {name} {expected}, got {got:?}", vector.name()));
        vector.expect(name, &expected, &value);
    }
    assert!(got.is_empty(), "{}: expected no more, got {got:?}", vector.name());
}

fn position(latitude: Angle, longitude: Angle) -> [(&'static str, Value); 2] {
    [("latitude_nanodegrees", json!(latitude.nanodegrees())), ("longitude_nanodegrees", json!(longitude.nanodegrees()))]
}

fn time(time: Timestamp<'_>) -> [(&'static str, Value); 3] {
    [
        ("time", json!(time.as_str())),
        ("seconds", json!(time.time().seconds().to_string())),
        ("nanos", json!(time.time().nanos())),
    ]
}

fn object<'a>(pairs: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Object(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

#[test]
fn client_lines() {
    for vector in vectors("client-lines.json") {
        assert_eq!(vector.str("direction"), "client", "{}", vector.name());
        let bytes = vector.bytes("line");
        compare(
            &vector,
            match Request::parse(bytes.as_slice()) {
                Ok(Request::Iamat(iamat)) => iamat_fields(&vector, &iamat),
                Ok(Request::Whatsat(whatsat)) => whatsat_fields(&whatsat),
                Err(invalid) => {
                    let mut reply = Vec::new();
                    encode::invalid(&mut reply, invalid.line);
                    fields(json!({ "error": error(invalid.error), "answer": { "line": line(reply) } }))
                }
            },
        );
        if let Some(encoded) = vector.fields.get("encoded") {
            let encoded = super::bytes(encoded);
            let again = Request::parse(encoded.as_slice())
                .unwrap_or_else(|invalid| panic!("{}: {}", vector.name(), invalid.error));
            let written = Request::parse(bytes.as_slice()).unwrap();
            let same = match (&again, &written) {
                (Request::Iamat(one), Request::Iamat(other)) => one.operands() == other.operands(),
                (Request::Whatsat(one), Request::Whatsat(other)) => {
                    (one.client(), one.radius(), one.limit()) == (other.client(), other.radius(), other.limit())
                }
                _ => false,
            };
            assert!(same, "{}: expected the same values of the encoded line, got {again:?}", vector.name());
        }
    }
}

fn iamat_fields(vector: &Vector, iamat: &Iamat<&[u8]>) -> Fields {
    let location = iamat.location();
    let values = [("client", text(iamat.client().as_bytes())), ("location", json!(location.as_str()))];
    let values =
        values.into_iter().chain(position(location.latitude(), location.longitude())).chain(time(iamat.time()));
    let mut encoded = Vec::new();
    encode::iamat(&mut encoded, iamat.client(), location, iamat.time());

    // Who answers, and when, is given.
    let mut answer = vector.get("answer").clone();
    let skew = moment(&answer["received"]).since(iamat.posix_time());
    let mut reply = Vec::new();
    encode::at_of_iamat(&mut reply, ServerName::new(answer["server"].as_str().unwrap()).unwrap(), skew, iamat);
    let written = &reply[..reply.len() - 1];
    assert_eq!(At::parse(written).unwrap().skew(), skew, "{}", vector.name());
    answer["skew"] = json!(skew.to_string());
    answer["skew_nanos"] = json!(skew.nanos().to_string());
    answer["line"] = line(reply);
    fields(json!({ "iamat": object(values), "encoded": line(encoded), "answer": answer }))
}

fn whatsat_fields(whatsat: &Whatsat<&[u8]>) -> Fields {
    let radius = whatsat.radius();
    let mut encoded = Vec::new();
    encode::whatsat(&mut encoded, whatsat.client(), radius, whatsat.limit());
    fields(json!({
        "whatsat": {
            "client": text(whatsat.client().as_bytes()),
            "radius": radius.as_str(),
            "radius_micrometres": radius.micrometres().to_string(),
            "radius_metres": radius.metres().to_string(),
            "limit": whatsat.limit().get(),
        },
        "encoded": line(encoded),
    }))
}

fn at_values(at: &At<impl AsRef<[u8]>>) -> Vec<(&'static str, Value)> {
    let location = at.location();
    let mut values = vec![
        ("origin", json!(at.origin().as_str())),
        ("skew", json!(at.skew().to_string())),
        ("skew_nanos", json!(at.skew().nanos().to_string())),
        ("client", text(at.client().as_bytes())),
        ("location", json!(location.as_str())),
    ];
    values.extend(position(location.latitude(), location.longitude()));
    values.extend(time(at.time()));
    values
}

#[test]
fn server_lines() {
    for vector in vectors("server-lines.json") {
        assert_eq!(vector.str("direction"), "server", "{}", vector.name());
        let bytes = vector.bytes("line");
        compare(
            &vector,
            match Response::parse(bytes.as_slice()) {
                Ok(Response::At(at)) => {
                    let mut encoded = Vec::new();
                    encode::at(&mut encoded, at.operands());
                    fields(json!({ "at": object(at_values(&at)), "encoded": line(encoded) }))
                }
                Ok(Response::Invalid(whole)) => {
                    let mut encoded = Vec::new();
                    encode::invalid(&mut encoded, &whole[2..]);
                    fields(json!({ "refused": text(&whole[2..]), "encoded": line(encoded) }))
                }
                Ok(Response::Nearby { .. }) => panic!("{}: one line with a body", vector.name()),
                Err(invalid) => fields(json!({ "error": error(invalid.error) })),
            },
        );
    }
}

#[test]
fn peer_lines() {
    for vector in vectors("peer-lines.json") {
        assert_eq!(vector.str("direction"), "peer", "{}", vector.name());
        let bytes = vector.bytes("line");
        compare(
            &vector,
            match PeerMessage::parse(bytes.as_slice()) {
                Ok(message) => {
                    assert!(Request::parse(bytes.as_slice()).is_err(), "{} is a client's line too", vector.name());
                    let (values, encoded) = message_fields(&message);
                    let values = [("verb", json!(message.verb()))].into_iter().chain(values);
                    fields(json!({ "message": object(values), "encoded": line(encoded) }))
                }
                Err(invalid) => fields(json!({ "error": error(invalid.error) })),
            },
        );
    }
}

fn root(root: u64) -> Value {
    json!(format!("{root:016x}"))
}

fn number(number: u64) -> Value {
    json!(number.to_string())
}

/// The fields of a message, and the line that they make.
fn message_fields(message: &PeerMessage<&[u8]>) -> (Vec<(&'static str, Value)>, Vec<u8>) {
    let mut out = Vec::new();
    let values = match message {
        PeerMessage::Hello(hello) => return hello_fields(hello),
        PeerMessage::Auth(auth) => {
            encode::auth(&mut out, auth.key_id(), auth.mac());
            vec![("key_id", json!(auth.key_id())), ("mac", json!(hex(auth.mac())))]
        }
        PeerMessage::Ready(ready) => {
            encode::ready(&mut out, *ready);
            vec![("count", number(ready.count)), ("root", root(ready.root))]
        }
        PeerMessage::At(at) => {
            encode::peer_at(&mut out, at.at().operands(), at.sender(), at.hops());
            let mut values = at_values(at.at());
            values.push(("sender", json!(at.sender().as_str())));
            values.push(("hops", json!(at.hops().get())));
            values
        }
        PeerMessage::Dig(dig) => return dig_fields(dig),
        PeerMessage::List(list) => {
            encode::list(&mut out, list.prefix(), list.hashes());
            hashes_fields(list)
        }
        PeerMessage::Get(get) => {
            encode::get(&mut out, get.prefix(), get.hashes());
            hashes_fields(get)
        }
        PeerMessage::Ping(ping) => {
            encode::ping(&mut out, *ping);
            vec![("sequence", number(ping.sequence)), ("count", number(ping.count)), ("root", root(ping.root))]
        }
        PeerMessage::Pong(pong) => {
            encode::pong(&mut out, *pong);
            vec![("sequence", number(pong.sequence))]
        }
        PeerMessage::Ack(ack) => {
            let refused: Vec<u64> = ack.refused().collect();
            encode::ack(&mut out, ack.taken(), &refused);
            let refused = refused.into_iter().map(number).collect();
            vec![("taken", number(ack.taken())), ("refused", Value::Array(refused))]
        }
        PeerMessage::Bye(bye) => {
            encode::bye(&mut out, bye.why());
            vec![("text", json!(bye.why()))]
        }
        PeerMessage::Error(error) => {
            match error.code() {
                Some(code) => encode::error(&mut out, code, error.text()),
                // Of a later version: nobody here writes it.
                None => out = format!("ERR {} {}\n", error.code_text(), error.text()).into(),
            }
            let known = json!(error.code().is_some());
            vec![("code", json!(error.code_text())), ("known", known), ("text", json!(error.text()))]
        }
        other => panic!("a verb without vectors: {}", other.verb()),
    };
    (values, out)
}

fn hello_fields(hello: &Hello<&[u8]>) -> (Vec<(&'static str, Value)>, Vec<u8>) {
    let settings: Vec<(&str, &str)> = hello.settings().collect();
    let oldest = hello.versions().oldest();
    let only = Versions::new(oldest, oldest).unwrap();
    let again = Hello::speaking(only, hello.herd(), hello.from(), hello.to(), hello.boot(), hello.nonce());
    let again = settings.iter().fold(again, |hello, (key, value)| hello.with_setting(key, value).unwrap());
    let mut out = Vec::new();
    encode::hello(&mut out, &again);
    let values = vec![
        ("version", json!(oldest)),
        ("herd", json!(hello.herd().as_str())),
        ("from", json!(hello.from().as_str())),
        ("to", json!(hello.to().as_str())),
        ("boot", root(hello.boot())),
        ("nonce", json!(hello.nonce().to_string())),
        ("settings", json!(settings)),
    ];
    (values, out)
}

fn dig_fields(dig: &Dig<&[u8]>) -> (Vec<(&'static str, Value)>, Vec<u8>) {
    let summaries: Vec<_> = dig.children().map(|(_, summary)| summary).collect();
    let shown =
        summaries.iter().map(|summary| json!({ "count": number(summary.count), "digest": root(summary.digest) }));
    let values = vec![("prefix", json!(dig.prefix().to_string())), ("summaries", Value::Array(shown.collect()))];
    let mut out = Vec::new();
    encode::dig(&mut out, dig.prefix(), &summaries.try_into().expect("sixteen parts"));
    (values, out)
}

fn hashes_fields(hashes: &Hashes<&[u8]>) -> Vec<(&'static str, Value)> {
    let each = hashes.hashes().map(root).collect();
    vec![("prefix", json!(hashes.prefix().to_string())), ("hashes", Value::Array(each))]
}
