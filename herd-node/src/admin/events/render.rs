//! Records as JSON, made once for everybody who is to have them.

use std::sync::Arc;

use herd_proto::Location;

use crate::replica::Slot;

/// What is before a client's name in a record.
const BEFORE_CLIENT: &str = "{\"client\":";

/// Records as JSON, in one piece of memory.
#[derive(Debug, Default)]
pub(super) struct Rendered {
    items: Vec<Item>,
    text: Vec<u8>,
}

#[derive(Debug)]
struct Item {
    slot: Slot,
    latitude: f64,
    longitude: f64,
    /// Where it begins in the text; it ends where the next begins.
    start: usize,
    /// Where the client's name ends.
    client_end: usize,
}

/// One record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<'a> {
    pub(super) slot: Slot,
    pub(super) latitude: f64,
    pub(super) longitude: f64,
    /// `{"client":"…",…}`
    pub(super) json: &'a [u8],
    /// The client's name as a JSON string.
    pub(super) client: &'a [u8],
}

impl Rendered {
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Bytes of text.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    pub(super) fn get(&self, at: usize) -> Option<Shown<'_>> {
        let item = self.items.get(at)?;
        let end = self.items.get(at + 1).map_or(self.text.len(), |next| next.start);
        Some(Shown {
            slot: item.slot,
            latitude: item.latitude,
            longitude: item.longitude,
            json: self.text.get(item.start..end)?,
            client: self.text.get(item.start + BEFORE_CLIENT.len()..item.client_end)?,
        })
    }

    /// The slots of all of them.
    pub(super) fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        self.items.iter().map(|item| item.slot)
    }

    /// Adds the record in `slot`, whose operands (`origin skew client location time`) these are.
    pub(super) fn push(&mut self, slot: Slot, operands: &[u8]) {
        let mut texts = operands.splitn(5, |byte| *byte == b' ');
        let mut text = || texts.next().and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default();
        let [server, skew, client, location_text, time] = std::array::from_fn(|_| text());
        // What is stored was read before: there is nothing in it that could fail.
        let Ok(location) = Location::new(location_text) else { return };
        let (latitude, longitude) = (location.latitude().degrees(), location.longitude().degrees());
        let start = self.text.len();
        let out = &mut self.text;
        out.extend_from_slice(BEFORE_CLIENT.as_bytes());
        write_string(out, client);
        let client_end = out.len();
        for (key, value) in [("location", location_text), ("time", time), ("server", server), ("skew", skew)] {
            write_key(out, key);
            write_string(out, value);
        }
        for (key, value) in [("lat", latitude), ("lon", longitude)] {
            write_key(out, key);
            // Into memory, and a finite number: it can't fail.
            let _ = serde_json::to_writer(&mut *out, &value);
        }
        out.push(b'}');
        self.items.push(Item { slot, latitude, longitude, start, client_end });
    }
}

fn write_key(out: &mut Vec<u8>, key: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
}

fn write_string(out: &mut Vec<u8>, text: &str) {
    // Into memory: it can't fail.
    let _ = serde_json::to_writer(out, text);
}

/// A client's name as a JSON string, to be shared.
pub(super) fn client_json(client: &[u8]) -> Arc<[u8]> {
    let mut out = Vec::with_capacity(client.len() + 2);
    write_string(&mut out, std::str::from_utf8(client).unwrap_or_default());
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_what_was_posted_whatever_the_name() {
        let mut rendered = Rendered::default();
        let hostile = "</script>\"\\\u{1b}\u{202e}é\u{2028}";
        rendered.push(7, "Riley +0.26 kiwi +34.068930-118.445127 1621464827.959498503".as_bytes());
        rendered.push(9, format!("Juzang -1 {hostile} +4530.5+00000.3/ 7").as_bytes());
        assert_eq!((rendered.len(), rendered.slots().collect::<Vec<_>>()), (2, vec![7, 9]));
        let first = rendered.get(0).unwrap();
        let expected = r#"{"client":"kiwi","location":"+34.068930-118.445127","time":"1621464827.959498503","server":"Riley","skew":"+0.26","lat":34.06893,"lon":-118.445127}"#;
        assert_eq!(std::str::from_utf8(first.json), Ok(expected));
        assert_eq!((first.client, first.latitude), (&b"\"kiwi\""[..], 34.06893));
        let second = rendered.get(1).unwrap();
        let json: serde_json::Value = serde_json::from_slice(second.json).unwrap();
        assert_eq!((json["client"].as_str(), json["lat"].as_f64()), (Some(hostile), Some(second.latitude)));
        assert_eq!(second.client, &*client_json(hostile.as_bytes()));
        assert!(!second.json.iter().any(u8::is_ascii_control), "an event's data is one line");
        assert!(rendered.get(2).is_none());
    }
}
