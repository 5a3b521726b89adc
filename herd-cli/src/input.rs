//! The lines of `herd-cli send`: from arguments, from standard input, or both.
//!
//! A thread of its own reads, since standard input knows no waiting that can be called off; the channel between is short, so
//! that no more is read than is sent.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read};
use std::thread;

use tokio::sync::mpsc;

/// The most lines read ahead.
const AHEAD: usize = 64;

/// The longest line, in bytes. A line has to be whole before it leaves; this bounds the memory of one without an end.
const LINE_MAX: usize = 1024 * 1024;

/// Lines to send; a closed channel is the end.
pub(crate) type Lines = mpsc::Receiver<Result<Vec<u8>, InputError>>;

/// Why no more lines come.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    #[error("can't read the input")]
    Read(#[source] io::Error),
    #[error("line {0} of the input is longer than {LINE_MAX} bytes")]
    TooLong(u64),
    #[error("can't start reading the input")]
    Thread(#[source] io::Error),
}

/// One line.
pub(crate) fn single(line: Vec<u8>) -> Lines {
    let (to, lines) = mpsc::channel(1);
    // There is room for it.
    let _ = to.try_send(Ok(line));
    lines
}

/// The lines in `arguments`, where `-` stands for those of standard input; without arguments, those of standard input.
pub(crate) fn of(arguments: Vec<OsString>) -> Result<Lines, InputError> {
    let (to, lines) = mpsc::channel(AHEAD);
    let read = move || {
        if let Err(error) = read_all(&arguments, io::stdin(), &to) {
            let _ = to.blocking_send(Err(error));
        }
    };
    thread::Builder::new().name("input".to_owned()).spawn(read).map_err(InputError::Thread)?;
    Ok(lines)
}

fn read_all(
    arguments: &[OsString],
    stdin: impl Read,
    to: &mpsc::Sender<Result<Vec<u8>, InputError>>,
) -> Result<(), InputError> {
    let mut stdin = BufReader::new(stdin);
    if arguments.is_empty() {
        return read_lines(&mut stdin, to);
    }
    for argument in arguments {
        match argument.as_encoded_bytes() {
            b"-" => read_lines(&mut stdin, to)?,
            // An empty argument is an empty line, though there is nothing in it to read.
            b"" => read_lines(&mut b"\n".as_slice(), to)?,
            mut text => read_lines(&mut text, to)?,
        }
    }
    Ok(())
}

/// Passes every line of `from` on, the last one with or without a line feed. Ends quietly when nobody listens any more.
fn read_lines(from: &mut impl BufRead, to: &mpsc::Sender<Result<Vec<u8>, InputError>>) -> Result<(), InputError> {
    for number in 1.. {
        let mut line = Vec::new();
        let read = from.take(LINE_MAX as u64 + 1).read_until(b'\n', &mut line).map_err(InputError::Read)?;
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if line.len() > LINE_MAX {
            return Err(InputError::TooLong(number));
        }
        if read == 0 || to.blocking_send(Ok(line)).is_err() {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(arguments: &[&str], stdin: &[u8]) -> Vec<Result<Vec<u8>, String>> {
        let arguments: Vec<_> = arguments.iter().map(OsString::from).collect();
        let (to, mut lines) = mpsc::channel(AHEAD);
        let end = read_all(&arguments, stdin, &to);
        drop(to);
        let mut all: Vec<_> = std::iter::from_fn(|| lines.blocking_recv()).map(|line| Ok(line.unwrap())).collect();
        all.extend(end.err().map(|error| Err(error.to_string())));
        all
    }

    fn texts(arguments: &[&str], stdin: &str) -> Vec<String> {
        let lines = lines(arguments, stdin.as_bytes());
        lines.into_iter().map(|line| String::from_utf8(line.unwrap()).unwrap()).collect()
    }

    #[test]
    fn arguments_and_input_are_the_same_lines() {
        assert_eq!(texts(&[], "a\n\nb"), ["a", "", "b"]);
        assert_eq!(texts(&[], "a\r\n"), ["a\r"]);
        assert_eq!(texts(&["a b", "c"], "ignored"), ["a b", "c"]);
        assert_eq!(texts(&["a\nb\n", ""], ""), ["a", "b", ""]);
        assert_eq!(texts(&["a", "-", "b"], "x\ny"), ["a", "x", "y", "b"]);
        assert_eq!(texts(&["-", "-"], "x"), ["x"]);
    }

    #[test]
    fn a_line_without_end_is_an_error_after_the_lines_before_it() {
        let mut input = b"first\n".to_vec();
        input.resize(input.len() + LINE_MAX, b'x');
        assert_eq!(lines(&[], &input).len(), 2);
        input.push(b'x');
        let all = lines(&[], &input);
        assert_eq!(all[0], Ok(b"first".to_vec()));
        assert_eq!(all[1], Err("line 2 of the input is longer than 1048576 bytes".to_owned()));
    }
}
