//! Counts replies in whatever pieces they come, without reading them: line ends, and the first byte of each reply.
//!
//! The reply to a post is a line. That to a question is a line, and unless it is refused all up to the next empty line
//! (WIRE §3.4). Empty lines between replies are passed over: servers of others may end every reply with one.

use memchr::memchr;
use memchr::memchr_iter;
use memchr::memmem::Finder;

use super::mix::{Kind, Mix};

/// From here on it pays to look at a piece as a whole first.
const LONG: usize = 512;

/// What a piece held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// Replies that ended in it.
    pub(super) replies: usize,
    /// Of those, `?`.
    pub(super) invalid: usize,
}

/// A line that no server of the protocol says: where in the piece it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nonsense(pub(super) usize);

/// Whose replies these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answerer {
    Server,
    /// Sends back what it got, line by line.
    Echo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before the first byte of a reply.
    Start,
    /// In its first line.
    Line { invalid: bool, has_body: bool },
    /// In what follows that line; whether just behind an LF.
    Body { after_line_end: bool },
}

/// Where in its replies a connection is.
#[derive(Clone, Debug)]
pub(super) struct Replies {
    /// What was asked, in order.
    mix: Mix,
    answerer: Answerer,
    place: Place,
    empty_line: Finder<'static>,
}

impl Replies {
    pub(super) fn new(mix: Mix, answerer: Answerer) -> Self {
        Self { mix, answerer, place: Place::Start, empty_line: Finder::new(b"\n\n") }
    }

    /// Takes the next piece of what came.
    pub(super) fn count(&mut self, piece: &[u8]) -> Result<Counted, Nonsense> {
        if self.mix.is_posts_only() || self.answerer == Answerer::Echo {
            self.count_lines(piece)
        } else {
            self.count_mixed(piece)
        }
    }

    /// Where every reply is a line.
    fn count_lines(&mut self, piece: &[u8]) -> Result<Counted, Nonsense> {
        if piece.len() < LONG || !self.is_plain(piece)? {
            return self.look_at_lines(piece);
        }
        let replies = memchr_iter(b'\n', piece).count();
        let invalid = usize::from(replies > 0 && matches!(self.place, Place::Line { invalid: true, .. }));
        if piece.ends_with(b"\n") {
            self.place = Place::Start;
        } else if replies > 0 || self.place == Place::Start {
            self.place = Place::Line { invalid: false, has_body: false };
        }
        Ok(Counted { replies, invalid })
    }

    /// Whether line ends are all there is to count: no refusal begins here, and no line is empty. All of it is looked through at
    /// the speed of memory, but for what is no reply only its beginning.
    fn is_plain(&self, piece: &[u8]) -> Result<bool, Nonsense> {
        if self.place == Place::Start && (piece[0] == b'\n' || self.is_invalid(piece, 0)?) {
            return Ok(false);
        }
        Ok(self.answerer == Answerer::Echo || (memchr(b'?', piece).is_none() && self.empty_line.find(piece).is_none()))
    }

    /// The same line by line.
    fn look_at_lines(&mut self, piece: &[u8]) -> Result<Counted, Nonsense> {
        let mut counted = Counted::default();
        let mut begin = 0;
        for end in memchr_iter(b'\n', piece) {
            let invalid = match self.place {
                Place::Line { invalid, .. } => invalid,
                _ if begin == end => {
                    begin = end + 1;
                    continue;
                }
                _ => self.is_invalid(piece, begin)?,
            };
            self.place = Place::Start;
            counted.replies += 1;
            counted.invalid += usize::from(invalid);
            begin = end + 1;
        }
        if begin < piece.len() && self.place == Place::Start {
            self.place = Place::Line { invalid: self.is_invalid(piece, begin)?, has_body: false };
        }
        Ok(counted)
    }

    fn count_mixed(&mut self, piece: &[u8]) -> Result<Counted, Nonsense> {
        let mut counted = Counted::default();
        let mut at = 0;
        while let Some(rest) = piece.get(at..).filter(|rest| !rest.is_empty()) {
            let is_over = match self.place {
                Place::Start if rest[0] == b'\n' => {
                    at += 1;
                    continue;
                }
                Place::Start => {
                    let invalid = self.is_invalid(piece, at)?;
                    let has_body = self.mix.next() == Kind::Whatsat && !invalid;
                    self.place = Place::Line { invalid, has_body };
                    false
                }
                Place::Line { invalid, has_body } => {
                    let Some(end) = memchr(b'\n', rest) else { break };
                    at += end + 1;
                    counted.invalid += usize::from(invalid);
                    self.place = Place::Body { after_line_end: true };
                    !has_body
                }
                Place::Body { after_line_end } => {
                    let end = if after_line_end && rest[0] == b'\n' { Some(0) } else { self.find_empty_line(rest) };
                    self.place = Place::Body { after_line_end: rest.ends_with(b"\n") };
                    let Some(end) = end else { break };
                    at += end + 1;
                    true
                }
            };
            if is_over {
                counted.replies += 1;
                self.place = Place::Start;
            }
        }
        Ok(counted)
    }

    /// The second LF of the first two in a row.
    fn find_empty_line(&self, rest: &[u8]) -> Option<usize> {
        self.empty_line.find(rest).map(|at| at + 1)
    }

    /// Whether the reply that begins there is a refusal.
    fn is_invalid(&self, piece: &[u8], begin: usize) -> Result<bool, Nonsense> {
        match (piece[begin], self.answerer) {
            (b'A', Answerer::Server) | (_, Answerer::Echo) => Ok(false),
            (b'?', Answerer::Server) => Ok(true),
            _ => Err(Nonsense(begin)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AT: &str = "AT Riley +0.263873386 kiwi +34.068930-118.445127 1621464827.959498503\n";

    /// `text` in pieces that end at `cuts`.
    fn pieces<'a>(text: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
        cuts.sort_unstable();
        let ends = cuts.iter().copied().chain([text.len()]);
        let begins = [0].into_iter().chain(cuts.iter().copied());
        begins.zip(ends).map(|(begin, end)| &text[begin..end]).collect()
    }

    fn total(mut replies: Replies, pieces: &[&[u8]]) -> Result<Counted, Nonsense> {
        let mut total = Counted::default();
        for piece in pieces {
            let counted = replies.count(piece)?;
            total.replies += counted.replies;
            total.invalid += counted.invalid;
        }
        Ok(total)
    }

    #[test]
    fn empty_lines_between_replies_are_passed_over() {
        let text = format!("{AT}\n? x\n\n\n{AT}\n");
        let expected = Ok(Counted { replies: 3, invalid: 1 });
        for mix in [Mix::posts_only(), Mix::new(0.000_001)] {
            assert_eq!(total(Replies::new(mix, Answerer::Server), &[text.as_bytes()]), expected);
            let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(total(Replies::new(mix, Answerer::Server), &bytes), expected);
        }
    }

    #[test]
    fn what_is_no_reply_is_found_at_its_place() {
        let posts = || Replies::new(Mix::posts_only(), Answerer::Server);
        assert_eq!(posts().count(format!("{AT}HTTP/1.1 400\n").as_bytes()), Err(Nonsense(AT.len())));
        assert_eq!(posts().count(b"H"), Err(Nonsense(0)));
        let mut replies = Replies::new(Mix::new(0.5), Answerer::Server);
        assert_eq!(replies.count(format!("{AT}{AT}HTTP\n\nx").as_bytes()), Err(Nonsense(2 * AT.len() + 6)));
        // What came before is not looked at again.
        let mut replies = posts();
        assert_eq!(replies.count(b"A"), Ok(Counted::default()));
        assert_eq!(replies.count(b"HTTP\n? "), Ok(Counted { replies: 1, invalid: 0 }));
    }

    #[test]
    fn an_echo_says_what_it_was_told() {
        let mut replies = Replies::new(Mix::new(0.5), Answerer::Echo);
        let expected = Counted { replies: 2, invalid: 0 };
        assert_eq!(replies.count(b"IAMAT a +1+1 7\nWHATSAT a 1 0\n"), Ok(expected));
    }

    proptest! {
        /// However it is cut, it is as many replies; and a body may look like anything.
        #[test]
        fn cuts_change_nothing(
            share in prop_oneof![Just(0.0), 0.0..=1.0],
            kinds in prop::collection::vec((prop::bool::weighted(0.03), "(\\{[A?\n]?\\}\n?){0,5}"), 1..80),
            cuts in prop::collection::vec(any::<usize>(), 0..30),
        ) {
            let mut mix = Mix::new(share);
            let mut text = String::new();
            for (refused, body) in &kinds {
                let asked = mix.next();
                if *refused {
                    text.push_str("? IAMAT what\n");
                } else if asked == Kind::Iamat {
                    text.push_str(AT);
                } else {
                    // WIRE §3.4: an empty line ends it, and so is the only one in it.
                    let body = body.split('\n').filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
                    text.push_str(&format!("{AT}{body}{}\n", if body.is_empty() { "" } else { "\n" }));
                }
            }
            let expected = Counted { replies: kinds.len(), invalid: kinds.iter().filter(|(refused, _)| *refused).count() };
            let replies = Replies::new(Mix::new(share), Answerer::Server);
            prop_assert_eq!(total(replies, &pieces(text.as_bytes(), &cuts)), Ok(expected));
        }
    }
}
