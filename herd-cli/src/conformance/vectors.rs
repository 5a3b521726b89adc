//! The files of herd-proto that can be tried on a running server: their form, as `herd-proto/vectors/README.md` says it.

use serde::Deserialize;

/// A file: one object.
#[derive(Debug, Deserialize)]
pub(super) struct File<V> {
    pub(super) vectors: Vec<V>,
}

/// What every herd must do, or what WIRE.md decides besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// What the course assignment says, or shows in its examples
    Core,
    /// All that WIRE.md says
    Herd,
}

impl Level {
    pub(crate) const ALL: [Self; 2] = [Self::Core, Self::Herd];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Herd => "herd",
        }
    }
}

/// Bytes: a string's, hexadecimal, some of them many times, or several one behind the other.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Text {
    Plain(String),
    Several(Vec<Text>),
    Hex { hex: String },
    Repeated { repeat: Box<Text>, times: usize },
}

/// One of `client-lines.json`.
#[derive(Debug, Deserialize)]
pub(super) struct ClientLine {
    pub(super) id: String,
    pub(super) section: String,
    pub(super) line: Text,
    pub(super) live: Option<Level>,
    pub(super) iamat: Option<Iamat>,
    pub(super) whatsat: Option<Whatsat>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Iamat {
    pub(super) client: Text,
    pub(super) location: String,
    pub(super) time: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Whatsat {
    pub(super) client: Text,
    pub(super) limit: usize,
}

/// One of `conversations.json`.
#[derive(Debug, Deserialize)]
pub(super) struct Conversation {
    pub(super) id: String,
    pub(super) section: String,
    pub(super) level: Level,
    pub(super) servers: usize,
    pub(super) about: String,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Step {
    #[serde(flatten)]
    pub(super) action: Action,
    pub(super) server: Option<usize>,
    pub(super) connection: Option<usize>,
    pub(super) times: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Action {
    Ask { ask: Text, until: Text },
    Send { send: Text },
    Expect { expect: Text },
    Places { places_at_most: usize },
    Finish { finish: bool },
    End { end: bool },
    Agree { agree: Text },
}
