//! What the page looks like, and what is asked of whom for it.

use herd_node::secret::Secret;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::browser::Browser;
use super::herd::TestHerd;
use super::opened;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_loads_without_an_error_and_asks_nobody_but_its_server() {
    let Some((herd, _browser, tab)) = opened().await else { return };
    tab.until("the stream", "document.querySelector('#graph [data-link]')").await;
    herd.client("Riley").await.post("kiwi.cs.ucla.edu", "+34.068930-118.445127").await;
    tab.until("the post", "document.querySelector('#posts').textContent.includes('kiwi.cs.ucla.edu')").await;
    assert_eq!(tab.problems(), [""; 0]);
    let origin = herd.page("Riley");
    for request in tab.requests().iter().filter(|request| !request.starts_with("data:")) {
        let path = request.strip_prefix(&origin).unwrap_or_else(|| panic!("it asks {request}"));
        assert!(["", "status.json", "events"].contains(&path), "{request}");
    }
    let entries = "performance.getEntriesByType('resource').every((entry) => entry.name.startsWith(location.origin))";
    assert_eq!(tab.eval(entries).await, Value::Bool(true));
    assert_eq!(tab.text("#name").await, "Riley");
    // All five are drawn; of other servers' links it says that it does not know.
    let states = "[...document.querySelectorAll('#graph [data-link]')].map((line) => line.dataset.state).sort().join()";
    let expected = "configured,configured,configured,configured,up,up";
    tab.until("the states of the links", &format!("{states} === '{expected}'")).await;
    assert_eq!(tab.eval("document.querySelectorAll('#graph .node').length").await, 5);
    tab.picture("one-post").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_policy_lets_nothing_else_run_and_nobody_frame_it() {
    let herd = TestHerd::start().await;
    let address = herd.page("Riley")["http://".len()..].trim_end_matches('/').to_owned();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    stream.write_all(format!("GET / HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let head = answer.split_once("\r\n\r\n").unwrap().0.to_ascii_lowercase();
    for header in [
        "http/1.1 200 ok\r\n",
        "content-type: text/html; charset=utf-8",
        "content-security-policy: default-src 'none'; script-src 'sha256-",
        "frame-ancestors 'none'",
        "x-frame-options: deny",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "cache-control: no-store",
    ] {
        assert!(head.contains(header), "{header}: {head}");
    }
    let Some((_herd, _browser, tab)) = opened().await else { return };
    // A program that got into the page is not run, whichever way it comes.
    let picture = "new Promise((done) => { const image = Object.assign(document.createElement('img'), { src: '/status.json', onerror: () => done('refused'), onload: () => done('shown') }); document.body.append(image); })";
    assert_eq!(tab.eval(picture).await, "refused");
    assert_eq!(tab.blocked(), ["csp"]);
    let script = "(() => { const script = document.createElement('script'); try { script.text = 'window.ran = 1'; } catch { return 'refused'; } document.body.append(script); return window.ran ?? 'blocked'; })()";
    assert_ne!(tab.eval(script).await, 1);
    let markup =
        "(() => { try { document.body.innerHTML += '<b>x</b>'; return 'taken'; } catch { return 'refused'; } })()";
    assert_eq!(tab.eval(markup).await, "refused");
}

/// As a browser gives it once its user was asked: as a password, whatever the name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_there_is_a_token_the_page_works_with_it_and_not_without() {
    let Some(browser) = Browser::start().await else { return };
    let token = "correct-horse-battery-staple";
    let herd = TestHerd::start_with(|config| config.admin_token = Some(Secret::new(token.as_bytes()))).await;
    let page = herd.page("Riley");
    let tab = browser.open(&page).await;
    assert_eq!(tab.eval("document.querySelector('#map, script')").await, Value::Null);
    let tab = browser.open(&page.replace("http://", &format!("http://anybody:{token}@"))).await;
    herd.client("Campbell").await.post("kiwi", "+1+2").await;
    tab.until("live", "document.querySelector('#map-summary').textContent === '1 shown, live'").await;
    // The token is in nothing that is shown, nor in what the page asks for.
    assert_eq!(tab.eval(&format!("document.documentElement.textContent.includes('{token}')")).await, false);
    assert_eq!(tab.problems(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_light_and_dark_as_the_system_is_or_as_is_chosen() {
    let Some((herd, _browser, tab)) = opened().await else { return };
    herd.client("Riley").await.post("kiwi", "+34.068930-118.445127").await;
    tab.until("the post", "document.querySelector('#posts').textContent.includes('kiwi')").await;
    // How bright the background and the sea of the map are, of 255.
    let brightness = "(() => { const back = getComputedStyle(document.body).backgroundColor.match(/\\d+/g); const sea = document.querySelector('#land').getContext('2d').getImageData(2, 120, 1, 1).data; return [Number(back[0]), sea[0]]; })()";
    let is = async |dark: bool| {
        let condition = if dark { "every((each) => each < 60)" } else { "every((each) => each > 200)" };
        tab.until("its colours", &format!("{brightness}.{condition}")).await;
    };
    for (scheme, dark) in [("light", false), ("dark", true)] {
        tab.prefer(&[("prefers-color-scheme", scheme)]).await;
        is(dark).await;
        assert_eq!(tab.eval(CONTRASTS).await, Value::Array(vec![]), "texts that are hard to read when {scheme}");
        tab.picture(scheme).await;
    }
    let theme = "document.querySelector('#theme').click()";
    for (choice, dark) in [("Light", false), ("Dark", true), ("Auto", true)] {
        tab.eval(theme).await;
        assert!(tab.text("#theme").await.ends_with(choice));
        is(dark).await;
    }
    assert_eq!(tab.problems(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_fits_a_narrow_screen() {
    let Some((herd, _browser, tab)) = opened().await else { return };
    herd.client("Riley").await.post("kiwi", "+34.068930-118.445127").await;
    tab.until("the post", "document.querySelector('#posts').textContent.includes('kiwi')").await;
    for width in [360, 820] {
        tab.resize(width, 900).await;
        let fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
        tab.until("no scrolling sideways", fits).await;
        tab.picture(&format!("width-{width}")).await;
    }
}

/// Every text whose contrast with what is behind it is under WCAG's 4.5 to 1.
const CONTRASTS: &str = r"(() => {
    const parse = (colour) => colour.match(/[\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((each) => each / 255).map((each) => (each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4))
        .reduce((sum, each, at) => sum + each * [0.2126, 0.7152, 0.0722][at], 0);
    const behind = (element) => {
        for (let each = element; each; each = each.parentElement) {
            const colour = parse(getComputedStyle(each).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
    };
    const found = [];
    for (const element of document.querySelectorAll('body *')) {
        const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
        if (!own || !element.checkVisibility() || element.closest('.hidden, script, style, .skip')) continue;
        const style = getComputedStyle(element);
        const text = light(parse(element instanceof SVGElement ? style.fill : style.color));
        const back = light(behind(element instanceof SVGElement ? element.ownerSVGElement : element));
        const ratio = (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
        if (ratio < 4.5) found.push(`${element.textContent.slice(0, 30)}: ${ratio.toFixed(2)}`);
    }
    return found;
})()";
