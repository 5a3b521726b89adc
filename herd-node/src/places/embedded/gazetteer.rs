//! The places themselves, in memory: a compact row each, their text in one arena, and the way to add them.

use super::escape;
use super::index::Index;
use super::interner::Interner;
use super::kind::Kind;
use super::point::Point;

/// The most places of one gazetteer: bounds what user files can take of memory (about 40 bytes each, and their text).
pub(super) const PLACES_MAX: usize = 10_000_000;

/// The longest name, id, vicinity or list of types, in bytes: bounds a reply, of which 20 have to fit a client's output.
pub(super) const TEXT_MAX: usize = 1_024;

/// Where a place comes from: its `place_id` and its credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    GeoNames,
    OurAirports,
    /// The operator's own, with no credit.
    File,
}

/// The id of a place within its source.
#[derive(Clone, Copy, Debug)]
pub(super) enum Id<'a> {
    Number(u32),
    Text(&'a str),
}

/// A place to add; its texts as they are, not escaped.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewPlace<'a> {
    pub(super) point: Point,
    pub(super) source: Source,
    pub(super) kind: Kind,
    pub(super) name: &'a str,
    pub(super) id: Id<'a>,
    /// From [`Builder::types`].
    pub(super) types: u32,
    /// From [`Builder::vicinity`].
    pub(super) vicinity: u32,
    /// People; 0 where that is not known.
    pub(super) population: u32,
}

/// A place, 36 bytes. Its name and id stand one after the other in the arena, as JSON without the quotes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) point: Point,
    /// Where the name begins in the arena.
    text: u32,
    /// The id if it is a number, or where it begins in the arena.
    id: u32,
    name_length: u16,
    /// 0 for an id that is a number.
    id_length: u16,
    types: u32,
    vicinity: u32,
    /// See [`Kind::prominence`].
    pub(super) prominence: f32,
    /// Half the height of what a map should show of it, in metres.
    pub(super) extent: u16,
    pub(super) source: Source,
    pub(super) kind: Kind,
}

/// Why a place could not be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// There are [`PLACES_MAX`] of them.
    Places,
    /// A text is over [`TEXT_MAX`].
    Text,
    /// The arena has 4 GiB.
    Arena,
}

/// Places that can be searched.
#[derive(Debug)]
pub(super) struct Gazetteer {
    index: Index,
    arena: String,
    types: Interner,
    vicinities: Interner,
}

impl Gazetteer {
    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    /// The name, as JSON without the quotes.
    pub(super) fn name(&self, place: &Place) -> &str {
        self.text(place.text, place.name_length)
    }

    /// The id; text as JSON without the quotes.
    pub(super) fn id(&self, place: &Place) -> Id<'_> {
        match place.id_length {
            0 => Id::Number(place.id),
            length => Id::Text(self.text(place.id, length)),
        }
    }

    /// The types, as a JSON array.
    pub(super) fn types(&self, place: &Place) -> &str {
        self.types.get(place.types)
    }

    /// The vicinity, as JSON without the quotes; empty if it is not known.
    pub(super) fn vicinity(&self, place: &Place) -> &str {
        self.vicinities.get(place.vicinity)
    }

    fn text(&self, start: u32, length: u16) -> &str {
        let start = start as usize;
        self.arena.get(start..start + usize::from(length)).unwrap_or_default()
    }
}

/// Collects places.
#[derive(Debug, Default)]
pub(super) struct Builder {
    places: Vec<Place>,
    arena: String,
    types: Interner,
    vicinities: Interner,
    scratch: String,
}

impl Builder {
    /// Makes room for `places` more with `text` bytes of names and ids.
    pub(super) fn reserve(&mut self, places: usize, text: usize) {
        self.places.reserve(places.min(PLACES_MAX));
        self.arena.reserve(text);
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// A number for a list of types.
    pub(super) fn types<'a>(&mut self, types: impl IntoIterator<Item = &'a str>) -> Result<u32, Full> {
        self.scratch.clear();
        for name in types {
            self.scratch.push_str(if self.scratch.is_empty() { "[ \"" } else { ", \"" });
            escape::push(&mut self.scratch, name);
            self.scratch.push('"');
        }
        self.scratch.push_str(if self.scratch.is_empty() { "[]" } else { " ]" });
        if self.scratch.len() > TEXT_MAX {
            return Err(Full::Text);
        }
        self.types.intern(&self.scratch).ok_or(Full::Arena)
    }

    /// A number for a vicinity; empty text for none.
    pub(super) fn vicinity(&mut self, text: &str) -> Result<u32, Full> {
        if text.len() > TEXT_MAX {
            return Err(Full::Text);
        }
        self.scratch.clear();
        escape::push(&mut self.scratch, text);
        self.vicinities.intern(&self.scratch).ok_or(Full::Arena)
    }

    /// Adds a place.
    pub(super) fn add(&mut self, new: &NewPlace<'_>) -> Result<(), Full> {
        if self.places.len() >= PLACES_MAX {
            return Err(Full::Places);
        }
        let (text, name_length) = self.store(new.name)?;
        let (id, id_length) = match new.id {
            Id::Number(number) => (number, 0),
            Id::Text(id) => self.store(id)?,
        };
        self.places.push(Place {
            point: new.point,
            text,
            id,
            name_length,
            id_length,
            types: new.types,
            vicinity: new.vicinity,
            prominence: new.kind.prominence(new.population),
            extent: new.kind.extent(new.population),
            source: new.source,
            kind: new.kind,
        });
        Ok(())
    }

    /// The places, ready to be searched.
    pub(super) fn finish(mut self) -> Gazetteer {
        self.arena.shrink_to_fit();
        Gazetteer {
            index: Index::new(self.places),
            arena: self.arena,
            types: self.types.finish(),
            vicinities: self.vicinities.finish(),
        }
    }

    fn store(&mut self, text: &str) -> Result<(u32, u16), Full> {
        if text.len() > TEXT_MAX {
            return Err(Full::Text);
        }
        let start = self.arena.len();
        escape::push(&mut self.arena, text);
        let length = u16::try_from(self.arena.len() - start).map_err(|_| Full::Text)?;
        Ok((u32::try_from(start).map_err(|_| Full::Arena)?, length))
    }
}
