//! The herd beside others: what `peers` found.

use std::fmt::Write as _;

use herd_bench::comparison::{Comparison, Kind, Latency, Subject};
use herd_bench::targets::TARGETS;

use crate::Files;
use crate::rows::{Mark, Panel, Rows};
use crate::scale::{digits, grouped, ratio, short, time};

const MIB: f64 = 1024.0 * 1024.0;

/// The section; its drawings go to `files`.
pub(crate) fn section(found: &Comparison, files: &mut Files) -> String {
    let mut text = String::new();
    let _ = write!(
        text,
        "\n## Beside others\n\nThe same 66-byte posts (client, location, time) of {} clients over {} connections, P of them in flight on \
         each; to whoever has no `IAMAT`, the same data in a request of its own. Every subject is processes of its own, and shares \
         the machine with the one thread that drives it. Figures are medians of {} interleaved rounds of {} s; ratios are medians \
         of the rounds' ratios. A round is over when every process has everything. Blue is Herd; orange are others; green is the same herd \
         in other languages.\n",
        grouped(found.clients as f64),
        found.connections,
        found.rounds,
        found.seconds
    );
    text.push_str(&targets(found));
    for (name, rows) in drawings(found) {
        let file = format!("plots/peers-{name}.svg");
        let _ = write!(text, "\n![{}]({file})\n", rows.title);
        files.insert(file, rows.draw());
    }
    text.push_str(&rates(found));
    text.push_str(&latencies(found));
    text.push_str(&languages(found));
    for skipped in &found.skipped {
        let _ = write!(text, "\nNot measured: {}, {}.\n", skipped.name, skipped.why);
    }
    text
}

fn targets(found: &Comparison) -> String {
    let mut text = "\n| what is to be reached | P=1 | P=16 | P=128 |\n|---|---|---|---|\n".to_owned();
    for target in &TARGETS {
        let _ = write!(text, "| {} / {}", target.subject, target.to);
        for verdict in target.verdicts(found) {
            let found = verdict.ratio.map_or_else(|| "-".to_owned(), ratio);
            let reached = match verdict.is_reached() {
                Some(true) => "reached",
                Some(false) => "**not reached**",
                None => "not measured",
            };
            let _ = write!(text, " | {found} of {}, {reached}", verdict.at_least);
        }
        text.push_str(" |\n");
    }
    text
}

fn drawings(found: &Comparison) -> Vec<(&'static str, Rows)> {
    let subjects: Vec<&Subject> = found.subjects.iter().collect();
    let herds: Vec<&Subject> = subjects.iter().copied().filter(|subject| !subject.latency.is_empty()).collect();
    let fives: Vec<&Subject> = subjects.iter().copied().filter(|subject| !subject.propagation.is_empty()).collect();
    let mut all = vec![
        ("throughput", throughput(found, &subjects)),
        ("processor", processor(found, &subjects)),
        ("memory", memory(found, &subjects)),
    ];
    let note = "Dot: the median. Stroke: of a hundred posts, one takes longer. Open loop: a post that has to wait counts from when it was due.";
    if !herds.is_empty() {
        let panels = panels_of_times(&herds, |subject| &subject.latency);
        all.push(("latency", rows("From a post to its answer", &herds, panels, note)));
    }
    if !fives.is_empty() {
        let panels = panels_of_times(&fives, |subject| &subject.propagation);
        all.push(("propagation", rows("From a post at one server until all five know it", &fives, panels, note)));
    }
    all
}

fn throughput(found: &Comparison, subjects: &[&Subject]) -> Rows {
    let panels = found.pipelines.iter().map(|pipeline| {
        let marks = subjects.iter().map(|subject| {
            let rate = subject.cell(*pipeline)?.posts_per_s;
            let times = found.ratio(&subject.name, "redis SET", *pipeline);
            let times = times.map_or_else(String::new, |times| format!(" · {} ×", ratio(times)));
            Some(Mark::Bar(rate, format!("{}{times}", short(rate))))
        });
        Panel { title: format!("P = {pipeline}, posts/s"), marks: marks.collect() }
    });
    let note = "Each panel has a scale of its own. ×: times what Redis does with SET, in the same rounds.";
    rows("Posts a second", subjects, panels.collect(), note)
}

fn processor(found: &Comparison, subjects: &[&Subject]) -> Rows {
    let panels = found.pipelines.iter().map(|pipeline| {
        let marks = subjects.iter().map(|subject| {
            let micros = subject.cell(*pipeline)?.cpu_us_per_post;
            Some(Mark::Bar(micros, time(micros)))
        });
        Panel { title: format!("P = {pipeline}"), marks: marks.collect() }
    });
    let note = "Of all processes of the subject together, the kernel's work for them included. Each panel has a scale of its own.";
    rows("Processor time a post", subjects, panels.collect(), note)
}

fn memory(found: &Comparison, subjects: &[&Subject]) -> Rows {
    let panel = |title: &str, value: &dyn Fn(&Subject) -> (f64, String)| Panel {
        title: title.to_owned(),
        marks: subjects
            .iter()
            .map(|subject| Some(value(subject)))
            .map(|pair| pair.map(|(value, text)| Mark::Bar(value, text)))
            .collect(),
    };
    let in_use = |bytes: u64| (bytes as f64, format!("{} MiB", digits(bytes as f64 / MIB)));
    let panels = vec![
        panel("with nothing in it", &|subject| in_use(subject.empty_bytes)),
        panel(&format!("with {} clients", grouped(found.clients as f64)), &|subject| in_use(subject.full_bytes)),
        panel("the difference, a client", &|subject| {
            let bytes = subject.bytes_per_client(found.clients);
            (bytes, format!("{} B", digits(bytes)))
        }),
    ];
    let note = "Resident memory of all processes of the subject together: five servers hold everything five times.";
    rows("Memory", subjects, panels, note)
}

/// A panel a load, in the order in which the first subject has them.
fn panels_of_times(subjects: &[&Subject], times: impl Fn(&Subject) -> &[Latency]) -> Vec<Panel> {
    let loads = subjects.first().map(|subject| times(subject)).unwrap_or_default();
    let panels = loads.iter().map(|load| {
        let marks = subjects.iter().map(|subject| {
            let latency = times(subject).iter().find(|latency| latency.load == load.load)?;
            Some(Mark::Range(latency.p50_us, latency.p99_us))
        });
        Panel { title: load_name(load), marks: marks.collect() }
    });
    panels.collect()
}

fn load_name(latency: &Latency) -> String {
    match latency.load.as_str() {
        "idle" => "with nothing else to do".to_owned(),
        "half" => "at half of its own rate, P = 16".to_owned(),
        _ => format!("at {} posts/s", grouped(latency.rate)),
    }
}

fn rows(title: &str, subjects: &[&Subject], panels: Vec<Panel>, note: &str) -> Rows {
    let names = subjects.iter().map(|subject| (subject.name.clone(), class(subject.kind))).collect();
    Rows { title: title.to_owned(), names, panels, note: note.to_owned() }
}

/// Of its colour.
fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Baseline => "baseline",
        Kind::Herd => "herd",
        Kind::Peer => "peer",
        Kind::Language => "language",
    }
}

fn rates(found: &Comparison) -> String {
    let mut text = "\n| posts/s, and times the echo | processes |".to_owned();
    for pipeline in &found.pipelines {
        let _ = write!(text, " P={pipeline} | |");
    }
    let _ = write!(
        text,
        " CPU a post, P=16 | memory | B a client |\n|---|---:|{}---:|---:|---:|\n",
        "---:|---:|".repeat(found.pipelines.len())
    );
    for subject in &found.subjects {
        let _ = write!(text, "| {} | {} |", subject.name, subject.processes);
        for pipeline in &found.pipelines {
            let rate = subject.cell(*pipeline).map_or_else(|| "-".to_owned(), |cell| grouped(cell.posts_per_s));
            let times = found.ratio(&subject.name, "echo", *pipeline).map_or_else(String::new, ratio);
            let _ = write!(text, " {rate} | {times} |");
        }
        let cpu = subject.cell(16).map_or_else(|| "-".to_owned(), |cell| time(cell.cpu_us_per_post));
        let (memory, each) = (subject.full_bytes as f64 / MIB, subject.bytes_per_client(found.clients));
        let _ = writeln!(text, " {cpu} | {} MiB | {} |", digits(memory), grouped(each));
    }
    text
}

fn latencies(found: &Comparison) -> String {
    let mut text = String::new();
    for subject in &found.subjects {
        let answers = subject.latency.iter().map(|latency| ("to its answer", latency));
        let news = subject.propagation.iter().map(|latency| ("to all five", latency));
        for (until, latency) in answers.chain(news) {
            if text.is_empty() {
                text.push_str("\n| from a post | | load | posts/s | p50 | p99 | p99.9 | longest |\n|---|---|---|---:|---:|---:|---:|---:|\n");
            }
            let rate = if latency.rate > 0.0 { grouped(latency.rate) } else { String::new() };
            let times = [latency.p50_us, latency.p99_us, latency.p999_us, latency.max_us].map(time).join(" | ");
            let _ = writeln!(text, "| {} | {until} | {} | {rate} | {times} |", subject.name, latency.load);
        }
    }
    text
}

/// The same herd in other languages: one row each, with ours above them.
fn languages(found: &Comparison) -> String {
    let languages = found.subjects.iter().filter(|subject| subject.kind == Kind::Language);
    let languages: Vec<&Subject> = languages.collect();
    if languages.is_empty() {
        return String::new();
    }
    let mut text = "\n### The same herd in other languages\n\nFive servers each, after the same conversations with all of them. What \
        the figures say about the languages is said in [languages/ANSWER.md](languages/ANSWER.md).\n\n\
        | | posts/s, P=1 | P=16 | P=128 | answer p99 at 500/s | to all five p50 | p99 | memory | CPU a post, P=16 | lines of code |\n\
        |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n"
        .to_owned();
    for subject in found.subject("five").into_iter().chain(languages) {
        let rate = |pipeline| subject.cell(pipeline).map_or_else(|| "-".to_owned(), |cell| grouped(cell.posts_per_s));
        let of = |list: &[Latency], load: &str, figure: &dyn Fn(&Latency) -> f64| {
            let found = list.iter().find(|latency| latency.load == load);
            found.map_or_else(|| "-".to_owned(), |latency| time(figure(latency)))
        };
        let cells = [
            subject.name.clone(),
            rate(1),
            rate(16),
            rate(128),
            of(&subject.latency, "fixed", &|latency| latency.p99_us),
            of(&subject.propagation, "idle", &|latency| latency.p50_us),
            of(&subject.propagation, "idle", &|latency| latency.p99_us),
            format!("{} MiB", digits(subject.full_bytes as f64 / MIB)),
            subject.cell(16).map_or_else(|| "-".to_owned(), |cell| time(cell.cpu_us_per_post)),
            subject.lines_of_code.map_or_else(|| "-".to_owned(), |lines| grouped(lines as f64)),
        ];
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}
