//! That the report is what the kept results make of it, and that what is drawn can be read.

use std::path::Path;

use herd_bench::comparison::{Cell, Comparison, Kind, Latency, Skipped, Subject};
use herd_bench::results;
use serde_json::json;

use crate::{Files, beside, findings, kept_report, page};

#[test]
fn the_report_is_what_the_results_say() {
    let files = page::make(&results::kept()).unwrap();
    for (name, text) in &files {
        let kept = std::fs::read_to_string(kept_report().join(name)).unwrap_or_default();
        assert!(kept == *text, "{name} is not what the results say: ./dev bench report");
    }
    let plots = std::fs::read_dir(kept_report().join("plots")).map(Iterator::count).unwrap_or_default();
    assert_eq!(plots, files.len() - 1, "there are drawings that the report does not have");
}

#[test]
fn without_results_there_is_a_page_that_says_so() {
    let files = page::make(Path::new("no such directory")).unwrap();
    assert_eq!(files.len(), 1);
    assert!(files[page::NAME].contains("There are none yet."));
}

#[test]
fn drawings_are_well_formed() {
    let mut files = Files::new();
    let text = beside::section(&sample(), &mut files);
    let points = [("clients", 1e3, 5e5), ("clients", 1e6, 4e5), ("memory", 1e3, 180.0), ("memory", 1e6, 178.0)];
    let mut list: Vec<_> = points
        .iter()
        .map(|(curve, x, y)| json!({ "curve": curve, "series": "<R&D>", "x": x, "y": y, "x_unit": "clients", "y_unit": "each" }))
        .collect();
    list.push(json!({ "fact": "recovery", "value": 2.5, "unit": "s", "target": 3.0, "wanted": "<=", "reached": true }));
    list.push(json!({ "fact": "share", "value": 0.5, "unit": "", "target": 0.6, "wanted": ">=", "reached": false }));
    list.push(json!({ "skipped": "redis", "why": "not installed" }));
    let costs = findings::section("costs", &json!(list), &mut files).unwrap();
    assert_eq!(files.len(), 5 + 2, "{:?}", files.keys());
    for (name, svg) in &files {
        well_formed(svg).unwrap_or_else(|wrong| panic!("{name}: {wrong}\n{svg}"));
        assert!(text.contains(name) || costs.contains(name), "{name} is not on the page");
        assert!(svg.contains("prefers-color-scheme:dark") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
    assert!(costs.contains("| recovery | 2.5 s | <= 3 s | reached |"), "{costs}");
    assert!(costs.contains("| share | 0.5 | >= 0.6 | **not reached** |"), "{costs}");
    assert!(costs.contains("Not measured: redis, not installed."), "{costs}");
}

#[test]
fn what_is_reached_is_said() {
    let text = beside::section(&sample(), &mut Files::new());
    assert!(text.contains("| one / echo | 0.50 of 0.95, **not reached** | - of 0.75, not measured | "), "{text}");
    assert!(text.contains("| one / redis SET | 2.00 of 1.2, reached | "), "{text}");
    assert!(text.contains("Not measured: memcached set, no memcached here."), "{text}");
}

#[test]
fn other_files_are_refused() {
    let error = findings::section("costs", &json!([{ "fact": 1 }]), &mut Files::new()).unwrap_err().to_string();
    assert!(error.starts_with("costs.json is no list of findings"), "{error}");
}

#[test]
fn what_is_not_well_formed_is_found() {
    for (text, wrong) in [
        ("<a><b></a>", "</a> ends b"),
        ("<a>", "a is not ended"),
        ("<a x=1/>", "x is not quoted"),
        ("<a x=\"1\" x=\"2\"/>", "x is there twice"),
        ("<a>1 < 2</a>", "a tag without a name"),
        ("<a>R&D</a>", "& is no reference"),
        ("<a/><b/>", "two roots"),
        ("<a", "a tag is not ended"),
    ] {
        assert_eq!(well_formed(text), Err(wrong.to_owned()), "{text}");
    }
    assert_eq!(well_formed("<a x=\"1\"><b/>R&amp;D</a>\n"), Ok(()));
}

fn sample() -> Comparison {
    let latency = |load: &str, rate| Latency {
        load: load.to_owned(),
        rate,
        count: 9,
        p50_us: 90.0,
        p99_us: 4_000.0,
        p999_us: 5_000.0,
        max_us: 6e6,
    };
    let subject = |name: &str, kind, rate: f64, is_herd: bool| Subject {
        name: name.to_owned(),
        kind,
        processes: 1,
        cells: vec![Cell { pipeline: 1, posts_per_s: rate, cpu_us_per_post: 12.34, rounds: vec![rate; 3] }],
        empty_bytes: 3 << 20,
        full_bytes: 30 << 20,
        latency: if is_herd { vec![latency("fixed", 500.0), latency("half", 1e5)] } else { Vec::new() },
        propagation: if is_herd { vec![latency("idle", 0.0)] } else { Vec::new() },
        lines_of_code: None,
    };
    Comparison {
        connections: 16,
        clients: 100_000,
        seconds: 1.0,
        rounds: 3,
        pipelines: vec![1],
        subjects: vec![
            subject("echo", Kind::Baseline, 80_000.0, false),
            subject("one", Kind::Herd, 40_000.0, true),
            subject("redis SET", Kind::Peer, 20_000.0, false),
            subject("asyncio & <others>", Kind::Language, 0.0, true),
        ],
        skipped: vec![Skipped { name: "memcached set".to_owned(), why: "no memcached here".to_owned() }],
    }
}

/// Whether `text` is one element with whatever in it, as far as drawings go: tags nest, attributes are quoted and there once,
/// and there is no `&` or `<` of text left.
fn well_formed(text: &str) -> Result<(), String> {
    let (mut open, mut roots, mut rest) = (Vec::new(), 0, text);
    while let Some(start) = rest.find('<') {
        references(&rest[..start])?;
        let tag = rest[start + 1..].split_once('>').ok_or("a tag is not ended")?;
        rest = tag.1;
        let (tag, is_empty) = tag.0.strip_suffix('/').map_or((tag.0, false), |tag| (tag, true));
        if let Some(name) = tag.strip_prefix('/') {
            let opened: &str = open.pop().ok_or_else(|| format!("</{name}> ends nothing"))?;
            if opened != name {
                return Err(format!("</{name}> ends {opened}"));
            }
            continue;
        }
        let name = tag.split(' ').next().filter(|name| !name.is_empty()).ok_or("a tag without a name")?;
        attributes(&tag[name.len()..])?;
        roots += usize::from(open.is_empty());
        if !is_empty {
            open.push(name);
        }
    }
    references(rest)?;
    match (open.pop(), roots) {
        (Some(name), _) => Err(format!("{name} is not ended")),
        (None, 1) => Ok(()),
        (None, _) => Err("two roots".to_owned()),
    }
}

fn attributes(mut text: &str) -> Result<(), String> {
    let mut names = Vec::new();
    while let Some((name, value)) = text.split_once('=') {
        let name = name.trim();
        let (value, rest) =
            value.strip_prefix('"').and_then(|value| value.split_once('"')).ok_or(format!("{name} is not quoted"))?;
        if names.contains(&name) {
            return Err(format!("{name} is there twice"));
        }
        references(value)?;
        names.push(name);
        text = rest;
    }
    Ok(())
}

fn references(text: &str) -> Result<(), String> {
    let known = ["&amp;", "&lt;", "&gt;", "&quot;"];
    let mut places = text.match_indices('&');
    if places.all(|(at, _)| known.iter().any(|known| text[at..].starts_with(known))) {
        Ok(())
    } else {
        Err("& is no reference".to_owned())
    }
}
