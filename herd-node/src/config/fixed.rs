//! What can't change while a server runs: it is refused by name, and the line of the new file that would change it.

use std::path::Path;

use super::read::{Section, Source};
use super::settings::Origin;
use super::{Config, ConfigError, Place, Problem, ServerConfig};

/// The first thing that `next` would change in the running servers called `names`, and that can't change while they run.
pub(super) fn first(running: &Config, next: &Config, names: &[&str]) -> Option<ConfigError> {
    let whole = [
        ("herd", "name", running.herd != next.herd),
        ("herd", "control", running.control != next.control),
        ("replication", "ttl_s", running.replication.ttl != next.replication.ttl),
    ];
    let of_tables = whole.into_iter().chain(disk(running, next)).find(|(.., is_other)| *is_other);
    if let Some((table, key, _)) = of_tables {
        return Some(error(next, None, table, key, Problem::Fixed));
    }
    names.iter().find_map(|name| of_server(running, next, name)).or_else(|| one_more(running, next, names))
}

/// Table `[disk]`: the log is open, and its writer goes by what it was told.
fn disk<'a>(running: &'a Config, next: &'a Config) -> impl Iterator<Item = (&'static str, &'static str, bool)> + 'a {
    let is_there = ("disk", "", running.disk.is_some() != next.disk.is_some());
    let both = running.disk.as_ref().zip(next.disk.as_ref());
    let keys = both.into_iter().flat_map(|(running, next)| {
        [
            ("disk", "directory", running.directory != next.directory),
            ("disk", "commit_wait_ms", running.commit_wait != next.commit_wait),
            ("disk", "commit_records", running.commit_records != next.commit_records),
            ("disk", "compact_bytes_min", running.compact_bytes_min != next.compact_bytes_min),
            ("disk", "queue_bytes_max", running.queue_bytes_max != next.queue_bytes_max),
        ]
    });
    std::iter::once(is_there).chain(keys)
}

fn of_server(running: &Config, next: &Config, name: &str) -> Option<ConfigError> {
    let running = running.server(name)?;
    let Some(server) = next.server(name) else {
        return Some(error(next, None, "server", "", Problem::Gone(name.to_owned())));
    };
    let key = listeners(running, server).into_iter().find(|(_, is_other)| *is_other).map(|(key, _)| key)?;
    Some(error(next, Some(name), "server", key, Problem::Fixed))
}

fn listeners(running: &ServerConfig, next: &ServerConfig) -> [(&'static str, bool); 3] {
    [
        ("client", running.client != next.client),
        ("peer", running.peer != next.peer),
        ("admin", running.admin != next.admin),
    ]
}

/// A server that `next` adds to those that one process runs all of.
fn one_more(running: &Config, next: &Config, names: &[&str]) -> Option<ConfigError> {
    let runs_all = running.servers.len() > 1 && running.servers.iter().all(|server| names.contains(&&*server.name));
    let new = next.servers.iter().find(|server| running.server(&server.name).is_none()).filter(|_| runs_all)?;
    Some(error(next, Some(&new.name), "server", "name", Problem::New(new.name.clone())))
}

/// At the key's line, or else at its table's, or else in the file.
fn error(next: &Config, server: Option<&str>, table: &str, key: &str, problem: Problem) -> ConfigError {
    let path = if key.is_empty() { table.to_owned() } else { format!("{table}.{key}") };
    let place = match &next.origin {
        Some(Origin { path, text }) => Place::File(path.clone(), line(path, text, server, table, key)),
        None => Place::Program,
    };
    ConfigError::new(place, Some(&path), problem)
}

/// The text was read once already.
fn line(path: &Path, text: &str, server: Option<&str>, table: &str, key: &str) -> Option<usize> {
    let source = Source::new(path, text.as_bytes()).ok()?;
    let tree = source.parse().ok()?;
    let root = Section::root(source, &tree);
    let section = match server {
        Some(name) => server_table(&root, name)?,
        None => root.value(table)?.section().ok()?,
    };
    section.value(key).map(|value| value.at).or(section.at()).map(|at| source.line(at))
}

fn server_table<'a>(root: &Section<'a>, name: &str) -> Option<Section<'a>> {
    let tables = root.value("server")?.list().ok()?;
    let mut sections = tables.iter().filter_map(|table| table.section().ok());
    sections.find(|section| section.value("name").is_some_and(|value| value.string() == Ok(name)))
}
