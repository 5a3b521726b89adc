//! The page without a mouse, and without eyes.

use serde_json::json;

use super::browser::Tab;
use super::opened;

/// What has the focus: its `id`, or what it says.
const FOCUSED: &str = "document.activeElement.id || document.activeElement.textContent.trim()";

/// Presses Tab until `id` has the focus.
async fn tab_to(tab: &Tab, id: &str) {
    for _ in 0..60 {
        if tab.eval(FOCUSED).await == id {
            return;
        }
        tab.press("Tab").await;
    }
    panic!("Tab does not lead to {id}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_can_be_done_with_the_keyboard_alone() {
    let Some((herd, _browser, tab)) = opened().await else { return };
    herd.client("Riley").await.post("kiwi", "+34.068930-118.445127").await;
    tab.until("the post", "document.querySelector('#posts').textContent.includes('kiwi')").await;
    let mut order = Vec::new();
    for _ in 0..11 {
        tab.press("Tab").await;
        order.push(tab.eval(FOCUSED).await.as_str().unwrap().to_owned());
        let ring = "getComputedStyle(document.activeElement).outlineStyle";
        assert_ne!(tab.eval(ring).await, "none", "it is to be seen where the focus is: {:?}", order.last());
    }
    let expected =
        ["Skip to the content", "search-id", "Find", "pause", "theme", "zoom-in", "zoom-out", "zoom-all", "map"];
    assert_eq!(order[..expected.len()], expected);
    assert!(order.contains(&"Positions as text".to_owned()) && order.contains(&"kiwi".to_owned()), "{order:?}");
    // Back to the map, which is moved and enlarged by keys.
    tab.eval("document.activeElement.blur(); document.querySelector('#zoom-all').focus()").await;
    tab_to(&tab, "map").await;
    tab.press("+").await;
    assert_eq!(tab.text("#said").await, "Enlarged 1.5 times, middle at 0° N, 0° E");
    for key in ["+", "+", "ArrowRight", "ArrowUp"] {
        tab.press(key).await;
    }
    let said = tab.text("#said").await;
    assert!(said.starts_with("Enlarged 3.4 times, middle at") && !said.ends_with("0° N, 0° E"), "{said}");
    tab.press("0").await;
    assert_eq!(tab.text("#said").await, "The whole world");
    // The search: type, Enter; and the way back to it.
    tab.eval("document.querySelector('.skip').focus()").await;
    tab_to(&tab, "search-id").await;
    tab.type_text("kiwi").await;
    tab.press("Enter").await;
    tab.until("it", "!document.querySelector('#found').hidden").await;
    tab_to(&tab, "found-close").await;
    tab.press("Enter").await;
    assert_eq!(tab.eval("document.querySelector('#found').hidden").await, true);
    assert_eq!(tab.eval(FOCUSED).await, "search-id");
    // The table that stands for the map.
    tab_to(&tab, "Positions as text").await;
    tab.press("Enter").await;
    let row = "document.querySelector('#areas').textContent === '30° N to 45° N120° W to 105° W1'";
    tab.until("the area", row).await;
    // The skip link leads past all that is before the content.
    tab.eval("document.querySelector('.skip').focus()").await;
    tab.press("Enter").await;
    tab.until("the content", &format!("({FOCUSED}) === 'main'")).await;
    assert_eq!(tab.problems(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_listens_to_it_is_told_what_everything_is() {
    let Some((herd, _browser, tab)) = opened().await else { return };
    herd.client("Riley").await.post("kiwi", "+34.068930-118.445127").await;
    tab.until("the post", "document.querySelector('#posts').textContent.includes('kiwi')").await;
    let is_in_sync = "document.querySelector('#graph').getAttribute('aria-label').match(/in sync/g)?.length === 2";
    tab.until("both links", is_in_sync).await;
    tab.until("the map", "document.querySelector('#map-summary').textContent === '1 shown, live'").await;
    let tree = tab.call("Accessibility.getFullAXTree", json!({})).await;
    let heard: Vec<(String, String)> = tree["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|node| node["ignored"] == false)
        .map(|node| {
            [&node["role"]["value"], &node["name"]["value"]]
                .map(|value| value.as_str().unwrap_or_default().to_owned())
                .into()
        })
        .collect();
    for role in ["banner", "main", "contentinfo", "search", "status", "alert"] {
        assert!(heard.iter().any(|(known, _)| known == role), "no {role}");
    }
    let named = [
        "button",
        "searchbox",
        "textbox",
        "link",
        "table",
        "image",
        "application",
        "heading",
        "region",
        "group",
        "columnheader",
        "rowheader",
    ];
    for (role, name) in heard.iter().filter(|(role, _)| named.contains(&role.as_str())) {
        assert!(!name.is_empty(), "a {role} without a name");
    }
    let is_there = |role: &str, name: &str| {
        assert!(heard.iter().any(|(known, said)| known == role && said.contains(name)), "no {role} {name}");
    };
    is_there("searchbox", "Find a client by its ID");
    is_there("application", "World map of clients");
    is_there("image", "The herd as a graph: 5 servers, 6 links. Links of Riley: Jaquez in sync, Juzang in sync.");
    for title in ["Riley", "Clients", "Herd", "Alarms", "Newest posts", "This server"] {
        is_there("heading", title);
    }
    for caption in ["Links of this server", "Newest posts"] {
        is_there("table", caption);
    }
    // What is drawn only is said elsewhere, and not twice.
    assert!(!heard.iter().any(|(role, _)| role.eq_ignore_ascii_case("canvas")));
}
