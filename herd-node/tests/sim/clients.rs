//! Clients' posts as they reach a server: parsed, answered, and kept by what was answered.

use std::cmp::Ordering;

use herd_node::replica::{Candidate, Posted};
use herd_proto::{PosixTime, Request, ServerName, Skew, encode};

use super::herd::Herd;
use super::load::{EPOCH, Post};
use super::oracles::Oracle;
use super::order::Record;
use super::process::Input;

impl Herd {
    pub(crate) fn on_post(&mut self, post: Post) {
        let server = post.server;
        let Some(boot) = self.processes[server].as_ref().map(|process| process.boot) else {
            return self.tally.see("post refused");
        };
        self.input(server, boot, Input::Posted(post));
    }

    /// As the product's shell does: parse, answer, keep the answer's operands.
    pub(crate) fn post(&mut self, server: usize, post: &Post) {
        let Ok(Request::Iamat(iamat)) = Request::parse(post.line.as_bytes()) else {
            panic!("{} is an IAMAT", post.line);
        };
        let time = (EPOCH * 1_000_000_000 + self.queue.now()).saturating_add_signed(self.scenario.clocks[server]);
        let receipt = PosixTime::new(time / 1_000_000_000, (time % 1_000_000_000) as u32).expect("below a second");
        let name = self.name(server).to_owned();
        let mut reply = Vec::new();
        let skew: Skew = receipt.since(iamat.time().time());
        encode::at_of_iamat(&mut reply, ServerName::new(&name).expect("a name"), skew, &iamat);
        let candidate = Candidate::from_reply(&reply, &iamat).expect("the reply to the post");
        let record = Record::new(&reply[3..reply.len() - 1]);
        let Some(process) = &mut self.processes[server] else { return };
        let before = process.replica.find(&record.client).map(Record::new);
        let posted = process.replica.handle_post(&candidate);
        let is_newer = before.is_none_or(|before| record.compare(&before).0 == Ordering::Greater);
        let expected = if is_newer { Posted::Newer } else { Posted::Known };
        self.oracles.given(server, self.queue.now(), &record, process.replica.find(&record.client));
        if posted != expected {
            let text = format!("{name} says {posted:?} of {}", record.show());
            self.oracles.fail(Oracle::Order, self.queue.now(), text);
        }
        self.tally.posts += u64::from(is_newer);
        self.tally.see(format!("post {posted:?}"));
        self.trace(|_| format!("{name} takes {}: {posted:?}", record.show()));
    }
}
