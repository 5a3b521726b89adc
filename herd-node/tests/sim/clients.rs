//! Clients' posts as they reach a server: parsed, answered, and kept by what was answered.

use std::cmp::Ordering;

use herd_node::replica::{Candidate, Posted};
use herd_proto::{Request, ServerName, Skew, encode};

use super::herd::Herd;
use super::load::Post;
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
        self.tell_wall(server);
        let receipt = self.wall(server);
        let name = self.name(server).to_owned();
        let mut reply = Vec::new();
        let skew: Skew = receipt.since(iamat.time().time());
        encode::at_of_iamat(&mut reply, ServerName::new(&name).expect("a name"), skew, &iamat);
        let candidate = Candidate::from_reply(&reply, &iamat).expect("the reply to the post");
        let record = Record::new(&reply[3..reply.len() - 1]);
        let Some(process) = &self.processes[server] else { return };
        let before = process.replica.find(&record.client).map(Record::new);
        let posted = self.hand_in(server, &candidate, &record);
        let Some(process) = &self.processes[server] else { return };
        let is_newer = before.is_none_or(|before| record.compare(&before).0 == Ordering::Greater);
        let expected = if is_newer { Posted::Newer } else { Posted::Known };
        let (held, expects) = (process.replica.find(&record.client), self.expects(server, &record));
        self.oracles.given(server, self.queue.now(), &record, held, expects);
        self.note_holder(server, &record);
        if let Some(disk) = self.disks.get_mut(server) {
            disk.answer_later(record.clone());
        }
        if posted != expected {
            let text = format!("{name} says {posted:?} of {}", record.show());
            self.oracles.fail(Oracle::Order, self.queue.now(), text);
        }
        // A post that waits for copies is told to the neighbours even if it is known.
        self.tally.posts += u64::from(is_newer || self.scenario.copies[server] > 0);
        self.tally.see(format!("post {posted:?}"));
        self.trace(|_| format!("{name} takes {}: {posted:?}", record.show()));
    }
}
