//! JSON Schema, as far as our own schemas use it. A word that is not known here fails: nothing is passed over in silence.

use serde_json::{Map, Value};

/// Words that say something to people.
const NOTES: [&str; 5] = ["$schema", "$id", "$defs", "title", "description"];

/// What is wrong with `value`; nothing, if it is as `schema` says. `root` has the definitions.
pub(crate) fn check(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let Some(rules) = schema.as_object() else { return Err(format!("no schema: {schema}")) };
    rules.iter().filter(|(word, _)| !NOTES.contains(&word.as_str())).try_for_each(|(word, rule)| match word.as_str() {
        "$ref" => check(root, definition(root, rule), value),
        "type" => has_type(rule, value),
        "const" => (rule == value).then_some(()).ok_or_else(|| format!("{value} is not {rule}")),
        "enum" => list(rule).contains(value).then_some(()).ok_or_else(|| format!("{value} is none of {rule}")),
        // Of numbers; what else it may be is for "type".
        "minimum" => match value.as_f64() {
            Some(number) if Some(number) < rule.as_f64() => Err(format!("{value} is below {rule}")),
            _ => Ok(()),
        },
        "required" => required(rule, value),
        "properties" => properties(root, rule, value),
        "items" => list(value).iter().try_for_each(|item| check(root, rule, item)),
        "oneOf" => one_of(root, rule, value),
        other => Err(format!("this test does not know '{other}'")),
    })
}

pub(crate) fn definition<'a>(root: &'a Value, reference: &Value) -> &'a Value {
    let name = reference.as_str().and_then(|text| text.strip_prefix("#/$defs/")).unwrap();
    root["$defs"].get(name).unwrap_or_else(|| panic!("there is no definition of {name}"))
}

fn has_type(rule: &Value, value: &Value) -> Result<(), String> {
    let is = |name: &Value| match name.as_str().unwrap() {
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other} is no type"),
    };
    let right = if rule.is_array() { list(rule).iter().any(is) } else { is(rule) };
    right.then_some(()).ok_or_else(|| format!("{value} is not of type {rule}"))
}

fn required(rule: &Value, value: &Value) -> Result<(), String> {
    let fields = value.as_object().ok_or_else(|| format!("{value} is no object"))?;
    let missing = list(rule).iter().find(|name| !fields.contains_key(name.as_str().unwrap()));
    missing.map_or(Ok(()), |name| Err(format!("{name} is missing in {value}")))
}

fn properties(root: &Value, rule: &Value, value: &Value) -> Result<(), String> {
    let none = Map::new();
    let (rules, fields) = (rule.as_object().unwrap(), value.as_object().unwrap_or(&none));
    rules.iter().try_for_each(|(name, rule)| match fields.get(name) {
        Some(field) => check(root, rule, field).map_err(|wrong| format!("{name}: {wrong}")),
        None => Ok(()),
    })
}

fn one_of(root: &Value, rule: &Value, value: &Value) -> Result<(), String> {
    let wrongs: Vec<String> = list(rule).iter().filter_map(|rule| check(root, rule, value).err()).collect();
    let fitting = list(rule).len() - wrongs.len();
    if fitting == 1 { Ok(()) } else { Err(format!("{fitting} of the alternatives fit {value}: {}", wrongs.join("; "))) }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
