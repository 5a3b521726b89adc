//! Faults done to real `herd-node` processes: killed, stopped, cut off, starved. Afterwards every acknowledged post is looked for on
//! every server.
//!
//! A program of its own (`harness = false`), so that it can say what it is doing and end with a table: `./dev faults [--quick]
//! [SCENE…]`. Without `--full` it runs each scene's short form, as `cargo test` does. A scene that this machine has not what it takes
//! for is skipped and says what is missing; nothing is installed.
//!
//! All traffic stays on loopback or in network namespaces of the suite's own. Every process is ended by its id, also when a scene
//! panics and when the suite is interrupted.
//!
//! `--soak --minutes N`, which is `./dev soak`, does such faults for as long as one likes: [`soak`].

mod agreement;
mod arguments;
mod attack;
mod files;
mod herd;
mod isolation;
mod journal;
mod latency;
mod ledger;
mod load;
mod plan;
mod process;
mod proxy;
mod registry;
mod report;
mod scenes;
mod soak;
#[path = "../splitmix/mod.rs"]
mod splitmix;
mod talk;

use std::process::ExitCode;

use arguments::Arguments;
use report::{Report, Table};
use scenes::Scene;
use tokio::signal::unix::{SignalKind, signal};

/// What goes wrong in a scene, for people.
type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Exit codes of a program that a signal ended: 128 and the signal's number.
const INTERRUPTED: i32 = 130;
const TERMINATED: i32 = 143;

/// What the command line asks for.
enum Asked {
    Scenes(Arguments),
    Soak(soak::Settings),
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let asked = match words.split_first() {
        Some((first, rest)) if first == "--soak" => soak::Settings::parse(rest).map(Asked::Soak),
        _ => Arguments::parse(words.into_iter()).map(Asked::Scenes),
    };
    let asked = match asked {
        Ok(asked) => asked,
        Err(why) => {
            eprintln!("faults: {why}");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let Ok(runtime) = runtime else {
        eprintln!("faults: no runtime");
        return ExitCode::FAILURE;
    };
    let is_good = runtime.block_on(async {
        tokio::spawn(end_on_signals());
        match asked {
            Asked::Soak(settings) => soak::run(&settings).await,
            Asked::Scenes(Arguments { inside: Some(scene), is_full, .. }) => inside(scene, is_full).await,
            Asked::Scenes(arguments) => all(&arguments).await,
        }
    });
    registry::kill_all();
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs what was asked for, and prints the table.
async fn all(arguments: &Arguments) -> bool {
    if arguments.scenes.is_empty() {
        // They were listed, or `cargo test` was asked for something that is no scene.
        return true;
    }
    let mut table = Table::default();
    for scene in &arguments.scenes {
        eprintln!("faults: {}: {}", scene.name, scene.about);
        let begun = herd_node::clock::monotonic();
        let report = run(*scene, arguments.is_full).await;
        eprintln!("faults: {}: {} in {:.1} s", scene.name, report.verdict(), begun.elapsed().as_secs_f64());
        table.add(scene.name, report);
    }
    table.print();
    table.is_good()
}

/// Runs one scene in the namespaces that this process was started in, and hands its report to the process that started it.
async fn inside(scene: Scene, is_full: bool) -> bool {
    let report = run(scene, is_full).await;
    print!("{}", report.encode());
    true
}

/// A scene that panics has failed; the others go on.
async fn run(scene: Scene, is_full: bool) -> Report {
    let mut report = match tokio::spawn((scene.run)(is_full)).await {
        Ok(Ok(report)) => report,
        Ok(Err(fault)) => Report::failed(fault.to_string()),
        Err(panic) => Report::failed(panic.to_string()),
    };
    if report.faults.is_empty() {
        files::clear();
    } else if let Some(kept) = files::keep() {
        report.note(format!("configurations and journals are in {}", kept.display()));
    }
    report
}

async fn end_on_signals() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    let code = tokio::select! {
        _ = interrupt.recv() => INTERRUPTED,
        _ = terminate.recv() => TERMINATED,
    };
    registry::kill_all();
    files::clear();
    std::process::exit(code);
}
