//! A headless Chromium, and pages in it.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};

use super::PATIENCE;
use super::pipe::Pipe;

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Headless, without its own calls home, and without the sandbox, which root and containers can't have.
const OPTIONS: [&str; 16] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-breakpad",
    "--no-first-run",
    "--no-proxy-server",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--remote-debugging-pipe",
];

static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// A browser with a profile of its own, both gone with this.
#[derive(Debug)]
pub(crate) struct Browser {
    pipe: Arc<Pipe>,
    child: Child,
    profile: tempfile::TempDir,
    _turn: MutexGuard<'static, ()>,
}

/// One page in it.
#[derive(Debug)]
pub(crate) struct Tab {
    pipe: Arc<Pipe>,
    session: String,
}

impl Browser {
    /// `None`, and a word of it, where there is none.
    pub(crate) async fn start() -> Option<Self> {
        let Some(program) = program() else {
            super::report("skipped: no Chromium in PATH, and HERD_CHROMIUM names none");
            return None;
        };
        let turn = ONE_AT_A_TIME.lock().await;
        let profile = tempfile::tempdir().unwrap();
        // It reads commands from descriptor 3 and answers on 4, which only a shell gives to it without unsafe code. A group of its
        // own, so that all its processes can be ended together.
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1"]).arg(program).args(OPTIONS);
        command.arg(format!("--user-data-dir={}", profile.path().display())).arg("about:blank");
        command.env("HOME", profile.path()).env_remove("DBUS_SESSION_BUS_ADDRESS");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0).spawn().unwrap();
        let pipe = Arc::new(Pipe::new(child.stdin.take().unwrap(), child.stdout.take().unwrap()));
        let browser = Self { pipe, child, profile, _turn: turn };
        browser.pipe.call(None, "Browser.getVersion", json!({})).await;
        Some(browser)
    }

    /// Opens `url` in a page of 1,440 by 1,000.
    pub(crate) async fn open(&self, url: &str) -> Tab {
        let target = self.pipe.call(None, "Target.createTarget", json!({ "url": "about:blank" })).await;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = self.pipe.call(None, "Target.attachToTarget", attach).await;
        let tab = Tab { pipe: Arc::clone(&self.pipe), session: attached["sessionId"].as_str().unwrap().to_owned() };
        for domain in ["Page", "Runtime", "Log", "Network", "Accessibility", "Performance"] {
            tab.call(&format!("{domain}.enable"), json!({})).await;
        }
        tab.resize(1440, 1000).await;
        tab.call("Page.navigate", json!({ "url": url })).await;
        tab.until("the document", "document.readyState === 'complete'").await;
        tab
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // All at once and at once: there is nothing to be saved. What has ended already is no error.
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
        // Its other processes may be writing there until they are gone, too.
        for _ in 0..100 {
            if fs::remove_dir_all(self.profile.path()).is_ok() {
                break;
            }
            std::thread::yield_now();
        }
    }
}

impl Tab {
    pub(crate) async fn call(&self, method: &str, params: Value) -> Value {
        self.pipe.call(Some(&self.session), method, params).await
    }

    /// What the expression comes to, awaited if it is a promise. Fails on an exception.
    #[track_caller]
    pub(crate) fn eval(&self, expression: &str) -> impl Future<Output = Value> + use<'_> {
        let caller = std::panic::Location::caller();
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        async move {
            let mut said = self.call("Runtime.evaluate", params).await;
            assert!(said["exceptionDetails"].is_null(), "{caller}: {}", said["exceptionDetails"]);
            said["result"]["value"].take()
        }
    }

    pub(crate) async fn text(&self, selector: &str) -> String {
        let expression = format!("document.querySelector({}).textContent", json!(selector));
        self.eval(&expression).await.as_str().unwrap().to_owned()
    }

    /// Waits, in the page, until the expression is true; what it came to.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, expression: &str) -> impl Future<Output = Value> + use<'_> {
        // A timer and not a frame: a page that does not move draws none. Its patience ends before that of the one who asks.
        let waiting = format!(
            "new Promise((done, fail) => {{
                const end = Date.now() + {};
                const look = () => {{
                    const now = {expression};
                    if (now) done(now);
                    else if (Date.now() > end) fail(new Error({}));
                    else setTimeout(look, 10);
                }};
                look();
            }})",
            (PATIENCE / 2).as_millis(),
            json!(format!("waited too long for {what}: {expression}")),
        );
        self.eval(&waiting)
    }

    pub(crate) async fn resize(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// As if the person had set their system so: `("prefers-color-scheme", "dark")`.
    pub(crate) async fn prefer(&self, features: &[(&str, &str)]) {
        let features: Vec<Value> =
            features.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        self.call("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Presses a key: `Tab`, `Enter`, `ArrowLeft`, or a character.
    pub(crate) async fn press(&self, key: &str) {
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            "ArrowLeft" => 37,
            "ArrowUp" => 38,
            "ArrowRight" => 39,
            "ArrowDown" => 40,
            _ => 0,
        };
        let text = match key {
            "Enter" => "\r",
            _ if key.chars().count() == 1 => key,
            _ => "",
        };
        let down = json!({ "type": "keyDown", "key": key, "windowsVirtualKeyCode": code, "text": text });
        self.call("Input.dispatchKeyEvent", down).await;
        let up = json!({ "type": "keyUp", "key": key, "windowsVirtualKeyCode": code });
        self.call("Input.dispatchKeyEvent", up).await;
    }

    /// Types a text where the focus is.
    pub(crate) async fn type_text(&self, text: &str) {
        self.call("Input.insertText", json!({ "text": text })).await;
    }

    /// What went wrong so far, as the browser's console has it; and every dialog, since the page has none.
    pub(crate) fn problems(&self) -> Vec<String> {
        let events = |method| self.pipe.events(&self.session, method).into_iter();
        let errors = events("Log.entryAdded").filter(|event| event["entry"]["level"] == "error");
        let said = events("Runtime.consoleAPICalled");
        let thrown = events("Runtime.exceptionThrown");
        errors
            .chain(said)
            .chain(thrown)
            .chain(events("Page.javascriptDialogOpening"))
            .map(|event| event.to_string())
            .collect()
    }

    /// The address of everything that was asked for.
    pub(crate) fn requests(&self) -> Vec<String> {
        let asked = self.pipe.events(&self.session, "Network.requestWillBeSent");
        asked.iter().map(|event| event["request"]["url"].as_str().unwrap().to_owned()).collect()
    }

    /// Why requests were blocked by the browser itself.
    pub(crate) fn blocked(&self) -> Vec<String> {
        let failed = self.pipe.events(&self.session, "Network.loadingFailed");
        failed.iter().filter_map(|event| event["blockedReason"].as_str().map(str::to_owned)).collect()
    }

    /// How long the page's script has run, in seconds.
    pub(crate) async fn script_seconds(&self) -> f64 {
        let said = self.call("Performance.getMetrics", json!({})).await;
        let metrics = said["metrics"].as_array().unwrap();
        metrics.iter().find(|metric| metric["name"] == "ScriptDuration").unwrap()["value"].as_f64().unwrap()
    }

    /// Keeps what the whole page looks like as `target/page/NAME.png`.
    pub(crate) async fn picture(&self, name: &str) {
        self.keep(name, true).await;
    }

    /// Keeps what is in view of it, and returns that.
    pub(crate) async fn view(&self, name: &str) -> Vec<u8> {
        self.keep(name, false).await
    }

    async fn keep(&self, name: &str, is_whole: bool) -> Vec<u8> {
        let params = json!({ "format": "png", "captureBeyondViewport": is_whole });
        let said = self.call("Page.captureScreenshot", params).await;
        let bytes = from_base64(said["data"].as_str().unwrap());
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("page");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(format!("{name}.png")), &bytes).unwrap();
        bytes
    }
}

/// The browser that is told, or the first that is found.
fn program() -> Option<PathBuf> {
    if let Some(told) = std::env::var_os("HERD_CHROMIUM") {
        return Some(told.into());
    }
    let path = std::env::var_os("PATH")?;
    let mut files = std::env::split_paths(&path).flat_map(|directory| NAMES.map(|name| directory.join(name)));
    files.find(|file| file.is_file())
}

fn from_base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for digit in text.bytes().filter(|byte| *byte != b'=') {
        let value = DIGITS.iter().position(|known| *known == digit).unwrap();
        (bits, count) = ((bits << 6) | u32::try_from(value).unwrap(), count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    bytes
}
