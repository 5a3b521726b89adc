//! What can't change while a server runs is refused by name, and what is wrong by its line; then all stays as it was.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use herd_node::config::{Config, process_env};
use herd_node::disk;
use herd_node::secret::Secret;
use herd_node::server::{Herd, ReloadError, Server};

use super::super::support::herd::riley;
use super::super::support::{Client, TestHerd, soon};

/// Lines 1 to 10.
const PAIR: &str = r#"[[server]]
name = "Riley"
client = "127.0.0.1:0"
peer = "127.0.0.1:0"
peers = ["Jaquez"]
[[server]]
name = "Jaquez"
client = "127.0.0.1:0"
peer = "127.0.0.1:0"
peers = ["Riley"]
"#;
/// From line 11 on.
const MORE: &str = "[journal]\nenabled = false\n[replication]\nttl_s = 86400\n[limits]\nclients_max = 1\n";
const DISK: &str = "[disk]\ndirectory = \"data\"\n";

fn write(directory: &Path, text: &str) -> std::path::PathBuf {
    let path = directory.join("herd.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// Whether the file's limit of one client is in force.
async fn is_full(address: SocketAddr) -> bool {
    let mut client = Client::connect(address).await;
    client.ask("IAMAT one +1+2 1621464827").await;
    client.ask("IAMAT two +1+2 1621464827").await.starts_with("? ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_change_is_refused_at_its_line_and_nothing_else_of_the_file_is_taken_up() {
    let directory = tempfile::tempdir().unwrap();
    let good = format!("{PAIR}{}{DISK}", MORE.replace("ttl_s = 86400", "ttl_s = 2000000000"));
    let path = write(directory.path(), &good);
    let config = Config::load(&path, &|_| None).unwrap();
    let server = Server::bind(&config, "Riley").await.unwrap();
    let (mut reloader, address) = (server.reloader(), server.client_address());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async { drop(stopped.await) }));
    assert!(is_full(address).await);
    let fixed = "can't change while the server runs; restart it";
    let cases = [
        ("ttl_s = 2000000000", "ttl_s = 2000000001", format!("14: replication.ttl_s: {fixed}")),
        ("ttl_s = 2000000000", "", format!("13: replication.ttl_s: {fixed}")),
        ("[journal]", "[herd]\nname = \"other\"\n[journal]", format!("12: herd.name: {fixed}")),
        ("[journal]", "[herd]\ncontrol = \"run\"\n[journal]", format!("12: herd.control: {fixed}")),
        ("client = \"127.0.0.1:0\"", "client = \"127.0.0.1:1\"", format!("3: server.client: {fixed}")),
        ("peer = \"127.0.0.1:0\"", "peer = \"127.0.0.1:1\"", format!("4: server.peer: {fixed}")),
        ("peers = [\"Jaquez\"]", "peers = [\"Jaquez\"]\nadmin = \"127.0.0.1:0\"", format!("6: server.admin: {fixed}")),
        ("\"data\"", "\"data2\"", format!("18: disk.directory: {fixed}")),
        ("\"data\"", "\"data\"\ncommit_wait_ms = 3", format!("19: disk.commit_wait_ms: {fixed}")),
        ("\"data\"", "\"data\"\ncommit_records = 3", format!("19: disk.commit_records: {fixed}")),
        ("\"data\"", "\"data\"\ncompact_bytes_min = 4096", format!("19: disk.compact_bytes_min: {fixed}")),
        ("\"data\"", "\"data\"\nqueue_bytes_max = 1048576", format!("19: disk.queue_bytes_max: {fixed}")),
        (DISK, "", format!(": disk: {fixed}")),
        // Wrong altogether.
        ("[journal]", "[journal", "11: is not TOML: ".to_owned()),
        (
            "enabled = false",
            "enabled = 0",
            "12: journal.enabled: should be true or false, not a whole number".to_owned(),
        ),
        ("peers = [\"Riley\"]", "peers = []", "5: server.peers: \"Jaquez\" does not name \"Riley\" back".to_owned()),
        ("[journal]", "[herd]\nsecret_file = \"none\"\n[journal]", "12: herd.secret_file: ".to_owned()),
        (
            "[journal]",
            "[places]\nbackend = \"google\"\n[journal]",
            "12: places.backend: \"google\" needs a key".to_owned(),
        ),
    ];
    for (right, wrong, expected) in cases {
        assert!(good.contains(right), "{right}");
        let text = good.replacen(right, wrong, 1).replace("clients_max = 1", "clients_max = 5");
        write(directory.path(), &text);
        let error = reloader.reload(|_| None).await.unwrap_err().to_string();
        let (file, rest) = error.split_once("herd.toml:").unwrap();
        assert_eq!(Path::new(file), directory.path().join(""));
        assert!(rest.starts_with(&expected) || rest.starts_with(&expected[1..]), "{error} instead of {expected}");
        assert!(matches!(reloader.check(|_| None).await, Err(ReloadError::Config(_))));
        assert!(is_full(address).await, "{wrong}");
    }
    let riley_gone = PAIR.replace("Riley", "Juzang") + MORE;
    write(directory.path(), &(riley_gone.replace("86400", "2000000000") + DISK));
    let error = reloader.reload(|_| None).await.unwrap_err().to_string();
    assert!(error.ends_with("herd.toml: server: \"Riley\" runs, and is not in the file: stop it instead"), "{error}");
    std::fs::remove_file(&path).unwrap();
    let error = reloader.reload(|_| None).await.unwrap_err().to_string();
    assert!(error.contains("herd.toml: cannot be read: "), "{error}");
    // And after all of that what may change does.
    write(directory.path(), &good.replace("clients_max = 1", "clients_max = 5"));
    assert_eq!(reloader.check(|_| None).await.unwrap(), ["limits.clients_max = 5, was 1"]);
    assert!(is_full(address).await);
    assert_eq!(reloader.reload(|_| None).await.unwrap(), ["limits.clients_max = 5, was 1"]);
    assert!(!is_full(address).await);
    assert_eq!(reloader.reload(|_| None).await.unwrap(), Vec::<String>::new());
    drop(stop);
    soon("an orderly stop", running).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_opened_changes_nothing_in_any_server_of_the_process() {
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), &format!("{PAIR}[limits]\nclients_max = 1\n"));
    let config = Config::load(&path, &|_| None).unwrap();
    let herd = Herd::bind(&config).await.unwrap();
    let mut reloader = herd.reloader();
    let addresses: Vec<SocketAddr> = herd.servers().iter().map(Server::client_address).collect();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(herd.run(async { drop(stopped.await) }));
    // The first server's journal could be opened, the second's can't.
    std::fs::create_dir_all(directory.path().join("other/Jaquez.log")).unwrap();
    write(directory.path(), &format!("{PAIR}[limits]\nclients_max = 5\n[journal]\ndirectory = \"other\"\n"));
    let error = reloader.reload(process_env).await.unwrap_err();
    assert!(matches!(error, ReloadError::Unfit(_)), "{error}");
    std::fs::write(directory.path().join("places.csv"), "no places\n").unwrap();
    write(directory.path(), &format!("{PAIR}[limits]\nclients_max = 5\n[places]\ndata = [\"places.csv\"]\n"));
    let error = reloader.reload(process_env).await.unwrap_err();
    assert!(matches!(error, ReloadError::Unfit(_)), "{error}");
    for address in &addresses {
        assert!(is_full(*address).await);
    }
    // One more server is no change of those that run.
    let third = PAIR.replace("\"Riley\", \"", "").replace("peers = [\"Riley\"]", "peers = [\"Riley\", \"Juzang\"]")
        + "[[server]]\nname = \"Juzang\"\nclient = \"127.0.0.1:0\"\npeer = \"127.0.0.1:0\"\npeers = [\"Jaquez\"]\n";
    write(directory.path(), &third);
    let error = reloader.reload(process_env).await.unwrap_err().to_string();
    let expected = "herd.toml:12: server.name: \"Juzang\" is new: a process with all servers can't begin one more while it runs; restart it";
    assert!(error.ends_with(expected), "{error}");
    let journals: Vec<String> = ["Riley", "Jaquez"]
        .iter()
        .map(|name| std::fs::read_to_string(directory.path().join(format!("logs/{name}.log"))).unwrap_or_default())
        .collect();
    write(directory.path(), &format!("{PAIR}[limits]\nclients_max = 5\n"));
    assert_eq!(reloader.reload(process_env).await.unwrap(), ["limits.clients_max = 5, was 1"]);
    for address in &addresses {
        assert!(!is_full(*address).await);
    }
    drop((stop, journals));
    soon("an orderly stop", running).await.unwrap();
    for name in ["Riley", "Jaquez"] {
        let journal = std::fs::read_to_string(directory.path().join(format!("logs/{name}.log"))).unwrap();
        let told = |kind: &str| journal.lines().filter(|line| line.contains(&format!(" {kind} - "))).count();
        assert_eq!((told("reload-failed"), told("reloaded")), (3, 1), "{journal}");
        assert!(journal.contains("; all is as it was"), "{journal}");
    }
    assert!(
        !directory.path().join("other/Riley.log").exists()
            || std::fs::read(directory.path().join("other/Riley.log")).unwrap().is_empty()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_without_a_file_can_only_be_given() {
    let server = Server::bind(&riley(), "Riley").await.unwrap();
    let mut reloader = server.reloader();
    let error = reloader.reload(process_env).await.unwrap_err().to_string();
    assert_eq!(error, "there is nothing to reload from: no configuration file was given");
    let mut next = reloader.config().clone();
    next.replication.ttl = Some(Duration::from_secs(60));
    let error = reloader.apply(next.clone()).await.unwrap_err().to_string();
    assert_eq!(error, "configuration: replication.ttl_s: can't change while the server runs; restart it");
    next.replication.ttl = None;
    next.disk = Some(disk::Settings::default());
    let error = reloader.apply(next.clone()).await.unwrap_err().to_string();
    assert_eq!(error, "configuration: disk: can't change while the server runs; restart it");
    // What a file could not say is refused as it is at a start.
    next.disk = None;
    next.servers[0].ack = herd_node::config::Ack::Durable;
    let error = reloader.apply(next.clone()).await.unwrap_err().to_string();
    assert_eq!(error, "Riley can't promise durable: there is no disk log");
    next.servers[0].ack = herd_node::config::Ack::Local;
    assert_eq!(reloader.apply(next).await.unwrap(), Vec::<String>::new());
}

/// What a program gives, no file could say: then nobody on the network would be asked for anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_of_a_listener_that_others_can_reach_is_not_taken_away() {
    let mut config = riley();
    config.admin_token = Some(Secret::new(*b"canary-token-0123456789"));
    config.servers[0].admin = Some("0.0.0.0:0".parse().unwrap());
    let mut herd = TestHerd::start(config).await;
    let port = herd.settings("Riley").admin.unwrap().port();
    let error = herd.reload("Riley", |config| config.admin_token = None).await.unwrap_err().to_string();
    let expected =
        "would show itself to any stranger on 0.0.0.0:0: give the admin listener a token, or listen on loopback";
    assert_eq!(error, format!("Riley {expected}"));
    let mut client = Client::connect(([127, 0, 0, 1], port).into()).await;
    client.send("GET /status.json HTTP/1.1\r\nHost: herd.example\r\n\r\n").await;
    assert!(client.text().await.starts_with("HTTP/1.1 401 "));
    herd.stop_all().await;
}
