//! `herd-cli watch` where the server tells by itself: it need not be asked, and is when it stops telling.

mod common;

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, ChildStderr, ChildStdout};
use std::thread;
use std::time::Duration;

use common::servers::{Servers, default_herd};
use common::{answering_all, ends, herd_cli, run};
use herd_cli::{AdminError, AdminServer, Change};
use herd_node::secret::Secret;
use herd_proto::ClientId;

/// The program while it watches. Asked for an interval that no test lasts, so what it shows it was told.
struct Watching {
    child: Child,
    shown: Lines<BufReader<ChildStdout>>,
    said: Lines<BufReader<ChildStderr>>,
}

impl Watching {
    fn start(arguments: &[&str], configuration: &str) -> Self {
        let mut command = herd_cli(&["watch", "--config", configuration]);
        command.args(arguments).env_remove("HERD_ADMIN_TOKEN");
        Self::of(command.spawn().unwrap())
    }

    fn of(mut child: Child) -> Self {
        let shown = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, shown, said }
    }

    fn next(&mut self) -> String {
        self.shown.next().expect("it has ended").unwrap()
    }

    fn next_said(&mut self) -> String {
        self.said.next().expect("it has ended").unwrap()
    }
}

/// One server of the herd by itself, and the file by which it is found.
fn alone(directory: &tempfile::TempDir, token: Option<&str>) -> (Servers, String) {
    let mut config = default_herd();
    config.servers.truncate(1);
    config.servers.iter_mut().for_each(|server| server.peers.clear());
    config.admin_token = token.map(|token| Secret::new(token.as_bytes()));
    let herd = Servers::start(config);
    let file = directory.path().join("herd.toml");
    herd.write_configuration(&file, "");
    (herd, file.to_str().unwrap().to_owned())
}

/// Posts, and gives the line that it is answered with.
fn post(server: SocketAddr, arguments: [&str; 3]) -> String {
    let output = run(server, &["iamat", arguments[0], arguments[1], "--time", arguments[2]]);
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

#[test]
fn what_the_server_tells_is_shown_as_if_it_had_been_asked() {
    let directory = tempfile::tempdir().unwrap();
    let (herd, file) = alone(&directory, None);
    let server = herd.servers[0].clients;
    let known = post(server, ["emu&co", "+1+1", "7"]);
    let mut watching = Watching::start(&["kiwi", "emu&co", "--interval", "100000", "--count", "3"], &file);
    let mut first = [watching.next(), watching.next()];
    first.sort();
    assert_eq!(first, ["? WHATSAT kiwi 1 0".to_owned(), known]);
    let told = post(server, ["kiwi", "+34-118", "7"]);
    assert_eq!(watching.next(), told);
    // Neither older ones, nor of anybody else.
    post(server, ["kiwi", "+35-118", "6"]);
    post(server, ["other", "+35-118", "6"]);
    let moved = post(server, ["kiwi", "+34-119", "8"]);
    assert_eq!(watching.next(), moved);
    assert_eq!(watching.child.wait().unwrap().code(), Some(0));
    assert_eq!(watching.said.count(), 0);
    // The same as JSON: of the same kind as what is asked for.
    let output = herd_cli(&["watch", "kiwi", "--count", "1", "--json", "--config", &file]).output().unwrap();
    assert!(output.stdout.starts_with(b"{\"reply\":\"at\",\"server\":\"Riley\""), "{output:?}");
}

#[test]
fn a_server_that_wants_a_token_is_shown_it_or_asked() {
    const TOKEN: &str = "canary-token-0123456789";
    let directory = tempfile::tempdir().unwrap();
    let (herd, file) = alone(&directory, Some(TOKEN));
    let (server, admin) = (herd.servers[0].clients, herd.servers[0].admin);
    let known = post(server, ["kiwi", "+1+1", "7"]);
    let mut command = herd_cli(&["watch", "kiwi", "--interval", "100000", "--count", "2", "--config", &file]);
    let mut watching = Watching::of(command.env("HERD_ADMIN_TOKEN", TOKEN).spawn().unwrap());
    assert_eq!(watching.next(), known);
    let moved = post(server, ["kiwi", "+1+2", "8"]);
    assert_eq!(watching.next(), moved);
    assert_eq!((watching.child.wait().unwrap().code(), watching.said.count()), (Some(0), 0));
    // Without it, or with another, by asking: and it is said why.
    let mut watching = Watching::start(&["kiwi", "--interval", "0.01", "--count", "1"], &file);
    let wanted = format!("{admin} wants a token, and is shown none or another: --token-file, HERD_ADMIN_TOKEN");
    assert_eq!(watching.next_said(), format!("herd-cli: no events: {wanted}; asking instead"));
    assert_eq!(watching.next(), moved);
    assert_eq!((watching.child.wait().unwrap().code(), watching.said.count()), (Some(0), 0));
    let digest = |token: &str| {
        let mut command = herd_cli(&["digest", "--wait", "0", "--admin", &admin.to_string()]);
        command.env("HERD_ADMIN_TOKEN", token).output().unwrap()
    };
    assert_eq!(digest(TOKEN).status.code(), Some(0));
    let refused = digest("another");
    assert_ne!(refused.status.code(), Some(0));
    let said = String::from_utf8([refused.stdout, refused.stderr].concat()).unwrap();
    assert!(said.contains("it wants a token, and is shown none or another: --token-file, HERD_ADMIN_TOKEN"), "{said}");
    assert!(!said.contains("another\n"), "{said}");
}

/// A server's admin address that gives each connection one of these, whole, and then closes it.
fn telling(answers: Vec<String>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for answer in answers {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read(&mut byte).unwrap_or_default() == 0 {
                    break;
                }
                request.push(byte[0]);
            }
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    address
}

fn head(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{body}")
}

fn positions(time: u8) -> String {
    let record = format!(
        r#"{{"client":"kiwi","location":"+34-118","time":"{time}","server":"Riley","skew":"+0.263873386","lat":34.0,"lon":-118.0}}"#
    );
    format!("event: positions\ndata: [{record}]\n\n")
}

/// A file by which Riley is found, whoever answers there.
fn found_by(directory: &tempfile::TempDir, clients: SocketAddr, admin: SocketAddr) -> String {
    let file = directory.path().join("herd.toml");
    let text = format!("[[server]]\nname = \"Riley\"\nclient = \"{clients}\"\nadmin = \"{admin}\"\n");
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

fn at(time: u8) -> String {
    format!("AT Riley +0.263873386 kiwi +34-118 {time}")
}

#[test]
fn one_that_stops_telling_is_asked_and_told_from_again() {
    let directory = tempfile::tempdir().unwrap();
    let live = "event: live\ndata: {}\n\n";
    let first = head(&format!("retry: 2000\n\n{}{live}{}", positions(7), positions(8)));
    let second = head(&format!("{}{live}{}event: gone\ndata: [\"kiwi\"]\n\n", positions(9), positions(9)));
    let admin = telling(vec![first, second]);
    // Whoever asks is told what was known last.
    let clients = answering_all(|_| format!("{}\n{{}}\n\n", at(8)).into_bytes());
    let file = found_by(&directory, clients, admin);
    let mut watching = Watching::start(&["kiwi", "--interval", "0.01"], &file);
    assert_eq!([watching.next(), watching.next()], [at(7), at(8)]);
    assert_eq!(watching.next_said(), format!("herd-cli: events of {admin}: it has ended; asking meanwhile"));
    assert_eq!(watching.next_said(), format!("herd-cli: events of {admin}: there again"));
    assert_eq!([watching.next(), watching.next()], [at(9), "? WHATSAT kiwi 1 0".to_owned()]);
    watching.child.kill().unwrap();
    watching.child.wait().unwrap();
}

#[test]
fn what_is_told_by_no_server_of_the_herd_is_not_believed() {
    let garbage = [
        ("event: positions\ndata: [{\"client\":\"ki wi\"}]\n\n", "the data of one is not what they should be"),
        ("event: positions\ndata: <html>\n\n", "the data of one is not what they should be"),
        (&*positions(7).replace("kiwi", "ki wi"), "one has a record that is none"),
    ];
    for (text, why) in garbage {
        let directory = tempfile::tempdir().unwrap();
        let admin = telling(vec![head(text)]);
        let clients = answering_all(|_| format!("{}\n{{}}\n\n", at(8)).into_bytes());
        let file = found_by(&directory, clients, admin);
        let output =
            herd_cli(&["watch", "kiwi", "--interval", "0.01", "--count", "1", "--config", &file]).output().unwrap();
        let said =
            format!("herd-cli: events of {admin}: the events of {admin} are none of a herd: {why}; asking meanwhile\n");
        ends(&output, 0, format!("{}\n", at(8)), &said);
    }
    // Who answers otherwise, or not at all, is asked the other way without many words.
    let directory = tempfile::tempdir().unwrap();
    let admin = telling(vec!["HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_owned()]);
    let clients = answering_all(|_| format!("{}\n{{}}\n\n", at(8)).into_bytes());
    let file = found_by(&directory, clients, admin);
    let output =
        herd_cli(&["watch", "kiwi", "--interval", "0.01", "--count", "1", "--config", &file]).output().unwrap();
    let said = format!("herd-cli: no events: {admin} answered with HTTP status 404; asking instead\n");
    ends(&output, 0, format!("{}\n", at(8)), &said);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let file = found_by(&directory, clients, nobody);
    let output =
        herd_cli(&["watch", "kiwi", "--interval", "0.01", "--count", "1", "--config", &file]).output().unwrap();
    ends(&output, 0, format!("{}\n", at(8)), "");
}

#[test]
fn the_library_tells_of_all_clients_or_of_a_few() {
    let directory = tempfile::tempdir().unwrap();
    let (herd, _) = alone(&directory, None);
    let server = &herd.servers[0];
    post(server.clients, ["kiwi", "+1+2", "3"]);
    post(server.clients, ["emu", "+3+4", "5"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let admin = AdminServer::new(server.admin.into(), Duration::from_secs(10));
        let mut all = admin.events(&[]).await.unwrap();
        let Some(Change::Positions(ats)) = all.next().await.unwrap() else { panic!("nobody is there") };
        let mut clients: Vec<String> = ats.iter().map(|at| at.client().to_string()).collect();
        clients.sort();
        assert_eq!(clients, ["emu", "kiwi"]);
        assert_eq!(all.next().await.unwrap(), Some(Change::Live));
        let mut few = admin.events(&[ClientId::new("emu").unwrap(), ClientId::new("gnu").unwrap()]).await.unwrap();
        let Some(Change::Positions(ats)) = few.next().await.unwrap() else { panic!("nobody is there") };
        assert_eq!(ats.len(), 1);
        assert_eq!(few.next().await.unwrap(), Some(Change::Live));
        // Dropped while it waits, and asked again: nothing is lost.
        assert!(tokio::time::timeout(Duration::from_millis(20), few.next()).await.is_err());
        let clients = server.clients;
        let told = tokio::task::spawn_blocking(move || post(clients, ["gnu", "+1+1", "7"])).await.unwrap();
        let Some(Change::Positions(ats)) = few.next().await.unwrap() else { panic!("it has moved") };
        assert_eq!(str::from_utf8(ats[0].line()).unwrap(), told);
        assert_eq!(admin.status().await.unwrap().records, 3);
        let long = "x".repeat(4_000);
        let many = [ClientId::new(&long).unwrap(); 4];
        assert!(matches!(admin.events(&many).await, Err(AdminError::TooMany)));
    });
}
