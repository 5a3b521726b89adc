//! `location`: ISO 6709 point locations (WIRE §2.3).

use nom::Parser;
use nom::combinator::opt;

use super::values::sign;
use super::{Failure, Input, Parsed, Stop, billionths, complete, digits, fraction, whole_number};
use crate::Expected;
use crate::digits::short_decimal;
use crate::location::{Angle, Position};

/// `location = latitude longitude [ altitude ] [ crs ] [ "/" ]`
pub(crate) fn location(text: &[u8]) -> Result<Position, Stop> {
    let whole = (point(text.len()), opt(altitude), crs, opt(solidus));
    complete(text, Expected::LocationEnd, whole).map(|(position, ..)| position)
}

/// `point = latitude longitude`, both in the same form.
fn point<'a>(text_len: usize) -> impl Parser<Input<'a>, Output = Position, Error = Failure<'a>> {
    move |input| {
        let (after_latitude, (latitude, form)) = angle(input, &LATITUDE)?;
        let (rest, (longitude, other_form)) = angle(after_latitude, &LONGITUDE)?;
        if form != other_form {
            return Failure::at(after_latitude, Expected::SameForm);
        }
        let ends = || Some((ends_at(text_len, after_latitude)?, ends_at(text_len, rest)?));
        let degrees_text = if form == Form::Degrees { ends() } else { None };
        Ok((rest, Position { latitude, longitude, degrees_text }))
    }
}

fn ends_at(text_len: usize, rest: Input<'_>) -> Option<u32> {
    u32::try_from(text_len - rest.len()).ok()
}

/// What the integer digits of an angle count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `DD`
    Degrees,
    /// `DDMM`
    Minutes,
    /// `DDMMSS`
    Seconds,
}

/// What sets latitude and longitude apart.
struct Axis {
    /// How many digits whole degrees have in the forms with minutes.
    degree_digits: usize,
    degrees_max: u64,
    wrong_digits: Expected,
    out_of_range: Expected,
}

const LATITUDE: Axis = Axis {
    degree_digits: 2,
    degrees_max: 90,
    wrong_digits: Expected::LatitudeDigits,
    out_of_range: Expected::Latitude,
};

const LONGITUDE: Axis = Axis {
    degree_digits: 3,
    degrees_max: 180,
    wrong_digits: Expected::LongitudeDigits,
    out_of_range: Expected::Longitude,
};

impl Axis {
    /// The form that so many integer digits mean.
    fn form(&self, digits: usize) -> Option<Form> {
        match digits {
            count if (1..=self.degree_digits).contains(&count) => Some(Form::Degrees),
            count if count == self.degree_digits + 2 => Some(Form::Minutes),
            count if count == self.degree_digits + 4 => Some(Form::Seconds),
            _ => None,
        }
    }
}

/// `latitude = sign ( 1*2DIGIT / 4DIGIT / 6DIGIT ) [ "." 1*DIGIT ]`, `longitude` likewise.
fn angle<'a>(input: Input<'a>, axis: &Axis) -> Parsed<'a, (Angle, Form)> {
    let (after_sign, sign) = sign(input)?;
    let (rest, whole_len, number) = decimal(after_sign)?;
    let Some(form) = axis.form(whole_len) else {
        return Failure::at(after_sign, axis.wrong_digits);
    };
    match nanodegrees(number, form, axis) {
        Ok(magnitude) if sign == b'-' => Ok((rest, (Angle::from_nanodegrees(-magnitude), form))),
        Ok(magnitude) => Ok((rest, (Angle::from_nanodegrees(magnitude), form))),
        Err(expected) => Failure::at(input, expected),
    }
}

/// A number without a sign.
#[derive(Clone, Copy)]
struct Decimal {
    /// `None` from 2^64 on.
    whole: Option<u64>,
    billionths: u64,
    /// There is more behind the ninth decimal.
    beyond: bool,
}

/// `1*DIGIT [ "." 1*DIGIT ]`, and how many digits stand before the point.
#[inline]
fn decimal(input: Input<'_>) -> Result<(Input<'_>, usize, Decimal), nom::Err<Failure<'_>>> {
    if let Some(short) = short_decimal(input) {
        let rest = input.get(short.len()..).unwrap_or_default();
        let decimal = Decimal { whole: Some(short.whole), billionths: short.fraction, beyond: false };
        return Ok((rest, short.whole_len, decimal));
    }
    let (after_whole, whole) = digits(input)?;
    let (rest, decimals) = fraction(after_whole)?;
    let (billionths, beyond) = billionths(decimals);
    Ok((rest, whole.len(), Decimal { whole: whole_number(whole), billionths, beyond }))
}

/// The magnitude of an angle. At most seven integer digits get here, so nothing overflows.
fn nanodegrees(number: Decimal, form: Form, axis: &Axis) -> Result<i64, Expected> {
    let Decimal { whole, billionths, beyond } = number;
    let whole = whole.ok_or(axis.out_of_range)?;
    let (units_per_degree, units) = match form {
        Form::Degrees => (1, whole),
        Form::Minutes if whole % 100 >= 60 => return Err(Expected::SixtyMinutes),
        Form::Minutes => (60, whole / 100 * 60 + whole % 100),
        Form::Seconds if whole / 100 % 100 >= 60 => return Err(Expected::SixtyMinutes),
        Form::Seconds if whole % 100 >= 60 => return Err(Expected::SixtySeconds),
        Form::Seconds => (3600, whole / 10_000 * 3600 + whole / 100 % 100 * 60 + whole % 100),
    };
    let billionths_of_unit = units * 1_000_000_000 + billionths;
    let max = axis.degrees_max * units_per_degree * 1_000_000_000;
    if billionths_of_unit > max || (billionths_of_unit == max && beyond) {
        return Err(axis.out_of_range);
    }
    i64::try_from(billionths_of_unit / units_per_degree).map_err(|_| axis.out_of_range)
}

/// `altitude = sign 1*DIGIT [ "." 1*DIGIT ]`, in the unit of the reference system; checked and kept only as text.
fn altitude(input: Input<'_>) -> Parsed<'_, ()> {
    // A sign here begins an altitude and nothing else: past it, a mistake is the altitude's.
    let (rest, _) = sign(input)?;
    let committed = |error| match error {
        nom::Err::Error(stop) => nom::Err::Failure(stop),
        other => other,
    };
    let (rest, _) = (digits, fraction).parse(rest).map_err(committed)?;
    Ok((rest, ()))
}

/// `crs = "CRS" 1*( %x21-2E / %x30-7E )`: the name of a coordinate reference system, kept only as text.
fn crs(input: Input<'_>) -> Parsed<'_, ()> {
    let Some(name) = input.strip_prefix(b"CRS") else {
        return Ok((input, ()));
    };
    let end = name.iter().position(|byte| !byte.is_ascii_graphic() || *byte == b'/').unwrap_or(name.len());
    if end == 0 { Failure::at(name, Expected::CrsName) } else { Ok((&name[end..], ())) }
}

/// `"/"`
fn solidus(input: Input<'_>) -> Parsed<'_, ()> {
    match input.strip_prefix(b"/") {
        Some(rest) => Ok((rest, ())),
        None => Failure::at(input, Expected::LocationEnd),
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use crate::{Expected, Location};

    fn nanodegrees_of(text: &str) -> (i64, i64) {
        let location = Location::new(text).unwrap();
        (location.latitude().nanodegrees(), location.longitude().nanodegrees())
    }

    #[test]
    fn all_three_forms_mean_the_same_point() {
        assert_eq!(nanodegrees_of("+34.5-118.25"), (34_500_000_000, -118_250_000_000));
        assert_eq!(nanodegrees_of("+3430-11815"), (34_500_000_000, -118_250_000_000));
        assert_eq!(nanodegrees_of("+343000-1181500.0/"), (34_500_000_000, -118_250_000_000));
    }

    #[test]
    fn the_rim_of_the_world_is_exact() {
        for text in ["+90-180", "-90.000000000000+180.0", "+9000+18000", "+900000.0-1800000.000"] {
            assert!(Location::new(text).is_ok(), "{text}");
        }
        for text in [
            "+90.0000000000000001+0",
            "+0-180.00000000000001",
            "+9000.000000000000001+00000",
            "+91+0",
            "+900001+0000000",
        ] {
            let error = Location::new(text).unwrap_err();
            assert!(matches!(error.expected, Expected::Latitude | Expected::Longitude), "{text}: {error}");
        }
    }

    #[test]
    fn web_form_keeps_the_clients_digits() {
        let lat_lng = |text| Location::new(text).unwrap().lat_lng().to_string();
        assert_eq!(lat_lng("+34.068930-118.445127+30CRSWGS_84/"), "34.068930,-118.445127");
        assert_eq!(lat_lng("-0.5+7"), "-0.5,7");
        assert_eq!(lat_lng("+3430-11815"), "34.500000000,-118.250000000");
    }
}
