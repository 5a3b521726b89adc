//! The grid: bands of latitude, and within each the places by longitude.
//!
//! A circle touches some bands, and in each one or two runs of longitudes, which two binary searches find. So there are no cells
//! to be too fine for the sea or too coarse for a city, and a pole is nothing special: there the run is the whole band.

use std::ops::Range;

use super::gazetteer::Place;
use super::point::{Bounds, Circle, Point, UNITS};

/// The height of a band, 0.02 degrees or 2.2 km. The data file is sorted by it.
const BAND: i64 = UNITS as i64 / 50;
const SOUTH_POLE: i64 = -90 * UNITS as i64;
const BANDS: usize = (180 * UNITS as i64 / BAND) as usize + 1;

/// Places in the order of the grid.
#[derive(Debug)]
pub(super) struct Index {
    places: Vec<Place>,
    /// Of the same places, in the same order: by themselves, so that a search for one reads few lines of memory.
    longitudes: Vec<i32>,
    /// Where each band begins in `places`; one more for the end of the last.
    starts: Vec<u32>,
    prominence_max: f32,
}

/// A place within a circle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit<'a> {
    pub(super) place: &'a Place,
    /// Metres.
    pub(super) distance: f64,
}

impl Index {
    /// Sorts `places`, of which there are less than 2^32. Equal points keep their order.
    pub(super) fn new(mut places: Vec<Place>) -> Self {
        let key = |place: &Place| (band(place.point), place.point.longitude, place.point.latitude);
        if !places.is_sorted_by_key(key) {
            places.sort_by_key(key);
        }
        places.shrink_to_fit();
        let mut starts = Vec::with_capacity(BANDS + 1);
        for (at, place) in places.iter().enumerate() {
            // A band begins at the first place that is in it or north of it.
            while starts.len() <= band(place.point) {
                starts.push(at as u32);
            }
        }
        starts.resize(BANDS + 1, places.len() as u32);
        let prominence_max = places.iter().map(|place| place.prominence).fold(0.0, f32::max);
        let longitudes = places.iter().map(|place| place.point.longitude).collect();
        Self { places, longitudes, starts, prominence_max }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = &Place> {
        self.places.iter()
    }

    /// The greatest prominence of any place.
    pub(super) fn prominence_max(&self) -> f32 {
        self.prominence_max
    }

    /// Every place within `circle`, from south to north by bands.
    #[cfg(test)]
    pub(super) fn within<'a>(&'a self, circle: &Circle) -> impl Iterator<Item = Hit<'a>> + use<'a> {
        let circle = *circle;
        let hit = move |place: &'a Place| circle.reaches(place.point).map(|distance| Hit { place, distance });
        self.runs(&circle).flatten().filter_map(hit)
    }

    /// Places in a box around `circle`, run by run: all that have to be looked at to know which are within.
    pub(super) fn runs<'a>(&'a self, circle: &Circle) -> impl Iterator<Item = &'a [Place]> + use<'a> {
        let Bounds { latitude: (south, north), longitudes } = circle.bounds();
        (band_of(south)..=band_of(north))
            .map(|band| self.edge(band)..self.edge(band + 1))
            .filter(|band| !band.is_empty())
            .flat_map(move |band| longitudes.into_iter().flatten().map(move |range| self.run(band.clone(), range)))
            .filter(|run| !run.is_empty())
    }

    /// Where `band` begins in the places.
    fn edge(&self, band: usize) -> usize {
        self.starts.get(band).map_or(self.places.len(), |&start| start as usize)
    }

    /// The places of a band from one longitude to another, both included.
    fn run(&self, band: Range<usize>, (west, east): (i32, i32)) -> &[Place] {
        let all = self.longitudes.get(band.clone()).unwrap_or_default();
        let start = all.partition_point(|longitude| *longitude < west);
        let rest = all.get(start..).unwrap_or_default();
        let length = rest.partition_point(|longitude| *longitude <= east);
        self.places.get(band.start + start..band.start + start + length).unwrap_or_default()
    }
}

fn band(point: Point) -> usize {
    band_of(point.latitude.into())
}

fn band_of(latitude: i64) -> usize {
    usize::try_from((latitude - SOUTH_POLE) / BAND).unwrap_or_default().min(BANDS - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::gazetteer::{Builder, Id, NewPlace, Source};
    use super::super::kind::Kind;
    use super::*;

    fn add(builder: &mut Builder, number: usize, point: Point) {
        let new = NewPlace {
            point,
            source: Source::File,
            kind: Kind::Other,
            name: "x",
            id: Id::Number(number as u32),
            types: 0,
            vicinity: 0,
            population: 0,
        };
        builder.add(&new).unwrap();
    }

    fn latitude() -> impl Strategy<Value = f64> {
        prop_oneof![-90.0..=90.0, 89.6..=90.0, -90.0..=-89.6, -0.3..=0.3, Just(90.0), Just(-90.0), Just(0.02)]
    }

    fn longitude() -> impl Strategy<Value = f64> {
        prop_oneof![-180.0..=180.0, 179.6..=180.0, -180.0..=-179.6, -0.3..=0.3, Just(180.0), Just(-180.0), Just(0.0)]
    }

    fn radius() -> impl Strategy<Value = f64> {
        prop_oneof![0.000_001..=50_000.0, 0.000_001..=1.0, Just(50_000.0)]
    }

    /// What `within` must find: each place looked at.
    fn oracle(points: &[Point], circle: &Circle) -> Vec<u32> {
        (0..).zip(points).filter(|(_, point)| circle.reaches(**point).is_some()).map(|(at, _)| at).collect()
    }

    proptest! {
        #[test]
        fn the_grid_finds_what_looking_at_every_place_finds(
            places in prop::collection::vec((latitude(), longitude()), 0..300),
            (latitude, longitude, radius) in (latitude(), longitude(), radius()),
            near in prop::collection::vec((-1.0..=1.0, -1.0..=1.0), 0..50),
        ) {
            // Some all over the globe, and some near the rim of the circle.
            let degrees = radius / 111_195.0 * 1.5;
            let near = near.iter().map(|(north, east): &(f64, f64)| {
                let turned = longitude + east * degrees / latitude.to_radians().cos().max(1e-3);
                ((latitude + north * degrees).clamp(-90.0, 90.0), (turned + 540.0).rem_euclid(360.0) - 180.0)
            });
            let points: Vec<Point> =
                places.iter().copied().chain(near).filter_map(|(north, east)| Point::from_degrees(north, east)).collect();
            let mut builder = Builder::default();
            points.iter().enumerate().for_each(|(number, point)| add(&mut builder, number, *point));
            let gazetteer = builder.finish();
            let circle = Circle::new(latitude, longitude, radius);
            let id = |hit: Hit<'_>| match gazetteer.id(hit.place) { Id::Number(number) => number, Id::Text(_) => u32::MAX };
            let mut found: Vec<u32> = gazetteer.index().within(&circle).map(id).collect();
            found.sort_unstable();
            prop_assert_eq!(found, oracle(&points, &circle));
        }
    }

    #[test]
    fn the_rim_belongs_to_the_circle() {
        let point = Point::from_degrees(10.0, 20.01).unwrap();
        let distance = Circle::new(10.0, 20.0, 50_000.0).reaches(point).unwrap();
        let mut builder = Builder::default();
        add(&mut builder, 0, point);
        let gazetteer = builder.finish();
        let count = |radius| gazetteer.index().within(&Circle::new(10.0, 20.0, radius)).count();
        assert_eq!((count(distance), count(distance.next_down())), (1, 0));
    }
}
