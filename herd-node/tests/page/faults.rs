//! What the page shows of servers that die and come back.

use serde_json::Value;

use super::browser::Tab;
use super::{opened, report};

/// Waits until the line of Riley's link with `peer` is in that state, and returns its colour: red, green and blue.
async fn wait_link(tab: &Tab, peer: &str, state: &str) -> [f64; 3] {
    let line = format!("document.querySelector('#graph [data-link=\"{peer}\"]')");
    tab.until(state, &format!("{line}.dataset.state === '{state}'")).await;
    // Past the moment in which one colour turns into the other.
    let colour = format!(
        "(async () => {{ await Promise.all({line}.getAnimations().map((each) => each.finished)); return getComputedStyle({line}).stroke.match(/\\d+/g).map(Number); }})()"
    );
    let colour = tab.eval(&colour).await;
    [0, 1, 2].map(|at| colour[at].as_f64().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_goes_red_when_a_server_is_killed_and_green_again() {
    let Some((mut herd, _browser, tab)) = opened().await else { return };
    let [red, green, _] = wait_link(&tab, "Juzang", "up").await;
    assert!(green > 1.5 * red, "{red} {green}");
    herd.kill("Juzang").await;
    let [red, green, blue] = wait_link(&tab, "Juzang", "down").await;
    assert!(red > 1.5 * green && red > 1.5 * blue, "{red} {green} {blue}");
    // Not by its colour alone, and not only as a picture.
    let says = "document.querySelector('#graph').getAttribute('aria-label').includes('Juzang down')";
    tab.until("the label", says).await;
    tab.until("the table", "document.querySelector('#links').textContent.includes('down for')").await;
    tab.until("the summary", "document.querySelector('#herd-summary').textContent.includes('1 of 2')").await;
    let other = tab.eval("document.querySelector('#graph [data-link=\"Jaquez\"]').dataset.state").await;
    assert_eq!(other, "up");
    tab.picture("link-down").await;
    herd.revive("Juzang").await;
    herd.wait_linked().await;
    let [red, green, _] = wait_link(&tab, "Juzang", "up").await;
    assert!(green > 1.5 * red, "{red} {green}");
    tab.picture("link-up-again").await;
    assert_eq!(tab.problems(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_says_plainly_that_its_server_is_gone_and_goes_on_when_it_is_back() {
    let Some((mut herd, _browser, tab)) = opened().await else { return };
    herd.client("Riley").await.post("kiwi", "+1+2").await;
    tab.until("the post", "document.querySelector('#posts').textContent.includes('kiwi')").await;
    tab.until("no banner", "document.querySelector('#banner').hidden").await;
    herd.kill("Riley").await;
    tab.until("the banner", "!document.querySelector('#banner').hidden").await;
    let text = tab.text("#banner").await;
    assert!(text.starts_with("Disconnected. The server does not tell how it is: it can’t be reached."), "{text}");
    assert_eq!(tab.text("#ready-text").await, "Disconnected");
    assert!(tab.text("#alarm-said").await.starts_with("Disconnected."), "for those who listen");
    // The positions come over another connection than the status, and either may be the first to find out.
    tab.until("not live", "document.querySelector('#map-summary').textContent === '1 shown, not live'").await;
    tab.picture("disconnected").await;
    herd.revive("Riley").await;
    herd.wait_linked().await;
    tab.until("no banner", "document.querySelector('#banner').hidden").await;
    tab.until("the links", "document.querySelectorAll('#graph [data-state=up]').length === 4").await;
    // Its peers have told it of kiwi again; what is posted from now on comes, too.
    tab.until("live", "document.querySelector('#map-summary').textContent === '1 shown, live'").await;
    herd.client("Campbell").await.post("weka", "+3+4").await;
    tab.until("the next post", "document.querySelector('#posts').textContent.includes('weka')").await;
    tab.until("both on the map", "document.querySelector('#points').dataset.count === '2'").await;
    tab.until("live", "document.querySelector('#map-summary').textContent === '2 shown, live'").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_is_shown_within_a_second() {
    let Some((herd, _browser, tab)) = opened().await else { return };
    tab.until("the first status", "document.querySelector('#graph [data-link]')").await;
    let mut took = Vec::new();
    for (name, client) in
        [("Riley", "one"), ("Campbell", "two"), ("Riley", "three"), ("Jaquez", "four"), ("Juzang", "five")]
    {
        let mut poster = herd.client(name).await;
        let in_table =
            format!("[...document.querySelectorAll('#posts button')].some((each) => each.textContent === '{client}')");
        let on_map = format!("document.querySelector('#points').dataset.count > {}", took.len());
        let both = format!("{in_table} && {on_map} && Date.now()");
        let seen = tab.until(client, &both);
        let posted = async {
            // Whatever waits in the page has begun by now, or sees it at once when it does.
            poster.post(client, "+10.5-20.25").await;
            let now = herd_node::clock::posix();
            i64::try_from(now.seconds()).unwrap() * 1_000 + i64::from(now.nanos() / 1_000_000)
        };
        let (seen, acknowledged): (Value, i64) = tokio::join!(seen, posted);
        took.push(seen.as_i64().unwrap() - acknowledged);
    }
    took.sort_unstable();
    report(&format!(
        "a post is in the table and on the map {took:?} ms after its acknowledgement, five posts at four servers"
    ));
    assert!(took[2] < 1_000, "the median of {took:?} ms");
    assert_eq!(tab.problems(), [""; 0]);
}
