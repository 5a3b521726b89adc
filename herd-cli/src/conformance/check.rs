//! What is tried on a server: conversations as they are written, and one made of each line that may go to a live server.

use herd_proto::vectors::{CLIENT_LINES, CONVERSATIONS};

use super::text::Template;
use super::vectors::{Action, ClientLine, Conversation, File, Level, Step, Text};

/// Where a client is whom a question is about.
const SOMEWHERE: &str = "+34.068930-118.445127";

/// One thing that is tried.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    /// The file in `herd-proto/vectors/`, and the name in it.
    pub(crate) file: &'static str,
    pub(crate) id: String,
    /// Of WIRE.md, without the `§`.
    pub(crate) section: String,
    pub(crate) level: Level,
    /// How many servers of one herd it needs.
    pub(crate) servers: usize,
    pub(crate) about: String,
    pub(super) moves: Vec<Move>,
}

/// One step, on one connection.
#[derive(Clone, Debug)]
pub(super) struct Move {
    /// Which server of the conversation, and which connection to it; both count from 0.
    pub(super) server: usize,
    pub(super) connection: usize,
    pub(super) times: usize,
    pub(super) what: What,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Send(Template),
    Expect(Template),
    PlacesAtMost(usize),
    Finish,
    End,
    /// A question, and the first line of the reply that it is asked for until it comes.
    Ask(Template, Template),
    /// A question, asked of both servers until they say the same.
    Agree(Template),
}

impl Check {
    /// All of them, in the order of their files.
    ///
    /// # Errors
    /// What can't be read, and where.
    pub(super) fn all() -> Result<Vec<Self>, String> {
        let conversations: File<Conversation> = read("conversations.json", CONVERSATIONS)?;
        let lines: File<ClientLine> = read("client-lines.json", CLIENT_LINES)?;
        let conversations = conversations.vectors.into_iter().map(|conversation| {
            let id = conversation.id.clone();
            Self::of_conversation(conversation).map_err(|what| format!("conversations.json {id}: {what}"))
        });
        let lines = lines.vectors.into_iter().filter_map(|line| {
            let (id, level) = (line.id.clone(), line.live?);
            Some(Self::of_line(line, level).map_err(|what| format!("client-lines.json {id}: {what}")))
        });
        conversations.chain(lines).collect()
    }

    fn of_conversation(conversation: Conversation) -> Result<Self, String> {
        let Conversation { id, section, level, servers, about, steps } = conversation;
        let moves = steps.iter().map(|step| Move::read(step, servers)).collect::<Result<_, _>>()?;
        Ok(Self { file: "conversations.json", id, section, level, servers, about, moves })
    }

    /// The line, its answer, and that nothing more comes of it.
    fn of_line(vector: ClientLine, level: Level) -> Result<Self, String> {
        let line = Template::of_line(&vector.line)?;
        let send = |line: &Template| What::Send(line.clone().then(&Template::plain("\n")));
        let mut whats = Vec::new();
        let about = match (&vector.iamat, &vector.whatsat) {
            (Some(iamat), _) => {
                let answer = Template::at(&Template::of_line(&iamat.client)?, &iamat.location, &iamat.time);
                whats.extend([send(&line), What::Expect(answer)]);
                "a post that is taken"
            }
            (None, Some(whatsat)) => {
                let client = Template::of_line(&whatsat.client)?;
                whats.extend(posted(&client)?);
                let answer = Template::at(&client, SOMEWHERE, "").then(&now()?);
                whats.extend([send(&line), What::Expect(answer), What::PlacesAtMost(whatsat.limit)]);
                "a question that is answered"
            }
            (None, None) => {
                // A question is to be refused for what is wrong with it, and not for a client whom nobody knows.
                if line.is_command(b"WHATSAT") {
                    let kiwi = Text::Plain("kiwi".to_owned());
                    whats.extend(posted(&Template::of_line(&kiwi)?)?);
                }
                whats.extend([send(&line), What::Expect(Template::plain("? ").then(&line))]);
                "a line that is refused"
            }
        };
        let last = Template::of_conversation(&Text::Plain("WHERE {z}".to_owned()))?;
        whats.extend([send(&last), What::Expect(Template::plain("? ").then(&last))]);
        let moves = whats.into_iter().map(|what| Move { server: 0, connection: 0, times: 1, what }).collect();
        let ClientLine { id, section, .. } = vector;
        let about = format!("{about}: {}", id.replace('-', " "));
        Ok(Self { file: "client-lines.json", id, section, level, servers: 1, about, moves })
    }
}

/// This moment.
fn now() -> Result<Template, String> {
    Template::of_conversation(&Text::Plain("{now}".to_owned()))
}

/// `client` is somewhere.
fn posted(client: &Template) -> Result<[What; 2], String> {
    let operands = client.clone().then(&Template::plain(&format!(" {SOMEWHERE} "))).then(&now()?);
    let post = Template::plain("IAMAT ").then(&operands).then(&Template::plain("\n"));
    Ok([What::Send(post), What::Expect(Template::at(client, SOMEWHERE, "").then(&now()?))])
}

impl Move {
    fn read(step: &Step, servers: usize) -> Result<Self, String> {
        let text = Template::of_conversation;
        let what = match &step.action {
            Action::Send { send } => What::Send(text(send)?),
            Action::Expect { expect } => What::Expect(text(expect)?),
            Action::Places { places_at_most } => What::PlacesAtMost(*places_at_most),
            Action::Finish { finish: true } => What::Finish,
            Action::End { end: true } => What::End,
            Action::Ask { ask, until } => What::Ask(text(ask)?, text(until)?),
            Action::Agree { agree } => What::Agree(text(agree)?),
            Action::Finish { .. } | Action::End { .. } => return Err("a step that is none".to_owned()),
        };
        let index = |number: Option<usize>| number.unwrap_or(1).checked_sub(1).ok_or("numbers count from 1");
        let server = index(step.server)?;
        if server >= servers {
            return Err(format!("it has no server {}", server + 1));
        }
        Ok(Self { server, connection: index(step.connection)?, times: step.times.unwrap_or(1), what })
    }
}

fn read<'a, V: serde::Deserialize<'a>>(file: &str, text: &'a str) -> Result<File<V>, String> {
    serde_json::from_str(text).map_err(|error| format!("{file}: {error}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn all_can_be_read_and_each_expects_something() {
        let checks = Check::all().unwrap();
        assert!(checks.len() >= 300, "{}", checks.len());
        let names: BTreeSet<_> = checks.iter().map(|check| (check.file, &check.id)).collect();
        assert_eq!(names.len(), checks.len());
        for check in &checks {
            let expects = |one: &Move| !matches!(one.what, What::Send(_) | What::Finish | What::PlacesAtMost(_));
            assert!(check.moves.iter().any(expects), "{} expects nothing", check.id);
            assert!((1..=2).contains(&check.servers), "{}", check.id);
        }
        for level in Level::ALL {
            assert!(checks.iter().filter(|check| check.level == level).count() >= 100, "{level:?}");
        }
    }

    #[test]
    fn refused_questions_are_about_somebody() {
        let checks = Check::all().unwrap();
        let check = checks.iter().find(|check| check.id == "radius-51").unwrap();
        assert_eq!(check.moves.len(), 6);
    }
}
