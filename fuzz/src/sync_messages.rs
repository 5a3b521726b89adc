//! Two servers with whatever contents find out in what they differ, while somebody puts lines between theirs: they come to hold what a
//! plain map of the newest of each client holds, and no line makes a server say more than it has.
//!
//! Input: choices of what each holds, then of lines and of how far each gets ([`Choices`]).

use std::collections::BTreeMap;

use herd_node::replica::Settings;

use crate::choices::Choices;
use crate::herd::{HERD, Who, World};
use crate::link_machine::sync_line;
use crate::order::Record;

const NAMES: [&str; 2] = ["Juzang", "Riley"];
/// More than one line between servers has: a record's operands and what is around them, or a list of hashes.
const LINE_MAX: usize = 16_385;
/// Clients that are all in one leaf, which can't be divided: "ucla" is the herd.
const ONE_LEAF: &str = include_str!("../../herd-node/tests/replica/one-leaf.txt");

/// Checks what `data` describes.
///
/// # Panics
/// When the product breaks a promise.
pub fn check(data: &[u8]) {
    let mut choices = Choices::new(data);
    let of = |name: &&str| {
        let other = NAMES.into_iter().filter(|other| other != name).map(str::to_owned).collect();
        let mut settings = Settings::new(HERD, *name, other);
        settings.boot = u64::from(name.as_bytes()[0]);
        // What is put in between are lines of an honest server's connection: it is not to be cut for them.
        settings.tuning.invalid_max = u32::MAX;
        settings
    };
    let mut world = World::new(NAMES.iter().map(of).collect());
    let mut newest = BTreeMap::new();
    for _ in 0..choices.below(6) {
        add_records(&mut world, &mut newest, &mut choices);
    }
    if choices.flag() {
        world.agree();
        for _ in 0..choices.below(4) {
            add_records(&mut world, &mut newest, &mut choices);
        }
    } else {
        world.pass_to_next();
        world.dial(0, true);
    }
    for _ in 0..100 {
        if choices.is_over() {
            break;
        }
        step(&mut world, &mut newest, &mut choices);
    }
    world.check_invariants();
    world.agree();
    let mut expected: Vec<Vec<u8>> = newest.values().map(|record: &Record| record.show().into_bytes()).collect();
    expected.sort();
    for node in &world.nodes {
        assert_eq!(node.records(), expected, "{}", node.name());
    }
}

type Newest = BTreeMap<Vec<u8>, Record>;

/// One record or many go to one server, or to both.
fn add_records(world: &mut World, newest: &mut Newest, choices: &mut Choices<'_>) {
    let (holders, first) = (choices.pick(&[1, 2, 3, 3]), choices.below(64));
    let count = match [choices.byte(), choices.byte()] {
        [255, 255] => 200,
        // One more than are listed and not divided further.
        [255, 254] => 65,
        [few, _] => [1, 1, 2, 3, 7, 20][usize::from(few) % 6],
    };
    let (in_one_leaf, time, location) = (choices.below(4) == 0, choices.below(4), choices.pick(&["+1+2", "+1+3"]));
    let leaf = ONE_LEAF.lines().skip(first).take(count).map(str::to_owned);
    let spread = (first..first + count).map(|number| format!("k{number}"));
    let clients: Vec<String> = if in_one_leaf { leaf.collect() } else { spread.collect() };
    for client in clients {
        let operands = format!("Bernard +0.000000001 {client} {location} {time}");
        for node in (0..2).filter(|node| holders >> node & 1 == 1) {
            world.post(node, &operands, false);
        }
        let record = Record::new(operands.as_bytes());
        let known = newest.entry(client.into_bytes()).or_insert_with(|| record.clone());
        if record.compare(known).0.is_gt() {
            *known = record;
        }
    }
}

fn step(world: &mut World, newest: &mut Newest, choices: &mut Choices<'_>) {
    let operation = choices.below(8);
    match operation {
        0 => add_records(world, newest, choices),
        1 => world.pass_to_next(),
        2 => {
            let node = choices.below(2);
            world.dial(node, true);
        }
        _ if world.wires.is_empty() => {}
        3 => {
            let (wire, side) = (choices.below(world.wires.len()), choices.below(2));
            let _ = world.transmit(wire, side, choices.pick(&[0, 1, 100, 1_000, 65_536]));
        }
        4 => {
            let (wire, side) = (choices.below(world.wires.len()), choices.below(2));
            let _ = world.deliver(wire, side, choices.pick(&[50, 100, 1_000, usize::MAX]));
        }
        _ => between(world, choices),
    }
}

/// Where the wire is quiet and its end in service, a line that nobody sent, and what is said to it.
fn between(world: &mut World, choices: &mut Choices<'_>) {
    let (wire, side) = (choices.below(world.wires.len()), choices.below(2));
    world.settle();
    let Some(Who::Node(node, id)) = world.wires.get(wire).map(|wire| &wire.ends[side].who) else { return };
    let (node, id) = (*node, *id);
    let is_live =
        world.nodes[node].replica.proven_peer(id).is_some_and(|peer| world.nodes[node].replica.has_link(peer));
    if !is_live || world.nodes[node].replica.is_closing(id) {
        return;
    }
    let line = sync_line(choices);
    let records = world.nodes[node].replica.records_bytes() + 80 * world.nodes[node].replica.records().count();
    world.inject(wire, side, line.as_bytes());
    let _ = world.deliver(wire, side, usize::MAX);
    let before = world.sent;
    while world.transmit(wire, side, 65_536) {}
    let answer = world.sent - before;
    // Each record once at most, and a line for each of sixteen parts; what it lacks is asked for by the names it was given.
    let bound = records + 17 * LINE_MAX + line.len();
    assert!(answer <= bound, "{answer} bytes, of at most {bound}, in answer to {line}");
}
