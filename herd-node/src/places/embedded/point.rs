//! Points on the globe and the great-circle distance between them.

use herd_proto::Location;

/// Mean radius of the Earth in metres (IUGG R1): the sphere that distances are measured on.
const EARTH_RADIUS: f64 = 6_371_008.8;

/// Units of a [`Point`] in one degree.
pub(super) const UNITS: i32 = 10_000_000;

/// A point in ten-millionths of a degree, 11 mm on the ground. North and east are positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) latitude: i32,
    pub(super) longitude: i32,
}

impl Point {
    /// The point at degrees, rounded; `None` outside -90..+90 and -180..+180, and for what is no number.
    pub(super) fn from_degrees(latitude: f64, longitude: f64) -> Option<Self> {
        let inside = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        let units = |degrees: f64| (degrees * f64::from(UNITS)).round() as i32;
        inside.then(|| Self { latitude: units(latitude), longitude: units(longitude) })
    }
}

/// A circle on the globe: the centre and radius of a question, with what every distance from it needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circle {
    /// Radians.
    latitude: f64,
    /// Radians.
    longitude: f64,
    latitude_sin: f64,
    latitude_cos: f64,
    /// Metres.
    radius: f64,
}

/// Angles that are small, in radians: for these a few terms of a series give what a function gives, to the last bit or the one
/// before, in a fraction of the time. Half of 50 km is below it, and a crowd is looked at within 50 km.
const SMALL: f64 = 0.01;

impl Circle {
    /// A circle of `radius` metres around a point in degrees.
    pub(super) fn new(latitude: f64, longitude: f64, radius: f64) -> Self {
        let latitude = latitude.to_radians();
        let (latitude_sin, latitude_cos) = latitude.sin_cos();
        Self { latitude, longitude: longitude.to_radians(), latitude_sin, latitude_cos, radius }
    }

    /// A circle of `radius` metres around a client.
    pub(super) fn around(location: Location<'_>, radius: f64) -> Self {
        Self::new(location.latitude().degrees(), location.longitude().degrees(), radius)
    }

    /// The circle around the same centre with another radius, in metres.
    pub(super) fn with_radius(&self, radius: f64) -> Self {
        Self { radius, ..*self }
    }

    /// Metres.
    pub(super) fn radius(&self) -> f64 {
        self.radius
    }

    /// The distance of `point` in metres if it is within the circle, its rim included.
    pub(super) fn reaches(&self, point: Point) -> Option<f64> {
        let latitude = degrees(point.latitude).to_radians();
        let longitude = degrees(point.longitude).to_radians();
        let north = sin((latitude - self.latitude) / 2.0);
        let east = sin((longitude - self.longitude) / 2.0);
        let haversine = north * north + self.latitude_cos * self.cos_of_latitude(latitude) * east * east;
        let distance = 2.0 * EARTH_RADIUS * asin(haversine.sqrt().min(1.0));
        (distance <= self.radius).then_some(distance)
    }

    /// The cosine of a latitude in radians, from those of the centre where it is near.
    fn cos_of_latitude(&self, latitude: f64) -> f64 {
        let north = latitude - self.latitude;
        if north.abs() > SMALL {
            return latitude.cos();
        }
        let square = north * north;
        let cos = 1.0 - square / 2.0 * (1.0 - square / 12.0 * (1.0 - square / 30.0));
        // At a pole, rounding must not make it less than nothing.
        (self.latitude_cos * cos - self.latitude_sin * sin(north)).max(0.0)
    }

    /// A box that holds the circle, in units of [`Point`]. It is a little wider than it has to be: [`Self::reaches`] decides.
    pub(super) fn bounds(&self) -> Bounds {
        // The margin is 13 mm: more than the rounding of a point and of all this arithmetic.
        let angle = (self.radius / EARTH_RADIUS * (1.0 + 1e-9) + 2e-9).min(std::f64::consts::PI);
        let (south, north) = (self.latitude - angle, self.latitude + angle);
        let pole = std::f64::consts::FRAC_PI_2;
        let half_width = if south <= -pole || north >= pole {
            std::f64::consts::PI
        } else {
            // Meridians touch the circle farther from the equator than its centre is, hence not `angle / cos`.
            (angle.sin() / self.latitude_cos).min(1.0).asin()
        };
        Bounds {
            latitude: (floor_units(south), ceil_units(north)),
            longitudes: longitudes(floor_units(self.longitude - half_width), ceil_units(self.longitude + half_width)),
        }
    }
}

fn sin(angle: f64) -> f64 {
    if angle.abs() > SMALL {
        return angle.sin();
    }
    let square = angle * angle;
    angle * (1.0 - square / 6.0 * (1.0 - square / 20.0 * (1.0 - square / 42.0)))
}

/// Of what is at least 0.
fn asin(sine: f64) -> f64 {
    if sine > SMALL {
        return sine.asin();
    }
    let square = sine * sine;
    sine * (1.0 + square * (1.0 / 6.0 + square * (3.0 / 40.0 + square * (15.0 / 336.0))))
}

/// Latitudes, and longitudes as one or two ranges within -180..+180: two when they cross the antimeridian. Ends included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) latitude: (i64, i64),
    pub(super) longitudes: [Option<(i32, i32)>; 2],
}

/// A point's unit in degrees.
pub(super) fn degrees(units: i32) -> f64 {
    f64::from(units) / f64::from(UNITS)
}

fn floor_units(radians: f64) -> i64 {
    (radians.to_degrees() * f64::from(UNITS)).floor() as i64
}

fn ceil_units(radians: f64) -> i64 {
    (radians.to_degrees() * f64::from(UNITS)).ceil() as i64
}

fn longitudes(west: i64, east: i64) -> [Option<(i32, i32)>; 2] {
    let half = 180 * UNITS;
    let (turn, limit) = (2 * i64::from(half), i64::from(half));
    // Both are within 360 degrees of zero, so that one turn at most brings them home.
    let unit = |value: i64| value.clamp(-limit, limit) as i32;
    if east - west >= turn {
        [Some((-half, half)), None]
    } else if west < -limit {
        [Some((-half, unit(east))), Some((unit(west + turn), half))]
    } else if east > limit {
        [Some((unit(west), half)), Some((-half, unit(east - turn)))]
    } else {
        [Some((unit(west), unit(east))), None]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance(from: (f64, f64), to: (f64, f64)) -> f64 {
        let to = Point::from_degrees(to.0, to.1).unwrap();
        Circle::new(from.0, from.1, f64::INFINITY).reaches(to).unwrap()
    }

    #[test]
    fn distances_are_great_circles() {
        let quarter = EARTH_RADIUS * std::f64::consts::FRAC_PI_2;
        for (from, to, expected) in [
            ((0.0, 0.0), (0.0, 90.0), quarter),
            ((90.0, 12.0), (0.0, -77.0), quarter),
            ((-90.0, 0.0), (90.0, 0.0), 2.0 * quarter),
            ((0.0, 179.5), (0.0, -179.5), quarter / 90.0),
            ((34.06893, -118.445127), (34.06893, -118.445127), 0.0),
            ((90.0, 0.0), (90.0, 135.0), 0.0),
        ] {
            let found = distance(from, to);
            assert!((found - expected).abs() < 1e-6, "{from:?} to {to:?}: {found}, expected {expected}");
        }
    }

    #[test]
    fn what_is_near_is_as_far_as_by_the_functions() {
        let exact = |circle: &Circle, point: Point| {
            let [latitude, longitude] = [point.latitude, point.longitude].map(|units| degrees(units).to_radians());
            let [north, east] =
                [latitude - circle.latitude, longitude - circle.longitude].map(|angle| (angle / 2.0).sin());
            let haversine = north * north + circle.latitude.cos() * latitude.cos() * east * east;
            2.0 * EARTH_RADIUS * haversine.sqrt().min(1.0).asin()
        };
        for latitude in [-90.0, -89.99, -60.0, -0.001, 0.0, 12.3, 34.06893, 71.7, 89.999_999, 90.0] {
            for step in 0..2_000 {
                // From nothing to some degrees, past where the series end, in all directions.
                let (far, turn) = (f64::from(step) * 0.001, f64::from(step) * 0.7);
                let (north, east) = (latitude + far * turn.sin(), 15.0 + far * turn.cos() * 1.3);
                let point = Point::from_degrees(f64::clamp(north, -90.0, 90.0), east).unwrap();
                let circle = Circle::new(latitude, 15.0, f64::INFINITY);
                let (found, expected) = (circle.reaches(point).unwrap(), exact(&circle, point));
                assert!((found - expected).abs() <= 1e-6 + expected * 1e-12, "{latitude} {step}: {found}, {expected}");
            }
        }
    }

    #[test]
    fn points_outside_the_globe_are_none() {
        for (latitude, longitude) in [(90.1, 0.0), (-90.1, 0.0), (0.0, 180.1), (f64::NAN, 0.0), (0.0, f64::INFINITY)] {
            assert_eq!(Point::from_degrees(latitude, longitude), None);
        }
        assert!(Point::from_degrees(-90.0, 180.0).is_some());
    }

    #[test]
    fn bounds_wrap_at_the_antimeridian_and_open_at_the_poles() {
        assert!(Circle::new(0.0, 179.99, 5_000.0).bounds().longitudes[1].is_some());
        assert!(Circle::new(0.0, -180.0, 1.0).bounds().longitudes[1].is_some());
        assert!(Circle::new(0.0, 0.0, 50_000.0).bounds().longitudes[1].is_none());
        assert_eq!(Circle::new(89.9, 10.0, 50_000.0).bounds().longitudes[0], Some((-180 * UNITS, 180 * UNITS)));
        assert_eq!(Circle::new(-90.0, 10.0, 0.001).bounds().longitudes[0], Some((-180 * UNITS, 180 * UNITS)));
    }
}
