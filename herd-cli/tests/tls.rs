//! The program and the library over TLS, with real servers; and what is said where one side speaks TLS and the other does not.

mod common;

use std::io::Read;
use std::net::SocketAddr;
use std::time::Duration;

use common::secure::{Secure, ca};
use common::servers::{Servers, default_herd};
use common::{ends, herd, herd_cli, serve_all};
use herd_cli::{Address, Client, ClientError, Connection, TlsError, TlsSettings};
use herd_proto::{ClientId, Location, Timestamp};

const PATIENCE: Duration = Duration::from_secs(20);

impl Secure {
    fn settings(&self) -> TlsSettings {
        TlsSettings::from_ca_file(self.file("ca.pem")).unwrap()
    }

    /// What the program says of `arguments`, over TLS with Riley: exit code, output, complaint.
    fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let (ca, riley) = (self.file("ca.pem"), self.address("Riley").to_string());
        let secure = ["--tls", "--ca", ca.to_str().unwrap(), "--server", &riley];
        let output = herd_cli(arguments).args(secure).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }
}

#[test]
fn every_command_that_talks_to_servers_does_so_over_tls() {
    let secure = Secure::start();
    let (code, output, complaint) = secure.run(&["iamat", "kiwi", "+34-118", "--time", "1621464827"]);
    assert_eq!((code, complaint.as_str()), (Some(0), ""));
    assert!(output.starts_with("AT Riley ") && output.ends_with(" kiwi +34-118 1621464827\n"), "{output}");
    let (code, output, _) = secure.run(&["whatsat", "kiwi", "10", "0"]);
    assert!(code == Some(0) && output.starts_with("AT Riley "), "{output}");
    let (code, output, _) = secure.run(&["send", "nonsense", "WHATSAT nobody 1 0"]);
    assert_eq!((code, output.as_str()), (Some(1), "? nonsense\n? WHATSAT nobody 1 0\n"));
    let (code, output, _) = secure.run(&["watch", "kiwi", "--count", "1"]);
    assert!(code == Some(0) && output.starts_with("AT Riley "), "{output}");
    let track = secure.file("track.csv");
    std::fs::write(&track, "id,lat,lon,time\nemu,+1,+2,1621464827\nemu,+1,+3,1621464828\n").unwrap();
    let (code, output, complaint) = secure.run(&["replay", track.to_str().unwrap(), "--speed", "max"]);
    assert_eq!(code, Some(0), "{output}{complaint}");
    let (code, output, complaint) = secure.run(&["conformance", "--section", "1"]);
    assert_eq!(code, Some(0), "{output}{complaint}");
}

#[test]
fn loads_go_over_tls_too() {
    let secure = Secure::start();
    secure.servers.wait_linked();
    for mode in [
        &["--connections", "2", "--duration", "0.3", "--warmup", "0.1"][..],
        &["--rate", "500", "--duration", "0.3", "--warmup", "0.1"],
        &["--burst", "--clients", "20", "--window", "0.1"],
        &["--propagation", "--samples", "5"],
    ] {
        let ca = secure.file("ca.pem");
        let mut command = herd_cli(&["bench", "--tls", "--ca", ca.to_str().unwrap()]);
        command.args(mode);
        for name in ["Riley", "Bernard"] {
            command.args(["--server", &secure.address(name).to_string()]);
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{mode:?}: {output:?}");
    }
}

#[test]
fn the_configuration_says_that_servers_speak_tls() {
    let secure = Secure::start();
    let config = secure.file("herd.toml");
    secure.servers.write_configuration(&config, "[tls]\nclients = true\nca = \"ca.pem\"\n");
    let run = |more: &[&str]| {
        let all = [&["send", "hm", "--config", config.to_str().unwrap()], more].concat();
        herd_cli(&all).output().unwrap()
    };
    ends(&run(&["--server", "Campbell"]), 1, "? hm\n", "");
    ends(&run(&["--server", "Campbell", "--tls-name", "campbell"]), 1, "? hm\n", "");
    let address = secure.address("Campbell");
    let wrong = format!(
        "herd-cli: Campbell: no TLS with {address}: its certificate is for campbell, 127.0.0.1, not for riley (another name can be given)\n"
    );
    ends(&run(&["--server", "Campbell", "--tls-name", "riley"]), 3, "", &wrong);
}

#[test]
fn whoever_is_not_who_was_meant_gets_nothing() {
    let secure = Secure::start();
    let riley = secure.address("Riley");
    let (other, at) = (secure.file("other.pem"), riley.to_string());
    let run = |arguments: &[&str]| herd_cli(arguments).args(["--server", &at]).output().unwrap();
    let ca = other.to_str().unwrap();
    let untrusted = format!("herd-cli: no TLS with {riley}: its certificate is of a CA that is not trusted\n");
    ends(&run(&["send", "x", "--tls", "--ca", ca]), 3, "", &untrusted);
    // Without --tls: it says what that looks like, and sends nothing again.
    let plain = "herd-cli: the server speaks TLS, and this was plain text (see --tls)\n";
    ends(&run(&["send", "x"]), 3, "", plain);
}

#[test]
fn a_server_that_speaks_plainly_is_told_from_one_that_is_not_there() {
    let secure = Secure::start();
    let ca = secure.file("ca.pem");
    let run = |address: SocketAddr| {
        let arguments = ["send", "x", "--tls", "--ca", ca.to_str().unwrap(), "--server", &address.to_string()];
        herd_cli(&arguments).output().unwrap()
    };
    // One that answers each line, and so a piece of the handshake or nothing; and ours, which sees what it is.
    let plain = Servers::start({
        let mut config = default_herd();
        config.servers.truncate(1);
        config.servers[0].peers.clear();
        config
    });
    let address = plain.find("Riley").clients;
    let output = run(address);
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3));
    // Whether there is a line feed among its random bytes decides which.
    let answers = ["what it says is not TLS", "it closed the connection during the handshake: does it speak TLS?"];
    let expected = answers.map(|what| format!("herd-cli: no TLS with {address}: {what}\n"));
    assert!(expected.contains(&complaint), "{complaint}");
    let talks = serve_all(|mut stream| {
        let _ = std::io::Write::write_all(&mut stream, b"220 ready\r\n");
        let _ = stream.read(&mut [0; 1024]);
    });
    let complaint = String::from_utf8(run(talks).stderr).unwrap();
    assert_eq!(complaint, format!("herd-cli: no TLS with {talks}: what it says is not TLS\n"));
}

#[test]
fn options_of_tls_are_checked_before_anybody_is_called() {
    let run = |arguments: &[&str]| herd_cli(arguments).args(["--server", &herd().to_string()]).output().unwrap();
    let help = "; see herd-cli --help\n";
    let usage = |what: &str| format!("herd-cli: {what}{help}");
    ends(&run(&["send", "x", "--tls"]), 2, "", &usage("--tls needs --ca FILE, the CA that vouches for the servers"));
    ends(&run(&["send", "x", "--ca", "ca.pem"]), 2, "", &usage("--ca goes with --tls"));
    ends(&run(&["send", "x", "--tls-name", "riley"]), 2, "", &usage("--tls-name goes with --tls"));
    let missing = "herd-cli: can't read the CA file none.pem: no such file or directory\n";
    ends(&run(&["send", "x", "--tls", "--ca", "none.pem"]), 2, "", missing);
    let none = format!("herd-cli: {} holds no CA certificate in PEM\n", file!().replace("herd-cli/", ""));
    ends(&run(&["send", "x", "--tls", "--ca", &file!().replace("herd-cli/", "")]), 2, "", &none);
    let directory = tempfile::tempdir().unwrap();
    let ca_file = directory.path().join("ca.pem");
    std::fs::write(&ca_file, ca().0).unwrap();
    let name = "herd-cli: 'a b' is no name that a certificate can have: expected a host's name or an IP address\n";
    ends(&run(&["send", "x", "--tls", "--ca", ca_file.to_str().unwrap(), "--tls-name", "a b"]), 2, "", name);
    let digest = usage("--tls is not for digest: it asks the admin listeners, which speak plain HTTP");
    ends(&run(&["digest", "--tls", "--ca", ca_file.to_str().unwrap()]), 2, "", &digest);
}

#[tokio::test]
async fn the_library_posts_pipelines_and_reconnects() {
    let secure = Secure::start();
    let kiwi = ClientId::new("kiwi").unwrap();
    let (location, time) = (Location::new("+34-118").unwrap(), Timestamp::new("1621464827").unwrap());
    let address = Address::from(secure.address("Riley"));
    let mut connection = Connection::connect_tls(&address, &secure.settings(), PATIENCE).await.unwrap();
    assert_eq!(connection.iamat(kiwi, location, time).await.unwrap().origin().as_str(), "Riley");
    // More than is on its way at once in either direction, so that both ends have to wait for each other.
    for number in 0..20_000 {
        connection.send_line(format!("IAMAT c{number} +34.068930-118.445127 1621464827.959498503").as_bytes()).unwrap();
    }
    for _ in 0..20_000 {
        assert!(connection.next_reply().await.unwrap().is_some());
    }
    connection.send_line(b"x").unwrap();
    connection.flush().await.unwrap();
    assert_eq!((connection.queued(), connection.unanswered()), (0, 1));
    assert!(connection.next_reply().await.unwrap().is_some());
    let mut client = Client::builder().server(secure.address("Riley")).tls(secure.settings()).connect().await.unwrap();
    assert_eq!(client.iamat(kiwi, location, time).await.unwrap().origin().as_str(), "Riley");
}

#[tokio::test]
async fn the_library_says_what_is_wrong() {
    let secure = Secure::start();
    let address = Address::from(secure.address("Riley"));
    let named = |name: &str| secure.settings().name(name).unwrap();
    let error = Connection::connect_tls(&address, &named("localhost"), PATIENCE).await.unwrap_err();
    match error {
        ClientError::Insecure { source: TlsError::OtherName { wanted, found }, .. } => {
            assert_eq!((wanted.as_str(), found), ("localhost", vec!["riley".to_owned(), "127.0.0.1".to_owned()]));
        }
        other => panic!("{other:?}"),
    }
    let mut plain = Connection::connect(&address, PATIENCE).await.unwrap();
    plain.send_line(b"hello").unwrap();
    assert!(matches!(plain.next_reply().await, Err(ClientError::SpeaksTls)));
    // Who says nothing at all is given up in time.
    let silent = Address::from(serve_all(|mut stream| drop(stream.read_to_end(&mut Vec::new()))));
    let error = Connection::connect_tls(&silent, &secure.settings(), Duration::from_millis(100)).await.unwrap_err();
    assert!(matches!(error, ClientError::ConnectTimedOut { .. }), "{error:?}");
}
