//! JSON as lines of a name and a value with a tab between them, in its own order: for pipes.

use std::fmt;
use std::fmt::Write;

use herd_proto::Escaped;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A value of JSON that keeps the order of its fields.
enum Tree {
    Leaf(String),
    Branch(Vec<(String, Tree)>),
}

/// One line for each value that has none within it. Its name is those of the fields that lead to it, joined by points; the
/// parts of a list are numbered from 0. Nothing is `-`.
pub(super) fn lines(json: &str) -> String {
    let mut out = String::new();
    // It was made from what can be told.
    let tree = serde_json::from_str(json).unwrap_or(Tree::Branch(Vec::new()));
    push(&mut out, "", &tree);
    out
}

fn push(out: &mut String, name: &str, tree: &Tree) {
    match tree {
        Tree::Leaf(value) => drop(writeln!(out, "{name}\t{}", Escaped(value.as_bytes()))),
        Tree::Branch(fields) => {
            for (field, tree) in fields {
                push(out, &if name.is_empty() { field.clone() } else { format!("{name}.{field}") }, tree);
            }
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Grow)
    }
}

struct Grow;

impl<'de> Visitor<'de> for Grow {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value of JSON")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Leaf("-".to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Leaf(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Leaf(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Leaf(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Leaf(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Leaf(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut parts = Vec::new();
        while let Some(part) = list.next_element()? {
            parts.push((parts.len().to_string(), part));
        }
        Ok(Tree::Branch(parts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Tree, A::Error> {
        let mut tree = Vec::new();
        while let Some(field) = fields.next_entry()? {
            tree.push(field);
        }
        Ok(Tree::Branch(tree))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_line_in_its_place() {
        let json = r#"{"z":"a\tb","a":{"n":null,"list":[1,2.5,{"x":-3}],"none":[]},"b":true}"#;
        assert_eq!(lines(json), "z\ta\\tb\na.n\t-\na.list.0\t1\na.list.1\t2.5\na.list.2.x\t-3\nb\ttrue\n");
    }
}
