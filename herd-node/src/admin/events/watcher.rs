//! Readers of all clients, or of those in an area.

use std::collections::VecDeque;
use std::sync::Arc;

use super::area::Area;
use super::frame::{Frame, LIVE, RESET, fixed};
use super::hub::{Batch, LOOK, render};
use super::reader::{Place, Said};
use super::render::{Rendered, Shown};
use super::seat::{Gone, Work};
use crate::replica::{Slot, SlotSet};

/// See the module.
#[derive(Debug)]
pub(super) struct Watcher {
    /// `None`: everywhere.
    area: Option<Area>,
    /// Of an area: the slots of clients that were told to be in it.
    inside: SlotSet,
    gone: VecDeque<Gone>,
    /// Records that are being told, and the first that was not.
    records: Option<(Records, usize)>,
    /// Where in its slots it is looking.
    cursor: Slot,
    /// It has not been told everything that was there yet.
    is_first_lap: bool,
}

#[derive(Debug)]
enum Records {
    /// What a round has brought for all.
    Shared(Arc<Batch>),
    Own(Rendered),
}

impl Records {
    fn rendered(&self) -> &Rendered {
        match self {
            Self::Shared(batch) => &batch.rendered,
            Self::Own(rendered) => rendered,
        }
    }
}

impl Watcher {
    pub(super) fn new(area: Option<Area>) -> Self {
        Self { area, inside: SlotSet::default(), gone: VecDeque::new(), records: None, cursor: 0, is_first_lap: true }
    }

    pub(super) fn next(&mut self, place: &Place) -> Said {
        if !self.gone.is_empty() {
            return self.tell_gone();
        }
        if let Some((records, from)) = self.records.take() {
            return self.tell(records, from);
        }
        match place.seat.work(self.cursor, LOOK) {
            Work::Batch(batch) => {
                self.gone.extend(batch.gone.iter().cloned());
                self.records = Some((Records::Shared(batch), 0));
                self.next_of_work()
            }
            Work::Gone(gone) => {
                self.gone = gone.into();
                self.next_of_work()
            }
            Work::Slots(slots) => match slots.last() {
                Some(last) => {
                    self.cursor = last + 1;
                    let mut rendered = Rendered::default();
                    render(&place.shared, &slots, &mut rendered);
                    self.records = Some((Records::Own(rendered), 0));
                    self.next_of_work()
                }
                None => {
                    self.cursor = 0;
                    self.end_lap().unwrap_or(Said::Later)
                }
            },
            Work::Anew => {
                place.seat.begin_anew(place.shared.look(crate::replica::Replica::slots));
                (self.inside, self.cursor, self.is_first_lap) = (SlotSet::default(), 0, true);
                Said::This(fixed(RESET))
            }
            Work::None => self.end_lap().unwrap_or(Said::Nothing),
        }
    }

    fn next_of_work(&mut self) -> Said {
        match self.records.take() {
            Some((records, from)) if self.gone.is_empty() => self.tell(records, from),
            records => {
                self.records = records;
                self.tell_gone()
            }
        }
    }

    fn end_lap(&mut self) -> Option<Said> {
        std::mem::take(&mut self.is_first_lap).then(|| Said::This(fixed(LIVE)))
    }

    fn tell_gone(&mut self) -> Said {
        let mut frame = Frame::gone();
        while let Some((slot, client)) = self.gone.pop_front() {
            self.inside.remove(slot);
            frame.push(&client);
            if frame.is_full() {
                break;
            }
        }
        said([frame])
    }

    /// As many of `records` as an event takes.
    fn tell(&mut self, records: Records, mut from: usize) -> Said {
        let (mut positions, mut gone) = (Frame::positions(), Frame::gone());
        while let Some(record) = records.rendered().get(from).filter(|_| !positions.is_full() && !gone.is_full()) {
            from += 1;
            if self.is_wanted(&record) {
                positions.push(record.json);
            } else if self.inside.remove(record.slot) {
                gone.push(record.client);
            }
        }
        if from < records.rendered().len() {
            self.records = Some((records, from));
        }
        said([gone, positions])
    }

    fn is_wanted(&mut self, record: &Shown<'_>) -> bool {
        let Some(area) = &self.area else { return true };
        let is_inside = area.contains(record.latitude, record.longitude);
        if is_inside {
            self.inside.insert(record.slot);
        }
        is_inside
    }
}

/// The events that have something in them.
pub(super) fn said<const N: usize>(frames: [Frame; N]) -> Said {
    let mut bytes = Vec::new();
    frames.into_iter().for_each(|frame| frame.finish(&mut bytes));
    if bytes.is_empty() { Said::Later } else { Said::This(bytes.into()) }
}
