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

use super::{Answer, Places, Query, Reply, Settings};
use gazetteer::Gazetteer;
use point::Circle;

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
        let metres = query.radius.micrometres() as f64 / 1e6;
        let circle = Circle::around(query.location, metres);
        let hits = rank::best(self.gazetteer.index(), &circle, query.limit.get().into());
        Answer::Now(Reply { body: render::reply(&self.gazetteer, &hits), failure: None })
    }
}

/// The data itself is left out: it is long.
impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedded").field("places", &self.len()).finish_non_exhaustive()
    }
}
