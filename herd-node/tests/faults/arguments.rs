//! What is to be run. Strict when `./dev` asks, lenient when `cargo test` hands every test program the same words.

use super::scenes::{self, Scene};

/// The command line.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) is_full: bool,
    pub(crate) scenes: Vec<Scene>,
    /// The one scene to run in this process, which has namespaces of its own by now.
    pub(crate) inside: Option<Scene>,
}

impl Arguments {
    /// `--full` or `--quick`, then names of scenes, whole or in part. Neither of the two: this is `cargo test`, whose options mean
    /// nothing here and whose words are parts of tests' names.
    pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let words: Vec<String> = words.collect();
        let has = |option: &str| words.iter().any(|word| word == option);
        let is_asked = has("--full") || has("--quick");
        let is_full = has("--full") && !has("--quick");
        if has("--list") {
            scenes::ALL.iter().for_each(|scene| println!("{}: test", scene.name));
            return Ok(Self { is_full, scenes: Vec::new(), inside: None });
        }
        let (options, names): (Vec<&String>, Vec<&String>) = words.iter().partition(|word| word.starts_with('-'));
        let known = ["--full", "--quick", "--inside"];
        if let Some(option) = options.iter().find(|option| is_asked && !known.contains(&option.as_str())) {
            return Err(format!("no option {option}; there are --quick and names of scenes"));
        }
        if let Some(name) = names.iter().find(|name| is_asked && matching(name).next().is_none()) {
            let known: Vec<&str> = scenes::ALL.iter().map(|scene| scene.name).collect();
            return Err(format!("no scene {name}; there are {}", known.join(", ")));
        }
        let is_wanted = |scene: &Scene| names.is_empty() || names.iter().any(|name| scene.name.contains(name.as_str()));
        // A scene that has no short form has to be asked for by name, or by asking for all of everything.
        let is_due = |scene: &Scene| is_full || scene.is_quick || (is_asked && !names.is_empty());
        let scenes: Vec<Scene> =
            scenes::ALL.iter().copied().filter(|scene| is_wanted(scene) && is_due(scene)).collect();
        let inside = if has("--inside") { scenes.first().copied() } else { None };
        Ok(Self { is_full, scenes, inside })
    }
}

fn matching(name: &str) -> impl Iterator<Item = &'static Scene> {
    scenes::ALL.iter().filter(move |scene| scene.name.contains(name))
}
