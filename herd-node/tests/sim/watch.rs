//! What a server tells its operator, held against what it should.

use herd_node::replica::{CloseReason, Event, LinkId, PeerIndex};
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
            Event::LinkLost { peer, why } => {
                self.tally.link_changes += 1;
                self.on_close(server, Some(*peer), why);
            }
            // Who it is was said by the stranger.
            Event::Refused { link, why, .. } if self.is_of_stranger(server, *link) => self.see_close(why),
            Event::Refused { peer, why, .. } => self.on_close(server, *peer, why),
            Event::StoreFull { .. } | Event::HopsExhausted { .. } => {
                let text = format!("{} says {event:?}", self.name(server));
                self.oracles.fail(Oracle::Blame, self.queue.now(), text);
            }
            _ => {}
        }
    }

    fn is_of_stranger(&self, server: usize, link: LinkId) -> bool {
        let Some(process) = &self.processes[server] else { return false };
        let conn = process.conns.get(&link).and_then(|conn| Some((*conn, process.sockets.get(conn)?.end)));
        conn.is_some_and(|(conn, end)| self.is_strangers(conn, end))
    }

    fn see_close(&mut self, why: &CloseReason) {
        let kind = format!("{why:?}");
        self.tally.see(format!("close: {}", kind.split(['(', '{']).next().unwrap_or_default()));
        if let CloseReason::Error(code, _) = why {
            self.tally.see(format!("error {code}"));
        }
    }

    fn on_close(&mut self, server: usize, peer: Option<PeerIndex>, why: &CloseReason) {
        self.see_close(why);
        let code = match why {
            CloseReason::Error(code, _) => Some(*code),
            CloseReason::PeerError(code, _) => *code,
            _ => return,
        };
        if let (CloseReason::Error(ErrorCode::DuplicateName, _), Some(peer)) = (why, peer) {
            self.told_of_name(server, peer);
        }
        let is_fair = match code {
            Some(ErrorCode::Timeout | ErrorCode::Busy) => true,
            Some(ErrorCode::DuplicateName) => self.may_share_name(server, peer),
            Some(ErrorCode::UnknownPeer) => {
                self.may_be_no_peer(server, peer.and_then(|peer| self.peer_of(server, peer)))
            }
            _ => false,
        };
        if !is_fair {
            let text = format!("{} closes a link: {why}", self.name(server));
            self.oracles.fail(Oracle::Blame, self.queue.now(), text);
        }
    }
}
