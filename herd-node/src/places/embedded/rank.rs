//! Which of the places in a circle are worth a line of the reply.

use std::cmp::Ordering;

use super::index::Hit;
use super::kind::Kind;

/// The best of what was offered, best first.
///
/// Prominence falls with distance, to nothing at the rim: the next village comes before the far town, the far city before the
/// next hamlet. Heliports come after everything else and are few, as most of a city's are roofs that nobody looks for.
#[derive(Debug)]
pub(super) struct Ranking<'a> {
    /// Metres.
    radius: f64,
    places: Shelf<'a>,
    heliports: Shelf<'a>,
    limit: usize,
}

impl<'a> Ranking<'a> {
    /// A ranking of at most `limit` places within `radius` metres.
    pub(super) fn new(radius: f64, limit: usize) -> Self {
        Self { radius, places: Shelf::new(limit), heliports: Shelf::new(limit.div_ceil(5)), limit }
    }

    pub(super) fn offer(&mut self, hit: Hit<'a>) {
        let score = f64::from(hit.place.prominence) * (1.0 - hit.distance / self.radius);
        let shelf = if hit.place.kind == Kind::Heliport { &mut self.heliports } else { &mut self.places };
        shelf.offer(Ranked { score, hit });
    }

    /// The best, best first.
    pub(super) fn best(&self) -> impl Iterator<Item = Hit<'a>> {
        self.places.ranked.iter().chain(&self.heliports.ranked).take(self.limit).map(|ranked| ranked.hit)
    }
}

#[derive(Clone, Copy, Debug)]
struct Ranked<'a> {
    score: f64,
    hit: Hit<'a>,
}

impl Ranked<'_> {
    /// Better first. Equals of both stay in the order of the grid, which is that of the data.
    fn order(&self, other: &Self) -> Ordering {
        other.score.total_cmp(&self.score).then(self.hit.distance.total_cmp(&other.hit.distance))
    }
}

/// A short sorted list: at 20 of them, shifting is quicker than a heap.
#[derive(Debug)]
struct Shelf<'a> {
    ranked: Vec<Ranked<'a>>,
    room: usize,
}

impl<'a> Shelf<'a> {
    fn new(room: usize) -> Self {
        Self { ranked: Vec::with_capacity(room), room }
    }

    fn offer(&mut self, new: Ranked<'a>) {
        if self.ranked.len() == self.room {
            match self.ranked.last() {
                Some(worst) if new.order(worst).is_lt() => self.ranked.pop(),
                _ => return,
            };
        }
        let at = self.ranked.partition_point(|ranked| ranked.order(&new).is_le());
        self.ranked.insert(at, new);
    }
}
