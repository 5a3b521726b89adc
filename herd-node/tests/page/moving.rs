//! Many clients that move.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinHandle;

use super::herd::{TestHerd, now};
use super::{opened, report, splitmix};

/// Where people are, by and large.
const CITIES: [(f64, f64); 20] = [
    (34.0, -118.2),
    (40.7, -74.0),
    (51.5, -0.1),
    (48.9, 2.3),
    (35.7, 139.7),
    (28.6, 77.2),
    (-23.5, -46.6),
    (30.0, 31.2),
    (6.5, 3.4),
    (-33.9, 151.2),
    (31.2, 121.5),
    (19.4, -99.1),
    (52.5, 13.4),
    (41.0, 29.0),
    (-1.3, 36.8),
    (1.3, 103.8),
    (55.7, 37.6),
    (-34.6, -58.4),
    (37.8, -122.4),
    (25.2, 55.3),
];

/// Clients that walk about until this is dropped.
struct Crowd {
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Crowd {
    /// `count` clients, shared out among the servers; each posts once in `every`.
    async fn start(herd: &TestHerd, count: usize, every: Duration) -> Self {
        let (stop, mut tasks) = (Arc::new(AtomicBool::new(false)), Vec::new());
        for (share, name) in ["Riley", "Jaquez", "Juzang", "Campbell", "Bernard"].into_iter().enumerate() {
            let (mut client, stop) = (herd.client(name).await, Arc::clone(&stop));
            tasks.push(tokio::spawn(async move {
                let mut walkers: Vec<Walker> = (share..count).step_by(5).map(Walker::new).collect();
                let parts = 20;
                let mut due = tokio::time::interval(every / parts);
                for turn in 0.. {
                    due.tick().await;
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let time = now();
                    let mut lines = String::new();
                    // All of them in the first turn.
                    for walker in walkers
                        .iter_mut()
                        .filter(|walker| turn == 0 || walker.number / 5 % parts as usize == turn % parts as usize)
                    {
                        walker.step();
                        let _ = writeln!(
                            lines,
                            "IAMAT tracker-{:05} {:+.4}{:+.4} {time}",
                            walker.number, walker.latitude, walker.longitude
                        );
                    }
                    client.post_all(&lines).await;
                }
            }));
        }
        Self { stop, tasks }
    }

    async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
    }
}

/// Walks straight on, and turns a little with each step; the same each time.
struct Walker {
    number: usize,
    latitude: f64,
    longitude: f64,
    course: f64,
    speed: f64,
}

impl Walker {
    fn new(number: usize) -> Self {
        let mut seed = number as u64;
        let mut part = || splitmix::next(&mut seed) as f64 / u64::MAX as f64;
        let (latitude, longitude) = CITIES[(part() * 19.99) as usize];
        let (distance, turn) = (part().powi(3) * 18.0, part() * std::f64::consts::TAU);
        let (latitude, longitude) = (latitude + distance * turn.sin(), longitude + 1.4 * distance * turn.cos());
        Self { number, latitude, longitude, course: part() * std::f64::consts::TAU, speed: 0.02 + 0.1 * part() }
    }

    fn step(&mut self) {
        self.course += 0.3 * ((self.number * 31) as f64 + self.latitude * 1_000.0).sin();
        self.latitude = (self.latitude + self.speed * self.course.sin()).clamp(-85.0, 85.0);
        self.longitude = (self.longitude + self.speed * self.course.cos()).clamp(-180.0, 180.0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_moving_clients_stay_fluid() {
    const CLIENTS: usize = 10_000;
    let Some((herd, _browser, tab)) = opened().await else { return };
    let crowd = Crowd::start(&herd, CLIENTS, Duration::from_secs(2)).await;
    tab.until("all of them", &format!("document.querySelector('#points').dataset.count === '{CLIENTS}'")).await;
    // What is seen of the points, as a number that differs if one of them does.
    let seen = "document.querySelector('#points').getContext('2d').getImageData(0, 0, 800, 300).data.reduce((sum, each, at) => (sum * 31 + each * (at % 97)) % 1000003, 7)";
    let before = tab.eval(seen).await;
    let script_before = tab.script_seconds().await;
    let frames = tab.eval(FRAMES).await;
    let script = tab.script_seconds().await - script_before;
    let mut frames: Vec<f64> = frames.as_array().unwrap().iter().map(|frame| frame.as_f64().unwrap()).collect();
    assert_ne!(tab.eval(seen).await, before, "they move");
    frames.sort_by(f64::total_cmp);
    let at = |part: f64| frames[(frames.len() as f64 * part) as usize];
    let seconds = frames.iter().sum::<f64>() / 1_000.0;
    report(&format!(
        "{CLIENTS} moving clients: {:.1} frames a second over {seconds:.1} s; between frames p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, longest {:.1} ms; script {:.1} ms a frame",
        frames.len() as f64 / seconds,
        at(0.5),
        at(0.95),
        at(0.99),
        frames[frames.len() - 1],
        script * 1_000.0 / frames.len() as f64,
    ));
    tab.picture("ten-thousand").await;
    // Not an element a client: what there is to be laid out does not grow with them.
    assert!(tab.eval("document.querySelectorAll('*').length").await.as_u64().unwrap() < 600);
    // With less motion they are where they are said to be, at once; held still, they stay.
    tab.prefer(&[("prefers-reduced-motion", "reduce")]).await;
    tab.until("another picture", &format!("{seen} !== {before}")).await;
    tab.eval("document.querySelector('#pause').click()").await;
    // What was under way arrives; then nothing moves any more.
    let frames = "(count) => new Promise((done) => { const next = () => (count-- ? requestAnimationFrame(next) : done()); next(); })";
    let still = format!(
        "(async () => {{ for (let last;;) {{ const now = {seen}; if (now === last) return now; last = now; await ({frames})(5); }} }})()"
    );
    let held = tab.eval(&still).await;
    tab.eval(&format!("({frames})(30)")).await;
    assert_eq!(tab.eval(seen).await, held, "it is paused");
    assert_eq!(tab.text("#map-summary").await, "10,000 shown, paused");
    tab.eval("document.querySelector('#pause').click()").await;
    tab.until("movement", &format!("{seen} !== {held}")).await;
    crowd.end().await;
    assert_eq!(tab.problems(), [""; 0]);
}

/// Milliseconds between the frames of five seconds.
const FRAMES: &str = "new Promise((done) => { const frames = []; let last = 0; const next = (now) => { if (last) frames.push(now - last); else next.end = now + 5000; last = now; if (now < next.end) requestAnimationFrame(next); else done(frames); }; requestAnimationFrame(next); })";

/// `HERD_PICTURE=1` keeps what README shows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_herd_of_five_at_work() {
    let keeps = std::env::var_os("HERD_PICTURE").is_some();
    let Some((herd, _browser, tab)) = opened().await else { return };
    tab.resize(1280, 800).await;
    let crowd = Crowd::start(&herd, 3_000, Duration::from_secs(2)).await;
    tab.until("all of them", "document.querySelector('#points').dataset.count === '3000'").await;
    if keeps {
        // Its plots are to show something.
        tokio::time::sleep(Duration::from_secs(125)).await;
    }
    tab.until("every link in sync", "document.querySelectorAll('#graph .edge[data-state=up]').length === 2").await;
    let kinds =
        tab.eval("[...document.querySelectorAll('#servers-legend li')].map((each) => each.textContent).sort()").await;
    let names: Vec<Value> = ["Bernard", "Campbell", "Jaquez", "Juzang", "Riley"].map(Value::from).to_vec();
    assert_eq!(kinds, Value::Array(names));
    let picture = tab.view("at-work").await;
    if keeps {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        std::fs::write(root.join("docs/page.png"), picture).unwrap();
    }
    crowd.end().await;
    assert_eq!(tab.problems(), [""; 0]);
}
