//! Certificates and proxies.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use herd_node::places::google::SetupError;
use herd_node::places::{Backend, Google, Settings};
use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::mock::{Act, Mock, ok, read_request};
use crate::{CANARY, THREE, ask, fail, google, settings};

fn ca_file() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "google", "tls", "localhost.cert.pem"].iter().collect()
}

async fn secure_mock() -> Mock {
    Mock::with_tls(|_, _| Act::Send(ok(THREE))).await
}

fn secure(mock: &Mock, host: &str, ca_file: Option<PathBuf>) -> Settings {
    let base_url = Some(format!("https://{host}:{}/json", mock.address.port()));
    Settings { base_url, ca_file, ..settings(Backend::GoogleLegacy, mock) }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_once() {
    let mock = secure_mock().await;
    let google = google(&secure(&mock, "localhost", None));
    let (status, message) = fail(&google).await;
    assert!(status == "UNKNOWN_ERROR" && message.contains("certificate"), "{message}");
    assert_eq!((mock.seen(), google.stats().retries), (vec![], 0));
}

#[tokio::test]
async fn a_certificate_of_the_ca_file_is_accepted() {
    let mock = secure_mock().await;
    let google = google(&secure(&mock, "localhost", Some(ca_file())));
    assert_eq!(ask(&google).await.body, THREE.trim_end());
    assert_eq!(mock.seen().len(), 1);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let mock = secure_mock().await;
    let google = google(&secure(&mock, "127.0.0.1", Some(ca_file())));
    assert_eq!(fail(&google).await.0, "UNKNOWN_ERROR");
    assert_eq!(mock.seen(), []);
}

#[tokio::test]
async fn a_connection_that_is_not_made_in_time_is_given_up() {
    // It waits for a request in plain text, and what comes is the start of a TLS handshake.
    let mock = Mock::always(ok(THREE)).await;
    let connect_timeout = Duration::from_millis(100);
    let google = google(&Settings { connect_timeout, ..secure(&mock, "localhost", Some(ca_file())) });
    let (status, message) = fail(&google).await;
    assert!(status == "UNKNOWN_ERROR" && message.contains("no connection in time"), "{message}");
    assert_eq!((mock.seen(), google.stats().retries), (vec![], 2));
}

#[tokio::test]
async fn a_ca_file_that_is_none_is_a_setup_error() {
    let mock = secure_mock().await;
    let directory = tempfile::tempdir().unwrap();
    let (missing, empty) = (directory.path().join("missing.pem"), directory.path().join("empty.pem"));
    let broken = directory.path().join("broken.pem");
    std::fs::write(&empty, "nothing\n").unwrap();
    std::fs::write(&broken, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    let error = |path| Google::new(&secure(&mock, "localhost", Some(path))).unwrap_err();
    assert!(matches!(error(missing), SetupError::UnreadableCa { .. }));
    assert!(matches!(error(empty), SetupError::BadCa { .. }));
    assert!(matches!(error(broken), SetupError::BadCa { .. }));
    assert!(error(directory.path().into()).to_string().starts_with("places.ca_file: "));
}

/// A proxy that leads everything to `target`. Keeps what it was asked.
async fn proxy(target: &Mock, answer: &'static str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let (port, address) = (listener.local_addr().unwrap().port(), target.address);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            if let Some(request) = read_request(&mut stream, &mut Vec::new()).await {
                log.lock().unwrap().push(request.head);
                stream.write_all(answer.as_bytes()).await.unwrap();
                let mut target = TcpStream::connect(address).await.unwrap();
                let _ = copy_bidirectional(&mut stream, &mut target).await;
            }
        }
    });
    (port, asked)
}

#[tokio::test]
async fn a_proxy_sees_a_tunnel_and_no_key() {
    let mock = secure_mock().await;
    let (port, asked) = proxy(&mock, "HTTP/1.1 200 Go ahead\r\n\r\n").await;
    let settings = secure(&mock, "places.test", Some(ca_file()));
    let value = format!("http://us:er%20@127.0.0.1:{port}");
    let google = Google::with_environment(&settings, |name| (name == "https_proxy").then(|| value.clone())).unwrap();
    assert_eq!(ask(&google).await.body, THREE.trim_end());
    let asked = asked.lock().unwrap();
    assert!(asked[0].starts_with(&format!("CONNECT places.test:{} HTTP/1.1\r\n", mock.address.port())), "{asked:?}");
    assert!(asked[0].contains("Proxy-Authorization: Basic dXM6ZXIg\r\n") && !asked[0].contains(CANARY), "{asked:?}");
    assert_eq!(mock.seen().len(), 1);
}

#[tokio::test]
async fn a_proxy_that_refuses_is_a_failure_without_its_password() {
    let mock = secure_mock().await;
    let (port, _) = proxy(&mock, "HTTP/1.1 407 Who are you\r\n\r\n").await;
    let settings = secure(&mock, "places.test", Some(ca_file()));
    let value = format!("http://user:hunter2@127.0.0.1:{port}");
    let google = Google::with_environment(&settings, |name| (name == "HTTPS_PROXY").then(|| value.clone())).unwrap();
    let (status, message) = fail(&google).await;
    assert_eq!(status, "UNKNOWN_ERROR");
    assert!(message.contains("proxy authorization required"), "{message}");
    assert!(!format!("{message} {google:?}").contains("hunter2"));
    assert_eq!(mock.seen(), []);
}
