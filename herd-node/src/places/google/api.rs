//! The two services behind one face: what to ask, how to ask it, what the answer means.

use bytes::Bytes;
use herd_proto::Location;
use http_body_util::Full;
use hyper::{Request, Uri};

use super::client::Upstream;
use super::cut::Cuttable;
use super::fault::Fault;
use super::legacy_api::{self, LegacyApi};
use super::mapping::{self, Place};
use super::new_api::{self, NewApi};
use super::setup::{self, SetupError};
use crate::places::{Backend, Query, Settings};

/// Which of Google's services is asked.
#[derive(Debug)]
pub(super) enum Api {
    Legacy(LegacyApi),
    New(NewApi),
}

/// What was found, for every bound.
#[derive(Debug)]
pub(super) enum Found {
    /// Google's own bytes.
    Bytes(Cuttable),
    /// Places in the legacy shape, to be printed.
    Places(Vec<Place>),
}

impl Api {
    pub(super) fn new(settings: &Settings) -> Result<Self, SetupError> {
        let key = setup::checked_key(settings.key.as_ref())?;
        let place_type = setup::checked_type(settings.place_type.as_deref())?;
        let endpoint = |default| setup::checked_url(settings.base_url.as_deref().unwrap_or(default));
        match settings.backend {
            Backend::Embedded => Err(SetupError::NotGoogle),
            Backend::Google => {
                Ok(Self::New(NewApi { endpoint: endpoint(new_api::ENDPOINT)?, key, mask: settings.mask, place_type }))
            }
            Backend::GoogleLegacy => {
                Ok(Self::Legacy(LegacyApi { endpoint: endpoint(legacy_api::ENDPOINT)?, key, place_type }))
            }
        }
    }

    pub(super) fn endpoint(&self) -> &Uri {
        match self {
            Self::Legacy(api) => &api.endpoint,
            Self::New(api) => &api.endpoint,
        }
    }

    /// All that tells one call from another. Holds no secret.
    pub(super) fn ask(&self, query: &Query<'_>) -> String {
        match self {
            Self::Legacy(_) => LegacyApi::ask(query),
            Self::New(api) => api.ask(query),
        }
    }

    /// The request for what [`Api::ask`] wrote.
    pub(super) fn request(&self, ask: &str) -> Option<Request<Full<Bytes>>> {
        match self {
            Self::Legacy(api) => api.request(ask),
            Self::New(api) => api.request(ask),
        }
    }

    pub(super) fn read(&self, upstream: &Upstream) -> Result<Found, Fault> {
        match self {
            Self::Legacy(_) => LegacyApi::read(upstream).map(Found::Bytes),
            Self::New(_) => NewApi::read(upstream).map(Found::Places),
        }
    }
}

impl Found {
    /// The reply's body, with at most `limit` results.
    pub(super) fn body(&self, limit: usize) -> Bytes {
        match self {
            Self::Bytes(reply) => reply.cut(limit),
            Self::Places(places) => Bytes::from(mapping::reply(&places[..limit.min(places.len())])),
        }
    }
}

/// Digits past these change nothing on the ground, and a URL of thousands of them would be refused.
const COORDINATE_MAX: usize = 24;

/// Latitude and longitude in degrees: the client's own digits, unless there are absurdly many.
pub(super) fn coordinates(location: Location<'_>) -> (String, String) {
    let text = location.lat_lng().to_string();
    match text.split_once(',') {
        Some((latitude, longitude)) if latitude.len() <= COORDINATE_MAX && longitude.len() <= COORDINATE_MAX => {
            (latitude.into(), longitude.into())
        }
        _ => (location.latitude().to_string(), location.longitude().to_string()),
    }
}

#[cfg(test)]
mod tests {
    use herd_proto::Location;

    use super::coordinates;

    #[test]
    fn coordinates_keep_the_clients_digits_within_reason() {
        let of = |text: &str| coordinates(Location::new(text).unwrap());
        assert_eq!(of("+34.068930-118.445127/"), ("34.068930".into(), "-118.445127".into()));
        assert_eq!(of("-00.0+007.5"), ("-00.0".into(), "007.5".into()));
        let absurd = format!("+1.{}-2.5", "0".repeat(5000));
        assert_eq!(of(&absurd), ("1.000000000".into(), "-2.500000000".into()));
    }
}
