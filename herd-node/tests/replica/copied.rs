//! Two real servers of which one waits for the other: whatever the order in which lines come and records are refused, a copy is one.

use std::collections::BTreeMap;

use herd_node::replica::{Candidate, Reconcile, Ticket};
use herd_proto::{At, Hops};
use proptest::prelude::*;

use super::desk::{Desk, millis};
use super::pair::{self, Pair};

/// Clients that there is room for on the other side.
const ROOM: usize = 2;
const CLIENTS: u8 = 4;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Which side, which client, what the client's time is, and how long the position.
    Post(usize, u8, u64, usize),
    /// So many lines or turns of a writer, from this one on.
    Talk(usize, usize),
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..2_usize, 0..CLIENTS, 0..20_u64, 1..4_usize)
            .prop_map(|(side, client, time, digits)| Step::Post(side, client, time, digits)),
        4 => (0..4_usize, 1..12_usize).prop_map(|(from, times)| Step::Talk(from, times)),
        1 => (0..400_u64).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 0..80)
}

struct Scene {
    pair: Pair,
    waits: BTreeMap<Ticket, (String, u64)>,
    copied: usize,
}

impl Scene {
    fn new() -> Self {
        let mut both = [("Juzang", "Riley", 1), ("Riley", "Juzang", 2)]
            .map(|(name, peer, boot)| pair::settings(name, peer, boot, Reconcile::Always));
        both[0].tuning.copies = 1;
        // Records that have grown longer are refused as well as those of new clients.
        (both[1].tuning.clients_max, both[1].tuning.records_bytes_max) = (ROOM, 110);
        Self { pair: Pair::of(both.map(Desk::new), [&[], &[]]), waits: BTreeMap::new(), copied: 0 }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Post(side, client, time, digits) => self.post(side, &format!("client-{client}"), time, digits),
            Step::Talk(from, times) => {
                for number in from..from + times {
                    self.pair.step(number);
                }
            }
            Step::Pass(time) => self.pair.desks.iter_mut().for_each(|desk| desk.pass(millis(time))),
        }
        self.check();
    }

    fn post(&mut self, side: usize, client: &str, time: u64, digits: usize) {
        let desk = &mut self.pair.desks[side];
        let line = format!("AT {} +0.000000001 {client} +34.{:0digits$}-118 {time}", desk.name(), 0);
        if side == 1 {
            desk.post(&line);
            return;
        }
        let at = At::parse(line.as_bytes()).unwrap();
        let candidate = Candidate::from_at(&at, Hops::default()).unwrap();
        let (_, ticket) = desk.replica.handle_post_to_copy(desk.now, &candidate);
        self.waits.insert(ticket.expect("there is room here"), (client.to_owned(), time));
    }

    fn check(&mut self) {
        for desk in &self.pair.desks {
            assert_eq!(desk.replica.broken_invariant(desk.now), None);
        }
        while let Some(settled) = self.pair.desks[0].replica.poll_settled() {
            let (client, time) = self.waits.remove(&settled.ticket).expect("settled once");
            let held = self.pair.desks[1].replica.find(client.as_bytes());
            let held = held.and_then(|held| std::str::from_utf8(held).unwrap().rsplit(' ').next()?.parse::<u64>().ok());
            assert!(!settled.is_copied || held.is_some_and(|held| held >= time), "{client} at {time}: {held:?}");
            self.copied += usize::from(settled.is_copied);
        }
    }

    /// Nobody waits for ever, and what has room is copied.
    fn finish(mut self) {
        self.pair.pass(2);
        self.check();
        assert!(self.waits.is_empty(), "{:?}", self.waits);
        let known = self.pair.records(1).first().map(|held| held.split(' ').nth(2).unwrap().to_owned());
        let before = self.copied;
        self.post(0, &known.unwrap_or_else(|| "client-0".to_owned()), 100, 1);
        self.pair.talk();
        self.check();
        assert_eq!(self.copied, before + 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn what_is_said_to_be_copied_is(steps in steps()) {
        let mut scene = Scene::new();
        for step in steps {
            scene.step(step);
        }
        scene.finish();
    }
}
