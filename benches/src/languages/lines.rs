//! Lines of code, counted alike in every language: those with something on them that is no comment.

use std::io;
use std::path::Path;

/// How a language writes comments that have lines to themselves. Documentation is comment here, Python's as well.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Syntax {
    line: &'static str,
    block: (&'static str, &'static str),
}

const PYTHON: Syntax = Syntax { line: "#", block: (r#"""""#, r#"""""#) };
const CURLY: Syntax = Syntax { line: "//", block: ("/*", "*/") };

impl Syntax {
    /// By the file's extension.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("py") => Ok(PYTHON),
            Some("js" | "java" | "rs") => Ok(CURLY),
            _ => Err(io::Error::other(format!("no language known for {}", path.display()))),
        }
    }
}

/// How many lines of `text` are neither blank nor comment alone. A block comment is one that a line begins with.
pub(super) fn count(text: &str, syntax: Syntax) -> usize {
    let (opening, closing) = syntax.block;
    let mut is_comment = false;
    let mut count = 0;
    for line in text.lines().map(str::trim) {
        if is_comment {
            is_comment = !line.contains(closing);
        } else if let Some(rest) = line.strip_prefix(opening) {
            is_comment = !rest.contains(closing);
        } else if !line.is_empty() && !line.starts_with(syntax.line) {
            count += 1;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_do_not_count() {
        let python =
            "\"\"\"What\nit is.\n\"\"\"\n\nx = 1  # one\n# two\ndef f():\n    \"\"\"One line.\"\"\"\n    return \"\"\n";
        assert_eq!(count(python, PYTHON), 3);
        let curly = "/** What\n * it is. */\nint x = 1; // one\n\n// two\n/* a */\n}\n";
        assert_eq!(count(curly, CURLY), 2);
    }
}
