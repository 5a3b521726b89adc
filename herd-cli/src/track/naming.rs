//! Who a track is about.

use std::path::Path;

use herd_proto::ClientId;

/// What clients are called.
#[derive(Clone, Debug, Default)]
pub(crate) struct Naming {
    /// Whatever the file says.
    always: Option<String>,
    /// Where the file says nothing.
    otherwise: Option<String>,
}

impl Naming {
    /// `id` if there is one; else what the file says, and where it says nothing its own name without directory and ending.
    pub(crate) fn new(id: Option<&str>, file: Option<&Path>) -> Self {
        let stem = file.and_then(Path::file_stem).and_then(|stem| made_of(&stem.to_string_lossy()));
        Self { always: id.map(str::to_owned), otherwise: stem }
    }

    /// Whether there is a name for what has none.
    pub(super) const fn has_one(&self) -> bool {
        self.always.is_some() || self.otherwise.is_some()
    }

    /// Whether what the file says does not matter.
    pub(super) const fn is_fixed(&self) -> bool {
        self.always.is_some()
    }

    /// The ID for what the file calls `name`.
    pub(super) fn id(&self, name: Option<&str>) -> Option<String> {
        let named = || name.and_then(made_of).or_else(|| self.otherwise.clone());
        self.always.clone().or_else(named)
    }
}

/// `name` as an ID: white space within it becomes `_`, since IDs have none. `None` if nothing is left, or too much.
fn made_of(name: &str) -> Option<String> {
    let id = name.split_whitespace().collect::<Vec<_>>().join("_");
    ClientId::new(&id).is_ok().then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_white_space() {
        let naming = Naming::new(None, Some(Path::new("/tmp/My walk.gpx")));
        assert_eq!(naming.id(Some(" To the\n lake ")).as_deref(), Some("To_the_lake"));
        for name in [None, Some(""), Some(" \t")] {
            assert_eq!(naming.id(name).as_deref(), Some("My_walk"), "{name:?}");
        }
        assert_eq!(Naming::new(Some("kiwi"), None).id(Some("x")).as_deref(), Some("kiwi"));
        assert_eq!(Naming::new(None, None).id(None), None);
        let long = "x".repeat(ClientId::LEN_MAX + 1);
        assert_eq!(naming.id(Some(&long)).as_deref(), Some("My_walk"));
    }
}
