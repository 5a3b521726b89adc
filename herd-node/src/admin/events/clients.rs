//! Readers of a few clients, which are looked up whenever anything has changed.

use super::frame::{Frame, LIVE, fixed};
use super::reader::{Place, Said};
use super::render::{Rendered, client_json};
use super::watcher::said;
use crate::replica::OperandsHash;

/// Clients looked up under one lock.
const LOOK: usize = 128;

/// See the module.
#[derive(Debug)]
pub(super) struct ClientsReader {
    clients: Vec<Followed>,
    /// The first that is to be looked up.
    next: usize,
    is_first_lap: bool,
}

#[derive(Debug)]
struct Followed {
    client: Box<[u8]>,
    /// The hash of the record that was told.
    told: Option<OperandsHash>,
}

impl ClientsReader {
    pub(super) fn new(clients: Vec<Box<[u8]>>) -> Self {
        let clients = clients.into_iter().map(|client| Followed { client, told: None }).collect();
        Self { clients, next: 0, is_first_lap: true }
    }

    pub(super) fn next(&mut self, place: &Place) -> Said {
        if self.next < self.clients.len() {
            return self.look(place);
        }
        if std::mem::take(&mut self.is_first_lap) {
            return Said::This(fixed(LIVE));
        }
        if !place.seat.take_touched() {
            return Said::Nothing;
        }
        self.next = 0;
        Said::Later
    }

    fn look(&mut self, place: &Place) -> Said {
        let end = self.clients.len().min(self.next + LOOK);
        let followed = self.clients.get_mut(self.next..end).unwrap_or_default();
        self.next = end;
        let mut texts = Vec::with_capacity(followed.len());
        place.shared.look(|replica| {
            texts.extend(followed.iter().map(|followed| replica.find(&followed.client).map(<[u8]>::to_vec)));
        });
        let (mut rendered, mut gone) = (Rendered::default(), Frame::gone());
        for (followed, text) in followed.iter_mut().zip(texts) {
            let hash = text.as_deref().map(|text| place.shared.hasher.operands(text));
            if hash == std::mem::replace(&mut followed.told, hash) {
                continue;
            }
            match text {
                Some(text) => rendered.push(0, &text),
                None => gone.push(&client_json(&followed.client)),
            }
        }
        let mut positions = Frame::positions();
        (0..rendered.len()).filter_map(|at| rendered.get(at)).for_each(|record| positions.push(record.json));
        said([gone, positions])
    }
}
