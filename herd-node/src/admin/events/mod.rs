//! `GET /events`: positions as they change, as server-sent events.
//!
//! | event | data | |
//! |---|---|---|
//! | `positions` | a list of at most 500 records | first all that are there and wanted, then each client that has moved, with its newest position |
//! | `live` | `{}` | what was there at the beginning, or after `reset`, has been told |
//! | `gone` | a list of names | of clients whose position has expired, or that are not where they are wanted any more |
//! | `reset` | `{}` | this reader was too slow to be told who is gone: whoever is not named from here to `live` is |
//!
//! A record is `{"client","location","time","server","skew","lat","lon"}`: the texts as they were posted, and where that is in degrees.
//! `gone` may name a client that was never told of. `?box=lat_min,lon_min,lat_max,lon_max` (where `lon_min` is the larger, across 180°),
//! `?circle=lat,lon,km` or `?client=ID&client=ID` say whom to tell of; without, everybody. Each connection begins with what is there:
//! `Last-Event-ID` is not looked at. It ends when a reload makes the token another than was shown for it.
//!
//! *Nobody waits for a reader.* What has changed is looked at ten times a second; a reader that does not fetch it costs a bit for each
//! client, and finds the newest positions when it reads again, skipping those in between.

mod area;
mod clients;
mod frame;
mod hub;
mod query;
mod reader;
mod render;
mod seat;
mod stream;
#[cfg(test)]
mod tests;
mod watcher;

pub(super) use hub::{Hub, READERS_MAX};
pub(super) use query::Filter;
pub(super) use reader::Reader;
pub(super) use stream::Stream;

/// What the query asks for.
///
/// # Errors
/// What is wrong with it, in words of ours.
pub(super) fn filter(query: Option<&str>) -> Result<Filter, &'static str> {
    query::parse(query)
}
