//! Configurations that are right, and what they say.

use std::num::NonZeroU32;
use std::time::Duration;

use super::*;
use crate::disk;
use crate::net::{Network, Rate};
use crate::places::{Backend, Mask};

#[test]
fn the_default_herd_is_that_of_the_protocol() {
    let admin_of = |server: &ServerConfig| server.admin.map(|address| format!(" {address}")).unwrap_or_default();
    let config = Config::default_herd(&no_env).unwrap();
    let shown: Vec<_> = config
        .servers
        .iter()
        .map(|server| {
            let peers: Vec<_> = server.peers.iter().map(|peer| format!("{}@{}", peer.name, peer.dial)).collect();
            format!("{} {} {} {}", server.name, server.client, server.peer, peers.join(",")) + &admin_of(server)
        })
        .collect();
    let expected = [
        "Riley 127.0.0.1:12000 127.0.0.1:13000 Jaquez@127.0.0.1:13001,Juzang@127.0.0.1:13002 127.0.0.1:14000",
        "Jaquez 127.0.0.1:12001 127.0.0.1:13001 Riley@127.0.0.1:13000,Bernard@127.0.0.1:13004 127.0.0.1:14001",
        "Juzang 127.0.0.1:12002 127.0.0.1:13002 Riley@127.0.0.1:13000,Campbell@127.0.0.1:13003,Bernard@127.0.0.1:13004 127.0.0.1:14002",
        "Campbell 127.0.0.1:12003 127.0.0.1:13003 Juzang@127.0.0.1:13002,Bernard@127.0.0.1:13004 127.0.0.1:14003",
        "Bernard 127.0.0.1:12004 127.0.0.1:13004 Jaquez@127.0.0.1:13001,Juzang@127.0.0.1:13002,Campbell@127.0.0.1:13003 127.0.0.1:14004",
    ];
    assert_eq!(shown, expected);
    assert_eq!((config.herd.as_str(), config.secrets.len()), ("ucla", 0));
    assert_eq!(config.journal, Some(journal::Settings::default()));
    assert_eq!(config.server("Campbell").unwrap().server_name().unwrap().as_str(), "Campbell");
    assert_eq!(config.server("campbell"), None);
}

#[test]
fn the_issue_s_example_loads() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "herd.secret", SECRET, 0o600);
    write(directory.path(), "places.key", "canary\n", 0o640);
    let text = r#"
        [herd]
        name = "ucla"
        secret_file = "herd.secret"        # or environment HERD_SECRET

        [[server]]
        name   = "Riley"
        client = "127.0.0.1:12000"
        peer   = "127.0.0.1:13000"
        peers  = ["Jaquez", "Juzang"]
        dial   = { Jaquez = "127.0.0.1:20420" }   # optional: reach a peer at another address than its own (NAT, tunnel)

        [places]
        backend  = "google-legacy"         # embedded | google | google-legacy
        base_url = "http://127.0.0.1:20490/maps/api/place/nearbysearch/json"   # optional, the whole endpoint
        key_file = "places.key"            # or environment PLACES_KEY

        [journal]
        directory = "logs"
"#;
    let others = [
        server("Jaquez", "127.0.0.1:12001", "127.0.0.1:13001", r#"peers = ["Riley"]"#),
        server("Juzang", "127.0.0.1:12002", "127.0.0.1:13002", r#"peers = ["Riley"]"#),
    ];
    let path = write(directory.path(), "herd.toml", &(text.to_owned() + &others.concat()), 0o644);
    let config = Config::load(&path, &no_env).unwrap();
    let dials: Vec<_> = config.servers[0].peers.iter().map(|peer| peer.dial.to_string()).collect();
    assert_eq!(dials, ["127.0.0.1:20420", "127.0.0.1:13002"]);
    assert_eq!(config.places.backend, Backend::GoogleLegacy);
    let endpoint = "http://127.0.0.1:20490/maps/api/place/nearbysearch/json";
    assert_eq!(config.places.base_url.as_deref(), Some(endpoint));
    assert_eq!(config.places.key.as_ref().unwrap().expose(), b"canary");
    assert_eq!(config.secrets[0].expose(), SECRET.as_bytes());
    assert_eq!(config.journal.as_ref().unwrap().directory, directory.path().join("logs"));
    let shown = format!("{config:?}");
    assert!(!shown.contains("canary") && !shown.contains(SECRET), "{shown}");
}

#[test]
fn good_files() {
    let alone = server("Solo", "127.0.0.1:0", "127.0.0.1:0", "");
    let tables = "[places]\n[journal]\n[limits]\n[replication]\n[herd]\n";
    let any = server("Solo", "0.0.0.0:12000", "[::1]:13000", "peers = []\ndial = {}");
    let zero = PAIR.replace(":12000", ":0").replace(":12001", ":0").replace(":13000", ":0").replace(":13001", ":0");
    let mapped = server("Solo", "127.0.0.1:1", "[::ffff:127.0.0.1]:2", "");
    for text in [PAIR, &alone, &(alone.clone() + tables), &any, &zero, &mapped] {
        parsed(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    }
    assert_eq!(parsed(&zero).unwrap().servers[0].peers[0].dial.to_string(), "127.0.0.1:0");
    assert_eq!(parsed(&alone).unwrap().limits, Limits::default());
    assert_eq!(parsed(&alone).unwrap().replication, Replication::default());
    assert_eq!(parsed(&alone).unwrap().journal, Some(journal::Settings::default()));
    let silent = parsed(&(alone.clone() + "[journal]\nstatus_s = 0")).unwrap();
    assert_eq!(silent.journal.unwrap().status_every, None);
    let every_second = parsed(&(alone.clone() + "[journal]\nstatus_s = 1")).unwrap();
    assert_eq!(every_second.journal.unwrap().status_every, Some(Duration::from_secs(1)));
    assert_eq!(parsed(&(alone + "[journal]\nenabled = false")).unwrap().journal, None);
}

#[test]
fn what_replies_promise_is_each_servers_own() {
    let acks = |text: &str| parsed(text).unwrap().servers.iter().map(|server| server.ack).collect::<Vec<_>>();
    assert_eq!(acks(PAIR), [Ack::Local, Ack::Local]);
    let text = PAIR.replacen("peers", "ack = \"replicated\"\npeers", 1) + "ack = \"durable\"\n[disk]\n";
    assert_eq!(acks(&text), [Ack::Replicated { copies: 1 }, Ack::Durable]);
    assert_eq!(acks(&format!("{text}commit_wait_ms = 250\n"))[1], Ack::Durable);
    assert_eq!(acks(&format!("{PAIR}[disk]\ncommit_wait_ms = 1_000\n")), [Ack::Local; 2], "nobody waits for it");
    let disk = parsed(&text).unwrap().disk.unwrap();
    assert_eq!(disk.directory, Path::new("data"), "beside the file");
    let hub = server("Hub", "127.0.0.1:1", "127.0.0.1:2", "peers = [\"A\", \"B\"]\nack = \"replicated\"\ncopies = 2");
    let a = server("A", "127.0.0.1:3", "127.0.0.1:4", "peers = [\"Hub\"]\nack = \"local\"");
    let b = server("B", "127.0.0.1:5", "127.0.0.1:6", "peers = [\"Hub\"]");
    assert_eq!(acks(&[hub, a, b].concat()), [Ack::Replicated { copies: 2 }, Ack::Local, Ack::Local]);
}

#[test]
fn whose_word_is_taken_for_where_clients_are() {
    let of =
        |more: &str| parsed(&PAIR.replacen("peers", &format!("{more}\npeers"), 1)).unwrap().servers[0].proxies.clone();
    let networks = |texts: &[&str]| Some(texts.iter().map(|text| text.parse::<Network>().unwrap()).collect::<Vec<_>>());
    assert_eq!(of(""), None);
    assert_eq!(of("proxy = false"), None);
    assert_eq!(of("proxy = true"), networks(&["127.0.0.0/8", "::1"]));
    assert_eq!(
        of("proxy = true\nproxy_from = [\"10.0.0.0/8\", \"2001:db8::7\"]"),
        networks(&["10.0.0.0/8", "2001:db8::7"])
    );
    let everywhere = PAIR.replacen(
        "client = \"127.0.0.1",
        "proxy = true\nproxy_from = [\"::/0\", \"0.0.0.0/0\"]\nclient = \"0.0.0.0",
        1,
    );
    assert_eq!(parsed(&everywhere).unwrap().servers[0].proxies, networks(&["::/0", "0.0.0.0/0"]));
}

#[test]
fn a_burst_is_a_second_s_unless_it_is_said() {
    let of = |limits: &str| parsed(&format!("{PAIR}[limits]\n{limits}")).unwrap().limits.lines;
    let rate =
        |per_s, burst| Some(Rate { per_s: NonZeroU32::new(per_s).unwrap(), burst: NonZeroU32::new(burst).unwrap() });
    assert_eq!(of(""), None);
    assert_eq!(of("lines_per_s_max = 0\nlines_burst_max = 0"), None);
    assert_eq!(of("lines_per_s_max = 7"), rate(7, 7));
    assert_eq!(of("lines_per_s_max = 1_000_000\nlines_burst_max = 1"), rate(1_000_000, 1));
}

#[test]
fn tls_is_for_peers_unless_it_says_otherwise() {
    let tls = "[tls]\ncertificate = \"tls/{name}.pem\"\nkey = \"/etc/herd/{name}.key\"\n";
    assert_eq!(parsed(PAIR).unwrap().tls, None);
    let with_ca = parsed(&format!("{PAIR}{tls}ca = \"ca.pem\"")).unwrap().tls.unwrap();
    assert_eq!((with_ca.clients, with_ca.peers), (false, true));
    let paths = [with_ca.certificate, with_ca.key, with_ca.ca.unwrap()];
    assert_eq!(paths, ["tls/{name}.pem", "/etc/herd/{name}.key", "ca.pem"].map(std::path::PathBuf::from));
    let for_clients = parsed(&format!("{PAIR}{tls}clients = true\npeers = false")).unwrap().tls.unwrap();
    assert_eq!((for_clients.clients, for_clients.peers, for_clients.ca), (true, false, None));
    // A proof that servers ask each other for, so their addresses may be any.
    let far = PAIR.replace("127.0.0.1:1300", "192.0.2.1:1300");
    assert!(parsed(&format!("{far}{tls}ca = \"ca.pem\"")).is_ok());
    assert!(parsed(&format!("{far}{tls}clients = true\npeers = false")).is_err());
}

#[test]
fn an_admin_listener_is_there_where_it_is_asked_for_and_on_loopback() {
    assert_eq!(parsed(PAIR).unwrap().servers[0].admin, None);
    for address in ["127.0.0.1:14000", "127.8.0.1:0", "[::1]:14000", "[::ffff:127.0.0.1]:14000"] {
        let config = parsed(&PAIR.replacen("peers", &format!("admin = \"{address}\"\npeers"), 1)).unwrap();
        assert_eq!(config.servers[0].admin.unwrap().to_string(), address);
        assert_eq!(config.servers[1].admin, None);
    }
}

#[test]
fn with_a_token_an_admin_listener_may_be_anywhere() {
    let env = |name: &str| (name == TOKEN_VARIABLE).then(|| "canary-token-012".to_owned());
    let text = PAIR.replacen("peers", "admin = \"192.0.2.1:14000\"\npeers", 1);
    let config = Config::parse(text.as_bytes(), Path::new("herd.toml"), &env).unwrap();
    assert_eq!(config.servers[0].admin.unwrap().to_string(), "192.0.2.1:14000");
    assert_eq!(config.admin_token.as_ref().unwrap().expose(), b"canary-token-012");
    assert!(!format!("{config:?}").contains("canary"));
    assert_eq!(parsed(PAIR).unwrap().admin_token, None);
    let short = |name: &str| (name == TOKEN_VARIABLE).then(|| "canary-token-01".to_owned());
    for error in [Config::parse(text.as_bytes(), Path::new("herd.toml"), &short), Config::default_herd(&short)] {
        let error = error.unwrap_err().to_string();
        assert_eq!(error, "environment: HERD_ADMIN_TOKEN: the token has 15 bytes; at least 16 are needed");
    }
}

#[test]
fn every_setting_arrives() {
    let tables = r#"
[places]
mask = "enterprise"
type = "cafe"
fallback = true
connect_timeout_ms = 11
deadline_ms = 12
body_max_bytes = 0x2000
in_flight_max = 14
queue_max = 0
breaker_failures = 16
breaker_pause_ms = 17
calls_per_minute = 18
calls_per_day = 1_000
[journal]
directory = "/var/log/herd"
file_bytes_max = 5000
files_kept = 2
queue_bytes_max = 70000
status_s = 86400
[limits]
client_line_bytes_max = 513
connections_max = 21
connections_per_ip_max = 0
ip6_prefix_bits = 48
loopback_is_limited = true
lines_per_s_max = 34
lines_burst_max = 35
lines_per_s_per_ip_max = 36
lines_burst_per_ip_max = 0
invalid_lines_max = 38
peer_invalid_lines_max = 0
first_line_ms = 123
line_ms = 124
idle_ms = 125
output_bytes_max = 5000
pending_max = 27
write_stall_ms = 128
clients_max = 29
records_bytes_max = 1048576
time_ahead_s_max = 0
unproven_max = 31
handshake_ms = 132
ack_wait_ms = 133
[replication]
ping_ms = 60
dead_ms = 120
backoff_min_ms = 40
backoff_max_ms = 40
hops_max = 255
ttl_s = 61
[disk]
directory = "/var/lib/herd"
commit_wait_ms = 0
commit_records = 62
compact_bytes_min = 4_096
queue_bytes_max = 1_048_576
"#;
    let config = parsed(&(PAIR.to_owned() + tables)).unwrap();
    let places = config.places;
    assert_eq!((places.mask, places.place_type.as_deref(), places.fallback), (Mask::Enterprise, Some("cafe"), true));
    assert_eq!(
        [places.connect_timeout, places.deadline, places.breaker_pause],
        [11, 12, 17].map(Duration::from_millis)
    );
    assert_eq!((places.body_max, places.in_flight_max, places.queue_max), (0x2000, 14, 0));
    let budgets = (places.calls_per_minute, places.calls_per_day);
    assert_eq!((places.breaker_failures, budgets), (16, (Some(18), Some(1_000))));
    let journal = journal::Settings {
        directory: "/var/log/herd".into(),
        file_bytes_max: 5_000,
        files_kept: 2,
        queue_bytes_max: 70_000,
        status_every: Some(Duration::from_secs(86_400)),
    };
    assert_eq!(config.journal, Some(journal));
    let limits = Limits {
        client_line_bytes_max: 513,
        connections_max: 21,
        connections_per_ip_max: None,
        ip6_prefix_bits: 48,
        loopback_is_limited: true,
        lines: Some(Rate { per_s: NonZeroU32::new(34).unwrap(), burst: NonZeroU32::new(35).unwrap() }),
        lines_per_ip: Some(Rate { per_s: NonZeroU32::new(36).unwrap(), burst: NonZeroU32::new(36).unwrap() }),
        invalid_lines_max: Some(38),
        first_line: Duration::from_millis(123),
        line: Duration::from_millis(124),
        idle: Duration::from_millis(125),
        output_bytes_max: 5_000,
        pending_max: 27,
        write_stall: Duration::from_millis(128),
        clients_max: 29,
        records_bytes_max: 1_048_576,
        time_ahead_max: None,
        unproven_max: 31,
        peer_invalid_lines_max: 0,
        handshake: Duration::from_millis(132),
        ack_wait: Duration::from_millis(133),
    };
    assert_eq!(config.limits, limits);
    let replication = Replication {
        ping: Duration::from_millis(60),
        dead: Duration::from_millis(120),
        backoff_min: Duration::from_millis(40),
        backoff_max: Duration::from_millis(40),
        hops_max: 255,
        ttl: Some(Duration::from_secs(61)),
    };
    assert_eq!(config.replication, replication);
    let disk = disk::Settings {
        directory: "/var/lib/herd".into(),
        commit_wait: Duration::ZERO,
        commit_records: 62,
        compact_bytes_min: 4_096,
        queue_bytes_max: 1_048_576,
        ..disk::Settings::default()
    };
    assert_eq!(config.disk, Some(disk));
}
