//! Holding a conversation: connections, one after the other as the steps come, and a deadline for each answer.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use herd_node::clock;

use super::script::{Action, Conversation, Step};
use super::text::{Template, Values};

/// Between two questions for what is not there yet.
const ASK_AGAIN: Duration = Duration::from_millis(2);
/// Behind a part of a line, so that the server most likely reads it by itself. Nothing fails if it doesn't.
const PART_PAUSE: Duration = Duration::from_millis(10);
/// No reply of a correct server is longer, and a wrong one must not fill the memory.
const REPLY_MAX: u64 = 1024 * 1024;

/// Goes through all steps, or says at which one something else came than was expected.
pub(super) fn hold(conversation: &Conversation, herd: &[SocketAddr; 5], answer_max: Duration) -> Result<(), String> {
    let mut talk = Talk { herd, answer_max, connections: HashMap::new(), values: Values::new() };
    let mut steps = conversation.steps.iter();
    while let Some(step) = steps.next() {
        match &step.action {
            // The reply's first line is the next step: both are one.
            Action::Ask(question) => {
                let Some(Step { action: Action::Expect(reply), .. }) = steps.next() else {
                    return Err(format!("{}: no reply is written", step.source));
                };
                talk.ask(step, question, reply)
            }
            _ => talk.take(step),
        }
        .map_err(|what| format!("{}: {what}", step.source))?;
    }
    Ok(())
}

#[derive(Debug)]
struct Talk<'a> {
    herd: &'a [SocketAddr; 5],
    /// The longest to wait for a line, or for what is posted at one server to be known at another.
    answer_max: Duration,
    connections: HashMap<String, Connection>,
    values: Values,
}

#[derive(Debug)]
struct Connection {
    stream: BufReader<TcpStream>,
    /// What goes out with the next line.
    held: Vec<u8>,
}

impl Talk<'_> {
    fn take(&mut self, step: &Step) -> Result<(), String> {
        match &step.action {
            Action::Hold(text) => {
                let line = self.values.fill(text)?;
                self.connection(step)?.hold(&line);
            }
            Action::Send(text) | Action::Ask(text) => {
                let line = self.values.fill(text)?;
                self.connection(step)?.send(&line)?;
            }
            Action::SendPart(text) => {
                let part = self.values.fill(text)?;
                let connection = self.connection(step)?;
                connection.held.extend_from_slice(&part);
                connection.flush()?;
                std::thread::sleep(PART_PAUSE);
            }
            Action::Finish => {
                let connection = self.connection(step)?;
                connection.flush()?;
                connection.stream.get_ref().shutdown(Shutdown::Write).map_err(told)?;
            }
            Action::Expect(text) => {
                let line = self.connection(step)?.line()?;
                self.expect(text, &line)?;
            }
            Action::ExpectPlaces(count) => self.connection(step)?.places()?.check(*count)?,
            Action::ExpectEnd => self.connection(step)?.end()?,
        }
        Ok(())
    }

    /// Until the reply begins as expected. What stands behind its first line is left for the next step.
    fn ask(&mut self, step: &Step, question: &Template, reply: &Template) -> Result<(), String> {
        let begin = clock::monotonic();
        let question = self.values.fill(question)?;
        loop {
            let connection = self.connection(step)?;
            connection.send(&question)?;
            let line = connection.line()?;
            if self.values.is_match(reply, &line)? {
                return Ok(());
            }
            if clock::monotonic().duration_since(begin) > self.answer_max {
                return Err(format!("after {:?} still {}", self.answer_max, shown(&line)));
            }
            if line.starts_with(b"AT ") {
                self.connection(step)?.places()?;
            }
            std::thread::sleep(ASK_AGAIN);
        }
    }

    fn expect(&mut self, text: &Template, line: &[u8]) -> Result<(), String> {
        if self.values.is_match(text, line)? { Ok(()) } else { Err(format!("got {}", shown(line))) }
    }

    fn connection(&mut self, step: &Step) -> Result<&mut Connection, String> {
        if !self.connections.contains_key(&step.connection) {
            let connection = Connection::open(self.herd[step.server], self.answer_max).map_err(told)?;
            self.connections.insert(step.connection.clone(), connection);
        }
        self.connections.get_mut(&step.connection).ok_or_else(|| "no connection".to_owned())
    }
}

impl Connection {
    fn open(address: SocketAddr, answer_max: Duration) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, answer_max)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(answer_max))?;
        stream.set_write_timeout(Some(answer_max))?;
        Ok(Self { stream: BufReader::new(stream), held: Vec::new() })
    }

    fn hold(&mut self, line: &[u8]) {
        self.held.extend_from_slice(line);
        self.held.push(b'\n');
    }

    fn send(&mut self, line: &[u8]) -> Result<(), String> {
        self.hold(line);
        self.flush()
    }

    fn flush(&mut self) -> Result<(), String> {
        let bytes = std::mem::take(&mut self.held);
        self.stream.get_mut().write_all(&bytes).map_err(told)
    }

    /// The next line, without its LF.
    fn line(&mut self) -> Result<Vec<u8>, String> {
        let mut line = Vec::new();
        (&mut self.stream).take(REPLY_MAX).read_until(b'\n', &mut line).map_err(told)?;
        match line.pop() {
            Some(b'\n') => Ok(line),
            Some(last) => {
                line.push(last);
                Err(format!("a line without end: {}", shown(&line)))
            }
            None => Err("the connection ended instead".to_owned()),
        }
    }

    /// All lines up to the blank one.
    fn places(&mut self) -> Result<Places, String> {
        let mut text = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(Places(text));
            }
            if text.len() as u64 > REPLY_MAX {
                return Err("JSON without a blank line behind it".to_owned());
            }
            text.extend_from_slice(&line);
            text.push(b'\n');
        }
    }

    fn end(&mut self) -> Result<(), String> {
        let mut rest = Vec::new();
        (&mut self.stream).take(REPLY_MAX).read_to_end(&mut rest).map_err(told)?;
        if rest.is_empty() { Ok(()) } else { Err(format!("got {} instead of the end", shown(&rest))) }
    }
}

/// The JSON of a reply.
#[derive(Debug)]
struct Places(Vec<u8>);

impl Places {
    /// Whether it has the form of a Places reply, with so many results. Each result has one name, and nothing else has.
    fn check(&self, count: usize) -> Result<(), String> {
        let text = self.0.strip_suffix(b"\n").unwrap_or(&self.0);
        let has = |word: &[u8]| memchr::memmem::find(text, word).is_some();
        let is_object = text.starts_with(b"{") && text.ends_with(b"}");
        if !is_object || !has(b"\"html_attributions\"") || !has(b"\"results\"") || !has(b"\"status\"") {
            return Err(format!("no reply of Places: {}", shown(text)));
        }
        let found = memchr::memmem::find_iter(text, b"\"name\"").count();
        if found == count { Ok(()) } else { Err(format!("{found} results instead of {count}")) }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn told(error: io::Error) -> String {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "nothing came in time".to_owned(),
        _ => error.to_string(),
    }
}

/// At most so much of what came is shown.
const SHOWN_MAX: usize = 200;

fn shown(bytes: &[u8]) -> String {
    let cut = &bytes[..bytes.len().min(SHOWN_MAX)];
    let more = if cut.len() < bytes.len() { "…" } else { "" };
    format!("\"{}\"{more}", cut.escape_ascii())
}
