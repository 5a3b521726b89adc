//! Clients that choose their IDs so that the page may do what they want.

use serde_json::json;

use super::browser::Tab;
use super::opened;

/// IDs, and a part of how each is shown. There is no white space in any: the wire has none.
fn hostile() -> Vec<(String, String)> {
    let plain = [
        "<img/src=x/onerror=alert(1)>",
        "</script><script>alert(2)</script>",
        "\"'><svg/onload=alert(3)>",
        "{{constructor.constructor('alert(4)')()}}",
        "javascript:alert(5)",
        "__proto__",
        "constructor",
        "&lt;b&gt;&#x202e;",
        "🦬👋🏽",
        "مرحبا",
    ];
    let mut ids: Vec<(String, String)> = plain.iter().map(|id| ((*id).to_owned(), (*id).to_owned())).collect();
    let escaped = [
        ("\u{202e}gnp.exe", r"\u{202e}gnp.exe"),
        ("a\u{2066}b\u{2069}\u{200f}c", r"a\u{2066}b\u{2069}\u{200f}c"),
        ("👩\u{200d}🚀", r"👩\u{200d}🚀"),
        ("\u{1b}[2J\u{7}bell", r"\x1b[2J\x07bell"),
        (r"back\slash", r"back\\slash"),
        ("zero\u{200b}width\u{feff}", r"zero\u{200b}width\u{feff}"),
    ];
    ids.extend(escaped.map(|(id, shown)| (id.to_owned(), shown.to_owned())));
    ids.push(("x".repeat(4_096), format!("{}… (4,096 characters)", "x".repeat(120))));
    ids
}

/// Nothing of the page is anybody else's doing.
async fn assert_unharmed(tab: &Tab, what: &str) {
    assert_eq!(tab.problems(), [""; 0], "{what}");
    let strange = "document.querySelectorAll('img, iframe, object, embed, body script ~ script, [onerror], [onload], main script, b').length";
    assert_eq!(tab.eval(strange).await, 0, "{what}");
    assert_eq!(tab.eval("document.querySelectorAll('script').length").await, 1, "{what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_is_text_whatever_stands_in_it() {
    let Some((herd, _browser, tab)) = opened().await else { return };
    let mut client = herd.client("Riley").await;
    for (id, shown) in hostile() {
        client.post(&id, "+10.5-20.25").await;
        // The newest is the first row.
        let row = "document.querySelector('#posts button')?.textContent";
        tab.until(&shown, &format!("{row} === {}", json!(shown))).await;
        assert_unharmed(&tab, &shown).await;
        // The same by the search, which says it in three places.
        tab.eval("document.querySelector('#search-id').value = ''").await;
        tab.eval("document.querySelector('#search-id').focus()").await;
        if id.chars().any(char::is_control) {
            // Nobody types these.
            tab.eval("document.querySelector('#posts button').click()").await;
        } else {
            tab.type_text(&id).await;
            tab.press("Enter").await;
        }
        let begins: String = shown.chars().take(100).collect();
        let found = format!("document.querySelector('#found-id').textContent.startsWith({})", json!(begins));
        tab.until(&shown, &found).await;
        let known = "!document.querySelector('#found-facts').hidden && document.querySelector('#found-facts').textContent.includes('+10.5-20.25')";
        tab.until(&shown, known).await;
        assert_unharmed(&tab, &shown).await;
    }
    tab.until(
        "all of them on the map",
        &format!("document.querySelector('#map-summary').textContent.startsWith('{} shown')", hostile().len()),
    )
    .await;
    // What is long or turns around moves nothing out of its place.
    let fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
    assert_eq!(tab.eval(fits).await, true);
    let row =
        "Math.max(...[...document.querySelectorAll('#posts tr')].map((each) => each.getBoundingClientRect().height))";
    assert!(tab.eval(row).await.as_f64().unwrap() < 60.0);
    tab.eval("document.querySelector('#zoom-all').click()").await;
    tab.picture("hostile").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_is_found_by_its_id_or_a_part_of_it_or_is_said_to_be_unknown() {
    let Some((herd, _browser, tab)) = opened().await else { return };
    let mut client = herd.client("Riley").await;
    for (id, place) in [("kiwi", "+34.0-118.4"), ("kiwi.two", "-41.3+174.8"), ("weka", "-43.5+172.6")] {
        client.post(id, place).await;
    }
    tab.until("all three", "document.querySelector('#points').dataset.count === '3'").await;
    let search = async |text: &str| {
        tab.eval("document.querySelector('#search-id').value = ''; document.querySelector('#search-id').focus()").await;
        tab.type_text(text).await;
        tab.press("Enter").await;
    };
    search("kiwi").await;
    tab.until("it", "document.querySelector('#found-facts').textContent.includes('34.0000° N, 118.4000° W')").await;
    assert!(tab.text("#said").await.starts_with("kiwi: 34.0000° N"), "for those who listen");
    // It moves, and so does what is said of it.
    client.post("kiwi", "+35.0-118.4").await;
    tab.until("it", "document.querySelector('#found-facts').textContent.includes('35.0000° N, 118.4000° W')").await;
    tab.picture("found").await;
    search("WI.T").await;
    tab.until("matches", "document.querySelector('#matches').textContent === 'kiwi.two'").await;
    tab.eval("document.querySelector('#matches button').click()").await;
    tab.until("it", "document.querySelector('#found-facts').textContent.includes('41.3000° S, 174.8000° E')").await;
    search("moa").await;
    tab.until("no such client", "document.querySelector('#found-note').textContent === 'Not known to this server.'")
        .await;
    assert_eq!(tab.eval("document.querySelector('#found-facts').hidden").await, true);
    assert_eq!(tab.problems(), [""; 0]);
}
