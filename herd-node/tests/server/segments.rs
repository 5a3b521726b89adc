//! A read is not a line: replies are the same however requests are cut, and in the order of the requests.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};

use super::support::{TestHerd, herd, soon};

/// `count` lines of every kind, and how each reply begins. A reply to a WHATSAT has four lines more, of which the last is blank.
fn mixed(count: usize) -> (Vec<u8>, Vec<(String, bool)>) {
    let (mut lines, mut replies) = (Vec::new(), Vec::new());
    for number in 0..count {
        let (line, reply, has_body) = match number % 4 {
            0 | 3 => {
                let time = 1_600_000_000 + number;
                (format!("IAMAT c{} +1.5-2.5 {time}", number % 7), "AT Riley +".to_owned(), false)
            }
            1 => (format!("WHATSAT c{} 1 0", (number - 1) % 7), "AT Riley +".to_owned(), true),
            _ => (format!("nonsense {number}"), format!("? nonsense {number}"), false),
        };
        lines.extend_from_slice(line.as_bytes());
        lines.push(b'\n');
        let about = line.strip_prefix("IAMAT ").map(str::to_owned);
        replies.push((about.map_or(reply, |about| format!("AT Riley + {about}")), has_body));
    }
    (lines, replies)
}

/// Sends `lines` in pieces while reading, then half-closes: exactly these replies come, in order, and then the end.
async fn exchange(lines: Vec<u8>, replies: Vec<(String, bool)>, piece: usize) {
    let herd = TestHerd::start(herd::riley()).await;
    let mut client = herd.connect("Riley").await;
    let writing = async {
        for piece in lines.chunks(piece) {
            client.writer.write_all(piece).await.unwrap();
        }
        client.writer.shutdown().await.unwrap();
    };
    let reading = async {
        let mut line = String::new();
        for (number, (expected, has_body)) in replies.iter().enumerate() {
            line.clear();
            client.reader.read_line(&mut line).await.unwrap();
            assert!(matches(&line, expected), "reply {number}: {line:?} is not {expected:?}");
            for _ in 0..if *has_body { 6 } else { 0 } {
                line.clear();
                client.reader.read_line(&mut line).await.unwrap();
            }
            assert!(!has_body || line == "\n", "reply {number} ends with {line:?}");
        }
        assert_eq!(client.reader.read_line(&mut line).await.unwrap(), 0, "one reply too many: {line:?}");
    };
    soon("the replies", async { tokio::join!(writing, reading) }).await;
}

/// Whether `line` is `expected`, whose skew is only a `+`.
fn matches(line: &str, expected: &str) -> bool {
    let line = line.trim_end_matches('\n');
    match expected.strip_prefix("AT Riley + ") {
        Some(about) => line.starts_with("AT Riley +") && line.ends_with(&format!(" {about}")),
        None => line == expected || (expected.ends_with('+') && line.starts_with(expected)),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_byte_at_a_time() {
    let (lines, replies) = mixed(24);
    exchange(lines, replies, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_lines_in_one_write() {
    let (lines, replies) = mixed(1_000);
    exchange(lines, replies, usize::MAX).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_lines_in_one_write() {
    let (lines, replies) = mixed(10_000);
    exchange(lines, replies, usize::MAX).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_line_needs_no_lf() {
    let herd = TestHerd::start(herd::riley()).await;
    let mut client = herd.connect("Riley").await;
    // As `printf 'IAMAT …' | nc` does.
    client.send("IAMAT kiwi +1+2 3").await;
    client.finish().await;
    let reply = String::from_utf8(client.rest().await).unwrap();
    assert!(reply.starts_with("AT Riley +") && reply.ends_with(" kiwi +1+2 3\n"), "{reply:?}");
    // Of what has no LF a CR at the end is the line's own, and nothing at all is no line.
    for (sent, expected) in [("oh\r", "? oh\r\n"), ("oh\r\n", "? oh\n"), ("", "")] {
        let mut client = herd.connect("Riley").await;
        client.send(sent).await;
        client.finish().await;
        assert_eq!(String::from_utf8(client.rest().await).unwrap(), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_answered_in_one_write() {
    let herd = TestHerd::start(herd::riley()).await;
    let mut client = herd.connect("Riley").await;
    let sent = "IAMAT kiwi +34.0-118.4 3\nWHATSAT kiwi 10 5\nnonsense\nWHATSAT kiwi 1 0\n\n";
    client.send(sent).await;
    // One single read, as the clients of courses do.
    let mut all = vec![0; 256 * 1024];
    let len = soon("a reply", client.reader.read(&mut all)).await.unwrap();
    let text = std::str::from_utf8(&all[..len]).unwrap();
    assert!(text.starts_with("AT Riley +") && text.ends_with("\n\n? \n"), "{text}");
    assert_eq!(text.matches("AT Riley").count(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_long_lines() {
    const CAP: usize = 8_192;
    let herd = TestHerd::start(herd::riley()).await;
    let mut client = herd.connect("Riley").await;
    let line = |len: usize| "x".repeat(len);
    let cut = format!("? {}", line(64));
    // At the cap, and with a CR that is not counted as less than a byte.
    for len in [CAP, CAP - 1] {
        assert_eq!(client.ask(&line(len)).await, format!("? {}", line(len)));
    }
    assert_eq!(client.ask(&format!("{}\r", line(CAP - 1))).await, format!("? {}", line(CAP - 1)));
    // One more, and far more: the connection goes on.
    assert_eq!(client.ask(&line(CAP + 1)).await, cut);
    assert_eq!(client.ask("short").await, "? short");
    assert_eq!(client.ask(&line(1_000_000)).await, cut);
    assert!(client.ask("IAMAT kiwi +1+2 3").await.starts_with("AT Riley "));
    // The third ends it, after its reply; what follows is not answered.
    client.send(format!("{}\nIAMAT late +1+2 3\n", line(CAP + 1))).await;
    assert_eq!(client.rest().await, format!("{cut}\n").as_bytes());
    assert!(herd.handle("Riley").look(|replica| replica.find(b"late").is_none()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_at_its_limit_goes_to_every_server() {
    let herd = TestHerd::linked(herd::default_herd()).await;
    let mut client = herd.connect("Riley").await;
    let id = "k".repeat(4_096);
    let told = client.post(&id, "+1+2", "3").await;
    herd.wait_known(&id, &told).await;
    let longer = format!("IAMAT {id}k +1+2 3");
    assert_eq!(client.ask(&longer).await, format!("? {longer}"));
}
