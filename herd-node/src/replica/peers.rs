//! The neighbours there are at present. Each has a number that is never given to another, however often some are added and removed.

use super::PEERS_MAX;
use super::mutant::{Mutant, is};
use super::peer::{Peer, PeerIndex};

/// At most [`PEERS_MAX`] neighbours, each in a seat.
///
/// A seat is given on when its peer is gone, and what is kept by the seat (a bit in a set of peers) is then another's. A number is
/// not: whatever still has the number of a peer that is gone, such as a dial under way, finds nobody by it.
#[derive(Debug, Default)]
pub(super) struct Peers {
    seats: [Option<(PeerIndex, Peer)>; PEERS_MAX],
    /// How often each seat was given away.
    given: [usize; PEERS_MAX],
    /// In the order in which they were added.
    order: Vec<PeerIndex>,
}

impl PeerIndex {
    /// Its seat, from 0 to [`PEERS_MAX`].
    pub(super) const fn seat(self) -> usize {
        self.0 % PEERS_MAX
    }
}

impl Peers {
    /// Gives `peer` a seat and a number. `None`: all seats are taken.
    pub(super) fn add(&mut self, peer: Peer) -> Option<PeerIndex> {
        let seat = self.seats.iter().position(Option::is_none)?;
        // Those of the settings are numbered from 0 on, which is their seat.
        let generation = if is(Mutant::PeerNumberReused) { 0 } else { self.given[seat] };
        let index = PeerIndex(seat + generation * PEERS_MAX);
        self.given[seat] += 1;
        self.seats[seat] = Some((index, peer));
        self.order.push(index);
        Some(index)
    }

    /// Forgets a peer. False if there is none of that number.
    pub(super) fn remove(&mut self, index: PeerIndex) -> bool {
        let is_there = self.get(index).is_some();
        if is_there {
            self.seats[index.seat()] = None;
            self.order.retain(|other| *other != index);
        }
        is_there
    }

    pub(super) fn get(&self, index: PeerIndex) -> Option<&Peer> {
        let (number, peer) = self.seats[index.seat()].as_ref()?;
        (*number == index).then_some(peer)
    }

    pub(super) fn get_mut(&mut self, index: PeerIndex) -> Option<&mut Peer> {
        let (number, peer) = self.seats[index.seat()].as_mut()?;
        (*number == index).then_some(peer)
    }

    /// The number of the peer called `name`.
    pub(super) fn find(&self, name: &str) -> Option<PeerIndex> {
        self.iter().find(|(_, peer)| peer.name == name).map(|(index, _)| index)
    }

    /// All of them, in the order in which they were added.
    pub(super) fn iter(&self) -> impl Iterator<Item = (PeerIndex, &Peer)> {
        self.order.iter().filter_map(|index| Some((*index, self.get(*index)?)))
    }

    /// All of them, in no particular order.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (PeerIndex, &mut Peer)> {
        self.seats.iter_mut().flatten().map(|(index, peer)| (*index, peer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    fn peer(name: &str) -> Peer {
        Peer::new(name.to_owned(), clock::monotonic())
    }

    #[test]
    fn a_number_is_never_given_to_another() {
        let mut peers = Peers::default();
        let first: Vec<_> = ["a", "b", "c"].into_iter().map(|name| peers.add(peer(name)).unwrap()).collect();
        assert_eq!(first, [PeerIndex(0), PeerIndex(1), PeerIndex(2)]);
        let mut given: Vec<_> = first;
        for round in 0..40 {
            let gone = peers.find("b").unwrap();
            assert!(peers.remove(gone) && !peers.remove(gone), "{round}");
            assert!(peers.get(gone).is_none() && peers.find("b").is_none());
            let next = peers.add(peer("b")).unwrap();
            assert!(!given.contains(&next) && next.seat() == 1, "{next:?}");
            assert!(peers.get(gone).is_none() && peers.get_mut(gone).is_none());
            given.push(next);
        }
        // The one that came back comes last.
        assert_eq!(peers.iter().map(|(_, peer)| peer.name.as_str()).collect::<Vec<_>>(), ["a", "c", "b"]);
    }

    #[test]
    fn there_is_a_seat_for_the_last_and_none_for_one_more() {
        let mut peers = Peers::default();
        for number in 0..PEERS_MAX {
            assert_eq!(peers.add(peer(&format!("s{number}"))), Some(PeerIndex(number)));
        }
        assert_eq!(peers.add(peer("more")), None);
        assert!(peers.remove(PeerIndex(7)));
        assert_eq!(peers.add(peer("more")), Some(PeerIndex(PEERS_MAX + 7)));
        assert_eq!(peers.iter_mut().count(), PEERS_MAX);
    }
}
