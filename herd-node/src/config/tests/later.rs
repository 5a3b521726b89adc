//! What is said of a file that is to take the place of another.

use super::*;

/// What is otherwise in `next`, for those who run `names`.
fn changes(before: &str, after: &str, names: &[&str]) -> Vec<String> {
    parsed(before).unwrap().changes_to(&parsed(after).unwrap(), names)
}

#[test]
fn each_key_is_told_with_what_it_is_and_was() {
    let before = format!("{PAIR}[limits]\nidle_ms = 60_000\nline_ms = 0x64\n[journal]\ndirectory = \"a\\nb\"\n");
    let after = format!("{PAIR}[journal]\nenabled = false\n[limits]\nline_ms = 200\nidle_ms = 60000 # the same\n");
    let expected = [
        "journal.directory = the default, was \"a\\nb\"",
        "journal.enabled = false, was the default",
        "limits.line_ms = 200, was 0x64",
    ];
    assert_eq!(changes(&before, &after, &["Riley"]), expected);
    assert_eq!(changes(&before, &before, &["Riley"]), Vec::<String>::new());
    // Of servers that run elsewhere nothing is told.
    let acks = PAIR.replace("peers = [\"Riley\"]", "peers = [\"Riley\"]\nack = \"replicated\"\ncopies = 1");
    assert_eq!(changes(PAIR, &acks, &["Riley"]), Vec::<String>::new());
    let expected = ["Jaquez.ack = \"replicated\", was the default", "Jaquez.copies = 1, was the default"];
    assert_eq!(changes(PAIR, &acks, &["Riley", "Jaquez"]), expected);
    // A long value is shown as far as it goes.
    let long = format!("{PAIR}[places]\ntype = \"{}\"\n", "a".repeat(64));
    let longer = format!("{PAIR}[journal]\ndirectory = \"{}\"\n", "\u{e9}".repeat(100));
    assert_eq!(changes(PAIR, &long, &["Riley"]), [format!("places.type = \"{}\", was the default", "a".repeat(64))]);
    assert_eq!(
        changes(PAIR, &longer, &["Riley"]),
        [format!("journal.directory = \"{}\u{2026}, was the default", "\u{e9}".repeat(79))]
    );
}

#[test]
fn links_are_told_as_links() {
    let juzang = server("Juzang", "127.0.0.1:12002", "127.0.0.1:13002", "peers = [\"Riley\"]");
    let three = PAIR.replace("peers = [\"Jaquez\"]", "peers = [\"Jaquez\", \"Juzang\"]") + &juzang;
    assert_eq!(changes(PAIR, &three, &["Riley"]), ["new peer: Juzang at 127.0.0.1:13002"]);
    assert_eq!(changes(&three, PAIR, &["Riley"]), ["a peer no more: Juzang"]);
    assert_eq!(changes(&three, PAIR, &["Riley", "Jaquez"]), ["a peer of Riley no more: Juzang"]);
    assert_eq!(changes(PAIR, &three, &["Jaquez"]), Vec::<String>::new());
    let expected = ["peer: Jaquez is dialled at 127.0.0.1:9, was at 127.0.0.1:13001"];
    for moved in [
        PAIR.replace("peer = \"127.0.0.1:13001\"", "peer = \"127.0.0.1:9\""),
        PAIR.replace("peers = [\"Jaquez\"]", "peers = [\"Jaquez\"]\ndial.Jaquez = \"127.0.0.1:9\""),
    ] {
        assert_eq!(changes(PAIR, &moved, &["Riley"]), expected);
    }
    // In another order they are the same.
    let turned = three.replace("[\"Jaquez\", \"Juzang\"]", "[\"Juzang\", \"Jaquez\"]");
    assert_eq!(changes(&three, &turned, &["Riley"]), Vec::<String>::new());
}

#[test]
fn of_secrets_is_told_how_many_and_whether_another_signs() {
    let with = |secrets: Vec<&str>, key: &str| {
        let (secrets, key) = (secrets.join("\n"), key.to_owned());
        let env = move |name: &str| match name {
            SECRET_VARIABLE => Some(secrets.clone()),
            KEY_VARIABLE => Some(key.clone()),
            _ => None,
        };
        Config::parse(PAIR.as_bytes(), Path::new("herd.toml"), &env).unwrap()
    };
    let other = "canary-canary-canary-canary-canary";
    let (one, two, turned) =
        (with(vec![SECRET], "k"), with(vec![SECRET, other], "k"), with(vec![other, SECRET], "canary"));
    assert_eq!(one.changes_to(&two, &["Riley"]), ["secrets: 2, were 1; the same one signs"]);
    let expected = ["secrets: 2, were 2; another one signs", "the key of places is another"];
    assert_eq!(two.changes_to(&turned, &["Riley"]), expected);
}

#[test]
fn without_a_file_the_tables_are_told() {
    let running = Config::default_herd(&no_env).unwrap();
    let mut next = running.clone();
    assert_eq!(running.changes_to(&next, &["Riley"]), Vec::<String>::new());
    next.limits.pending_max = 1;
    next.journal = None;
    next.servers[0].ack = Ack::Replicated { copies: 2 };
    let expected = ["journal is another", "limits is another", "Riley.ack is replicated=2, was local"];
    assert_eq!(running.changes_to(&next, &["Riley"]), expected);
    next.servers[1].client.set_port(1);
    assert!(running.check_next(&next, &["Riley"]).is_ok());
    let error = running.check_next(&next, &["Jaquez"]).unwrap_err().to_string();
    assert_eq!(error, "configuration: server.client: can't change while the server runs; restart it");
}

#[test]
fn where_servers_are_is_found_in_a_file_that_is_wrong_otherwise() {
    let directory = tempfile::tempdir().unwrap();
    let wrong = format!("{PAIR}[[server]]\nname = 7\n[herd]\ncontrol = \"run\"\nname = \"\\u001b\"\n[nonsense]\n");
    let path = write(directory.path(), "herd.toml", &wrong, 0o644);
    let names = vec!["Riley".to_owned(), "Jaquez".to_owned()];
    assert_eq!(Config::whereabouts(&path), Ok((Some(directory.path().join("run")), names)));
    let nothing = write(directory.path(), "nothing.toml", "server = 1\n", 0o644);
    assert_eq!(Config::whereabouts(&nothing), Ok((None, Vec::new())));
    let error = Config::whereabouts(&write(directory.path(), "bad.toml", "[herd\n", 0o644)).unwrap_err().to_string();
    assert!(error.contains("bad.toml:1: is not TOML"), "{error}");
}
