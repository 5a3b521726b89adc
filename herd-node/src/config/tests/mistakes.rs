//! Each mistake and its answer, to the letter.

use super::*;

/// Mistakes after [`PAIR`], so that their first line is the file's 11th.
pub(super) const TABLES: &[(&str, &str)] = &[
    (
        "[herdd]",
        "11: herdd: unknown key; known here: herd, server, admin, places, journal, disk, tls, limits, replication",
    ),
    ("[herd]\nsecret = \"hush\"", "12: herd.secret: unknown key; known here: name, secret_file, control"),
    ("[herd]\ncontrol = \"\"", "12: herd.control: is empty"),
    ("[herd]\ncontrol = 7", "12: herd.control: should be a string, not a whole number"),
    (
        "[herd]\nname = \"\\u001b[2J\"",
        r#"12: herd.name: "\x1b[2J" is not a name: 1 to 64 of A-Z a-z 0-9 - _ . beginning with a letter or digit"#,
    ),
    ("[herd]\nname = 7", "12: herd.name: should be a string, not a whole number"),
    ("[herd]\nsecret_file = \"\"", "12: herd.secret_file: is empty"),
    ("[[herd]]", "11: herd: should be a table, not a list"),
    ("[journal]\n\nenabled = \"no\"", "13: journal.enabled: should be true or false, not a string"),
    ("[journal]\ndirectory = 1.5", "12: journal.directory: should be a string, not a number with a fraction"),
    ("[journal]\nfiles_kept = 1001", "12: journal.files_kept: 1001 is not between 0 and 1000"),
    (
        "[journal]\nsize = 1",
        "12: journal.size: unknown key; known here: enabled, directory, file_bytes_max, files_kept, queue_bytes_max, status_s",
    ),
    ("[journal]\nstatus_s = 86_401", "12: journal.status_s: 86401 is not between 0 and 86400"),
    ("[limits]\nline_ms = -1", "12: limits.line_ms: -1 is not between 100 and 3600000"),
    (
        "[limits]\nline_ms = 99999999999999999999",
        "12: limits.line_ms: 99999999999999999999 is not between 100 and 3600000",
    ),
    ("[limits]\nclient_line_bytes_max = 12289", "12: limits.client_line_bytes_max: 12289 is not between 512 and 12288"),
    ("[limits]\nidle_ms = 1979-05-27", "12: limits.idle_ms: should be a whole number, not a date or time"),
    ("[limits.line_ms]", "11: limits.line_ms: should be a whole number, not a table"),
    ("[limits]\nip6_prefix_bits = 129", "12: limits.ip6_prefix_bits: 129 is not between 1 and 128"),
    (
        "[limits]\nloopback_is_limited = 1",
        "12: limits.loopback_is_limited: should be true or false, not a whole number",
    ),
    ("[limits]\nlines_per_s_max = 1000001", "12: limits.lines_per_s_max: 1000001 is not between 0 and 1000000"),
    ("[limits]\nlines_burst_max = 5", "12: limits.lines_burst_max: goes with lines_per_s_max only, unless both are 0"),
    (
        "[limits]\nlines_per_s_max = 5\nlines_burst_per_ip_max = 5",
        "13: limits.lines_burst_per_ip_max: goes with lines_per_s_per_ip_max only, unless both are 0",
    ),
    ("[limits]\ninvalid_lines_max = -1", "12: limits.invalid_lines_max: -1 is not between 0 and 1000000"),
    (
        "[limits]\npeer_invalid_lines_max = 1e3",
        "12: limits.peer_invalid_lines_max: should be a whole number, not a number with a fraction",
    ),
    ("[replication]\nhops_max = 0x100", "12: replication.hops_max: 0x100 is not between 1 and 255"),
    (
        "[replication]\nping_ms = 3000",
        "12: replication.ping_ms: dead_ms is 4000 but should be at least 6000, twice ping_ms",
    ),
    (
        "[replication]\nping_ms = 50\ndead_ms = 100\nbackoff_max_ms = 99",
        "14: replication.backoff_max_ms: backoff_max_ms is 99 but should be at least 100, backoff_min_ms",
    ),
    ("[tls]", "11: tls.certificate: is missing"),
    ("[tls]\ncertificate = \"c\"", "11: tls.key: is missing"),
    ("[tls]\ncertificate = \"c\"\nkey = \"k\"", "11: tls.ca: is missing"),
    ("[tls]\ncertificate = \"\"\nkey = \"k\"\nca = \"a\"", "12: tls.certificate: is empty"),
    (
        "[tls]\ncertificate = \"c\"\nkey = \"{Name}.key\"\nca = \"a\"",
        "13: tls.key: \"{Name}.key\" has braces that are not those of {name}",
    ),
    ("[tls]\ncertificate = \"c\"\nkey = \"k\"\nca = 7", "14: tls.ca: should be a string, not a whole number"),
    (
        "[tls]\ncertificate = \"c\"\nkey = \"k\"\nca = \"a\"\npeers = \"yes\"",
        "15: tls.peers: should be true or false, not a string",
    ),
    (
        "[tls]\ncertificate = \"c\"\nkey = \"k\"\npeers = false",
        "14: tls.peers: is false, and so is clients: leave out [tls]",
    ),
    ("[tls]\ncert = \"c\"", "12: tls.cert: unknown key; known here: certificate, key, ca, clients, peers"),
    ("[disk]\ncommit_wait_ms = 1001", "12: disk.commit_wait_ms: 1001 is not between 0 and 1000"),
    ("[disk]\ncommit_records = 0", "12: disk.commit_records: 0 is not between 1 and 1000000"),
    ("[disk]\ncompact_bytes_min = 4095", "12: disk.compact_bytes_min: 4095 is not between 4096 and 1099511627776"),
    ("[disk]\nqueue_bytes_max = 1", "12: disk.queue_bytes_max: 1 is not between 1048576 and 17179869184"),
    ("[disk]\ndirectory = \"\"", "12: disk.directory: is empty"),
    (
        "[disk]\nfsync = false",
        "12: disk.fsync: unknown key; known here: directory, commit_wait_ms, commit_records, compact_bytes_min, queue_bytes_max",
    ),
    ("[limits]\nack_wait_ms = 9", "12: limits.ack_wait_ms: 9 is not between 10 and 60000"),
    ("[replication]\nttl_s = 3153600001", "12: replication.ttl_s: 3153600001 is not between 0 and 3153600000"),
    ("[places]\nbackend = \"bing\"", r#"12: places.backend: "bing" is none of embedded, google, google-legacy"#),
    (
        "[places]\nbackend = \"google\"",
        r#"12: places.backend: "google" needs a key, from places.key_file or the environment's PLACES_KEY"#,
    ),
    ("[places]\nmask = [\"pro\"]", "12: places.mask: should be a string, not a list"),
    (
        "[places]\ntype = \"cafe&key=x\"",
        r#"12: places.type: "cafe&key=x" is not a type of place: letters a-z, digits and _"#,
    ),
    ("[places]\ncalls_per_day = 0", "12: places.calls_per_day: 0 is not between 1 and 1000000000"),
    (
        "[places]\nbase_url = \"http://maps.example/\"",
        "12: places.base_url: is not a URL fit for places: http only reaches loopback addresses: use https",
    ),
    (
        "[places]\nbase_url = \"https://maps.example/x?key=canary\"",
        "12: places.base_url: is not a URL fit for places: it should end with its path: the key goes into places.key_file",
    ),
    (
        "[places]\nbase_url = \"https://me:canary@maps.example/\"",
        "12: places.base_url: is not a URL fit for places: it should name no user",
    ),
    (
        "[places]\nbase_url = \"/maps\"",
        "12: places.base_url: is not a URL fit for places: it should begin with https://",
    ),
    (
        "[places]\nbase_url = \"https://maps.example:99999/\"",
        "12: places.base_url: is not a URL fit for places: has a port that is none",
    ),
    (
        "[places]\nbase_url = \"http://[::ffff:127.0.0.1]:1/\"",
        "12: places.base_url: is not a URL fit for places: http only reaches loopback addresses: use https",
    ),
    (
        "[places]\nbase_url = \"http://127.0.0.1:1/\"\nbackend = \"google-legacy\"",
        "13: places.backend: \"google-legacy\" needs a key, from places.key_file or the environment's PLACES_KEY",
    ),
    (
        "[places]\nbase_url = \"http://127.0.0.1.evil.example/\"",
        "12: places.base_url: is not a URL fit for places: http only reaches loopback addresses: use https",
    ),
    (
        "[places]\ndata = [\n  \"there-is-none.csv\"\n]",
        "13: places.data: there-is-none.csv cannot be read: No such file or directory (os error 2)",
    ),
    ("[places]\ndata = \"one.csv\"", "12: places.data: should be a list, not a string"),
];

#[test]
fn mistakes_in_tables() {
    for (table, expected) in TABLES {
        let error = parsed(&format!("{PAIR}{table}\n")).unwrap_err();
        assert_eq!(error.to_string(), format!("herd.toml:{expected}"));
        assert!(!format!("{error:?}").contains("canary"));
    }
}

/// Mistakes made by replacing something in [`PAIR`].
const SERVERS: &[(&str, &str, &str)] = &[
    ("name = \"Riley\"\n", "", "1: server.name: is missing"),
    ("peer = \"127.0.0.1:13001\"\n", "", "6: server.peer: is missing"),
    (
        "name = \"Riley\"",
        "nmae = \"Riley\"",
        "2: server.nmae: unknown key; known here: name, client, proxy, proxy_from, peer, admin, peers, dial, ack, copies",
    ),
    (
        "\"Riley\"\n",
        "\"Ri ley\"\n",
        r#"2: server.name: "Ri ley" is not a name: 1 to 64 of A-Z a-z 0-9 - _ . beginning with a letter or digit"#,
    ),
    ("\"Jaquez\"\n", "\"Riley\"\n", r#"7: server.name: "Riley" is the server at line 2 already"#),
    (
        "127.0.0.1:12000",
        "localhost:12000",
        r#"3: server.client: "localhost:12000" is not IP:PORT, such as 127.0.0.1:12000 or [::1]:12000 (host names are not looked up)"#,
    ),
    (":12001", ":12000", "8: server.client: 127.0.0.1:12000 is taken by 127.0.0.1:12000 at line 3"),
    ("127.0.0.1:12001", "0.0.0.0:13000", "8: server.client: 0.0.0.0:13000 is taken by 127.0.0.1:13000 at line 4"),
    (
        "127.0.0.1:12001",
        "[::ffff:127.0.0.1]:13000",
        "8: server.client: [::ffff:127.0.0.1]:13000 is taken by 127.0.0.1:13000 at line 4",
    ),
    (":13000", ":12000", "4: server.peer: 127.0.0.1:12000 is taken by 127.0.0.1:12000 at line 3"),
    (
        "127.0.0.1:13001",
        "192.0.2.1:13001",
        "9: server.peer: 192.0.2.1:13001 is not loopback: that needs a secret, from herd.secret_file or the environment's HERD_SECRET, or certificates, from [tls]",
    ),
    (
        "127.0.0.1:13000",
        "[::]:13000",
        "4: server.peer: [::]:13000 is not loopback: that needs a secret, from herd.secret_file or the environment's HERD_SECRET, or certificates, from [tls]",
    ),
    (
        "peers = [\"Jaquez\"]",
        "peers = [\"Jaquez\"]\nadmin = \"192.0.2.1:14000\"",
        "6: server.admin: 192.0.2.1:14000 is not loopback: that needs a token, from admin.token_file or the environment's HERD_ADMIN_TOKEN",
    ),
    (
        "peers = [\"Jaquez\"]",
        "peers = [\"Jaquez\"]\nadmin = \"0.0.0.0:14000\"",
        "6: server.admin: 0.0.0.0:14000 is not loopback: that needs a token, from admin.token_file or the environment's HERD_ADMIN_TOKEN",
    ),
    (
        "peers = [\"Jaquez\"]",
        "peers = [\"Jaquez\"]\nadmin = \"127.0.0.1:12001\"",
        "9: server.client: 127.0.0.1:12001 is taken by 127.0.0.1:12001 at line 6",
    ),
    (
        "peers = [\"Riley\"]",
        "peers = [\"Riley\"]\nadmin = \"127.0.0.1:13000\"",
        "11: server.admin: 127.0.0.1:13000 is taken by 127.0.0.1:13000 at line 4",
    ),
    (
        "peers = [\"Riley\"]",
        "peers = [\"Riley\"]\nadmin = 14000",
        "11: server.admin: should be a string, not a whole number",
    ),
    (
        "peers = [\"Jaquez\"]",
        "peers = [\"Jaquez\"]\nproxy = \"yes\"",
        "6: server.proxy: should be true or false, not a string",
    ),
    (
        "peers = [\"Jaquez\"]",
        "peers = [\"Jaquez\"]\nproxy_from = [\"::1\"]",
        "6: server.proxy_from: goes with proxy = true only",
    ),
    (
        "peers = [\"Jaquez\"]",
        "peers = [\"Jaquez\"]\nproxy_from = [\"::1\"]\nproxy = false",
        "6: server.proxy_from: goes with proxy = true only",
    ),
    ("peers = [\"Jaquez\"]", "peers = [\"Jaquez\"]\nproxy = true\nproxy_from = []", "7: server.proxy_from: is empty"),
    (
        "peers = [\"Jaquez\"]",
        "peers = [\"Jaquez\"]\nproxy = true\nproxy_from = [\n\"10.0.0.1/8\"]",
        "8: server.proxy_from: \"10.0.0.1/8\" is not an IP address or network, such as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32",
    ),
    (
        "client = \"127.0.0.1:12000\"",
        "client = \"[::]:12000\"\nproxy = true",
        "4: server.proxy: [::]:12000 is not loopback: that needs proxy_from, the addresses of the proxies",
    ),
    ("[\"Jaquez\"]", "[\"Riley\"]", r#"5: server.peers: "Riley" names itself"#),
    ("[\"Jaquez\"]", "[\n\"Jaquez\",\n\"Juzang\"]", r#"7: server.peers: "Juzang" is not a server of this herd"#),
    ("[\"Jaquez\"]", "[\"Jaquez\", \"Jaquez\"]", r#"5: server.peers: "Jaquez" is listed twice"#),
    ("[\"Jaquez\"]", "\"Jaquez\"", "5: server.peers: should be a list, not a string"),
    ("[\"Riley\"]", "[]", r#"5: server.peers: "Jaquez" does not name "Riley" back; links go both ways"#),
    ("peers = [\"Riley\"]", "", r#"5: server.peers: "Jaquez" does not name "Riley" back; links go both ways"#),
    (
        "[\"Riley\"]",
        "[\"Riley\"]\ndial = { Juzang = \"127.0.0.1:1\" }",
        r#"11: server.dial.Juzang: "Juzang" is not a peer of "Jaquez""#,
    ),
    (
        "[\"Riley\"]",
        "[\"Riley\"]\n[server.dial]\nRiley = \"0.0.0.0:1\"",
        "12: server.dial.Riley: 0.0.0.0:1 cannot be dialled",
    ),
    (
        "[\"Riley\"]",
        "[\"Riley\"]\ndial.Riley = \"127.0.0.1:0\"",
        "11: server.dial.Riley: 127.0.0.1:0 cannot be dialled",
    ),
    (
        "[\"Riley\"]",
        "[\"Riley\"]\nack = \"quorum\"",
        r#"11: server.ack: "quorum" is none of local, replicated, durable"#,
    ),
    ("[\"Riley\"]", "[\"Riley\"]\nack = \"durable\"", "11: server.ack: \"durable\" needs a table [disk]"),
    (
        "[\"Riley\"]",
        "[\"Riley\"]\nack = \"durable\"\n[disk]\ncommit_wait_ms = 251",
        "13: disk.commit_wait_ms: ack_wait_ms is 500 but should be at least 502, twice commit_wait_ms",
    ),
    (
        "[\"Riley\"]",
        "[\"Riley\"]\nack = \"durable\"\n[limits]\nack_wait_ms = 10\n[disk]\ncommit_wait_ms = 6",
        "13: limits.ack_wait_ms: ack_wait_ms is 10 but should be at least 12, twice commit_wait_ms",
    ),
    ("[\"Riley\"]", "[\"Riley\"]\ncopies = 1", "11: server.copies: goes with ack = \"replicated\" only"),
    (
        "[\"Riley\"]",
        "[\"Riley\"]\nack = \"local\"\ncopies = 1",
        "12: server.copies: goes with ack = \"replicated\" only",
    ),
    (
        "[\"Riley\"]",
        "[\"Riley\"]\nack = \"replicated\"\ncopies = 2",
        r#"12: server.copies: 2 copies are more than "Jaquez" has peers: 1"#,
    ),
    ("[\"Riley\"]", "[\"Riley\"]\nack = \"replicated\"\ncopies = 17", "12: server.copies: 17 is not between 1 and 16"),
    ("[[server]]\nname = \"Jaquez\"", "[server]\nname = \"Jaquez\"", "6: is not TOML: duplicate key"),
    ("\"Riley\"\n", "\"Riley\n", "2: is not TOML: invalid basic string, expected `\"`"),
];

#[test]
fn mistakes_in_servers() {
    for (right, wrong, expected) in SERVERS {
        assert!(PAIR.contains(right), "{right}");
        let error = parsed(&PAIR.replacen(right, wrong, 1)).unwrap_err();
        assert_eq!(error.to_string(), format!("herd.toml:{expected}"));
    }
}

#[test]
fn mistakes_in_whole_herds() {
    let none = parsed("").unwrap_err().to_string();
    assert_eq!(none, "herd.toml: server: no server: at least one [[server]] is needed");
    let one = server("Solo", "127.0.0.1:1", "127.0.0.1:2", "");
    let two = parsed(&format!("{PAIR}{one}")).unwrap_err().to_string();
    assert_eq!(two, "herd.toml:12: server.peers: no links lead from \"Riley\" to \"Solo\"");
    let names: Vec<_> = (0..17).map(|number| format!("\"s{number}\"")).collect();
    let crowd = server("Hub", "127.0.0.1:1", "127.0.0.1:2", &format!("peers = [{}]", names.join(",")));
    let crowd = parsed(&crowd).unwrap_err().to_string();
    assert_eq!(crowd, "herd.toml:5: server.peers: 17 peers; a server has at most 16");
    let latin = Config::parse(b"[herd]\nname = \"caf\xe9\"", Path::new("herd.toml"), &no_env).unwrap_err();
    assert_eq!(latin.to_string(), "herd.toml:2: is not UTF-8");
}

#[test]
fn deep_nesting_overflows_nothing() {
    for text in
        ["a = ".to_owned() + &"[".repeat(100_000), "a = ".to_owned() + &"{a=".repeat(100_000), "a.".repeat(100_000)]
    {
        assert!(parsed(&text).unwrap_err().to_string().starts_with("herd.toml:1: is not TOML: "));
    }
}

#[test]
fn a_peer_that_listens_everywhere_needs_an_address_to_dial() {
    let env = |name: &str| (name == SECRET_VARIABLE).then(|| SECRET.to_owned());
    let text = PAIR.replace("127.0.0.1:13001", "0.0.0.0:13001");
    let error = Config::parse(text.as_bytes(), Path::new("herd.toml"), &env).unwrap_err().to_string();
    let expected = r#"herd.toml:2: server.dial: "Jaquez" listens on 0.0.0.0:13001, which cannot be dialled: "Riley" needs dial = { Jaquez = "IP:PORT" }"#;
    assert_eq!(error, expected);
    let text = text.replace("[\"Jaquez\"]", "[\"Jaquez\"]\ndial = { Jaquez = \"192.0.2.7:13001\" }");
    let config = Config::parse(text.as_bytes(), Path::new("herd.toml"), &env).unwrap();
    assert_eq!(config.servers[0].peers[0].dial.to_string(), "192.0.2.7:13001");
}
