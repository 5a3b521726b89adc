//! The document as a text. What it does is tried in a browser, in `tests/page`.

use super::*;

/// Bytes the page may have, so that it is there at once over any line.
const BYTES_MAX: usize = 150_000;

fn text() -> String {
    String::from_utf8(document().to_vec()).unwrap()
}

#[test]
fn it_is_one_document_that_names_nobody_else() {
    let text = text();
    assert!(text.starts_with("<!doctype html>") && text.len() < BYTES_MAX, "{} bytes", text.len());
    for left_over in ["/* style */", "/* script */", "/* coastline */"] {
        assert!(!text.contains(left_over), "{left_over}");
    }
    // Namespaces are names, and nobody goes there.
    let others = text.replace("http://www.w3.org/2000/svg", "");
    for scheme in ["http:", "https:", "ws:", "wss:", "//cdn", "@import", "url("] {
        assert!(!others.contains(scheme), "{scheme}");
    }
}

/// The end of an element in the middle of it would end it.
#[test]
fn its_script_and_its_style_end_where_they_end() {
    assert!(!SCRIPT.contains("</script") && !SCRIPT.contains("<!--") && !STYLE.contains("</style"));
    let text = text();
    assert_eq!((text.matches("<script").count(), text.matches("<style").count()), (1, 1));
    for attribute in [" style=", " onclick=", " onload=", " onerror="] {
        assert!(!text.contains(attribute), "{attribute} would need a weaker policy");
    }
}

#[test]
fn text_never_becomes_markup_or_a_program() {
    let sinks =
        ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "srcdoc", "eval(", "Function("];
    for sink in sinks {
        assert!(!SCRIPT.contains(sink), "{sink}");
    }
}

#[test]
fn the_policy_names_what_is_in_it() {
    let text = text();
    let between = |open: &str, close: &str| text.split_once(open).unwrap().1.split_once(close).unwrap().0.to_owned();
    let policy = DOCUMENT.policy.to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
    for part in [between("<script>", "</script>"), between("<style>", "</style>")] {
        assert!(policy.contains(&source(&part)), "{policy}");
    }
    let names: Vec<String> = headers().iter().map(|(name, _)| name.to_string()).collect();
    assert!(names.contains(&"x-frame-options".to_owned()) && names.contains(&"content-security-policy".to_owned()));
}

/// RFC 4648, section 10.
#[test]
fn base64_is_what_it_should_be() {
    let known =
        [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")];
    for (bytes, expected) in known {
        assert_eq!(base64(bytes.as_bytes()), expected);
    }
    assert_eq!(base64(&[0xff, 0xef, 0xbe]), "/+++");
}

#[test]
fn the_land_is_what_its_script_has_made() {
    let land = COASTLINE.trim_end();
    assert!(land.len() > 10_000 && land.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
}
