//! Places without a key and without a network: data that comes with the server, or the operator's own files.
//!
//! It promises an answer in microseconds, from memory, and the same answer to the same question: only places within the
//! radius by great-circle distance, the most prominent first. It never fails once it is loaded. What is known of a place, and
//! who is to be credited, is written in `data/README.md`.

mod bundle;
mod error;
mod escape;
mod files;
mod gazetteer;
mod index;
mod interner;
mod kind;
mod point;
mod rank;
mod render;
#[cfg(test)]
mod tests;

pub use error::{Expected, LoadError};

use std::sync::Arc;

use super::{Answer, Appended, Places, Query, Reply, Settings};
use gazetteer::Gazetteer;
use point::Circle;

/// So many places are looked at in the time that a client's line takes.
const PLACES_A_LINE: usize = 8;

/// The backend whose data is in memory. Clones share it.
#[derive(Clone)]
pub struct Embedded {
    gazetteer: Arc<Gazetteer>,
}

impl Embedded {
    /// Loads the files of [`Settings::data`], or, if there are none, the data that comes with the server.
    ///
    /// That data is unpacked once in a process, however many backends are made of it.
    ///
    /// # Errors
    /// A file that can't be read, or that is not what its extension says; the first fault is told.
    pub fn new(settings: &Settings) -> Result<Self, LoadError> {
        let gazetteer = if settings.data.is_empty() {
            bundle::places().ok_or(LoadError::Bundle)?
        } else {
            Arc::new(files::load(&settings.data)?)
        };
        Ok(Self { gazetteer })
    }

    /// How many places are known.
    pub fn len(&self) -> usize {
        self.gazetteer.index().len()
    }

    /// Whether no place is known. Never: loading nothing is an error.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Places for Embedded {
    fn nearby(&self, query: &Query<'_>) -> Answer {
        let mut body = Vec::new();
        self.append_nearby(query, &mut body);
        Answer::Now(Reply { body: body.into(), failure: None })
    }

    fn append_nearby(&self, query: &Query<'_>, out: &mut Vec<u8>) -> Appended {
        let metres = query.radius.micrometres() as f64 / 1e6;
        let circle = Circle::around(query.location, metres);
        let (hits, looked_at) = rank::best(self.gazetteer.index(), &circle, query.limit.get().into());
        let start = out.len();
        render::reply(out, &self.gazetteer, &hits);
        Appended::Now { failure: None, effort: super::effort_of(out.len() - start) + looked_at / PLACES_A_LINE }
    }
}

/// The data itself is left out: it is long.
impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedded").field("places", &self.len()).finish_non_exhaustive()
    }
}
