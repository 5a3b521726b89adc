//! How fast a track is played.

use std::fmt;
use std::str::FromStr;

/// What `--speed` must be.
const WRONG: &str = "expected how many times as fast, from 0.001x to 1000000x, such as 10x or 0.5, or max";

/// Thousandths of the fastest and the slowest.
const FASTEST: u64 = 1_000_000_000;
const SLOWEST: u64 = 1;

/// How many seconds of a track go by in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speed {
    /// So many thousandths: exact, as no float is.
    Thousandths(u64),
    /// As fast as the server answers.
    Max,
}

impl Speed {
    /// How long it takes to play so many nanoseconds.
    pub(super) const fn playing(self, nanos: u128) -> u128 {
        match self {
            // No time goes beyond 2^64 seconds: this is far from 2^128.
            Self::Thousandths(speed) => nanos * 1_000 / speed as u128,
            Self::Max => 0,
        }
    }
}

impl FromStr for Speed {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let number = text.strip_suffix('x').unwrap_or(text);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > 3 || whole.len() > 7 {
            return Err(WRONG);
        }
        let thousandths = format!("{whole}{fraction:0<3}").parse().map_err(|_| WRONG)?;
        if (SLOWEST..=FASTEST).contains(&thousandths) { Ok(Self::Thousandths(thousandths)) } else { Err(WRONG) }
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Thousandths(speed) if speed % 1_000 == 0 => write!(f, "{}x", speed / 1_000),
            Self::Thousandths(speed) => {
                let text = format!("{}.{:03}", speed / 1_000, speed % 1_000);
                write!(f, "{}x", text.trim_end_matches('0'))
            }
            Self::Max => f.write_str("max"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_exact() {
        let cases =
            [("1x", 1_000), ("10", 10_000), ("0.5x", 500), ("2.25", 2_250), ("0.001x", 1), ("1000000x", 1_000_000_000)];
        for (text, thousandths) in cases {
            assert_eq!(text.parse(), Ok(Speed::Thousandths(thousandths)), "{text}");
        }
        assert_eq!("max".parse(), Ok(Speed::Max));
        for text in ["", "x", "0", "0x", "0.0001", "1000000.001", "10000000", "-1", "1e3", "1.", ".5", "MAX", "10xx"] {
            assert_eq!(text.parse::<Speed>(), Err(WRONG), "{text}");
        }
        let shown = ["10x", "0.5", "2.25x", "max"].map(|text| text.parse::<Speed>().unwrap().to_string());
        assert_eq!(shown, ["10x", "0.5x", "2.25x", "max"]);
    }
}
