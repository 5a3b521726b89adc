//! Asking servers of a herd what they know, in the only way that every herd has: `WHATSAT`.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use herd_node::clock;

/// Between two questions.
const ASK_AGAIN: Duration = Duration::from_millis(1);

/// Waits until each server knows each of these posts, or a later one of the same client.
///
/// # Errors
/// When one still doesn't after `longest`, or answers otherwise than herds do.
pub fn wait_known(addresses: &[SocketAddr], posts: &[Vec<u8>], longest: Duration) -> io::Result<()> {
    let begin = clock::monotonic();
    let is_late = || clock::monotonic().duration_since(begin) > longest;
    addresses.iter().try_for_each(|address| wait_known_by(*address, posts, &is_late))
}

fn wait_known_by(address: SocketAddr, posts: &[Vec<u8>], is_late: &dyn Fn() -> bool) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut replies = BufReader::new(stream.try_clone()?);
    for post in posts {
        let post = String::from_utf8_lossy(post);
        let mut words = post.split_whitespace().skip(1);
        let (Some(client), Some(time)) = (words.next(), words.nth(1)) else { continue };
        loop {
            stream.write_all(
                format!(
                    "WHATSAT {client} 1 1
"
                )
                .as_bytes(),
            )?;
            if read_answer(&mut replies)?.is_some_and(|known| known.as_str() >= time) {
                break;
            }
            if is_late() {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("{address} does not come to know {client}"),
                ));
            }
            std::thread::sleep(ASK_AGAIN);
        }
    }
    Ok(())
}

/// The time of the client's post, of an answer to `WHATSAT`: `None` if it was refused, for nobody knows the client.
fn read_answer(replies: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    replies.read_line(&mut line)?;
    if line.starts_with('?') {
        return Ok(None);
    }
    let time = line.split_whitespace().nth(5).map(str::to_owned);
    if time.is_none() || !line.starts_with("AT ") {
        return Err(io::Error::other(format!("no answer to WHATSAT: {line:?}")));
    }
    // What is near follows, to an empty line.
    let mut part = String::new();
    while part != "\n" {
        part.clear();
        if replies.read_line(&mut part)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_to_their_end() {
        let text = "AT Riley +0.1 kiwi +1.0-2.0 1621464827.959498503\n{\n}\n\n? WHATSAT fig 1 1\n";
        let mut replies = text.as_bytes();
        assert_eq!(read_answer(&mut replies).unwrap().as_deref(), Some("1621464827.959498503"));
        assert_eq!(read_answer(&mut replies).unwrap(), None);
        assert!(read_answer(&mut replies).is_err());
        assert!(read_answer(&mut "AT Riley +0.1 kiwi +1.0-2.0 1621464827.959498503\n{\n".as_bytes()).is_err());
    }
}
