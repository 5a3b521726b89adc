//! The page of the admin listener in a real browser: headless Chromium, told what to do over its devtools protocol.
//!
//! Where there is no Chromium the tests say so and pass; with `HERD_CHROMIUM=PROGRAM`, as `./dev test` sets it, it has to be there.
//! What the page looked like stays in `target/page`. One browser runs at a time: they would measure one another otherwise.
//!
//! Nothing here sleeps to let something happen: what is waited for is waited for in the page itself. Figures are printed, and judged by
//! nobody but the reader, but for one: a post is seen within a second.

#[path = "../addresses/mod.rs"]
mod addresses;
mod browser;
mod faults;
mod herd;
mod hostile;
mod looks;
mod moving;
mod pipe;
mod reach;
#[path = "../splitmix/mod.rs"]
mod splitmix;

use std::time::Duration;

use browser::{Browser, Tab};
use herd::TestHerd;

/// How long anything may take before a test says that it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// The default herd, linked, a browser, and Riley's page in it; `None` where there is no browser.
async fn opened() -> Option<(TestHerd, Browser, Tab)> {
    // First, because one runs at a time: herds that wait for their turn would take theirs from the one that has it.
    let browser = Browser::start().await?;
    let herd = TestHerd::start().await;
    let tab = browser.open(&herd.page("Riley")).await;
    tab.until("what the server says", "document.querySelector('#facts').children.length > 0").await;
    Some((herd, browser, tab))
}

/// Says a figure, past what the test's harness keeps to itself.
fn report(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "page: {text}");
}
