//! What is near, from the embedded places.

use std::hint::black_box;

use criterion::Criterion;
use herd_node::places::{Embedded, Places, Query, Settings};
use herd_proto::{Limit, Location, Radius};

/// The best twenty around a city, the JSON included.
pub(crate) fn nearby(criterion: &mut Criterion) {
    let embedded = Embedded::new(&Settings::default()).expect("the data that comes with the server");
    let location = Location::new("+34.068930-118.445127").expect("a location");
    let mut group = criterion.benchmark_group("embedded places");
    for kilometres in ["10", "50"] {
        let query = Query { location, radius: Radius::new(kilometres).expect("a radius"), limit: Limit::MAX };
        group.bench_function(format!("20 within {kilometres} km"), |bencher| {
            bencher.iter(|| embedded.nearby(black_box(&query)));
        });
    }
    group.finish();
}
