//! What is otherwise in a new configuration, in words.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use herd_proto::Escaped;
use toml::de::{DeTable, DeValue};

use super::read::Source;
use super::{Config, ServerConfig};

/// Characters of a value that are shown.
const SHOWN_CHARS_MAX: usize = 80;

/// A line each, of what is about all servers or those called `names`: links first, then keys in their order.
pub(super) fn between(running: &Config, next: &Config, names: &[&str]) -> Vec<String> {
    let mut lines = Vec::new();
    for (before, after) in names.iter().filter_map(|name| Some((running.server(name)?, next.server(name)?))) {
        peers(before, after, names.len() > 1, &mut lines);
    }
    if running.secrets != next.secrets {
        let (before, after) = (running.secrets.len(), next.secrets.len());
        let first = if running.secrets.first() == next.secrets.first() { "the same" } else { "another" };
        lines.push(format!("secrets: {after}, were {before}; {first} one signs"));
    }
    if running.places.key != next.places.key {
        lines.push("the key of places is another".to_owned());
    }
    if running.admin_token != next.admin_token {
        lines.push("the token of the admin listeners is another".to_owned());
    }
    if running.origin.is_none() || next.origin.is_none() {
        lines.extend(tables(running, next, names));
        return lines;
    }
    let (before, after) = (keys(running, names), keys(next, names));
    let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for key in all.into_iter().filter(|key| before.get(*key) != after.get(*key)) {
        let of = |keys: &BTreeMap<String, String>| keys.get(key).map_or("the default", String::as_str).to_owned();
        lines.push(format!("{key} = {}, was {}", of(&after), of(&before)));
    }
    lines
}

/// Which tables are others, where there is no text to say which keys.
fn tables<'a>(running: &Config, next: &Config, names: &'a [&str]) -> impl Iterator<Item = String> + use<'a> {
    let whole = [
        ("places", running.places != next.places),
        ("journal", running.journal != next.journal),
        ("limits", running.limits != next.limits),
        ("replication", running.replication != next.replication),
    ];
    let acks: Vec<_> =
        names.iter().map(|name| [running, next].map(|config| config.server(name).map(|server| server.ack))).collect();
    let acks = names.iter().zip(acks).filter(|(_, [before, after])| before != after);
    let acks = acks.filter_map(|(name, [before, after])| Some(format!("{name}.ack is {}, was {}", after?, before?)));
    whole.into_iter().filter(|(_, is_other)| *is_other).map(|(table, _)| format!("{table} is another")).chain(acks)
}

/// Links of one server.
fn peers(before: &ServerConfig, after: &ServerConfig, says_whose: bool, lines: &mut Vec<String>) {
    let whose = if says_whose { format!(" of {}", after.name) } else { String::new() };
    for peer in &after.peers {
        match before.peers.iter().find(|other| other.name == peer.name) {
            None => lines.push(format!("new peer{whose}: {} at {}", peer.name, peer.dial)),
            Some(other) if other.dial != peer.dial => {
                lines.push(format!("peer{whose}: {} is dialled at {}, was at {}", peer.name, peer.dial, other.dial));
            }
            Some(_) => {}
        }
    }
    let gone = before.peers.iter().filter(|peer| !after.peers.iter().any(|other| other.name == peer.name));
    lines.extend(gone.map(|peer| format!("a peer{whose} no more: {}", peer.name)));
}

/// Every key of the file with its value, but for other servers' and those that are told as links.
fn keys(config: &Config, names: &[&str]) -> BTreeMap<String, String> {
    let mut keys = BTreeMap::new();
    let Some(origin) = &config.origin else { return keys };
    let Ok(source) = Source::new(Path::new(""), origin.text.as_bytes()) else { return keys };
    let Ok(tree) = source.parse() else { return keys };
    for (name, value) in &tree {
        match (name.get_ref().as_ref(), value.get_ref()) {
            ("server", DeValue::Array(servers)) => {
                for table in servers.iter().filter_map(|server| server.get_ref().as_table()) {
                    server(table, names, &mut keys);
                }
            }
            (name, DeValue::Table(table)) => add(name, table, &mut keys),
            _ => {}
        }
    }
    keys
}

fn server(table: &DeTable<'_>, names: &[&str], keys: &mut BTreeMap<String, String>) {
    let name = table.iter().find(|(key, _)| key.get_ref() == "name").and_then(|(_, value)| value.get_ref().as_str());
    let Some(name) = name.filter(|name| names.contains(name)) else { return };
    for (key, value) in table {
        if !matches!(key.get_ref().as_ref(), "name" | "peers" | "dial") {
            keys.insert(format!("{name}.{}", Escaped(key.get_ref().as_bytes())), shown(value.get_ref()));
        }
    }
}

fn add(name: &str, table: &DeTable<'_>, keys: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        keys.insert(format!("{name}.{}", Escaped(key.get_ref().as_bytes())), shown(value.get_ref()));
    }
}

/// A value on one line. No secret stands in the file.
fn shown(value: &DeValue<'_>) -> String {
    let mut text = match value {
        DeValue::String(text) => format!("\"{}\"", Escaped(text.as_bytes())),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(is_so) => is_so.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(values) => {
            let values: Vec<String> = values.iter().map(|value| shown(value.get_ref())).collect();
            format!("[{}]", values.join(", "))
        }
        DeValue::Table(table) => {
            let mut keys = BTreeMap::new();
            add("", table, &mut keys);
            let keys: Vec<String> = keys.iter().map(|(key, value)| format!("{} = {value}", &key[1..])).collect();
            format!("{{ {} }}", keys.join(", "))
        }
    };
    if let Some((end, _)) = text.char_indices().nth(SHOWN_CHARS_MAX) {
        text.truncate(end);
        text.push('…');
    }
    text
}
