//! Taking the key out of text that came from elsewhere.

use crate::secret::Secret;

/// Finds the key in any text: as it is, percent-encoded (once or more often) and as JSON escapes, in any mixture.
#[derive(Debug)]
pub(super) struct Redactor {
    key: Secret,
}

/// What stands where the key was.
const REDACTED: &[u8] = b"[redacted]";

/// The longest message, in bytes. It bounds what an upstream can make a client and the journal carry.
const MESSAGE_MAX: usize = 500;

/// Shorter keys are made up, for tests and mocks, and so short that places could have them in their names by chance.
const KEY_IN_BODY_MIN: usize = 16;

impl Redactor {
    pub(super) fn new(key: Secret) -> Self {
        Self { key }
    }

    /// `message` on one line, without the key, and not too long.
    pub(super) fn message(&self, message: &str) -> String {
        let redacted = match self.redact(message.as_bytes()) {
            Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            None => String::from(message),
        };
        // Redacted before it is cut: the cut could leave half a key, which nothing would find any more.
        let one_line: String = redacted.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let mut end = one_line.len().min(MESSAGE_MAX);
        while !one_line.is_char_boundary(end) {
            end -= 1;
        }
        one_line[..end].trim().into()
    }

    /// `body` without the key, when the key is in it.
    pub(super) fn body(&self, body: &[u8]) -> Option<Vec<u8>> {
        if self.key.expose().len() < KEY_IN_BODY_MIN { None } else { self.redact(body) }
    }

    fn redact(&self, text: &[u8]) -> Option<Vec<u8>> {
        let key = self.key.expose();
        let (mut clean, mut at, mut copied) = (Vec::new(), 0, 0);
        while at < text.len() {
            match key_at(text, at, key) {
                Some(end) if end > at => {
                    clean.extend_from_slice(&text[copied..at]);
                    clean.extend_from_slice(REDACTED);
                    (at, copied) = (end, end);
                }
                _ => at += 1,
            }
        }
        (copied > 0).then(|| {
            clean.extend_from_slice(&text[copied..]);
            clean
        })
    }
}

/// Where the key that begins at `at` ends.
fn key_at(text: &[u8], at: usize, key: &[u8]) -> Option<usize> {
    key.iter().try_fold(at, |at, byte| byte_at(text, at, *byte))
}

/// Where `byte` ends that begins at `at`, in any of its forms.
fn byte_at(text: &[u8], at: usize, byte: u8) -> Option<usize> {
    let percent = || {
        let mut digits = at + 1;
        // `%41`, `%2541`, `%252541` …: every round of encoding turns `%` into `%25`.
        while hex_at(text, digits) == Some(b'%') && hex_at(text, digits + 2).is_some() {
            digits += 2;
        }
        (hex_at(text, digits) == Some(byte)).then_some(digits + 2)
    };
    match text.get(at)? {
        b'%' if percent().is_some() => percent(),
        b'\\' if text.get(at + 1..at + 4) == Some(b"u00") && hex_at(text, at + 4) == Some(byte) => Some(at + 6),
        b'\\' if byte == b'/' && text.get(at + 1) == Some(&byte) => Some(at + 2),
        here => (*here == byte).then_some(at + 1),
    }
}

/// The byte that the two hexadecimal digits at `at` mean.
fn hex_at(text: &[u8], at: usize) -> Option<u8> {
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    u8::try_from(digit(at)? * 16 + digit(at + 1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::Redactor;
    use crate::secret::Secret;

    const KEY: &str = "AIza-Canary/0123456789";

    fn message(text: &str) -> String {
        Redactor::new(Secret::new(KEY.as_bytes())).message(text)
    }

    #[test]
    fn the_key_goes_in_every_form() {
        let encoded = |prefix: &str| KEY.bytes().map(|byte| format!("{prefix}{byte:02x}")).collect::<String>();
        let mixed = KEY.replace('-', "%2D").replace('/', "%2f");
        let forms = [
            KEY.into(),
            encoded("%"),
            encoded("%25"),
            encoded("%2525"),
            encoded("\\u00"),
            mixed,
            KEY.replace('/', "\\/"),
        ];
        for form in forms {
            assert_eq!(message(&format!("é?key={form}&x=1 {form}")), "é?key=[redacted]&x=1 [redacted]", "{form}");
        }
    }

    #[test]
    fn other_text_stays() {
        for text in ["", "no key", "100 % sure", "%", "%4", "\\u00", "AIza-Canary/012345678", "ünï %zz"] {
            assert_eq!(message(text), text);
        }
    }

    #[test]
    fn a_message_is_one_short_line() {
        assert_eq!(message("a\nb\u{1b}[31m\n"), "a b [31m");
        let long = message(&format!("{}{KEY}", "é".repeat(245)));
        assert!(long.len() <= 500 && long.ends_with("é[redacted]"), "{long}");
        assert_eq!(message(&"é".repeat(400)).len(), 500);
    }

    #[test]
    fn a_made_up_key_leaves_bodies_alone() {
        assert_eq!(Redactor::new(Secret::new(*b"test")).body(b"Latest Cafe"), None);
        assert_eq!(Redactor::new(Secret::new(*b"test")).message("the test failed"), "the [redacted] failed");
        let body = format!("{{\"html\":\"{KEY}\"}}");
        let clean = Redactor::new(Secret::new(KEY.as_bytes())).body(body.as_bytes());
        assert_eq!(clean.as_deref(), Some(&b"{\"html\":\"[redacted]\"}"[..]));
    }
}
