//! JSON as Google's legacy Places prints it: three spaces of indent, ` : ` around colons, keys in alphabetical order, and
//! short arrays of scalars on one line.
//!
//! Only for what this server writes itself. Bytes that Google wrote are never printed again (WIRE §3.4).

use serde_json::{Map, Value};

/// Prints `value`, without a final newline.
pub(crate) fn print(value: &Value) -> String {
    let mut text = String::new();
    put(&mut text, value, 0);
    text
}

/// A line of scalars longer than this is broken, one element a line.
const LINE_MAX: usize = 74;

fn put(text: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(members) if !members.is_empty() => put_object(text, members, depth),
        Value::Array(elements) if !elements.is_empty() => match one_line(elements) {
            Some(line) => text.push_str(&line),
            None => put_array(text, elements, depth),
        },
        // Strings, numbers, literals and what is empty look the same in every layout.
        _ => text.push_str(&value.to_string()),
    }
}

fn put_object(text: &mut String, members: &Map<String, Value>, depth: usize) {
    // Sorted here and not left to the map: another crate's features decide how a `Map` is ordered.
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_unstable_by_key(|(key, _)| *key);
    text.push('{');
    for (index, (key, value)) in sorted.into_iter().enumerate() {
        next_line(text, index, depth + 1);
        text.push_str(&Value::from(key.as_str()).to_string());
        text.push_str(" : ");
        put(text, value, depth + 1);
    }
    last_line(text, depth);
    text.push('}');
}

fn put_array(text: &mut String, elements: &[Value], depth: usize) {
    text.push('[');
    for (index, element) in elements.iter().enumerate() {
        next_line(text, index, depth + 1);
        put(text, element, depth + 1);
    }
    last_line(text, depth);
    text.push(']');
}

/// `[ a, b ]`, when every element is a scalar and the line is short.
fn one_line(elements: &[Value]) -> Option<String> {
    let mut line = String::from("[ ");
    for (index, element) in elements.iter().enumerate() {
        if element.is_object() || element.is_array() {
            return None;
        }
        if index > 0 {
            line.push_str(", ");
        }
        line.push_str(&element.to_string());
    }
    line.push_str(" ]");
    (line.len() <= LINE_MAX).then_some(line)
}

fn next_line(text: &mut String, index: usize, depth: usize) {
    if index > 0 {
        text.push(',');
    }
    last_line(text, depth);
}

fn last_line(text: &mut String, depth: usize) {
    text.push('\n');
    for _ in 0..depth {
        text.push_str("   ");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::print;

    #[test]
    fn looks_like_the_legacy_service() {
        let value = json!({
            "status": "OK",
            "html_attributions": [],
            "results": [{
                "types": ["locality", "political"],
                "name": "Caf\u{e9} \"Un\"\n",
                "geometry": { "location": { "lng": -118.4, "lat": 34.06893 } },
                "plus_code": {},
            }],
        });
        let expected = r#"{
   "html_attributions" : [],
   "results" : [
      {
         "geometry" : {
            "location" : {
               "lat" : 34.06893,
               "lng" : -118.4
            }
         },
         "name" : "Café \"Un\"\n",
         "plus_code" : {},
         "types" : [ "locality", "political" ]
      }
   ],
   "status" : "OK"
}"#;
        assert_eq!(print(&value), expected);
    }

    #[test]
    fn long_lists_are_broken() {
        let long = "x".repeat(70);
        assert_eq!(
            print(&json!({ "a": [long, 1] })),
            format!("{{\n   \"a\" : [\n      \"{long}\",\n      1\n   ]\n}}")
        );
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,12}|[\\x00-\\x20]{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("\\PC{0,6}", inner, 0..5).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn means_the_same_and_has_no_blank_line(value in any_json()) {
            let text = print(&value);
            prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
            prop_assert!(!text.contains("\n\n") && !text.ends_with('\n'));
        }
    }
}
