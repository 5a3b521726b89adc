//! `/events` over real connections: what is told, in time, and that a reader keeps nobody waiting.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use herd_node::secret::Secret;
use serde_json::Value;
use socket2::{Domain, Socket, Type};
use tokio::net::TcpStream;

use super::super::support::{Client, TestHerd, posix, soon};
use super::{Answer, ask, get, json, start, watched};

/// Readers at once.
const READERS_MAX: usize = 16;

/// A reader of events.
struct Events {
    client: Client,
    /// Bytes of all that was read.
    bytes: usize,
}

impl Events {
    async fn open(address: SocketAddr, query: &str) -> Self {
        Self::over(Client::connect(address).await, address, query).await
    }

    async fn over(client: Client, address: SocketAddr, query: &str) -> Self {
        Self::asked(client, &format!("GET /events{query} HTTP/1.0\r\nHost: {address}\r\n\r\n")).await
    }

    async fn asked(mut client: Client, request: &str) -> Self {
        client.send(request).await;
        let mut events = Self { client, bytes: 0 };
        let mut head = String::new();
        loop {
            match events.client.text().await.trim_end() {
                "" => break,
                line => head += &format!("{line}\n"),
            }
        }
        assert!(head.starts_with("HTTP/1.0 200") && head.contains("content-type: text/event-stream"), "{head}");
        assert_eq!(events.client.text().await, "retry: 2000");
        assert_eq!(events.client.text().await, "");
        events
    }

    /// The next event: its name and its data.
    async fn next(&mut self) -> (String, Value) {
        let name = self.client.text().await;
        let data = self.client.text().await;
        assert_eq!(self.client.text().await, "");
        self.bytes += name.len() + data.len() + 3;
        let name = name.strip_prefix("event: ").unwrap_or_else(|| panic!("{name} {data}")).to_owned();
        (name, serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap())
    }

    /// Reads up to `live`, and gives the clients that were there.
    async fn live(&mut self) -> Vec<String> {
        let mut clients = Vec::new();
        loop {
            match self.next().await {
                (name, data) if name == "positions" => clients.extend(names(&data)),
                (name, data) => {
                    assert_eq!((name.as_str(), data), ("live", serde_json::json!({})));
                    clients.sort();
                    return clients;
                }
            }
        }
    }
}

fn names(records: &Value) -> Vec<String> {
    records.as_array().unwrap().iter().map(|record| record["client"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_is_told_what_is_there_and_then_what_moves() {
    let (herd, address) = start().await;
    let mut client = herd.connect("Riley").await;
    let hostile = "</script><b>\"\\\u{1b}[2J\u{202e}é";
    let told = client.post(hostile, "+34.068930-118.445127", "1621464827.959498503").await;
    let mut reader = Events::open(address, "").await;
    let (name, records) = reader.next().await;
    assert_eq!((name.as_str(), reader.live().await), ("positions", Vec::new()));
    let texts: Vec<&str> = told.split(' ').collect();
    let expected = serde_json::json!([{
        "client": hostile, "location": "+34.068930-118.445127", "time": "1621464827.959498503",
        "server": "Riley", "skew": texts[1], "lat": 34.06893, "lon": -118.445127,
    }]);
    assert_eq!(records, expected);
    client.post("kiwi", "+4530.5+00000.3/", "5").await;
    let (name, records) = reader.next().await;
    assert_eq!((name.as_str(), names(&records)), ("positions", vec!["kiwi".to_owned()]));
    assert_eq!((records[0]["lat"].as_f64(), records[0]["lon"].as_f64()), (Some(45.508_333_333), Some(0.005)));
    // What changes nothing is not told; the next that does is.
    client.post("kiwi", "+1+2", "4").await;
    client.post("kiwi", "+7+8", "6").await;
    let (_, records) = reader.next().await;
    assert_eq!((records[0]["location"].as_str(), records.as_array().unwrap().len()), (Some("+7+8"), 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_has_so_many_records_and_not_one_more() {
    let (herd, address) = start().await;
    let mut client = herd.connect("Riley").await;
    for number in 0..501 {
        client.post(&format!("c{number}"), "+1+2", "3").await;
    }
    let mut reader = Events::open(address, "").await;
    let (mut sizes, mut all) = (Vec::new(), 0);
    loop {
        let (name, records) = reader.next().await;
        if name == "live" {
            break;
        }
        sizes.push(records.as_array().unwrap().len());
        all += sizes.last().unwrap();
    }
    assert!(all == 501 && sizes.iter().all(|size| (1..=500).contains(size)), "{sizes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_hears_of_those_that_it_asked_for() {
    let (herd, address) = start().await;
    let mut client = herd.connect("Riley").await;
    let mut readers = BTreeMap::new();
    for query in
        ["?box=-10,170,10,-170", "?circle=0,180,500", "?client=a%26b&client=later&client=b+c", "?box=50,-1,52,1"]
    {
        let mut reader = Events::open(address, query).await;
        assert!(reader.live().await.is_empty(), "nobody is there yet");
        readers.insert(query, reader);
    }
    let posts = [
        ("east", "+00+179"),
        ("west", "+00-179"),
        ("edge", "+10+170"),
        ("antimeridian", "+00-180"),
        ("home", "+51+000"),
        ("a&b", "+80+000"),
        ("b+c", "+81+000"),
        // Outside of everything: when it is told, nothing is left to be told before it.
        ("later", "-80+090"),
    ];
    for (name, location) in posts {
        client.post(name, location, "3").await;
    }
    let expected: [(&str, &[&str]); 4] = [
        ("?box=-10,170,10,-170", &["antimeridian", "east", "edge", "west"]),
        ("?circle=0,180,500", &["antimeridian", "east", "west"]),
        ("?client=a%26b&client=later&client=b+c", &["a&b", "b+c", "later"]),
        ("?box=50,-1,52,1", &["home"]),
    ];
    for (query, expected) in expected {
        let (reader, mut heard) = (readers.get_mut(query).unwrap(), Vec::new());
        while heard.len() < expected.len() {
            heard.extend(names(&reader.next().await.1));
        }
        heard.sort();
        assert_eq!(heard, expected, "{query}");
        // One that comes now finds the same.
        assert_eq!(Events::open(address, query).await.live().await, expected, "{query}");
    }
    // Who goes elsewhere is gone; who comes is there.
    client.post("east", "+51+000.5", "4").await;
    for query in ["?box=-10,170,10,-170", "?circle=0,180,500"] {
        assert_eq!(readers.get_mut(query).unwrap().next().await, ("gone".to_owned(), serde_json::json!(["east"])));
    }
    let (name, records) = readers.get_mut("?box=50,-1,52,1").unwrap().next().await;
    assert_eq!((name.as_str(), names(&records)), ("positions", vec!["east".to_owned()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_longest_name_of_a_client_can_be_asked_for_however_it_is_written() {
    let (herd, address) = start().await;
    let mut client = herd.connect("Riley").await;
    let long = "é".repeat(2_048);
    client.post(&long, "+1+1", "3").await;
    let query = format!("?client={}", "%C3%A9".repeat(2_048));
    assert_eq!(Events::open(address, &query).await.live().await, [long]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_expires_is_gone() {
    let mut config = watched();
    config.replication.ttl = Some(Duration::from_secs(1));
    let herd = TestHerd::start(config).await;
    let address = herd.settings("Riley").admin.unwrap();
    let mut readers = Vec::new();
    for query in ["", "?box=0,0,10,10", "?client=kiwi"] {
        let mut reader = Events::open(address, query).await;
        reader.live().await;
        readers.push(reader);
    }
    herd.connect("Riley").await.post("kiwi", "+1+2", &posix(0)).await;
    for reader in &mut readers {
        assert_eq!(names(&reader.next().await.1), ["kiwi"]);
        assert_eq!(reader.next().await, ("gone".to_owned(), serde_json::json!(["kiwi"])));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_query_is_told_what_was_expected_and_nothing_of_itself() {
    let (herd, address) = start().await;
    let queries = [
        "box=",
        "box=1,2,3",
        "box=1,2,3,4,5",
        "box=10,0,0,1",
        "box=0,0,91,0",
        "box=0,0,1,181",
        "box=nan,0,1,1",
        "box=a,b,c,d",
        "circle=1,2",
        "circle=1,2,0",
        "circle=1,2,-3",
        "circle=1,2,99999",
        "client=",
        "client=%ff",
        "client=a%20b",
        "client=%",
        "client=%4",
        "boxes=1",
        "box",
        "box=0,0,1,1&box=0,0,1,1",
        "client=a&box=0,0,1,1",
        "=",
        "?",
        "client=a&x=%3Cb%3E",
    ];
    for query in queries {
        let answer = get(address, &format!("/events?{query}")).await;
        assert_eq!(answer.status, 400, "{query}: {answer:?}");
        let why = json(&answer)["error"].as_str().unwrap().to_owned();
        let expected = ["a box is ", "a circle is ", "a client is ", "a query is ", "% needs ", "one box, or "];
        assert!(expected.iter().any(|start| why.starts_with(start)), "{query}: {why}");
    }
    assert_eq!(herd.handle("Riley").status().refused["admin_invalid"], queries.len() as u64);
    // Only what is said before the events.
    let head = ask(address, "HEAD /events HTTP/1.1\r\n\r\n").await;
    assert!(head.status == 200 && head.head.contains("text/event-stream") && head.body.is_empty(), "{head:?}");
    assert_eq!(ask(address, "POST /events HTTP/1.1\r\ncontent-length: 0\r\n\r\n").await.status, 405);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_readers_and_not_one_more_and_they_starve_nobody() {
    let (_herd, address) = start().await;
    let mut readers = Vec::new();
    for _ in 0..READERS_MAX {
        let mut reader = Events::open(address, "").await;
        reader.live().await;
        readers.push(reader);
    }
    get(address, "/events").await.assert_refuses(503, "16 readers of events are there");
    assert_eq!(get(address, "/healthz").await.status, 200);
    assert_eq!(json(&get(address, "/status.json").await)["refused"]["admin_readers_full"], 1);
    // One goes, and its place is free though nothing was to be sent to it.
    readers.pop();
    soon("a place", async {
        loop {
            let mut client = Client::connect(address).await;
            client.send("GET /events HTTP/1.0\r\n\r\n").await;
            if client.text().await.contains(" 200 ") {
                return;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    // One that says more than it was asked for has gone, too.
    let mut talker = readers.pop().unwrap();
    talker.client.send("GET /healthz HTTP/1.1\r\n\r\n").await;
    assert_eq!(talker.client.rest().await, b"");
}

/// A connection that takes next to nothing until it is read.
fn narrow(address: SocketAddr) -> Client {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    socket.connect(&address.into()).unwrap();
    socket.set_nonblocking(true).unwrap();
    Client::over(TcpStream::from_std(socket.into()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_does_not_read_keeps_nobody_waiting_and_finds_the_newest_positions() {
    const CLIENTS: usize = 10_000;
    const LAPS: usize = 10;
    let (herd, address) = start().await;
    let mut stopped = Events::over(narrow(address), address, "").await;
    let mut quick = Events::open(address, "?client=c0&client=c9999").await;
    quick.live().await;
    let mut client = herd.connect("Riley").await;
    for lap in 1..=LAPS {
        for batch in (0..CLIENTS).step_by(100) {
            let post = |number| format!("IAMAT c{number} +{lap:02}+{:03} {lap}\n", number % 180);
            client.send((batch..batch + 100).map(post).collect::<String>()).await;
            for _ in 0..100 {
                assert!(client.line().await.starts_with(b"AT Riley "));
            }
        }
    }
    // All 100,000 were answered. The quick one has the newest already.
    let mut newest = BTreeMap::new();
    while newest.values().filter(|time| **time == LAPS.to_string()).count() < 2 {
        for record in quick.next().await.1.as_array().unwrap() {
            newest.insert(record["client"].to_string(), record["time"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(get(address, "/healthz").await.status, 200);
    // The other begins to read only now, and is up to date after a lap.
    let mut known: BTreeMap<String, u64> = BTreeMap::new();
    let mut records = 0;
    while known.len() < CLIENTS || known.values().any(|time| *time != LAPS as u64) {
        let (name, data) = stopped.next().await;
        if name != "positions" {
            assert_eq!(name, "live");
            continue;
        }
        for record in data.as_array().unwrap() {
            records += 1;
            let time = record["time"].as_str().unwrap().parse().unwrap();
            let before = known.insert(record["client"].as_str().unwrap().to_owned(), time);
            assert!(before.is_none_or(|before| before <= time), "it went back: {record}");
        }
    }
    // What lay in the system's buffers, and then each client once or so: not ten times as many.
    assert!(records < 4 * CLIENTS, "{records} records, {} bytes", stopped.bytes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_end_with_their_server() {
    let (mut herd, address) = start().await;
    let mut reader = Events::open(address, "").await;
    reader.live().await;
    herd.stop("Riley").await;
    assert_eq!(reader.client.rest().await, b"");
    // Whatever comes in pieces, or is asked for in today's HTTP, comes as it should.
    let (_herd, address) = start().await;
    let mut client = Client::connect(address).await;
    client.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"data: {}\n") {
        bytes.extend(client.line().await);
        bytes.push(b'\n');
    }
    let answer = Answer::read(bytes);
    assert!(answer.head.contains("transfer-encoding: chunked"), "{answer:?}");
}

/// A token that has leaked is worth nothing once it is another, to those, too, who came in with it before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_goes_on_until_what_it_has_shown_is_not_the_token_any_more() {
    let (mut herd, address) = start().await;
    let mut client = herd.connect("Riley").await;
    let mut shown = None;
    for (round, next) in [Some("canary-token-of-old"), Some("canary-token-of-late"), None].into_iter().enumerate() {
        let header = shown.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let mut readers = Vec::new();
        for query in ["", "?circle=1,2,50", "?client=kiwi"] {
            let request = format!("GET /events{query} HTTP/1.0\r\nHost: {address}\r\n{header}\r\n");
            let mut reader = Events::asked(Client::connect(address).await, &request).await;
            reader.live().await;
            readers.push(reader);
        }
        herd.reload("Riley", |config| config.limits.clients_max -= 1).await.unwrap();
        client.post("kiwi", "+1+2", &format!("{round}")).await;
        for reader in &mut readers {
            assert_eq!(names(&reader.next().await.1), ["kiwi"]);
        }
        // Nothing moves: it is the reload that they hear of.
        let token = next.map(|token| Secret::new(token.as_bytes()));
        herd.reload("Riley", |config| config.admin_token = token).await.unwrap();
        for reader in &mut readers {
            assert_eq!(reader.client.rest().await, b"");
        }
        shown = next;
    }
    herd.stop_all().await;
}
