//! Three servers and a stranger who knows their secret, by a list of operations: connections made, cut and slow, time that passes or is
//! slept through, posts, restarts, and lines that no honest peer sends. Then the stranger goes, and the three must agree.
//!
//! Input: one byte for the settings, then operations ([`Choices`]).

use std::time::Duration;

use herd_node::replica::Settings;
use herd_node::secret::Secret;

use crate::choices::Choices;
use crate::herd::{HERD, SECRET, STRANGER, World};
use crate::texts;

const NAMES: [&str; 3] = ["Jaquez", "Juzang", "Riley"];
const OPERATIONS_MAX: usize = 200;

/// Checks what `data` describes.
///
/// # Panics
/// When the product breaks a promise.
pub fn check(data: &[u8]) {
    let mut world = operated(data);
    world.check_invariants();
    world.agree();
}

/// The world after the operations.
fn operated(data: &[u8]) -> World {
    let mut choices = Choices::new(data);
    let (has_secret, copies, hops_max) = (choices.flag(), choices.below(3), choices.pick(&[64, 64, 2]));
    let of = |name: &&str| {
        let others = NAMES.into_iter().filter(|other| other != name).chain([STRANGER]);
        let mut settings = Settings::new(HERD, *name, others.map(str::to_owned).collect());
        settings.boot = u64::from(name.as_bytes()[1]);
        settings.secrets = if has_secret { vec![Secret::new(SECRET)] } else { Vec::new() };
        (settings.tuning.copies, settings.tuning.hops_max, settings.tuning.unproven_max) = (copies as u32, hops_max, 4);
        settings
    };
    let mut world = World::new(NAMES.iter().map(of).collect());
    // They may be in service already, so that short inputs get somewhere.
    if choices.flag() {
        world.agree();
    }
    let secret = has_secret.then_some(SECRET);
    for _ in 0..OPERATIONS_MAX {
        if choices.is_over() {
            break;
        }
        operate(&mut world, &mut choices, secret);
    }
    world
}

fn operate(world: &mut World, choices: &mut Choices<'_>, secret: Option<&[u8]>) {
    let operation = choices.below(16);
    match operation {
        0 => world.pass(time(choices)),
        1 => world.sleep(time(choices)),
        2 | 3 => {
            let node = choices.below(NAMES.len());
            world.dial(node, operation == 2 || choices.flag());
        }
        4 | 5 => {
            let operands = operands(choices);
            world.post(choices.below(NAMES.len()), &operands, operation == 5);
        }
        6 => world.intrude(choices.below(NAMES.len())),
        7 => match choices.below(4) {
            0 => world.stop(choices.below(NAMES.len())),
            1 => world.restart(choices.below(NAMES.len())),
            _ => world.settle(),
        },
        _ if world.wires.is_empty() => {}
        8 => {
            let (wire, side) = (choices.below(world.wires.len()), choices.below(2));
            let _ = world.transmit(wire, side, choices.pick(&[0, 1, 100, 1_000, 65_536]));
        }
        9 => {
            let (wire, side) = (choices.below(world.wires.len()), choices.below(2));
            let _ = world.deliver(wire, side, choices.pick(&[1, 10, 100, 1_000, usize::MAX]));
        }
        10 => world.cut(choices.below(world.wires.len())),
        _ => {
            let wire = choices.below(world.wires.len());
            if let Some(line) = hostile_line(world, wire, choices, secret) {
                world.say(wire, &line);
                let _ = world.deliver(wire, 0, usize::MAX) || world.deliver(wire, 1, usize::MAX);
            }
        }
    }
}

fn time(choices: &mut Choices<'_>) -> Duration {
    Duration::from_millis(choices.pick(&[0, 1, 10, 99, 249, 250, 251, 500, 1_000, 2_999, 3_001, 4_000, 10_000, 61_000]))
}

/// Of a few clients, few times and few of everything else: so that there are ties of all kinds.
fn operands(choices: &mut Choices<'_>) -> String {
    let origin = choices.pick(&["Riley", "Juzang", "Bernard", "a"]);
    let skew = choices.pick(&["+0.000000000", "+0.000000001", "-2.500000000", "+18446744073709551615.999999999"]);
    let location = choices.pick(&["+34.068930-118.445127", "+1+2", "+1+2/", "-01+002"]);
    let time =
        choices.pick(&["7", "7.0", "8", "8.000000001", "1621464827.959498503", "18446744073709551615.999999999"]);
    format!("{origin} {skew} c{} {location} {time}", choices.below(6))
}

/// What the stranger says by its connection `wire`: mostly what takes it further.
pub(crate) fn hostile_line(
    world: &World,
    wire: usize,
    choices: &mut Choices<'_>,
    secret: Option<&[u8]>,
) -> Option<Vec<u8>> {
    let stranger = world.stranger(wire)?;
    let line = match choices.below(16) {
        0 | 1 => stranger.hello(),
        2 | 3 => stranger.auth(secret)?,
        4 => "READY 0 0000000000000000\n".to_owned(),
        5 => stranger.heard.iter().rfind(|line| line.starts_with("READY "))?.clone() + "\n",
        // What is due of the handshake, and more than that.
        6 => match stranger.auth(secret) {
            Some(auth) => format!("{auth}READY 1 0123456789abcdef\n"),
            None => stranger.hello().repeat(2),
        },
        // What it heard, or a part of that as a question.
        7 => {
            let at = choices.below(stranger.heard.len());
            let said = stranger.heard.get(at)?;
            let (verb, rest) = said.split_once(' ')?;
            format!("{} {rest}\n", choices.pick(&[verb, "GET", "LST"]))
        }
        8 | 9 => record_line(choices),
        10..=12 => sync_line(choices),
        13 => {
            let (sequence, count) = (choices.edgy(), choices.edgy());
            match choices.below(4) {
                0 => format!("PING {sequence} {count} {:016x}\n", choices.edgy()),
                1 => format!("PING {sequence} 0 0000000000000000\n").repeat(choices.pick(&[1, 10, 2_500])),
                2 => format!("ACK {sequence} {count}\n"),
                _ => format!("PONG {sequence}\n"),
            }
        }
        14 => choices
            .pick(&["BYE enough\n", "ERR busy no\n", "ERR novel reason\n", "AT\n", "IAMAT a +1+2 3\n"])
            .to_owned(),
        _ => return Some([choices.take(24), b"\n"].concat()),
    };
    Some(line.into_bytes())
}

/// A record as the stranger may pass it on, or from whom it can't be.
pub(crate) fn record_line(choices: &mut Choices<'_>) -> String {
    let sender = choices.pick(&[STRANGER, STRANGER, STRANGER, "Riley"]);
    let hops = choices.pick(&[1, 2, 63, 64, 255]);
    format!("AT {} {sender} {hops}\n", operands(choices))
}

/// What begins, or answers, a comparison.
pub(crate) fn sync_line(choices: &mut Choices<'_>) -> String {
    match choices.below(4) {
        0 => {
            let parts: String = (0..16).map(|_| format!(" {}:{:016x}", choices.edgy(), choices.edgy())).collect();
            format!("DIG {}{parts}\n", texts::prefix(choices, 3))
        }
        1 => {
            let nothing = " 0:0000000000000000".repeat(16);
            format!("DIG {}{nothing}\n", texts::prefix(choices, 3))
        }
        verb => {
            let count = choices.pick(&[0, 0, 1, 2, 70, 900]);
            let hashes: String = (0..count).map(|_| format!(" {:016x}", choices.edgy())).collect();
            let hashes = if verb == 3 && count == 0 { " 0000000000000000".to_owned() } else { hashes };
            let verb = if verb == 2 { "LST" } else { "GET" };
            format!("{verb} {}{hashes}\n", texts::prefix(choices, 4))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::operated;

    /// What strangers have heard, and what was seen wrong of them, after the operations of a seed.
    fn outcome(seed: &str) -> (Vec<String>, u64) {
        let path = format!("{}/seeds/link_machine/{seed}", env!("CARGO_MANIFEST_DIR"));
        let world = operated(&std::fs::read(path).unwrap());
        let heard = (0..world.wires.len()).filter_map(|wire| world.stranger(wire)).flat_map(|one| one.heard.clone());
        let invalid = world.nodes.iter().map(|node| node.replica.counters().peer_lines_invalid).sum();
        (heard.collect(), invalid)
    }

    /// Deep enough: the seeds get where their names say.
    #[test]
    fn seeds_reach_what_they_are_named_after() {
        let heard = |seed: &str, verb: &str| {
            let (heard, _) = outcome(seed);
            assert!(heard.iter().any(|line| line.starts_with(verb)), "{seed}: {heard:?}");
        };
        heard("stranger-proves-itself", "READY ");
        heard("stranger-asks-for-all", "AT ");
        heard("stranger-shows-nothing", "AT ");
        heard("stranger-is-dialled", "READY ");
        heard("stranger-out-of-order", "ERR bad-message ");
        heard("stranger-pings-and-never-reads", "ERR bad-message too much unread");
        assert!(outcome("stranger-acknowledges-too-much").1 > 0);
        assert!(outcome("stranger-sends-garbage").1 > 0);
    }
}
