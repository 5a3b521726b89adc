//! Conversations as they are written: `conversations.txt` says at its top what the signs mean.

use super::text::Template;

/// The default herd, in the order in which it is addressed.
const SERVERS: [&str; 5] = ["Riley", "Jaquez", "Juzang", "Campbell", "Bernard"];

#[derive(Clone, Debug)]
pub(super) struct Conversation {
    pub(super) name: String,
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub(super) struct Step {
    /// As it is written, for messages.
    pub(super) source: String,
    /// Which of the five.
    pub(super) server: usize,
    /// The server's name, and a number where it has more than one.
    pub(super) connection: String,
    pub(super) action: Action,
}

#[derive(Clone, Debug)]
pub(super) enum Action {
    /// A line that goes out with the next.
    Hold(Template),
    Send(Template),
    SendPart(Template),
    Finish,
    /// A question, asked until the reply begins with the line of the step behind it.
    Ask(Template),
    Expect(Template),
    /// JSON with so many results, and the end of it.
    ExpectPlaces(usize),
    ExpectEnd,
}

impl Conversation {
    /// Reads them all, or says which line is none.
    pub(super) fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        let mut conversations: Vec<Self> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(name) = line.strip_prefix("== ") {
                conversations.push(Self { name: name.to_owned(), steps: Vec::new() });
                continue;
            }
            let wrong = |what: &str| format!("conversations.txt:{number}: {what}");
            let conversation = conversations.last_mut().ok_or_else(|| wrong("no conversation has begun"))?;
            let (count, step) = repetition(line).ok_or_else(|| wrong("a number of repetitions"))?;
            for index in 1..=count {
                let step = Step::parse(&step.replace("{i}", &index.to_string())).map_err(|what| wrong(&what))?;
                conversation.steps.push(step);
            }
        }
        conversations.iter().try_for_each(Self::check)?;
        Ok(conversations)
    }

    /// Each question has a line behind it that its reply is to begin with.
    fn check(&self) -> Result<(), String> {
        let pairs = self.steps.iter().zip(self.steps.iter().skip(1).map(Some).chain([None]));
        for (step, next) in pairs {
            let is_answered =
                next.is_some_and(|next| matches!(next.action, Action::Expect(_)) && next.connection == step.connection);
            if matches!(step.action, Action::Ask(_)) && !is_answered {
                return Err(format!("{}: no reply behind {}", self.name, step.source));
            }
        }
        Ok(())
    }
}

/// `*3 rest` is rest three times.
fn repetition(line: &str) -> Option<(usize, &str)> {
    let Some(rest) = line.strip_prefix('*') else { return Some((1, line)) };
    let (count, step) = rest.split_once(' ')?;
    Some((count.parse().ok()?, step))
}

impl Step {
    fn parse(line: &str) -> Result<Self, String> {
        let (sign, rest) = line.split_once(' ').ok_or("a sign and a server")?;
        let (connection, text) = rest.split_once(':').unwrap_or((rest, ""));
        // One space belongs to the colon; what follows is the text, white space and all.
        let text = text.strip_prefix(' ').unwrap_or(text);
        let name = connection.split('#').next().unwrap_or_default();
        let server = SERVERS.iter().position(|server| *server == name).ok_or_else(|| format!("no server {name:?}"))?;
        let action = match sign {
            ">>" => Action::Hold(Template::parse(text)?),
            ">" => Action::Send(Template::parse(text)?),
            ">." => Action::SendPart(Template::parse(text)?),
            ">|" => Action::Finish,
            ">?" => Action::Ask(Template::parse(text)?),
            "<" => Action::Expect(Template::parse(text)?),
            "<{" => Action::ExpectPlaces(text.parse().map_err(|_| "a number of results".to_owned())?),
            "<|" => Action::ExpectEnd,
            _ => return Err(format!("no sign {sign:?}")),
        };
        Ok(Self { source: line.to_owned(), server, connection: connection.to_owned(), action })
    }
}

#[cfg(test)]
mod tests {
    use super::super::CONVERSATIONS;
    use super::*;

    #[test]
    fn all_conversations_can_be_read() {
        let conversations = Conversation::parse_all(CONVERSATIONS).unwrap();
        assert!(conversations.len() >= 20, "{}", conversations.len());
        for conversation in conversations {
            let expects = |step: &Step| matches!(step.action, Action::Expect(_) | Action::ExpectEnd);
            assert!(conversation.steps.iter().any(expects), "{} expects nothing", conversation.name);
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (text, what) in [
            ("> Riley: x", "no conversation"),
            ("== a\n> Raily: x", "Raily"),
            ("== a\n)( Riley: x", ")("),
            ("== a\n<{ Riley: x", "results"),
            ("== a\n>? Riley: x\n>| Riley", "no reply"),
            ("== a\n*x > Riley: x", "repetitions"),
        ] {
            let error = Conversation::parse_all(text).unwrap_err();
            assert!(error.contains(what), "{error}");
        }
    }
}
