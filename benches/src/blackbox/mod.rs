//! What every herd must do, whoever wrote it: conversations with its five servers, seen from outside.
//!
//! They are the part of WIRE §1 to §5 that a small program can be asked to keep: no lines beyond the limit, no other form of
//! location than decimal degrees, no servers that go and come back. A conversation knows its own clients only, so that it can be
//! repeated with a herd that has been at work for long.

mod script;
mod talk;
mod text;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use script::Conversation;

/// All conversations, and how to read them.
const CONVERSATIONS: &str = include_str!("conversations.txt");

/// The longest to wait for a line, or for what is posted at one server to be known at another, unless said otherwise.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// What came of a conversation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// What the conversation shows, as a sentence without its full stop.
    pub name: String,
    /// What went wrong and where, in a line.
    pub failure: Option<String>,
}

/// Holds all conversations, one after the other. The addresses are in the order Riley, Jaquez, Juzang, Campbell, Bernard.
///
/// # Errors
/// When there are not five addresses. Whatever servers do wrong is in the outcomes.
pub fn run(herd: &[SocketAddr]) -> io::Result<Vec<Outcome>> {
    run_some(herd, ANSWER_MAX, |_| true)
}

/// The same with those conversations whose name is wanted, and a time that no answer and no news of another server may take
/// longer than.
///
/// # Errors
/// When there are not five addresses.
pub fn run_some(
    herd: &[SocketAddr],
    answer_max: Duration,
    is_wanted: impl Fn(&str) -> bool,
) -> io::Result<Vec<Outcome>> {
    let herd: &[SocketAddr; 5] =
        herd.try_into().map_err(|_| io::Error::other("the conversations want five servers"))?;
    let mut conversations = Conversation::parse_all(CONVERSATIONS).map_err(io::Error::other)?;
    conversations.retain(|conversation| is_wanted(&conversation.name));
    let outcomes = conversations.iter().map(|conversation| {
        let failure = talk::hold(conversation, herd, answer_max).err();
        Outcome { name: conversation.name.clone(), failure }
    });
    Ok(outcomes.collect())
}

/// Holds all conversations, and returns how many there are.
///
/// # Errors
/// When any of them fails; each that did is named, with the reason.
pub fn check(herd: &[SocketAddr]) -> io::Result<usize> {
    let outcomes = run(herd)?;
    let failures =
        outcomes.iter().filter_map(|outcome| Some(format!("{}: {}", outcome.name, outcome.failure.as_ref()?)));
    let failures: Vec<String> = failures.collect();
    if failures.is_empty() { Ok(outcomes.len()) } else { Err(io::Error::other(failures.join("\n"))) }
}
