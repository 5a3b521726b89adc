//! What a scene has shown, and the table of all of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// What one scene has shown.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// What was done to the servers.
    pub(crate) injected: String,
    /// Posts that were acknowledged.
    pub(crate) acknowledged: u64,
    /// Of those, the ones that some server does not know, and should.
    pub(crate) lost: u64,
    /// From the heal until all servers said the same.
    pub(crate) agreement: Option<Duration>,
    /// What else was measured.
    pub(crate) notes: Vec<String>,
    /// What should not have been. None: the scene has passed.
    pub(crate) faults: Vec<String>,
    /// Why nothing was done.
    pub(crate) skipped: Option<String>,
}

impl Report {
    pub(crate) fn failed(why: String) -> Self {
        Self { faults: vec![why], ..Self::default() }
    }

    pub(crate) fn skipped(why: impl Into<String>) -> Self {
        Self { skipped: Some(why.into()), ..Self::default() }
    }

    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Says what should not have been, if it is so.
    pub(crate) fn expect(&mut self, is_right: bool, otherwise: impl FnOnce() -> String) {
        if !is_right {
            self.faults.push(otherwise());
        }
    }

    pub(crate) fn verdict(&self) -> &'static str {
        match (&self.skipped, self.faults.is_empty()) {
            (Some(_), _) => "skipped",
            (None, true) => "passed",
            (None, false) => "FAILED",
        }
    }

    /// As text for [`Report::decode`]: a line for each thing there is to say.
    pub(crate) fn encode(&self) -> String {
        let mut text = format!("injected {}\nacknowledged {}\nlost {}\n", self.injected, self.acknowledged, self.lost);
        let lists = [("note", &self.notes), ("fault", &self.faults)];
        let lines = lists.iter().flat_map(|(key, list)| list.iter().map(move |line| (*key, line.clone())));
        let agreement = self.agreement.map(|took| ("agreement", took.as_micros().to_string()));
        let skipped = self.skipped.clone().map(|why| ("skipped", why));
        for (key, line) in lines.chain(agreement).chain(skipped) {
            let _ = writeln!(text, "{key} {}", line.replace('\n', " "));
        }
        text
    }

    /// What [`Report::encode`] made of a report.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        let mut report = Self::default();
        for line in text.lines() {
            let (key, value) = line.split_once(' ')?;
            match key {
                "injected" => value.clone_into(&mut report.injected),
                "acknowledged" => report.acknowledged = value.parse().ok()?,
                "lost" => report.lost = value.parse().ok()?,
                "agreement" => report.agreement = Some(Duration::from_micros(value.parse().ok()?)),
                "note" => report.notes.push(value.to_owned()),
                "fault" => report.faults.push(value.to_owned()),
                "skipped" => report.skipped = Some(value.to_owned()),
                _ => return None,
            }
        }
        (!text.is_empty()).then_some(report)
    }
}

/// All scenes that were run.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<(&'static str, Report)>,
}

impl Table {
    pub(crate) fn add(&mut self, scene: &'static str, report: Report) {
        self.rows.push((scene, report));
    }

    pub(crate) fn is_good(&self) -> bool {
        self.rows.iter().all(|(_, report)| report.faults.is_empty())
    }

    pub(crate) fn print(&self) {
        println!(
            "{:<18} {:>12} {:>5} {:>12}  {:<8} injected",
            "scene", "acknowledged", "lost", "agreement ms", "verdict"
        );
        for (scene, report) in &self.rows {
            let agreement = report.agreement.map_or_else(|| "-".to_owned(), |took| took.as_millis().to_string());
            println!(
                "{scene:<18} {:>12} {:>5} {agreement:>12}  {:<8} {}",
                report.acknowledged,
                report.lost,
                report.verdict(),
                report.injected
            );
            report.notes.iter().for_each(|note| println!("{:18} {note}", ""));
            report.faults.iter().for_each(|fault| println!("{:18} FAILED: {fault}", ""));
            report.skipped.iter().for_each(|why| println!("{:18} skipped: {why}", ""));
        }
        println!("{}", self.summary());
    }

    fn summary(&self) -> String {
        let count = |verdict| self.rows.iter().filter(|(_, report)| report.verdict() == verdict).count();
        let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (scene, report) in &self.rows {
            if let Some(why) = &report.skipped {
                reasons.entry(why).or_default().push(scene);
            }
        }
        let why: Vec<String> = reasons.iter().map(|(why, scenes)| format!("{}: {why}", scenes.join(", "))).collect();
        let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join("; ")) };
        let scenes = if self.rows.len() == 1 { "scene" } else { "scenes" };
        format!(
            "{} {scenes}: {} passed, {} skipped{why}, {} failed",
            self.rows.len(),
            count("passed"),
            count("skipped"),
            count("FAILED")
        )
    }
}
