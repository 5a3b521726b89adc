//! Replies on standard output: for people, as the bytes that came, or as JSON.
//!
//! Everything a server sends is a stranger's text. On a terminal nothing of it is shown unescaped, in whatever form.

mod bench;
mod conformance;
mod digest;
mod flat;
mod human;
mod json;
mod places;
#[cfg(test)]
mod properties;
mod raw;
mod replay;
mod screen;
mod status;
mod style;
mod table;
mod units;

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use herd_cli::{Reply, Server, now};
use herd_proto::Response;

use crate::args::{DisplayArgs, FormatArg};
use crate::bench::Report as Measured;
use crate::conformance::{self as held, Check};
use crate::digest::Report;
use crate::replay::Report as Played;
use crate::watch::News;
use human::Human;
use screen::Screen;
use style::Style;

/// Where replies go, and in which form.
#[derive(Debug)]
pub(crate) struct Output {
    to: BufWriter<Stdout>,
    form: Form,
    /// The form before JSON was asked for, while it is.
    before: Option<Form>,
    /// Each status takes the place of the one before.
    screen: Option<Screen>,
    /// There is more than one.
    is_refreshed: bool,
}

#[derive(Debug)]
enum Form {
    Human(Human),
    Raw { escape: bool },
    Json,
}

impl Output {
    pub(crate) fn new(args: &DisplayArgs) -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        let form = match args.format() {
            FormatArg::Auto if !terminal => Form::Raw { escape: false },
            FormatArg::Auto | FormatArg::Human => {
                Form::Human(Human::new(Style::new(args.color, terminal), terminal_width()))
            }
            FormatArg::Raw => Form::Raw { escape: terminal },
            FormatArg::Json => Form::Json,
        };
        Self { to: BufWriter::new(stdout), form, before: None, screen: None, is_refreshed: false }
    }

    /// Changes to JSON, or back to the form before that.
    pub(crate) fn set_json(&mut self, wanted: bool) {
        match (wanted, self.before.take()) {
            (false, Some(before)) => self.form = before,
            (true, None) if !matches!(self.form, Form::Json) => {
                self.before = Some(std::mem::replace(&mut self.form, Form::Json));
            }
            (_, before) => self.before = before,
        }
    }

    /// Shows one of the servers there are; `current` is the one that is asked.
    pub(crate) fn server(&mut self, server: &Server, current: bool) -> io::Result<()> {
        let text = match &self.form {
            Form::Human(_) => format!("{} {} {}\n", if current { '*' } else { ' ' }, server.name(), server.address()),
            Form::Raw { .. } => format!("{}\t{}\n", server.name(), server.address()),
            Form::Json => json::server(server, current),
        };
        self.to.write_all(text.as_bytes())
    }

    /// Shows text that this program has to say.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        self.to.write_all(text.as_bytes())
    }

    /// Shows one reply. It may stay in memory until [`flush`](Self::flush).
    pub(crate) fn reply(&mut self, reply: &Reply) -> io::Result<()> {
        match &self.form {
            Form::Human(human) => self.to.write_all(human.reply(reply, now()).as_bytes()),
            Form::Raw { escape: false } => raw::write(&mut self.to, reply),
            Form::Raw { escape: true } => raw::write_escaped(&mut self.to, reply),
            Form::Json => self.to.write_all(json::line(reply).as_bytes()),
        }
    }

    /// Shows a change: for people on a line of its own, else as the reply that a client gets to its post or its question.
    pub(crate) fn news(&mut self, news: &News) -> io::Result<()> {
        match (&self.form, news) {
            (Form::Human(human), news) => self.to.write_all(human.news(news, now()).as_bytes()),
            (_, News::At(at)) => self.reply(&Reply::Response(Response::At(at.clone()))),
            (_, News::Unknown { line, .. }) => self.reply(&Reply::Response(Response::Invalid(line.clone()))),
        }
    }

    /// Shows what the servers of a herd hold.
    pub(crate) fn digest(&mut self, report: &Report) -> io::Result<()> {
        let text = match &self.form {
            Form::Human(human) => human.digest(report),
            Form::Raw { .. } => digest::raw(report),
            Form::Json => digest::json(report),
        };
        self.to.write_all(text.as_bytes())
    }

    /// Shows how the servers of a herd are.
    pub(crate) fn status(&mut self, report: &Report) -> io::Result<()> {
        if let (Form::Human(human), Some(_)) = (&mut self.form, &self.screen) {
            human.set_width(terminal_width());
        }
        let text = match &self.form {
            Form::Human(human) => human.status(report),
            Form::Raw { .. } => status::raw(report),
            Form::Json => status::json(report),
        };
        let text = match (&self.screen, &self.form) {
            (Some(screen), _) => screen.show(&text),
            // Below one another: where one ends and the next begins.
            (None, Form::Human(_)) if self.is_refreshed => text + "\n",
            (None, _) => text,
        };
        self.to.write_all(text.as_bytes())
    }

    /// From now on each status takes the place of the one before, where that is a terminal and for people.
    pub(crate) fn begin_screen(&mut self) -> io::Result<()> {
        self.is_refreshed = true;
        if matches!(self.form, Form::Human(_)) {
            self.screen = Screen::of_terminal();
        }
        let begin = self.screen.as_ref().map(Screen::begin).unwrap_or_default();
        self.to.write_all(begin.as_bytes()).and_then(|()| self.to.flush())
    }

    /// The terminal is as it was before, below what was shown last.
    pub(crate) fn end_screen(&mut self) -> io::Result<()> {
        let end = self.screen.take().as_ref().map(Screen::end).unwrap_or_default();
        self.to.write_all(end.as_bytes()).and_then(|()| self.to.flush())
    }

    /// Shows what was measured.
    pub(crate) fn bench(&mut self, report: &Measured) -> io::Result<()> {
        let text = match &self.form {
            Form::Human(human) => human.bench(report),
            Form::Raw { .. } => bench::raw(report),
            Form::Json => bench::json(report),
        };
        self.to.write_all(text.as_bytes())
    }

    /// Shows what came of holding servers against the protocol.
    pub(crate) fn conformance(&mut self, report: &held::Report) -> io::Result<()> {
        let text = match &self.form {
            Form::Human(human) => human.conformance(report),
            Form::Raw { .. } => conformance::raw(report),
            Form::Json => conformance::json(report),
        };
        self.to.write_all(text.as_bytes())
    }

    /// Shows what servers would be held against.
    pub(crate) fn checks(&mut self, checks: &[Check]) -> io::Result<()> {
        let text = match &self.form {
            Form::Human(human) => human.checks(checks),
            Form::Raw { .. } => conformance::list_raw(checks),
            Form::Json => conformance::list_json(checks),
        };
        self.to.write_all(text.as_bytes())
    }

    /// Shows what became of a track.
    pub(crate) fn replay(&mut self, report: &Played) -> io::Result<()> {
        let text = match &self.form {
            Form::Human(human) => human.replay(report),
            Form::Raw { .. } => replay::raw(report),
            Form::Json => replay::json(report),
        };
        self.to.write_all(text.as_bytes())
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// The columns of the terminal behind standard output; what a page has where there is none.
fn terminal_width() -> usize {
    const PAGE: usize = 100;
    #[cfg(unix)]
    let columns = rustix::termios::tcgetwinsize(io::stdout()).map_or(0, |size| usize::from(size.ws_col));
    #[cfg(not(unix))]
    let columns = 0;
    if columns == 0 { PAGE } else { columns }
}
