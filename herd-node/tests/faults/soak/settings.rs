//! What a soak is to be like, and the bounds that it holds the servers to.

use std::path::PathBuf;
use std::time::Duration;

/// What is posted expires after so long, so that what the servers hold stays as much, whoever comes.
pub(crate) const TTL: Duration = Duration::from_secs(120);
/// What was acknowledged longer ago is not looked for any more: it may be over by the time it is found.
pub(crate) const LOOKED_FOR: Duration = Duration::from_secs(90);

/// After a fault's heal every server has the same digest within this time.
pub(crate) const AGREE_WITHIN: Duration = Duration::from_secs(5);
/// Honest posts wait so long at most, in the 99th of a hundred: over the whole, and in the worst minute.
pub(crate) const P99_MAX: Duration = Duration::from_millis(50);
pub(crate) const MINUTE_P99_MAX: Duration = Duration::from_millis(250);
/// Of a million honest posts, so many may be answered with `?` although nothing is done to their server: a disk that takes more than
/// half a second to sync.
pub(crate) const UNKNOWN_IN_A_MILLION_MAX: u64 = 100;
/// A process that has what it needs grows by so much in an hour at most.
pub(crate) const SLOPE_MAX_KIB_AN_HOUR: f64 = 8.0 * 1024.0;
/// From a process's start until it has what it needs: records come until the first are forgotten, which is after their life and
/// a grace of two minutes, and an allocator's arenas fill a while longer.
pub(crate) const WARM_UP: Duration = Duration::from_secs(600);
/// A slope over less than this, all of a server's processes together, is told and not judged.
pub(crate) const JUDGED_MIN: Duration = Duration::from_secs(600);
/// A server at rest has so many more files open at the end than at the beginning, at most.
pub(crate) const FILES_GROWN_MAX: u64 = 4;

const RATE: u32 = 300;
/// More would need a generator that is made for it: `herd-cli bench`.
const RATE_MAX: u32 = 20_000;
const FAULT_EVERY: Duration = Duration::from_secs(45);
const FAULT_EVERY_MIN: Duration = Duration::from_secs(2);
/// A short soak has a fault as often as this many times.
const FAULTS_MIN: u32 = 8;
const SECONDS_MAX: u64 = 7 * 24 * 3600;

pub(crate) const OPTIONS: &str = "--minutes N or --seconds N, --seed S, --rate POSTS_A_SECOND, --fault-every SECONDS";

/// What was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) time: Duration,
    /// Which faults come, and when.
    pub(crate) seed: u64,
    /// Posts a second at the whole herd.
    pub(crate) rate: u32,
    /// From one fault's end to the next one's beginning.
    pub(crate) fault_every: Duration,
    /// Where the report goes. `None`: nowhere.
    pub(crate) report: Option<PathBuf>,
}

impl Settings {
    /// A soak for `time`, with a fault as often as that allows.
    pub(crate) fn new(time: Duration, seed: u64) -> Self {
        let fault_every = (time / FAULTS_MIN).clamp(FAULT_EVERY_MIN, FAULT_EVERY);
        Self { time, seed, rate: RATE, fault_every, report: None }
    }

    /// Reads what stands after `--soak`.
    pub(crate) fn parse(words: &[String]) -> Result<Self, String> {
        let (mut time, mut seed, mut rate, mut every) = (None, None, None, None);
        let mut words = words.iter();
        while let Some(option) = words.next() {
            let mut number = |min: u64, max: u64| {
                let text = words.next().map(String::as_str).unwrap_or_default();
                let number = text.parse().ok().filter(|number| (min..=max).contains(number));
                number.ok_or_else(|| format!("{option}: {text:?} is no whole number from {min} to {max}"))
            };
            match option.as_str() {
                "--minutes" => time = Some(60 * number(1, SECONDS_MAX / 60)?),
                "--seconds" => time = Some(number(1, SECONDS_MAX)?),
                "--seed" => seed = Some(number(0, u64::MAX)?),
                "--rate" => rate = Some(number(1, RATE_MAX.into())?),
                "--fault-every" => every = Some(number(FAULT_EVERY_MIN.as_secs(), SECONDS_MAX)?),
                _ => return Err(format!("no option {option}; there are {OPTIONS}")),
            }
        }
        let time = time.ok_or_else(|| format!("how long? {OPTIONS}"))?;
        let seed = seed.map_or_else(getrandom::u64, Ok).map_err(|error| error.to_string())?;
        let mut settings = Self::new(Duration::from_secs(time), seed);
        settings.rate = rate.and_then(|rate| u32::try_from(rate).ok()).unwrap_or(RATE);
        settings.fault_every = every.map_or(settings.fault_every, Duration::from_secs);
        settings.report = report_path();
        Ok(settings)
    }
}

/// `soak/report.json` in the target directory, which is where this program was built.
fn report_path() -> Option<PathBuf> {
    // TARGET/release/deps/faults-…
    let program = std::env::current_exe().ok()?;
    Some(program.ancestors().nth(3)?.join("soak/report.json"))
}
