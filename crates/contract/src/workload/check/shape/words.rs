//! What is wrong with the shape of a description, in words.

use serde_json::Value;

use crate::letters::alike;
use crate::workload::check::node::{Content, YamlValue};
use crate::workload::check::unseen;
use crate::workload::template::Template;

/// From this likeness on, an unknown field may be meant to be one that is missing.
const LIKE: f64 = 0.8;

/// The names of the types that `schema` takes.
pub(super) fn types(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    }
}

/// The fields that `schema` asks for.
pub(super) fn required(schema: &Value) -> impl Iterator<Item = &str> {
    let names = schema["required"].as_array();
    names.into_iter().flatten().filter_map(Value::as_str)
}

/// Whether one name may be meant by the other.
pub(super) fn is_like(written: &str, name: &str) -> bool {
    strsim::jaro_winkler(&written.to_lowercase(), name) >= LIKE
}

/// What is wrong with the type of `node`, which is called `name`.
pub(super) fn misfit(node: &YamlValue, schema: &Value, name: Option<&String>) -> Option<String> {
    let words = one_of(schema);
    if !words.is_empty() {
        let words = words.join(", ");
        return match &node.content {
            Content::Text(text) if words.split(", ").any(|it| it == text) => None,
            Content::Text(text) => Some(format!(
                "the value {text:?} is not allowed; write one of {words}"
            )),
            _ => Some(format!("one of these words is expected here: {words}")),
        };
    }
    let types = types(schema);
    let takes = |kind: &str| types.contains(&kind);
    let number = |it: &serde_json::Number| {
        let (least, most) = (schema["minimum"].as_f64(), schema["maximum"].as_f64());
        let value = it.as_f64().unwrap_or(f64::NAN);
        let is_within = least.is_none_or(|it| it <= value) && most.is_none_or(|it| value <= it);
        takes("number") || takes("integer") && !it.is_f64() && is_within
    };
    let fits = match &node.content {
        Content::Null => takes("null"),
        Content::Bool(_) => takes("boolean"),
        Content::Number(it) => number(it),
        Content::Text(_) => takes("string"),
        Content::List(_) => takes("array"),
        Content::Fields(_) => takes("object"),
    };
    let name = name.map_or("the file", String::as_str);
    (!fits).then(|| expected(node, schema, &takes, name))
}

/// The words of an enumeration.
fn one_of(schema: &Value) -> Vec<&str> {
    let either = schema["oneOf"].as_array();
    let either = either.into_iter().flatten();
    either.filter_map(|it| it["const"].as_str()).collect()
}

fn expected(node: &YamlValue, schema: &Value, takes: &dyn Fn(&str) -> bool, name: &str) -> String {
    let is_text = takes("string");
    match &node.content {
        Content::Null if name == "the file" => {
            "the file is empty, or has only comments; harness init writes a first description".to_owned()
        }
        _ if is_text && takes("object") => format!(
            "fields, a text or a list are expected as {name}; put a text of digits, true, false or null into quotes"
        ),
        Content::Null if is_text => "a text is expected here, but this is null or empty; write the text, in quotes if it is \
                                     the word \
                                     null, or leave the line out"
            .to_owned(),
        Content::Fields(fields) if is_text => match &fields[..] {
            [(key, inner)]
                if matches!(inner.content, Content::Null) && is_placeholder(&key.name) =>
            {
                let name = &key.name;
                format!(
                    "a text is expected here; put what begins with {{ or [ into quotes: \"{{{name}}}\", since {{{name}}} \
                     without quotes means fields in YAML"
                )
            }
            _ => NO_TEXT.to_owned(),
        },
        Content::List(_) if is_text => NO_TEXT.to_owned(),
        _ if is_text => {
            let value = node.json();
            let quoted = match name.parse::<usize>() {
                Ok(_) => format!("\"{value}\""),
                Err(_) => format!("{name}: \"{value}\""),
            };
            format!("a text is expected here, but YAML reads {value} as another type; put it into quotes, as in {quoted}")
        }
        _ if takes("boolean") => {
            let written = node.json();
            let written = written.as_str().unwrap_or_default().to_lowercase();
            let is_no = ["false", "no", "n", "off"].contains(&written.as_str());
            format!("true or false is expected here, without quotes; write {name}: {}", !is_no)
        }
        _ if takes("integer") => integer(schema, name),
        _ if takes("array") => {
            "a list is expected here, each entry on a line that begins with '- '".to_owned()
        }
        _ => "fields are expected here, each as 'name: value'".to_owned(),
    }
}

const NO_TEXT: &str =
    "a text is expected here; put what begins with { or [ into quotes, and write no list or fields";

fn integer(schema: &Value, name: &str) -> String {
    let (least, most) = (&schema["minimum"], &schema["maximum"]);
    if least == most {
        format!("write {name}: {least}, without quotes or a point")
    } else {
        format!(
            "a whole number from {least} to {most} is expected here, without quotes or a point, as in {name}: 5"
        )
    }
}

fn is_placeholder(name: &str) -> bool {
    let template = format!("{{{name}}}").parse::<Template>();
    template.is_ok_and(|it| it.whole().is_some())
}

/// The fields that have a field `name`: `None` is the top of the file.
pub(super) fn homes<'a>(root: &'a Value, name: &str) -> Vec<Option<&'a str>> {
    let Some(top) = root["properties"].as_object() else {
        return vec![];
    };
    if top.contains_key(name) {
        return vec![None];
    }
    let holds = |schema: &Value| {
        let schema = super::resolved(root, schema);
        schema["properties"].get(name).is_some()
    };
    let sections = top.iter().filter(|(_, schema)| holds(schema));
    sections
        .map(|(section, _)| Some(section.as_str()))
        .collect()
}

/// What is wrong with the field `name`, which an object of `schema` has not, and which belongs to `homes`.
pub(super) fn unknown(name: &str, homes: &[Option<&str>], schema: &Value) -> String {
    if let Some(what) = unseen::first(name) {
        let shown = unseen::without(name);
        return format!(
            "unknown field {shown}: its name holds {what}; type the name and the blanks before it again"
        );
    }
    if let Some(told) = alike(name) {
        return format!("unknown field {name}; {told}");
    }
    if name.contains(':') {
        return format!("unknown field {name}; YAML needs a space after the colon");
    }
    let there = there_are(schema);
    match homes {
        [] => format!("unknown field {name}; the fields here are {there}"),
        [None, ..] => format!(
            "unknown field {name}; it belongs at the top of the file, on a line without blanks before it. The fields here are \
             {there}"
        ),
        sections => {
            let sections: Vec<_> = sections.iter().flatten().copied().collect();
            format!(
                "unknown field {name}; it belongs into {}, indented below it. The fields here are {there}",
                sections.join(" or ")
            )
        }
    }
}

/// The fields of an object of `schema`, those first that must be there.
fn there_are(schema: &Value) -> String {
    let first: Vec<_> = required(schema).collect();
    let all = schema["properties"].as_object();
    let others = all.into_iter().flat_map(|all| all.keys());
    let others = others
        .map(String::as_str)
        .filter(|name| !first.contains(name));
    let names: Vec<_> = first.iter().copied().chain(others).collect();
    names.join(", ")
}

/// That the field `name` of `whose` is not there, and what to write.
pub(super) fn missing(name: &str, whose: Option<&String>) -> String {
    let example = match name {
        "version" => "version: 1",
        "name" => "name: orders",
        "message" => "message: {body: {id: \"{id}\", text: \"{payload}\"}}",
        "row" => "row: {columns: {id: \"{id}\", text: \"{payload}\"}}",
        "body" => "body: {id: \"{id}\", text: \"{payload}\"}",
        "columns" => "columns: {id: \"{id}\", text: \"{payload}\"}",
        other => other,
    };
    match whose {
        None => format!(
            "the description lacks the field {name}; write it at the top of the file, such as: {example}"
        ),
        Some(whose) => {
            format!(
                "{whose} lacks the field {name}; write it below {whose}, indented, such as: {example}"
            )
        }
    }
}
