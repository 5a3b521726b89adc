//! Which of the places in a circle are worth a line of the reply.

use std::cmp::Ordering;

use super::gazetteer::Place;
use super::index::{Hit, Index};
use super::kind::Kind;
use super::point::Circle;

/// Candidates that are looked at without a second thought: some 200 microseconds' worth.
const CROWD: usize = 4_096;

/// The best places within `circle`, at most `limit`, best first; and how many had to be looked at.
///
/// A city's shops can be a million within 50 km. In a crowd it looks close by first, and farther only while something that is
/// farther could still be among the best.
pub(super) fn best<'a>(index: &'a Index, circle: &Circle, limit: usize) -> (Vec<Hit<'a>>, usize) {
    if limit == 0 {
        return (Vec::new(), 0);
    }
    let whole = circle.radius();
    let runs: Vec<_> = index.runs(circle).collect();
    let candidates = runs.iter().map(|run| run.len()).sum();
    if candidates <= CROWD {
        let mut ranking = Ranking::new(whole, limit);
        runs.into_iter().flatten().for_each(|place| ranking.look_at(place, circle));
        return (ranking.best().collect(), candidates);
    }
    let (mut radius, mut looked_at) = (whole / 64.0, 0);
    loop {
        let mut ranking = Ranking::new(whole, limit);
        let near = circle.with_radius(radius);
        for place in index.runs(&near).flatten() {
            ranking.look_at(place, &near);
            looked_at += 1;
        }
        if radius >= whole || ranking.floor() >= Some(score(index.prominence_max(), radius, whole)) {
            return (ranking.best().collect(), looked_at);
        }
        radius = (radius * 2.0).min(whole);
    }
}

/// The best of what was offered, best first.
///
/// Prominence falls with distance, to nothing at the rim: the next village comes before the far town, the far city before the
/// next hamlet. Heliports come after everything else and are few, as most of a city's are roofs that nobody looks for.
#[derive(Debug)]
struct Ranking<'a> {
    /// Metres.
    radius: f64,
    places: Shelf<'a>,
    heliports: Shelf<'a>,
    limit: usize,
}

impl<'a> Ranking<'a> {
    /// A ranking of at most `limit` places within `radius` metres.
    fn new(radius: f64, limit: usize) -> Self {
        Self { radius, places: Shelf::new(limit), heliports: Shelf::new(limit.div_ceil(5)), limit }
    }

    /// Takes `place` if it is within `circle` and among the best.
    fn look_at(&mut self, place: &'a Place, circle: &Circle) {
        let shelf = if place.kind == Kind::Heliport { &mut self.heliports } else { &mut self.places };
        // Distance only makes it worse: most places of a circle are out without the arithmetic.
        if shelf.floor().is_some_and(|floor| f64::from(place.prominence) < floor) {
            return;
        }
        if let Some(distance) = circle.reaches(place.point) {
            let score = score(place.prominence, distance, self.radius);
            shelf.offer(Ranked { score, hit: Hit { place, distance } });
        }
    }

    /// The score that has to be beaten. None while heliports or nothing at all would be taken.
    fn floor(&self) -> Option<f64> {
        self.places.floor()
    }

    /// The best, best first.
    fn best(&self) -> impl Iterator<Item = Hit<'a>> {
        self.places.ranked.iter().chain(&self.heliports.ranked).take(self.limit).map(|ranked| ranked.hit)
    }
}

/// Distance and radius in metres. It never grows with distance, rounding included, which [`best`] relies on.
fn score(prominence: f32, distance: f64, radius: f64) -> f64 {
    f64::from(prominence) * (1.0 - distance / radius)
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

    /// The score that has to be beaten, if it is full.
    fn floor(&self) -> Option<f64> {
        if self.ranked.len() < self.room { None } else { self.ranked.last().map(|ranked| ranked.score) }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::gazetteer::{Builder, Id, NewPlace, Source};
    use super::super::point::Point;
    use super::*;

    fn crowd(points: &[(f64, f64, u32)]) -> super::super::Gazetteer {
        let mut builder = Builder::default();
        for &(north, east, population) in points {
            let new = NewPlace {
                point: Point::from_degrees(45.0 + north, east).unwrap(),
                source: Source::File,
                kind: if population == 7 { Kind::Heliport } else { Kind::Locality },
                name: "x",
                id: Id::Number(0),
                types: 0,
                vicinity: 0,
                population,
            };
            builder.add(&new).unwrap();
        }
        builder.finish()
    }

    /// What `best` must give: everything scored and sorted.
    fn oracle<'a>(index: &'a Index, circle: &Circle, limit: usize) -> Vec<Hit<'a>> {
        let score = |hit: &Hit<'_>| score(hit.place.prominence, hit.distance, circle.radius());
        let (mut heliports, mut places): (Vec<_>, Vec<_>) =
            index.within(circle).partition(|hit| hit.place.kind == Kind::Heliport);
        for hits in [&mut heliports, &mut places] {
            hits.sort_by(|a, b| score(b).total_cmp(&score(a)).then(a.distance.total_cmp(&b.distance)));
        }
        heliports.truncate(limit.div_ceil(5));
        places.extend(heliports);
        places.truncate(limit);
        places
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn a_crowd_is_ranked_as_if_all_were_looked_at(
            seed in prop::collection::vec((-0.3..=0.3, -0.4..=0.4), 90),
            populations in prop::collection::vec(prop_oneof![Just(0_u32), Just(7), 0..=100_000_u32], 1..4),
            limit in 1..=20_usize,
        ) {
            // Sums of two of 90 points: a crowd of 8,100, many as far from the centre as others.
            let populations = populations.iter().cycle();
            let pairs = seed.iter().flat_map(|a| seed.iter().map(move |b| (a.0 + b.0 * 0.2, a.1 + b.1 * 0.2)));
            let points: Vec<_> = pairs.zip(populations).map(|((north, east), &people)| (north, east, people)).collect();
            let gazetteer = crowd(&points);
            let circle = Circle::new(45.0, 0.0, 50_000.0);
            prop_assert!(gazetteer.index().runs(&circle).map(<[_]>::len).sum::<usize>() > CROWD);
            let places = |hits: Vec<Hit<'_>>| -> Vec<_> {
                hits.iter().map(|hit| (hit.place.point.latitude, hit.place.point.longitude, hit.place.extent)).collect()
            };
            let expected = places(oracle(gazetteer.index(), &circle, limit));
            prop_assert_eq!(places(best(gazetteer.index(), &circle, limit).0), expected);
        }
    }
}
