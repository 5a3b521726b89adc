//! A server behind HAProxy, the real one. Where the machine has none, the tests say so and do nothing; `./dev test` installs it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use herd_node::net::Reason;
use tokio::net::{TcpSocket, TcpStream};

use super::support::herd::journal_in;
use super::support::{Client, TestHerd, file_with, herd, soon};

/// Between two of its looks whether Riley is well.
const CHECK_EVERY: &str = "50ms";

/// Killed when dropped.
struct Haproxy {
    child: Child,
    /// The frontends' ports: for PROXY headers of version 1 and of version 2.
    ports: [u16; 2],
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the program is, if this machine has it.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian has it where only root looks.
    let places = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    let found = places.map(|place| place.join("haproxy")).find(|file| file.is_file());
    if found.is_none() {
        eprintln!("skipped: this machine has no haproxy");
    }
    // Clients of several addresses of loopback are needed besides.
    found.filter(|_| cfg!(target_os = "linux"))
}

fn free_ports() -> [u16; 2] {
    // Held until both are found.
    let listeners = [0, 0].map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

impl Haproxy {
    /// Two frontends before the server at `target`, which is looked after.
    async fn start(program: &Path, directory: &Path, target: SocketAddr) -> Self {
        let started = async {
            loop {
                let ports = free_ports();
                let config = directory.join("haproxy.cfg");
                std::fs::write(&config, configuration(ports, target)).unwrap();
                let mut command = Command::new(program);
                command
                    .arg("-db")
                    .arg("-f")
                    .arg(&config)
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null());
                let mut haproxy = Self { child: command.spawn().unwrap(), ports };
                // It ends by itself where somebody was faster and has one of the ports.
                if haproxy.is_listening().await {
                    return haproxy;
                }
            }
        };
        soon("haproxy to listen", started).await
    }

    async fn is_listening(&mut self) -> bool {
        // From addresses that the tests have no other use for.
        for (version, from) in [(1, [127, 0, 0, 101]), (2, [127, 0, 0, 102])] {
            while self.try_connect(version, from).await.is_err() {
                if self.child.try_wait().unwrap().is_some() {
                    return false;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        // What listened may be somebody else; a process that is there has both ports.
        self.child.try_wait().unwrap().is_none()
    }

    async fn try_connect(&self, version: usize, from: [u8; 4]) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::from(from), 0).into())?;
        socket.connect((Ipv4Addr::LOCALHOST, self.ports[version - 1]).into()).await
    }

    /// A client at an address of its own, by the frontend for headers of `version`; and where it is.
    async fn connect(&self, version: usize, from: [u8; 4]) -> (Client, SocketAddr) {
        let stream = soon("haproxy to accept", self.try_connect(version, from)).await.unwrap();
        let address = stream.local_addr().unwrap();
        (Client::over(stream), address)
    }
}

fn configuration(ports: [u16; 2], target: SocketAddr) -> String {
    let mut text = "global\n  maxconn 100\ndefaults\n  mode tcp\n  timeout connect 10s\n  timeout client 60s\n  timeout server 60s\n".to_owned();
    for (port, header) in ports.into_iter().zip(["send-proxy", "send-proxy-v2"]) {
        text += &format!(
            "listen {header}\n  bind 127.0.0.1:{port}\n  server riley {target} {header} check check-send-proxy inter {CHECK_EVERY}\n"
        );
    }
    text
}

/// Riley, who believes what comes from 127.0.0.1.
async fn riley_behind(directory: &tempfile::TempDir) -> TestHerd {
    let mut config = herd::riley();
    config.servers[0].proxies = Some(vec!["127.0.0.1".parse().unwrap()]);
    config.limits.loopback_is_limited = true;
    config.limits.connections_per_ip_max = Some(1);
    config.journal = journal_in(directory);
    TestHerd::start(config).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_haproxy_is_known_by_its_own_address() {
    let Some(program) = program() else { return };
    let directory = tempfile::tempdir().unwrap();
    let herd = riley_behind(&directory).await;
    let haproxy = Haproxy::start(&program, directory.path(), herd.settings("Riley").client).await;
    let journal = directory.path().join("Riley.log");
    for (version, from) in [(1, [127, 0, 0, 2]), (2, [127, 0, 0, 3])] {
        let (mut client, address) = haproxy.connect(version, from).await;
        let operands = client.post(&format!("by-version-{version}"), "+1+2", "3").await;
        let wanted = format!(" recv client {address} IAMAT by-version-{version} +1+2 3\n");
        file_with(&journal, &wanted.clone(), move |journal| journal.contains(&wanted)).await;
        assert_eq!(client.whereabouts(&format!("by-version-{version}")).await, Some(operands));
        // The one connection that its address may have, by whichever way the next would come.
        for version in [1, 2] {
            let (mut second, _) = haproxy.connect(version, from).await;
            assert_eq!(second.rest().await, b"", "version {version}");
        }
        // Somebody else's is not counted with it, though both come by 127.0.0.1.
        let (mut other, _) = haproxy.connect(version, [127, 0, 1, version as u8]).await;
        assert_eq!(other.ask("hello").await, "? hello");
        other.finish().await;
        assert!(other.rest().await.is_empty());
    }
    assert_eq!(herd.handle("Riley").refused(Reason::AddressFull), 4);
    assert_eq!(herd.handle("Riley").refused(Reason::ProxyHeader), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn haproxy_may_look_whether_a_server_is_well_as_often_as_it_likes() {
    let Some(program) = program() else { return };
    let directory = tempfile::tempdir().unwrap();
    let herd = riley_behind(&directory).await;
    let haproxy = Haproxy::start(&program, directory.path(), herd.settings("Riley").client).await;
    let looks = |journal: &str| journal.matches(" connected client 127.0.0.1:").count() >= 20;
    let journal = file_with(&directory.path().join("Riley.log"), "twenty looks", looks).await;
    assert!(!journal.contains(" refused ") && !journal.contains(" recv "), "{journal}");
    let refused = |reason: &Reason| herd.handle("Riley").refused(*reason) > 0;
    assert_eq!(Reason::ALL.into_iter().filter(refused).collect::<Vec<_>>(), []);
    // And after all of them it finds it well.
    for version in [1, 2] {
        let (mut client, _) = haproxy.connect(version, [127, 0, 1, version as u8]).await;
        assert_eq!(client.ask("hello").await, "? hello");
        client.finish().await;
        assert!(client.rest().await.is_empty());
    }
}
