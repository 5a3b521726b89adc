//! A Google that does as it is told, on a free port of loopback. It tells by events what happened, so that no test has to
//! guess by time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

/// What the mock does with a request.
pub(crate) enum Act {
    /// Answers.
    Send(Vec<u8>),
    /// Answers and closes the connection.
    SendAndClose(Vec<u8>),
    /// Answers when the semaphore has a permit, and uses it up.
    When(Arc<Semaphore>, Vec<u8>),
    /// Sends, then a byte now and then without end.
    Drip(Vec<u8>),
    /// Closes the connection without a word.
    HangUp,
    /// Says nothing and waits to be hung up on.
    Hold,
}

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Seen {
    /// The value of the header `name`, in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

type Script = Arc<dyn Fn(usize, &Seen) -> Act + Send + Sync>;

pub(crate) struct Mock {
    pub(crate) address: SocketAddr,
    seen: watch::Receiver<Vec<Seen>>,
    hung_up: watch::Receiver<usize>,
    connections: Arc<AtomicUsize>,
}

#[derive(Clone)]
struct Events {
    seen: Arc<watch::Sender<Vec<Seen>>>,
    hung_up: Arc<watch::Sender<usize>>,
}

impl Mock {
    /// Answers the n-th request (from 0, over all connections) as `script` says.
    pub(crate) async fn new(script: impl Fn(usize, &Seen) -> Act + Send + Sync + 'static) -> Self {
        Self::start(script, None).await
    }

    /// The same over TLS.
    pub(crate) async fn with_tls(script: impl Fn(usize, &Seen) -> Act + Send + Sync + 'static) -> Self {
        let certificate = include_bytes!("tls/localhost.cert.pem");
        let identity = native_tls::Identity::from_pkcs8(certificate, include_bytes!("tls/localhost.key.pem")).unwrap();
        let acceptor = native_tls::TlsAcceptor::new(identity).unwrap();
        Self::start(script, Some(acceptor.into())).await
    }

    /// Answers every request with `reply`.
    pub(crate) async fn always(reply: Vec<u8>) -> Self {
        Self::new(move |_, _| Act::Send(reply.clone())).await
    }

    async fn start(
        script: impl Fn(usize, &Seen) -> Act + Send + Sync + 'static,
        tls: Option<tokio_native_tls::TlsAcceptor>,
    ) -> Self {
        let script: Script = Arc::new(script);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let ((seen_in, seen), (hung_up_in, hung_up)) = (watch::channel(Vec::new()), watch::channel(0));
        let events = Events { seen: Arc::new(seen_in), hung_up: Arc::new(hung_up_in) };
        let connections = Arc::new(AtomicUsize::new(0));
        let accepted = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepted.fetch_add(1, Ordering::Relaxed);
                let (script, events, tls) = (Arc::clone(&script), events.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, script, events).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, script, events).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, seen, hung_up, connections }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/maps/api/place/nearbysearch/json", self.address)
    }

    /// All requests that came so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.borrow().clone()
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Waits until `count` requests have come.
    pub(crate) async fn requests(&self, count: usize) {
        self.seen.clone().wait_for(|seen| seen.len() >= count).await.unwrap();
    }

    /// Waits until `count` requests were given up by who made them.
    pub(crate) async fn hang_ups(&self, count: usize) {
        self.hung_up.clone().wait_for(|hung_up| *hung_up >= count).await.unwrap();
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, script: Script, events: Events) {
    let mut buffer = Vec::new();
    while let Some(seen) = read_request(&mut stream, &mut buffer).await {
        let mut number = 0;
        events.seen.send_modify(|all| {
            number = all.len();
            all.push(seen.clone());
        });
        match script(number, &seen) {
            Act::Send(reply) => {
                if stream.write_all(&reply).await.is_err() {
                    return;
                }
            }
            Act::SendAndClose(reply) => {
                let _ = stream.write_all(&reply).await;
                let _ = stream.shutdown().await;
                return;
            }
            Act::When(permits, reply) => {
                permits.acquire().await.unwrap().forget();
                let _ = stream.write_all(&reply).await;
            }
            Act::Drip(mut next) => {
                while stream.write_all(&next).await.is_ok() {
                    next = vec![b' '];
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                events.hung_up.send_modify(|count| *count += 1);
                return;
            }
            Act::HangUp => return,
            Act::Hold => {
                let mut rest = [0; 64];
                while matches!(stream.read(&mut rest).await, Ok(read) if read > 0) {}
                events.hung_up.send_modify(|count| *count += 1);
                return;
            }
        }
    }
}

pub(crate) async fn read_request(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Option<Seen> {
    let head_end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(buffer.drain(..head_end).collect()).unwrap();
    let mut seen = Seen { head, body: String::new() };
    let length = seen.header("content-length").map_or(0, |length| length.parse().unwrap());
    while buffer.len() < length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    seen.body = String::from_utf8(buffer.drain(..length).collect()).unwrap();
    Some(seen)
}

/// An HTTP response with `headers` (each ending in CRLF).
pub(crate) fn response(code: u16, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {code} Said\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// A plain 200.
pub(crate) fn ok(body: impl AsRef<[u8]>) -> Vec<u8> {
    response(200, "Content-Type: application/json; charset=UTF-8\r\n", body)
}
