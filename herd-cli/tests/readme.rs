//! The project's README: its lines for herd-cli and nc, tried on real servers.

mod common;

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use common::herd_cli;
use herd_node::config::Config;
use herd_node::server::{Herd, Server};
use tokio::sync::oneshot;

/// The default herd on free ports, in this process, until it is dropped.
struct Servers {
    /// Names and where clients connect.
    servers: Vec<(String, SocketAddr)>,
    _stop: oneshot::Sender<()>,
}

impl Servers {
    fn start() -> Self {
        let (tell, told) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
                let mut config = Config::default_herd(&|_| None).unwrap();
                config.journal = None;
                for server in &mut config.servers {
                    server.client.set_port(0);
                    server.peer.set_port(0);
                    server.admin = Some("127.0.0.1:0".parse().unwrap());
                    server.peers.iter_mut().for_each(|peer| peer.dial.set_port(0));
                }
                let herd = Herd::bind(&config).await.unwrap();
                let handles: Vec<_> = herd.servers().iter().map(Server::handle).collect();
                let servers: Vec<_> =
                    herd.servers().iter().map(|server| (server.name().to_owned(), server.client_address())).collect();
                let is_linked = async {
                    for handle in handles {
                        handle.wait_linked().await;
                    }
                    tell.send(servers).unwrap();
                };
                let end = async {
                    // Dropped: the test is over.
                    let _ = stopped.await;
                };
                tokio::join!(herd.run(end), is_linked);
            });
        });
        Self { servers: told.recv().unwrap(), _stop: stop }
    }

    /// The configuration by which herd-cli finds them.
    fn write_configuration(&self, file: &Path) {
        let server = |(name, address): &(String, SocketAddr)| {
            format!("[[server]]\nname = \"{name}\"\nclient = \"{address}\"\npeer = \"127.0.0.1:0\"\n")
        };
        fs::write(file, self.servers.iter().map(server).collect::<String>()).unwrap();
    }

    fn at(&self, name: &str) -> SocketAddr {
        self.servers.iter().find(|(other, _)| other == name).unwrap().1
    }
}

#[test]
fn commands_in_the_readme_work() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let configuration = directory.path().join("herd.toml");
    let servers = Servers::start();
    servers.write_configuration(&configuration);
    let mut replies = Vec::new();
    for line in readme.split("```sh\n").skip(1).flat_map(|rest| rest.split("```").next().unwrap().lines()) {
        if let Some(arguments) = line.strip_prefix("herd-cli ") {
            let arguments: Vec<&str> = arguments.split_whitespace().collect();
            replies.push(answered(&arguments, &configuration));
        } else if let Some(rest) = line.strip_prefix("printf '") {
            let (text, rest) = rest.split_once("\\n' | nc 127.0.0.1 ").expect("printf 'LINE\\n' | nc 127.0.0.1 PORT");
            replies.push(exchanged(servers.at(default_server(rest)), text));
        }
    }
    assert!(replies.len() >= 3, "README.md shows {} commands", replies.len());
    for reply in replies {
        assert!(reply.starts_with("AT Riley "), "{reply}");
    }
}

/// The reply to `herd-cli arguments`: asked again while the post is on its way to the other servers.
fn answered(arguments: &[&str], configuration: &Path) -> String {
    for _ in 0..1_000 {
        let output = herd_cli(arguments).env("HERD_CONFIG", configuration).output().unwrap();
        if output.status.code() != Some(1) {
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            return String::from_utf8(output.stdout).unwrap();
        }
    }
    panic!("{arguments:?} is answered with `?` for ever");
}

/// The name of the default herd's server with that port for clients.
fn default_server(port: &str) -> &'static str {
    let port: u16 = port.parse().unwrap();
    herd_proto::herd::DEFAULT_SERVERS.iter().find(|server| server.client_port == port).unwrap().name
}

fn exchanged(address: SocketAddr, line: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(format!("{line}\n").as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    reply
}
