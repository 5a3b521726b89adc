//! Known answers for every implementation of the wire: the JSON files of `herd-proto/vectors/`, as texts.
//!
//! Nothing is parsed here, so that this needs neither a JSON parser nor the standard library. What the fields mean, for a reader in any
//! language, is said in `vectors/README.md`, which is [`README`]; [`SCHEMA`] is the same for programs. Which sections of WIRE.md have
//! known answers, and why a few can't, is in the README too.
//!
//! ```
//! let order = herd_proto::vectors::get("order.json").expect("which of two records wins");
//! assert!(order.contains("the larger client time"));
//! ```

macro_rules! files {
    ($($(#[doc = $doc:literal])* $constant:ident = $name:literal,)*) => {
        $($(#[doc = $doc])* pub const $constant: &str = include_str!(concat!("../vectors/", $name));)*

        /// All files: their names, as in `herd-proto/vectors/`, and their texts.
        pub const FILES: &[(&str, &str)] = &[$(($name, $constant),)*];
    };
}

files! {
    /// Lines of a client, what they mean or what is wrong with them, and what is answered (WIRE §1 to §3, §5.4).
    CLIENT_LINES = "client-lines.json",
    /// First lines of replies, as a client reads them (WIRE §1.6, §2.5, §2.6).
    SERVER_LINES = "server-lines.json",
    /// Lines between servers (WIRE §6).
    PEER_LINES = "peer-lines.json",
    /// Bytes as they arrive, and the lines they are (WIRE §1.1, §1.3, §1.7, §6.1).
    FRAMING = "framing.json",
    /// What was asked and the bytes that came back, and the replies they are (WIRE §1.3, §3.4).
    REPLIES = "replies.json",
    /// JSON, and the bytes that tell it behind an AT (WIRE §3.4).
    BODIES = "bodies.json",
    /// What both ends of a link prove (WIRE §6.3).
    HANDSHAKES = "handshakes.json",
    /// Keys, leaves, numbers, hashes and digests (WIRE §6.10).
    DIGESTS = "digests.json",
    /// Which of two records of a client is kept (WIRE §5.3).
    ORDER = "order.json",
    /// Whether a record is over (WIRE §6.12).
    EXPIRY = "expiry.json",
    /// What one server of a link hears, and what it must say (WIRE §6.2 to §6.10).
    LINKS = "links.json",
    /// The default herd (WIRE §4).
    HERD = "herd.json",
    /// What a server, or two of one herd, must do as seen by clients (WIRE §1 to §3, §5).
    CONVERSATIONS = "conversations.json",
}

/// What the fields mean.
pub const README: &str = include_str!("../vectors/README.md");

/// The form of the files as a JSON Schema, draft 2020-12.
pub const SCHEMA: &str = include_str!("../vectors/schema.json");

/// The text of the file `name`, such as `client-lines.json`.
pub fn get(name: &str) -> Option<&'static str> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
