//! Parts of the earth's surface, and what is in them.

/// The earth's mean radius in kilometres (IUGG).
const EARTH_KM: f64 = 6_371.008_8;
/// Half way round: everything is within it.
pub(super) const CIRCLE_KM_MAX: f64 = 20_040.0;

/// A part of the earth's surface. Its edge belongs to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::admin) enum Area {
    /// Between two parallels and from a meridian eastwards to another: where the first is east of the second, across 180°.
    Box {
        /// Degrees.
        south: f64,
        /// Degrees.
        north: f64,
        /// Degrees.
        west: f64,
        /// Degrees.
        east: f64,
    },
    /// Around a point.
    Circle {
        /// The point, seen from the centre of a globe of radius 1.
        centre: [f64; 3],
        /// The straight line through that globe from the point to the edge, squared.
        chord_squared: f64,
    },
}

impl Area {
    /// All within `km` of a point.
    pub(super) fn circle(latitude: f64, longitude: f64, km: f64) -> Self {
        let half_angle = (km / EARTH_KM / 2.0).min(std::f64::consts::FRAC_PI_2);
        Self::Circle { centre: on_globe(latitude, longitude), chord_squared: (2.0 * half_angle.sin()).powi(2) }
    }

    /// Whether a point, in degrees, is in it.
    pub(super) fn contains(&self, latitude: f64, longitude: f64) -> bool {
        match *self {
            Self::Box { south, north, west, east } => {
                let is_between = |longitude: f64| {
                    if west <= east {
                        (west..=east).contains(&longitude)
                    } else {
                        longitude >= west || longitude <= east
                    }
                };
                // The meridian of 180° has two names.
                let is_antimeridian = longitude.abs() == 180.0;
                (south..=north).contains(&latitude)
                    && (is_between(longitude) || is_antimeridian && is_between(-longitude))
            }
            Self::Circle { centre, chord_squared } => {
                let point = on_globe(latitude, longitude);
                let squares = point.iter().zip(centre).map(|(one, other)| (one - other).powi(2));
                squares.sum::<f64>() <= chord_squared
            }
        }
    }
}

fn on_globe(latitude: f64, longitude: f64) -> [f64; 3] {
    let ((sin_latitude, cos_latitude), (sin_longitude, cos_longitude)) =
        (latitude.to_radians().sin_cos(), longitude.to_radians().sin_cos());
    [cos_latitude * cos_longitude, cos_latitude * sin_longitude, sin_latitude]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By another formula: haversines.
    fn distance_km(from: (f64, f64), to: (f64, f64)) -> f64 {
        let haversine = |angle: f64| (angle.to_radians() / 2.0).sin().powi(2);
        let cosines = from.0.to_radians().cos() * to.0.to_radians().cos();
        2.0 * EARTH_KM * (haversine(to.0 - from.0) + cosines * haversine(to.1 - from.1)).sqrt().min(1.0).asin()
    }

    /// By walking: from the western edge eastwards in whole degrees.
    fn is_in_box(area: [i32; 4], latitude: i32, longitude: i32) -> bool {
        let [south, north, west, east] = area;
        let turn = |degrees: i32| degrees.rem_euclid(360);
        // A box from -180 to 180 is all of the earth and not its one meridian.
        let width = if west <= east { east - west } else { east - west + 360 };
        (south..=north).contains(&latitude) && turn(longitude - west) <= width
    }

    #[test]
    fn a_box_is_what_a_walk_eastwards_finds() {
        let mut inside = 0;
        for (south, north) in [(-90, 90), (-10, 20), (30, 30)] {
            for west in (-180..=180).step_by(20) {
                for east in (-180..=180).step_by(20) {
                    let [s, n, w, e] = [south, north, west, east].map(f64::from);
                    let area = Area::Box { south: s, north: n, west: w, east: e };
                    for latitude in [-90, -11, -10, 0, 20, 21, 30, 90] {
                        for longitude in (-180..=180).step_by(10) {
                            let expected = is_in_box([south, north, west, east], latitude, longitude);
                            let found = area.contains(latitude.into(), longitude.into());
                            assert_eq!(found, expected, "{area:?} {latitude} {longitude}");
                            inside += usize::from(found);
                        }
                    }
                }
            }
        }
        assert!(inside > 1_000);
    }

    #[test]
    fn a_circle_is_what_the_haversines_say() {
        let (mut inside, mut outside) = (0, 0);
        let centres = [(34.07, -118.45), (0.0, 180.0), (0.0, -180.0), (90.0, 0.0), (-89.9, 12.0), (51.5, 0.0)];
        for centre in centres {
            for km in [0.001, 1.0, 50.0, 2_000.0, 9_000.0, 20_000.0, CIRCLE_KM_MAX] {
                let area = Area::circle(centre.0, centre.1, km);
                assert!(area.contains(centre.0, centre.1));
                // Near the edge as well as anywhere.
                for step in -180..=180 {
                    let spread = (km / 111.0).min(90.0);
                    for (latitude, longitude) in [
                        ((centre.0 + f64::from(step) / 100.0 * spread).clamp(-90.0, 90.0), centre.1),
                        (centre.0, f64::from(step)),
                        (f64::from(step) / 2.0, -centre.1),
                    ] {
                        let far = distance_km(centre, (latitude, longitude));
                        // Two roundings of one number may stand on either side of the edge.
                        if (far - km).abs() > 1e-4 {
                            assert_eq!(
                                area.contains(latitude, longitude),
                                far < km,
                                "{centre:?} {km} {latitude} {longitude}"
                            );
                            *if far < km { &mut inside } else { &mut outside } += 1;
                        }
                    }
                }
            }
        }
        assert!(inside > 1_000 && outside > 1_000, "{inside} {outside}");
    }
}
