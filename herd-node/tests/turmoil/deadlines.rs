//! Every time-out of a connection, to the millisecond: it fires when it should, and neither before nor much later.

use std::future::Future;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;
use turmoil::net::TcpStream;

use super::stage::{CLIENTS, PEERS, Stage};

/// The network's latency both ways, the time until its next look, and the half second in which a closed connection is read away.
const SLACK: Duration = Duration::from_millis(300);

/// Riley and Jaquez, and one client that does `work`.
fn play<F: Future<Output = turmoil::Result> + 'static>(work: impl FnOnce() -> F) {
    let mut stage = Stage::new(7, 2, &[(0, 1)], |config| config.limits.idle = Duration::from_secs(20));
    // Both are there, and linked.
    assert!(stage.pass_until(Duration::from_secs(3), |stage| stage.sim.elapsed() > SLACK && stage.agrees()).is_some());
    stage.sim.client("somebody", work());
    let begun = stage.sim.elapsed();
    while !stage.sim.step().unwrap() {
        assert!(stage.sim.elapsed() - begun < Duration::from_secs(120), "it never ends");
    }
}

async fn connect(port: u16) -> std::io::Result<TcpStream> {
    TcpStream::connect(("Riley", port)).await
}

/// Reads to the end, which is to come `after` so long from `begun`; returns what came.
async fn ends(stream: &mut TcpStream, begun: Instant, after: Duration) -> String {
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard).await;
    let took = begun.elapsed();
    assert!((after..after + SLACK).contains(&took), "{took:?} and not {after:?}");
    String::from_utf8(heard).unwrap()
}

fn now() -> Instant {
    // Of the simulation.
    Instant::from_std(herd_node::clock::monotonic())
}

#[test]
fn the_first_line() {
    play(|| async {
        for begin in ["", "IAMAT ki"] {
            let begun = now();
            let mut stream = connect(CLIENTS).await?;
            stream.write_all(begin.as_bytes()).await?;
            assert_eq!(ends(&mut stream, begun, Duration::from_secs(10)).await, "");
        }
        Ok(())
    });
}

#[test]
fn the_rest_of_a_line_however_it_drips() {
    play(|| async {
        let mut stream = connect(CLIENTS).await?;
        stream.write_all(b"hello\n").await?;
        let mut reply = [0; 8];
        stream.read_exact(&mut reply).await?;
        assert_eq!(&reply, b"? hello\n");
        let begun = now();
        for _ in 0..18 {
            stream.write_all(b"x").await?;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        assert_eq!(ends(&mut stream, begun, Duration::from_secs(10)).await, "");
        Ok(())
    });
}

#[test]
fn idleness() {
    play(|| async {
        let mut stream = connect(CLIENTS).await?;
        let mut begun = now();
        for _ in 0..3 {
            begun = now();
            stream.write_all(b"hello\n").await?;
            stream.read_exact(&mut [0; 8]).await?;
            tokio::time::sleep(Duration::from_secs(19)).await;
        }
        assert_eq!(ends(&mut stream, begun, Duration::from_secs(20)).await, "");
        Ok(())
    });
}

/// Who does not read is not read, and cut off after ten seconds in which it took nothing.
#[test]
fn replies_that_nobody_takes() {
    play(|| async {
        let mut stream = connect(CLIENTS).await?;
        let lines = b"no message, but a long line that is said again and again\n".repeat(200);
        let (mut last, mut sent) = (now(), 0);
        // Until it is full both ways: the connection holds so many segments and no more.
        while let Ok(written) = tokio::time::timeout(Duration::from_secs(2), stream.write_all(&lines)).await {
            written?;
            (last, sent) = (now(), sent + 1);
        }
        assert!(sent > 10, "{sent}");
        tokio::time::sleep(Duration::from_secs(20)).await;
        // What it had taken is there, and then comes the end.
        let mut heard = Vec::new();
        let _ = stream.read_to_end(&mut heard).await;
        assert!(heard.starts_with(b"? no message, but"));
        assert!(last.elapsed() < Duration::from_secs(23), "{:?}", last.elapsed());
        Ok(())
    });
}

#[test]
fn a_handshake() {
    play(|| async {
        for begin in [
            "",
            "HELLO herd/1 ucla Jaq",
            "HELLO herd/1 ucla Jaquez Riley 3b1f0c5d77a9e240 5f0e1d2c3b4a69788796a5b4c3d2e1f0\n",
        ] {
            let begun = now();
            let mut stream = connect(PEERS).await?;
            stream.write_all(begin.as_bytes()).await?;
            let heard = ends(&mut stream, begun, Duration::from_secs(3)).await;
            assert!(heard.ends_with("ERR timeout the handshake took too long\n"), "{heard}");
        }
        Ok(())
    });
}

/// A peer from which nothing comes any more, neither words nor an end, is given up after four seconds, and is back soon after.
#[test]
fn silence_of_a_peer() {
    let mut stage = Stage::new(8, 2, &[(0, 1)], |_| ());
    let links = |stage: &Stage| stage.look("Riley", herd_node::replica::Replica::link_count);
    let is_settled = |stage: &mut Stage| stage.sim.elapsed() > Duration::from_secs(2) && stage.agrees();
    assert!(stage.pass_until(Duration::from_secs(5), is_settled).is_some());
    stage.sim.partition("Riley", "Jaquez");
    let has_lost = |stage: &mut Stage| !stage.agrees();
    let took = stage.pass_until(Duration::from_secs(10), has_lost).expect("the link is lost");
    // Its last PING was up to a second old.
    assert!((Duration::from_secs(3)..Duration::from_millis(4_300)).contains(&took), "{took:?}");
    stage.sim.repair("Riley", "Jaquez");
    let took = stage.pass_until(Duration::from_secs(10), |stage| stage.agrees()).expect("the link is back");
    assert!(took < Duration::from_secs(4), "{took:?}");
    assert!(links(&stage) >= 1);
}
