//! What a server tells its operator, held against what it should.

use herd_node::replica::{CloseReason, Event};
use herd_proto::ErrorCode;

use super::herd::Herd;
use super::oracles::Oracle;

impl Herd {
    pub(crate) fn on_event(&mut self, server: usize, event: &Event) {
        self.trace(|herd| format!("{} says {event:?}", herd.name(server)));
        match event {
            Event::LinkUp { in_agreement, .. } => {
                self.tally.link_changes += 1;
                self.tally.see(if *in_agreement { "link up in agreement" } else { "link up" });
            }
            Event::LinkLost { why, .. } => {
                self.tally.link_changes += 1;
                self.on_close(server, why);
            }
            Event::Refused { why, .. } => self.on_close(server, why),
            Event::StoreFull { .. } | Event::HopsExhausted { .. } => {
                let text = format!("{} says {event:?}", self.name(server));
                self.oracles.fail(Oracle::Blame, self.queue.now(), text);
            }
            _ => {}
        }
    }

    fn on_close(&mut self, server: usize, why: &CloseReason) {
        let is_fair = match why {
            CloseReason::Error(code, _) => matches!(code, ErrorCode::Timeout | ErrorCode::Busy),
            CloseReason::PeerError(code, _) => matches!(code, Some(ErrorCode::Timeout | ErrorCode::Busy)),
            _ => true,
        };
        let kind = format!("{why:?}");
        self.tally.see(format!("close: {}", kind.split(['(', '{']).next().unwrap_or_default()));
        if !is_fair {
            let text = format!("{} closes a link: {why}", self.name(server));
            self.oracles.fail(Oracle::Blame, self.queue.now(), text);
        }
    }
}
