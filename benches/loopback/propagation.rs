//! From a post at one server until all five know it.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use herd_bench::Posts;
use herd_node::clock;
use herd_node::handle::Handle;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::subject::Subject;

/// Between two posts, so that nothing of the one is left when the next comes.
const PAUSE: Duration = Duration::from_micros(500);
/// Posts before the first that counts.
const WARM_UP: usize = 50;

/// Posts `samples` times at the first server of five that have nothing else to do.
pub(crate) fn run(samples: usize) -> io::Result<()> {
    let herd = Subject::start("five", Path::new(""))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut times = runtime.block_on(measure(herd.addresses()[0], herd.handles(), samples))?;
    times.sort();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1e6;
    println!("post at one to visible on all five, {samples} posts: p50 {:.0} us, p99 {:.0} us", at(50), at(99));
    println!(r#"{{"bench":"propagation","samples":{samples},"p50_us":{:.1},"p99_us":{:.1}}}"#, at(50), at(99));
    Ok(())
}

async fn measure(address: SocketAddr, handles: &[Handle], samples: usize) -> io::Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut posts = Posts::new(0..1_000);
    let mut times = Vec::with_capacity(samples);
    for sample in 0..WARM_UP + samples {
        let begin = clock::monotonic();
        stream.write_all(posts.next_batch(1)).await?;
        let mut reply = [0; 512];
        let len = stream.read(&mut reply).await?;
        let operands = reply[..len].strip_prefix(b"AT ").and_then(|rest| rest.strip_suffix(b"\n"));
        let operands = operands.ok_or_else(|| io::Error::other("a reply that is no AT in one piece"))?;
        let client = operands.split(|byte| *byte == b' ').nth(2).unwrap_or_default();
        for handle in handles {
            handle.wait_known(client, operands).await;
        }
        if sample >= WARM_UP {
            times.push(clock::monotonic().duration_since(begin));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(times)
}
