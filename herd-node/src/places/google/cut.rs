//! Cutting `results` to a bound by spans of the original text (WIRE §3.4): what is kept is kept byte for byte.
//!
//! Pure: text in, text out. Knows nothing of statuses.

use std::ops::Range;

use bytes::Bytes;
use serde_json::value::RawValue;

/// A reply whose `results` can be cut to any bound without printing anything again.
#[derive(Debug)]
pub(super) struct Cuttable {
    text: Bytes,
    /// Where each element of `results` is in `text`.
    elements: Vec<Range<usize>>,
}

impl Cuttable {
    /// `text`, whose `results` have their elements where [`elements`] found them in it.
    pub(super) fn new(text: String, elements: Vec<Range<usize>>) -> Self {
        Self { text: Bytes::from(text), elements }
    }

    /// The text with at most `limit` elements: all before the first, `limit` of them with what separates them, and all
    /// behind the last.
    pub(super) fn cut(&self, limit: usize) -> Bytes {
        let (Some(first), Some(last)) = (self.elements.first(), self.elements.last()) else {
            return self.text.clone();
        };
        if limit >= self.elements.len() {
            return self.text.clone();
        }
        let kept_end =
            limit.checked_sub(1).and_then(|kept| self.elements.get(kept)).map_or(first.start, |kept| kept.end);
        Bytes::from([&self.text[..kept_end], &self.text[last.end..]].concat())
    }
}

/// Where in `text` the elements of `results` are, which must be an array and a borrowed part of `text`.
///
/// `None` when it isn't that.
pub(super) fn elements(text: &str, results: &RawValue) -> Option<Vec<Range<usize>>> {
    let elements: Vec<&RawValue> = serde_json::from_str(results.get()).ok()?;
    elements.into_iter().map(|element| span(text, element.get())).collect()
}

/// Makes one newline of every run of them, and none of a run at the end (WIRE §3.4) or at the start, where it would make a
/// blank line with the AT line's end. In valid JSON newlines are between tokens only, so this changes no value.
///
/// Carriage returns belong to the run they are in: to a client that reads lines `\r\n\r\n` is a blank line too.
pub(super) fn squeeze(text: &str) -> String {
    let mut squeezed = String::with_capacity(text.len());
    let mut rest = text.trim_matches(LINE_ENDS);
    while let Some(start) = rest.find(LINE_ENDS) {
        let (before, run_on) = rest.split_at(start);
        rest = run_on.trim_start_matches(LINE_ENDS);
        squeezed.push_str(before);
        squeezed.push_str(one_newline(&run_on[..run_on.len() - rest.len()]));
    }
    squeezed.push_str(rest);
    squeezed
}

const LINE_ENDS: [char; 2] = ['\n', '\r'];

/// A run up to its first newline when it has several.
fn one_newline(run: &str) -> &str {
    match run.split_once('\n') {
        Some((before, after)) if after.contains('\n') => &run[..=before.len()],
        _ => run,
    }
}

/// Where `part`, a slice of `text`, is in it.
fn span(text: &str, part: &str) -> Option<Range<usize>> {
    let start = (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let end = start.checked_add(part.len())?;
    (end <= text.len()).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::Value;
    use serde_json::value::RawValue;

    use super::{Cuttable, elements, squeeze};

    #[derive(Deserialize)]
    struct Top<'a> {
        #[serde(borrow)]
        results: &'a RawValue,
    }

    fn cuttable(text: &str) -> Option<Cuttable> {
        let top: Top<'_> = serde_json::from_str(text).ok()?;
        Some(Cuttable::new(text.into(), elements(text, top.results)?))
    }

    fn cut(text: &str, limit: usize) -> String {
        String::from_utf8(cuttable(text).unwrap().cut(limit).to_vec()).unwrap()
    }

    #[test]
    fn keeps_every_byte_but_the_elements_cut() {
        let text =
            "{ \"x\" : [ 1,  2 ],\n  \"results\" : [ {\"a\":1.50} ,\t\"\\u00e9]\",[\"results\"] \n ] , \"z\":{}}\n";
        assert_eq!(cut(text, 9), text);
        assert_eq!(cut(text, 3), text);
        assert_eq!(
            cut(text, 2),
            "{ \"x\" : [ 1,  2 ],\n  \"results\" : [ {\"a\":1.50} ,\t\"\\u00e9]\" \n ] , \"z\":{}}\n"
        );
        assert_eq!(cut(text, 1), "{ \"x\" : [ 1,  2 ],\n  \"results\" : [ {\"a\":1.50} \n ] , \"z\":{}}\n");
        assert_eq!(cut("{\"results\":[ 7\n,8]}", 0), "{\"results\":[ ]}");
    }

    #[test]
    fn finds_the_results_of_the_top_and_no_others() {
        let text = r#"{"a":{"results":[1,2,3]},"b":"\"results\":[4]","res\u0075lts":[5,6],"c":["results",[7]]}"#;
        assert_eq!(cut(text, 1), text.replace("[5,6]", "[5]"));
        assert_eq!(cut("{\"results\":[]}", 1), "{\"results\":[]}");
    }

    #[test]
    fn refuses_what_has_no_array_of_results() {
        for text in ["{}", "{\"results\":{}}", "{\"results\":null}", "{\"results\":\"[]\"}", "{\"results\":3}"] {
            assert!(cuttable(text).is_none(), "{text}");
        }
        assert!(cuttable("{\"results\":[1],\"results\":[2]}").is_none(), "which of the two?");
    }

    #[test]
    fn newlines_are_squeezed() {
        for (text, expected) in [
            ("{}", "{}"),
            ("{\n\n\n}\n\n", "{\n}"),
            ("{\n \n}", "{\n \n}"),
            ("{\r\n}\r\n", "{\r\n}"),
            ("{\r\n\r\n\r\n}", "{\r\n}"),
            ("{\n\r\n}", "{\n}"),
            ("{\r\r}", "{\r\r}"),
            ("\n\n{}", "{}"),
            ("\n\n", ""),
        ] {
            assert_eq!(squeeze(text), expected, "{text:?}");
        }
    }

    fn element() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just(String::from("null")),
            Just(String::from("-1.50E+2")),
            Just(String::from("\"\\n\\\"],\\u00e9\u{e9}\"")),
            Just(String::from("\"results\"")),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                (prop::collection::vec(inner.clone(), 0..4), space())
                    .prop_map(|(parts, gap)| format!("[{gap}{}{gap}]", parts.join(&format!("{gap},")))),
                (inner, space()).prop_map(|(value, gap)| format!("{{{gap}\"results\"{gap}:{value}{gap}}}")),
            ]
        })
    }

    fn space() -> impl Strategy<Value = String> {
        "[ \t\n\r]{0,3}"
    }

    proptest! {
        #[test]
        fn means_what_a_full_parse_says(
            before in element(),
            after in element(),
            list in prop::collection::vec((space(), element(), space()), 0..6),
            limit in 0_usize..7,
        ) {
            let list: Vec<String> = list.iter().map(|(a, e, b)| format!("{a}{e}{b}")).collect();
            let text = format!("{{\"a\":{before},\"results\" : [{}],\n\n\"z\":{after}}}", list.join(","));
            let mut expected: Value = serde_json::from_str(&text).unwrap();
            expected["results"].as_array_mut().unwrap().truncate(limit);
            let kept = cut(&text, limit);
            prop_assert_eq!(serde_json::from_str::<Value>(&kept).unwrap(), expected.clone());
            if limit > 0 {
                let start = text.find(" : [").unwrap() + 4;
                prop_assert_eq!(&kept[..start], &text[..start]);
                let end = format!("],\n\n\"z\":{after}}}");
                prop_assert!(kept.ends_with(&end));
            }
            let squeezed = squeeze(&kept);
            prop_assert_eq!(serde_json::from_str::<Value>(&squeezed).unwrap(), expected);
            prop_assert!(!squeezed.replace('\r', "").contains("\n\n"));
        }
    }
}
