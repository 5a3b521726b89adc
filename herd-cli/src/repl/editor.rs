//! The line that somebody edits: a thread of its own, since a terminal knows no waiting that can be called off.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Helper};
use tokio::sync::mpsc;

use super::history;
use super::known::Known;
use crate::fault::Fault;

/// What came of asking for a line.
#[derive(Debug)]
pub(super) enum Typed {
    Lines(Vec<String>),
    /// Ctrl-C: the line is thrown away.
    Cleared,
    /// Ctrl-D.
    End,
    Failed(ReadlineError),
}

/// Who edits.
#[derive(Debug)]
pub(super) struct Editor {
    ask: std::sync::mpsc::Sender<String>,
    typed: mpsc::Receiver<Typed>,
    terminal: Terminal,
}

impl Editor {
    /// Begins, with the lines of earlier sessions, once the editor has what it wants of the terminal and of signals: who wants
    /// signals, too, asks for them after it. It ends with this.
    pub(super) fn start(known: Arc<Mutex<Known>>) -> Result<Self, Fault> {
        let terminal = Terminal::as_it_is();
        let (ask, asked) = std::sync::mpsc::channel::<String>();
        let (tell, typed) = mpsc::channel(1);
        let (begin, begun) = std::sync::mpsc::channel::<()>();
        let run = move || {
            let file = history::file().filter(|file| history::prepare(file));
            let mut lines = match Lines::new(known, file) {
                Ok(lines) => lines,
                Err(error) => return drop(tell.blocking_send(Typed::Failed(error))),
            };
            drop(begin);
            while let Ok(prompt) = asked.recv() {
                if tell.blocking_send(lines.read(&prompt)).is_err() {
                    break;
                }
            }
        };
        thread::Builder::new().name("editor".to_owned()).spawn(run).map_err(Fault::Runtime)?;
        // Nothing is sent: it ends when it has begun, or failed to.
        let _ = begun.recv();
        Ok(Self { ask, typed, terminal })
    }

    /// The next line, after `prompt`. Not to be dropped but for good.
    pub(super) async fn line(&mut self, prompt: String) -> Typed {
        // A thread that is gone has said why.
        let _ = self.ask.send(prompt);
        self.typed.recv().await.unwrap_or(Typed::End)
    }

    /// Makes the terminal as it was, if somebody is still editing.
    pub(super) fn restore(&self) {
        self.terminal.restore();
        // It need not mark what is pasted any more.
        let mut out = io::stdout();
        let _ = io::Write::write_all(&mut out, b"\x1b[?2004l").and_then(|()| io::Write::flush(&mut out));
    }
}

/// The lines of a session, and of those before it.
struct Lines {
    editor: rustyline::Editor<Words, FileHistory>,
    file: Option<PathBuf>,
}

impl Lines {
    fn new(known: Arc<Mutex<Known>>, file: Option<PathBuf>) -> Result<Self, ReadlineError> {
        let config = Config::builder()
            .max_history_size(history::LINES_MAX)?
            .history_ignore_space(true)
            .completion_type(CompletionType::List)
            .build();
        let past = FileHistory::with_config(&config);
        let mut editor = rustyline::Editor::with_history(config, past)?;
        editor.set_helper(Some(Words { known }));
        if let Some(file) = &file {
            // A history is a convenience: without one nothing is lost.
            let _ = editor.load_history(file);
        }
        Ok(Self { editor, file })
    }

    fn read(&mut self, prompt: &str) -> Typed {
        match self.editor.readline(prompt) {
            // What was pasted may be several.
            Ok(text) => {
                text.lines().for_each(|line| self.keep(line));
                Typed::Lines(text.lines().map(str::to_owned).collect())
            }
            // A signal is one that came while an answer was waited for, and has been heeded.
            Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => Typed::Cleared,
            Err(ReadlineError::Eof) => Typed::End,
            Err(error) => Typed::Failed(error),
        }
    }

    fn keep(&mut self, line: &str) {
        if line.trim_ascii().is_empty() || !matches!(self.editor.add_history_entry(line), Ok(true)) {
            return;
        }
        if let Some(file) = &self.file {
            // At once: a session may end in any way.
            let _ = self.editor.append_history(file);
        }
    }
}

/// The completer.
struct Words {
    known: Arc<Mutex<Known>>,
}

impl Completer for Words {
    type Candidate = Pair;

    fn complete(&self, line: &str, position: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (begin, words) = known.complete(line.get(..position).unwrap_or(line));
        let pair = |word: String| Pair { display: word.clone(), replacement: word + " " };
        Ok((begin, words.into_iter().map(pair).collect()))
    }
}

impl Hinter for Words {
    type Hint = String;
}

impl Highlighter for Words {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        Cow::Borrowed(prompt)
    }
}

impl Validator for Words {}

impl Helper for Words {}

/// How a terminal behaves.
#[derive(Debug)]
struct Terminal {
    #[cfg(unix)]
    was: Option<rustix::termios::Termios>,
}

impl Terminal {
    #[cfg(unix)]
    fn as_it_is() -> Self {
        Self { was: rustix::termios::tcgetattr(io::stdin()).ok() }
    }

    #[cfg(unix)]
    fn restore(&self) {
        if let Some(was) = &self.was {
            let _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Now, was);
        }
    }

    #[cfg(not(unix))]
    const fn as_it_is() -> Self {
        Self {}
    }

    #[cfg(not(unix))]
    const fn restore(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_and_no_more() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("history");
        let kept = || std::fs::read_to_string(&file).unwrap().lines().filter(|line| !line.starts_with('#')).count();
        let open = || Lines::new(Arc::default(), Some(file.clone())).unwrap();
        let mut lines = open();
        (0..history::LINES_MAX).for_each(|number| lines.keep(&format!("send {number}")));
        assert_eq!(kept(), history::LINES_MAX);
        // A secret, an empty line, the same again.
        [" send x", "", "  ", "send 999"].iter().for_each(|line| lines.keep(line));
        lines.keep("send last");
        drop(lines);
        open().keep("send more");
        assert_eq!(kept(), history::LINES_MAX);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.ends_with("send 999\nsend last\nsend more\n") && !text.contains("send x"), "{text}");
    }

    #[test]
    fn a_history_that_can_not_be_written_is_no_error() {
        let mut lines = Lines::new(Arc::default(), Some(PathBuf::from("/nowhere/history"))).unwrap();
        lines.keep("send x");
    }
}
