//! Records on their way out by one link.

use herd_proto::{ServerName, encode};

use super::copies::{Copies, Unacknowledged};
use super::lanes::Lane;
use super::store::{Slot, Store};

/// What it takes to send a record by one link.
#[derive(Debug)]
pub(super) struct Outlet<'a> {
    pub(super) store: &'a mut Store,
    pub(super) copies: &'a Copies,
    pub(super) unacknowledged: Option<&'a mut Unacknowledged>,
    pub(super) lane: Lane,
    pub(super) sender: ServerName<'a>,
    pub(super) out: &'a mut Vec<u8>,
}

impl Outlet<'_> {
    /// Writes the record of `slot` unless the peer has it, or nobody is to be told of it any more. Returns how many were written.
    pub(super) fn send(&mut self, slot: Slot) -> u64 {
        if self.store.is_known(slot, self.lane) {
            return 0;
        }
        let Some(record) = self.store.told(slot) else { return 0 };
        encode::peer_at(self.out, record.operands(), self.sender, record.hops().next());
        self.store.set_known(slot, self.lane);
        if let Some(unacknowledged) = &mut self.unacknowledged {
            unacknowledged.send(slot, self.copies);
        }
        1
    }
}
