//! What sort of place it is: how prominent, how large, and what Google would call it.

/// Sorts of places, as far as ranking cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Locality,
    LargeAirport,
    MediumAirport,
    SmallAirport,
    SeaplaneBase,
    Balloonport,
    Heliport,
    /// Anything a user's file has.
    Other,
}

impl Kind {
    /// The kinds of the data file, in the order of its numbers.
    pub(super) const BUNDLED: [Self; 7] = [
        Self::Locality,
        Self::LargeAirport,
        Self::MediumAirport,
        Self::SmallAirport,
        Self::SeaplaneBase,
        Self::Balloonport,
        Self::Heliport,
    ];

    /// The types Google gives such a place.
    pub(super) const fn types(self) -> &'static [&'static str] {
        match self {
            Self::Locality => &["locality", "political"],
            Self::LargeAirport | Self::MediumAirport | Self::SmallAirport => {
                &["airport", "point_of_interest", "establishment"]
            }
            Self::SeaplaneBase => &["seaplane_base", "airport", "point_of_interest", "establishment"],
            Self::Balloonport => &["balloonport", "airport", "point_of_interest", "establishment"],
            Self::Heliport => &["heliport", "point_of_interest", "establishment"],
            Self::Other => &["point_of_interest", "establishment"],
        }
    }

    /// How prominent it is where it stands: the logarithm of its people, or of the people of a town of the same standing.
    pub(super) fn prominence(self, population: u32) -> f32 {
        let people = match self {
            Self::Locality => f64::from(population),
            Self::LargeAirport => 1_000_000.0,
            Self::MediumAirport => 50_000.0,
            Self::SmallAirport => 1_500.0,
            Self::SeaplaneBase => 500.0,
            Self::Balloonport | Self::Heliport => 300.0,
            Self::Other => f64::from(population).max(1_000.0),
        };
        // The thousand keeps a near village ahead of a far suburb, and a place of unknown population above nothing at all.
        (people + 1_000.0).ln() as f32
    }

    /// Half the height of what a map should show of it, in metres.
    pub(super) fn extent(self, population: u32) -> u16 {
        match self {
            // Twenty-five people to the hectare, and half as much again around them.
            Self::Locality => (f64::from(population).sqrt() * 15.0).clamp(500.0, 30_000.0) as u16,
            Self::LargeAirport => 4_000,
            Self::MediumAirport => 2_000,
            Self::SmallAirport | Self::SeaplaneBase => 800,
            Self::Balloonport | Self::Heliport | Self::Other => 150,
        }
    }
}
