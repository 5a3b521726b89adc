//! Servers that go wrong in one way each, connection by connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::reply;

/// What a server does with one connection.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    /// Answers everything.
    Serve,
    /// Accepts, and closes without having read anything.
    Close,
    /// Reads, and never says a word.
    Mute,
    /// Answers so many lines, then sends so many bytes of the next reply, and closes in good order.
    Cut { answers: usize, bytes: usize },
    /// Answers so many lines, and drops the connection with what was not read: the system resets it.
    Reset { answers: usize },
    /// Answers so many lines, then falls silent.
    Stall { answers: usize },
    /// Answers everything, a byte at a time.
    Drip,
    /// Refuses everything.
    Refuse,
    /// Answers everything until this line comes, over which it closes.
    ClosesOver(&'static str),
    /// Answers what comes together, unless this line is among it: then it closes over all of that.
    ChokesOn(&'static str),
    /// Answers the first line, with one line too many.
    TalksTooMuch,
    /// Answers with these bytes, whatever comes, and closes.
    Says(Vec<u8>),
}

/// A server on a free port that does these, and then the last one for ever.
#[derive(Debug)]
pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    heard: Arc<Mutex<Vec<Vec<String>>>>,
}

impl Fake {
    pub(crate) fn new(deeds: impl Into<Vec<Deed>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (deeds, all) = (deeds.into(), heard.clone());
        thread::spawn(move || {
            for (index, stream) in listener.incoming().map_while(Result::ok).enumerate() {
                let deed = deeds.get(index).or(deeds.last()).cloned().unwrap();
                all.lock().unwrap().push(Vec::new());
                let all = all.clone();
                thread::spawn(move || Talk { lines: BufReader::new(stream), all, index }.run(&deed));
            }
        });
        Self { address, heard }
    }

    /// The lines of each connection so far.
    pub(crate) fn heard(&self) -> Vec<Vec<String>> {
        self.heard.lock().unwrap().clone()
    }
}

struct Talk {
    lines: BufReader<TcpStream>,
    all: Arc<Mutex<Vec<Vec<String>>>>,
    index: usize,
}

impl Talk {
    fn run(mut self, deed: &Deed) {
        match deed {
            Deed::Serve => drop(self.answer(usize::MAX)),
            Deed::Close => {}
            Deed::Mute => while self.line().is_some() {},
            Deed::Cut { answers, bytes } => {
                if self.answer(*answers).is_some()
                    && let Some(line) = self.line()
                {
                    let reply = reply(&line);
                    self.say(&reply[..(*bytes).min(reply.len() - 1)]);
                    self.close();
                }
            }
            Deed::Reset { answers } => drop(self.answer(*answers).and_then(|()| self.line())),
            Deed::Stall { answers } => {
                if self.answer(*answers).is_some() {
                    while self.line().is_some() {}
                }
            }
            Deed::Drip => {
                while let Some(line) = self.line() {
                    reply(&line).chunks(1).for_each(|byte| self.say(byte));
                }
            }
            Deed::Refuse => {
                while let Some(line) = self.line() {
                    self.say(&[b"? ", &line[..], b"\n"].concat());
                }
            }
            Deed::ClosesOver(poison) => {
                while let Some(line) = self.line().filter(|line| line != poison.as_bytes()) {
                    self.say(&reply(&line));
                }
                self.close();
            }
            Deed::ChokesOn(poison) => {
                while let Some(line) = self.line() {
                    let mut lines = vec![line];
                    while self.lines.buffer().contains(&b'\n') {
                        lines.extend(self.line());
                    }
                    if lines.iter().any(|line| line == poison.as_bytes()) {
                        break;
                    }
                    lines.iter().for_each(|line| self.say(&reply(line)));
                }
                self.close();
            }
            Deed::TalksTooMuch => {
                if let Some(line) = self.line() {
                    self.say(&[&reply(&line)[..], b"? more\n"].concat());
                    while self.line().is_some() {}
                }
            }
            Deed::Says(bytes) => {
                if self.line().is_some() {
                    self.say(bytes);
                    self.close();
                }
            }
        }
    }

    /// So many lines; `None` once the other end has closed.
    fn answer(&mut self, lines: usize) -> Option<()> {
        for _ in 0..lines {
            let line = self.line()?;
            self.say(&reply(&line));
        }
        Some(())
    }

    fn line(&mut self) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        self.lines.read_until(b'\n', &mut line).ok().filter(|read| *read > 0)?;
        line.pop_if(|last| *last == b'\n');
        self.all.lock().unwrap()[self.index].push(String::from_utf8_lossy(&line).into_owned());
        Some(line)
    }

    fn say(&mut self, bytes: &[u8]) {
        let _ = self.lines.get_mut().write_all(bytes);
    }

    /// In good order: what still comes is read, or the system would reset the connection and lose what was said.
    fn close(&mut self) {
        let _ = self.lines.get_mut().shutdown(Shutdown::Write);
        let _ = self.lines.read_to_end(&mut Vec::new());
    }
}
