//! Readers of every kind, quick, slow and stopped, held against a look at everything that there is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use herd_proto::{At, Hops, PosixTime};
use serde_json::Value;

use super::hub::Hub;
use super::reader::{Reader, Said};
use super::seat::GONE_BYTES_MAX;
use super::{READERS_MAX, query};
use crate::clock;
use crate::journal::Journal;
use crate::net::{Ack, Limits, Live, Shared, SharedParts};
use crate::places::{self, Answer, Places, Query};
use crate::replica::{Candidate, Moves, Replica, Settings};

/// When the tests begin, in seconds since 1970.
const BEGIN: u64 = 1_700_000_000;
const TTL: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct Nowhere;

impl Places for Nowhere {
    fn nearby(&self, _: &Query<'_>) -> Answer {
        Answer::Now(places::none_wanted())
    }
}

/// A server that nobody runs, its readers, and a clock to be set.
struct Stage {
    shared: Arc<Shared>,
    hub: Arc<Hub>,
    now: Instant,
    seconds: u64,
    moves: Moves,
}

impl Stage {
    fn new(ttl: Option<Duration>) -> Self {
        let now = clock::monotonic();
        let settings = Settings { ttl, ..Settings::new("ucla", "Riley", Vec::new()) };
        let live = Live {
            limits: Limits::default(),
            places: Arc::new(Nowhere),
            ack: Ack::default(),
            admin_token: None,
            herd_links: Arc::default(),
            status_every: None,
        };
        let shared = Shared::new(SharedParts {
            name: "Riley".into(),
            replica: Replica::new(settings, now),
            peers: Vec::new(),
            live,
            journal: Journal::off(),
            tls: None,
            disk: None,
            files_max: 1_000,
        });
        let stage =
            Self { shared: Arc::new(shared), hub: Arc::default(), now, seconds: BEGIN, moves: Moves::default() };
        stage.tell_time();
        stage
    }

    fn tell_time(&self) {
        let wall = PosixTime::new(self.seconds, 0).unwrap();
        self.shared.with_replica(|replica| {
            replica.handle_wall_clock(self.now, wall);
            replica.handle_timeout(self.now);
        });
    }

    /// Lets time go by, with all that ends in it.
    fn sleep(&mut self, seconds: u64) {
        self.seconds += seconds;
        self.tell_time();
    }

    fn post(&self, client: &str, location: &str) {
        let line = format!("AT Riley +0.000000000 {client} {location} {}", self.seconds);
        let at = At::parse(line.as_bytes()).unwrap();
        let candidate = Candidate::from_at(&at, Hops::default()).unwrap();
        self.shared.with_replica(|replica| replica.handle_post(&candidate));
    }

    fn reader(&self, query: &str) -> Option<Reader> {
        Reader::new(&self.shared, &self.hub, None, query::parse(Some(query)).unwrap())
    }

    async fn round(&mut self) {
        self.hub.round(&self.shared, &mut self.moves).await;
    }

    /// Everything there is, looked at one by one: each client's place and time.
    fn all(&self) -> Vec<(String, f64, f64, String)> {
        self.shared.look(|replica| {
            let living = replica.records().filter_map(|operands| {
                let text = std::str::from_utf8(operands).unwrap();
                let mut texts = text.split(' ').skip(2);
                let (client, location, time) = (texts.next()?, texts.next()?, texts.next()?);
                replica.find(client.as_bytes())?;
                let location = herd_proto::Location::new(location).unwrap();
                let (latitude, longitude) = (location.latitude().degrees(), location.longitude().degrees());
                Some((client.to_owned(), latitude, longitude, time.to_owned()))
            });
            living.collect()
        })
    }
}

/// What a reader makes of what it is told.
#[derive(Default)]
struct Mirror {
    known: BTreeMap<String, Value>,
    /// Told before a reset, and not since.
    stale: BTreeSet<String>,
    lives: usize,
    resets: usize,
    records: usize,
}

impl Mirror {
    fn hear(&mut self, bytes: &[u8]) {
        let text = std::str::from_utf8(bytes).unwrap();
        assert!(text.ends_with("\n\n"), "{text}");
        for event in text.trim_end().split("\n\n") {
            let (name, data) = event.strip_prefix("event: ").unwrap().split_once("\ndata: ").unwrap();
            let data: Value = serde_json::from_str(data).unwrap();
            match name {
                "positions" => self.hear_positions(data.as_array().unwrap()),
                "gone" => {
                    for client in data.as_array().unwrap() {
                        self.known.remove(client.as_str().unwrap());
                    }
                }
                "live" => {
                    self.lives += 1;
                    std::mem::take(&mut self.stale).iter().for_each(|client| drop(self.known.remove(client)));
                }
                "reset" => {
                    self.resets += 1;
                    self.stale = self.known.keys().cloned().collect();
                }
                other => panic!("{other}"),
            }
        }
    }

    fn hear_positions(&mut self, records: &[Value]) {
        assert!((1..=500).contains(&records.len()));
        self.records += records.len();
        for record in records {
            let client = record["client"].as_str().unwrap().to_owned();
            let time = |record: &Value| record["time"].as_str().unwrap().parse::<u64>().unwrap();
            if let Some(before) = self.known.get(&client) {
                assert!(time(record) >= time(before), "{client} went back: {before} {record}");
            }
            self.stale.remove(&client);
            self.known.insert(client, record.clone());
        }
    }

    /// Hears what there is now, at most so many times.
    fn hear_all(&mut self, reader: &mut Reader, most: usize) {
        for _ in 0..most {
            match reader.say() {
                Said::This(bytes) => self.hear(&bytes),
                Said::Later => {}
                Said::Nothing => return,
            }
        }
    }

    #[track_caller]
    fn assert_is(&self, expected: impl Iterator<Item = (String, f64, f64, String)>, what: &str) {
        let told: Vec<_> = self
            .known
            .values()
            .map(|record| {
                let text = |key: &str| record[key].as_str().unwrap().to_owned();
                (text("client"), record["lat"].as_f64().unwrap(), record["lon"].as_f64().unwrap(), text("time"))
            })
            .collect();
        let mut expected: Vec<_> = expected.collect();
        expected.sort_by(|left, right| left.0.cmp(&right.0));
        assert_eq!(told, expected, "{what}");
    }
}

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// What each query lets through, said in another way than the code that is tested does.
fn is_wanted(query: &str, client: &str, latitude: f64, longitude: f64) -> bool {
    match query {
        "" => true,
        "box=-10,-20,30,40" => (latitude - 10.0).abs() <= 20.0 && (longitude - 10.0).abs() <= 30.0,
        // From 150 east to 150 west: more than 150 away from Greenwich.
        "box=-90,150,90,-150" => longitude.abs() >= 150.0,
        "circle=0,0,3000" => {
            let [north, east] = [latitude, longitude].map(f64::to_radians);
            (north.cos() * east.cos()).acos() * 6_371.008_8 <= 3_000.0
        }
        "client=c3&client=c7&client=nobody" => ["c3", "c7"].contains(&client),
        other => panic!("{other}"),
    }
}

const QUERIES: [&str; 5] =
    ["", "box=-10,-20,30,40", "box=-90,150,90,-150", "circle=0,0,3000", "client=c3&client=c7&client=nobody"];

#[tokio::test]
async fn whatever_happens_and_however_slow_readers_come_to_know_what_there_is() {
    let (mut gone, mut resets) = (0, 0);
    for seed in 0..16 {
        let (mut stage, mut numbers) = (Stage::new(Some(TTL)), Numbers(seed));
        let mut readers: Vec<(&str, u64, Reader, Mirror)> = Vec::new();
        for step in 0..300 {
            match numbers.below(12) {
                0 if readers.len() < 10 => {
                    let query = QUERIES[readers.len() % QUERIES.len()];
                    // Some read whenever they can, some hardly ever.
                    let haste = [10, 1][readers.len() / QUERIES.len()];
                    readers.push((query, haste, stage.reader(query).unwrap(), Mirror::default()));
                }
                1 | 2 => stage.round().await,
                3 => {
                    stage.sleep(numbers.below(40));
                    gone = gone.max(stage.shared.look(|replica| replica.counters().records_forgotten));
                }
                4..=8 => {
                    let (latitude, longitude) = (numbers.below(181), numbers.below(361));
                    let [latitude, longitude] = [(latitude as i64 - 90), (longitude as i64 - 180)];
                    stage.post(&format!("c{}", numbers.below(30)), &format!("{latitude:+03}{longitude:+04}"));
                }
                _ => {
                    for (_, haste, reader, mirror) in &mut readers {
                        if numbers.below(10) < *haste {
                            mirror.hear_all(reader, 1 + numbers.below(3) as usize);
                        }
                    }
                }
            }
            // Time stands still but for `sleep`: a client that moves twice in a second has one position only.
            if step % 3 == 0 {
                stage.sleep(1);
            }
        }
        // That a life has ended is noticed in the second after.
        while stage.shared.look(|replica| replica.records().count()) != stage.all().len() {
            stage.sleep(1);
        }
        stage.round().await;
        for (query, _, reader, mirror) in &mut readers {
            mirror.hear_all(reader, 10_000);
            let wanted = stage
                .all()
                .into_iter()
                .filter(|(client, latitude, longitude, _)| is_wanted(query, client, *latitude, *longitude));
            mirror.assert_is(wanted, &format!("seed {seed}, {query}"));
            assert_eq!(mirror.lives, 1 + mirror.resets);
            resets += mirror.resets;
        }
    }
    assert!(gone > 0, "no slot was ever given to another");
    assert_eq!(resets, 0, "nothing was so much that it had to be told anew");
}

#[tokio::test]
async fn a_reader_that_never_reads_costs_a_bit_a_client_and_finds_the_newest() {
    const CLIENTS: usize = 1_000;
    let mut stage = Stage::new(None);
    let (mut stopped, mut quick) = (stage.reader("").unwrap(), stage.reader("").unwrap());
    let (mut of_stopped, mut of_quick) = (Mirror::default(), Mirror::default());
    of_quick.hear_all(&mut quick, 10_000);
    for lap in 0..100 {
        stage.seconds += 1;
        for client in 0..CLIENTS {
            stage.post(&format!("c{client}"), &format!("+{:02}+{:03}", lap % 90, client % 180));
        }
        stage.round().await;
        of_quick.hear_all(&mut quick, 10_000);
        assert!(stopped.waiting_bytes() <= CLIENTS.div_ceil(64) * 16, "{}", stopped.waiting_bytes());
    }
    assert_eq!(of_quick.records, 100 * CLIENTS, "the quick one was told everything");
    of_stopped.hear_all(&mut stopped, 10_000);
    assert_eq!(of_stopped.records, CLIENTS, "each client once");
    for mirror in [of_stopped, of_quick] {
        mirror.assert_is(stage.all().into_iter(), "");
        assert_eq!(mirror.lives, 1);
    }
}

#[tokio::test]
async fn a_reader_that_can_not_be_told_who_is_gone_is_told_everything_anew() {
    let mut stage = Stage::new(Some(TTL));
    let (mut slow, mut quick) = (stage.reader("").unwrap(), stage.reader("").unwrap());
    let (mut of_slow, mut of_quick) = (Mirror::default(), Mirror::default());
    let name = |number: usize| format!("{number:04}{}", "x".repeat(4_000));
    let most = GONE_BYTES_MAX / (4_004 + 2);
    for round in 0..2 {
        // So many names are kept, and not one more.
        let clients = most + round;
        for client in 0..clients {
            stage.post(&name(client), "+1+2");
        }
        stage.post("stays", "+3+4");
        stage.round().await;
        of_slow.hear_all(&mut slow, 10_000);
        of_quick.hear_all(&mut quick, 10_000);
        assert_eq!(of_slow.known.len(), clients + 1);
        stage.sleep(TTL.as_secs() - 1);
        stage.post("stays", "+5+6");
        // What ends is noticed in the second after.
        stage.sleep(2);
        stage.round().await;
        // One more round, which finds the first not fetched.
        stage.post("more", "+7+8");
        stage.round().await;
        assert!(slow.waiting_bytes() <= 2 * GONE_BYTES_MAX);
        for (mirror, reader) in [(&mut of_slow, &mut slow), (&mut of_quick, &mut quick)] {
            mirror.hear_all(reader, 10_000);
            mirror.assert_is(stage.all().into_iter(), "");
            assert_eq!(mirror.known.len(), 2);
            assert_eq!(mirror.resets, round);
        }
        stage.sleep(10 * TTL.as_secs());
        stage.round().await;
        for (mirror, reader) in [(&mut of_slow, &mut slow), (&mut of_quick, &mut quick)] {
            mirror.hear_all(reader, 10_000);
            assert!(mirror.known.is_empty());
        }
    }
}

/// It never asks its seat who changed or is gone, so nothing of that may be kept there.
#[tokio::test]
async fn a_reader_of_a_few_costs_nothing_for_all_the_others() {
    let mut stage = Stage::new(Some(TTL));
    stage.post("before", "+1+2");
    let (mut reader, mut mirror) = (stage.reader("client=kiwi").unwrap(), Mirror::default());
    for round in 0..4 {
        for client in 0..1_000 {
            stage.post(&format!("{round}-{client}"), "+1+2");
        }
        stage.post("kiwi", "+3+4");
        stage.round().await;
        mirror.hear_all(&mut reader, 10_000);
        assert_eq!((mirror.known.len(), mirror.records), (1, round + 1));
        // All of them end, and that is noticed in the second after.
        stage.sleep(TTL.as_secs() + 1);
        stage.round().await;
        assert_eq!(reader.waiting_bytes(), 0);
        mirror.hear_all(&mut reader, 10_000);
        assert_eq!(mirror.known.len(), 0);
    }
}

#[tokio::test]
async fn changes_are_noted_only_while_somebody_reads_and_places_are_limited() {
    let mut stage = Stage::new(None);
    stage.post("before", "+1+2");
    let taken = |stage: &mut Stage| {
        stage.moves.clear();
        stage.shared.with_replica(|replica| replica.take_moves(&mut stage.moves));
        stage.moves.changed().len()
    };
    assert_eq!(taken(&mut stage), 0);
    let mut readers: Vec<Reader> = (0..READERS_MAX).map(|_| stage.reader("").unwrap()).collect();
    assert!(stage.reader("").is_none());
    stage.post("while", "+1+2");
    assert_eq!(taken(&mut stage), 1);
    readers.pop();
    assert!(stage.reader("").is_some(), "the last place came back");
    readers.clear();
    stage.post("after", "+1+2");
    assert_eq!((taken(&mut stage), stage.hub.readers()), (0, 0));
}
