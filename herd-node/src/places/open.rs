//! Settings to a backend.

use std::sync::Arc;

use super::embedded::{Embedded, LoadError};
use super::google::{Google, SetupError, Spent};
use super::{Backend, Fallback, Places, Settings};

/// Why no backend could be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A file of places can't be used.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Google can't be asked with these settings.
    #[error(transparent)]
    Google(#[from] SetupError),
}

/// The backend that `settings` ask for.
///
/// # Errors
/// See [`OpenError`]; the message names the setting or the file.
pub fn open(settings: &Settings) -> Result<Arc<dyn Places>, OpenError> {
    open_after(settings, None)
}

/// The same, to take the place of one that has spent `spent` on calls ([`Places::spent`]).
///
/// # Errors
/// As [`open`].
pub fn open_after(settings: &Settings, spent: Option<Spent>) -> Result<Arc<dyn Places>, OpenError> {
    Ok(match settings.backend {
        Backend::Embedded => Arc::new(Embedded::new(settings)?),
        Backend::Google | Backend::GoogleLegacy if settings.fallback => {
            Arc::new(Fallback::new(Google::after(settings, spent)?, Arc::new(Embedded::new(settings)?)))
        }
        Backend::Google | Backend::GoogleLegacy => Arc::new(Google::after(settings, spent)?),
    })
}
