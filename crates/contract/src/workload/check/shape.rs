//! Whether a description has the fields that there are, each with a value of its type: the JSON Schema of descriptions at work, so that
//! `lint` and an editor with that schema say the same. Patterns of names, and what fields have to do with each other, are left to
//! the rest of `check`, which has better words for them.

mod words;

use serde_json::{Map, Value};

use super::node::{Content, Key, YamlValue, line_within};
use super::{Problem, unseen};
use crate::workload::misspelt::is_in_curly_quotes;
use crate::workload::template::Template;

/// What the shape of a description comes to.
pub(super) struct Shape {
    /// What is wrong with it.
    pub(super) problems: Vec<Problem>,
    /// The fields at the top in which something is wrong.
    pub(super) sections: Vec<String>,
    /// The description without what is wrong; `None` if what remains lacks a field.
    pub(super) remains: Option<Value>,
}

/// Checks `root`, the tree of `text`.
pub(super) fn check(root: &YamlValue, text: &str) -> Shape {
    let schema = schemars::schema_for!(crate::workload::Description).to_value();
    let mut walk = Walk {
        schema: &schema,
        text,
        way: vec![],
        problems: vec![],
        sections: vec![],
        missing: vec![],
        misplaced: vec![],
    };
    let remains = walk.value(root, root.line, &schema);
    let misplaced = std::mem::take(&mut walk.misplaced);
    for (name, problem) in std::mem::take(&mut walk.missing) {
        if !misplaced.contains(&name) {
            walk.problems.push(problem);
        }
    }
    Shape {
        problems: walk.problems,
        sections: walk.sections,
        remains,
    }
}

struct Walk<'a> {
    schema: &'a Value,
    text: &'a str,
    way: Vec<String>,
    problems: Vec<Problem>,
    sections: Vec<String>,
    /// Fields that must be there and are not; told unless they are somewhere else.
    missing: Vec<(String, Problem)>,
    misplaced: Vec<String>,
}

impl Walk<'_> {
    fn problem(&mut self, line: u64, text: impl Into<String>) {
        let text = text.into();
        self.problems.push(Problem { line, text });
        self.wrong();
    }

    fn wrong(&mut self) {
        self.sections.extend(self.way.first().cloned());
    }

    /// A value that does not fit, with the line that it stands in.
    fn misfit(&mut self, line: u64, words: &str) {
        let before = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
        let written = self.text.lines().nth(before).unwrap_or_default();
        let text = match written.trim() {
            "" => words.to_owned(),
            shown => format!("{words}: '{shown}'"),
        };
        self.problem(line, unseen::also(text, written));
    }

    /// What remains of `node`, whose name is in the line `begins`, once what is wrong is told.
    fn value(&mut self, node: &YamlValue, begins: u64, schema: &Value) -> Option<Value> {
        let schema = resolved(self.schema, schema);
        let line = match node.content {
            Content::Null => begins,
            _ if node.line == 0 => begins,
            _ => node.line,
        };
        if let Some(words) = words::misfit(node, &schema, self.way.last()) {
            self.misfit(line, &words);
            return None;
        }
        let name = schema["x-name"].as_str().unwrap_or_default();
        if name == "Body" {
            return self.body(node, line).then(|| node.json());
        }
        match &node.content {
            Content::Fields(fields) => self.fields(fields, begins, &schema),
            Content::List(list) => {
                let mut items = Vec::new();
                for (at, node) in list.iter().enumerate() {
                    self.way.push(at.to_string());
                    items.push(self.value(node, node.line, &schema["items"]));
                    self.way.pop();
                }
                items.into_iter().collect()
            }
            Content::Null => Some(Value::Null),
            _ if name != "Template" => Some(node.json()),
            _ => {
                let text = match node.json() {
                    Value::String(text) => text,
                    other => other.to_string(),
                };
                self.template(&text, line).then_some(Value::String(text))
            }
        }
    }

    /// Whether every text in a body is a template.
    fn body(&mut self, node: &YamlValue, line: u64) -> bool {
        match &node.content {
            Content::Text(text) => self.template(text, line),
            Content::List(list) => {
                let fits: Vec<_> = list.iter().map(|it| self.body(it, it.line)).collect();
                !fits.contains(&false)
            }
            Content::Fields(fields) => {
                let fields = fields.iter();
                let fits: Vec<_> = fields
                    .map(|(key, node)| self.body(node, node.line.max(key.line)))
                    .collect();
                !fits.contains(&false)
            }
            _ => true,
        }
    }

    fn template(&mut self, text: &str, line: u64) -> bool {
        if is_in_curly_quotes(text) {
            let words = format!(
                "YAML reads the quotes in {text} as part of the text, because they are those of a word processor; write \" \
                 instead of each"
            );
            self.problem(line, words);
            return false;
        }
        match text.parse::<Template>() {
            Ok(_) => true,
            Err(error) => {
                let written = error.written();
                let before = text.split_once(written.as_str()).map_or("", |(it, _)| it);
                let line = line_within(self.text, line, before, &written);
                self.problem(line, error.to_string());
                false
            }
        }
    }

    fn fields(
        &mut self,
        fields: &[(Key, YamlValue)],
        begins: u64,
        schema: &Value,
    ) -> Option<Value> {
        let mut remains = Map::new();
        let is_open = schema["additionalProperties"].is_object();
        // A field that is nothing and should have fields: those that follow it and are unknown here may be meant to be its own.
        let mut empty: Option<(&Key, Vec<&Key>)> = None;
        for (key, node) in fields {
            let known = schema["properties"].get(&key.name);
            if let (None, false, Some((above, strays))) = (known, is_open, &mut empty)
                && self.can_hold(
                    &schema["properties"][&above.name],
                    &unseen::without(&key.name),
                )
            {
                strays.push(key);
                continue;
            }
            self.tell_strays(empty.take());
            let Some(inner) = known.or_else(|| is_open.then(|| &schema["additionalProperties"]))
            else {
                self.unknown(key, schema);
                continue;
            };
            let is_empty = matches!(node.content, Content::Null);
            if is_empty && !is_open && has_fields(&resolved(self.schema, inner)) {
                empty = Some((key, vec![]));
                continue;
            }
            self.way.push(key.name.clone());
            let value = self.value(node, key.line, inner);
            self.way.pop();
            remains.extend(value.map(|value| (key.name.clone(), value)));
        }
        self.tell_strays(empty.take());
        let is_whole = self.require(fields, begins, schema);
        let mut required = words::required(schema);
        (is_whole && required.all(|name| remains.contains_key(name)))
            .then_some(Value::Object(remains))
    }

    /// Whether `schema`, that of a field which is nothing, has a field `name`, or fields of any name where nothing else has this one.
    fn can_hold(&self, schema: &Value, name: &str) -> bool {
        let schema = resolved(self.schema, schema);
        match schema["properties"].as_object() {
            Some(own) => own.contains_key(name),
            None => words::homes(self.schema, name).is_empty(),
        }
    }

    /// Tells of a field that is nothing, with what follows it on its own level.
    fn tell_strays(&mut self, empty: Option<(&Key, Vec<&Key>)>) {
        let Some((above, strays)) = empty else { return };
        self.way.push(above.name.clone());
        let unseen = strays.iter().find(|key| unseen::first(&key.name).is_some());
        if let Some(key) = unseen {
            let said = words::unknown(&key.name, &[], &Value::Null);
            self.problem(key.line, said);
        } else if let Some(first) = strays.first() {
            let names: Vec<_> = strays.iter().map(|key| key.name.as_str()).collect();
            let words = format!(
                "{} must stand below {}; indent each line of it further than '{}:' in line {}",
                names.join(", "),
                above.name,
                above.name,
                above.line
            );
            self.problem(first.line, words);
        } else {
            let words = format!(
                "{} is empty; write its fields below it, each as 'name: value' and indented further, or remove the line",
                above.name
            );
            self.misfit(above.line, &words);
        }
        self.way.pop();
    }

    fn unknown(&mut self, key: &Key, schema: &Value) {
        let homes = words::homes(self.schema, &key.name);
        let said = words::unknown(&key.name, &homes, schema);
        let meant = unseen::without(&key.name);
        if !homes.is_empty() || meant != key.name {
            self.misplaced.push(meant);
        }
        self.problem(key.line, said);
    }

    /// Whether all fields are there that must be; those that are not are told, unless one that is like it stands there.
    fn require(&mut self, fields: &[(Key, YamlValue)], begins: u64, schema: &Value) -> bool {
        let mut is_whole = true;
        for name in words::required(schema) {
            if fields.iter().any(|(key, _)| key.name == name) {
                continue;
            }
            is_whole = false;
            self.wrong();
            let is_known = |key: &Key| schema["properties"].get(&key.name).is_some();
            let mut unknown = fields.iter().filter(|(key, _)| !is_known(key));
            if unknown.any(|(key, _)| words::is_like(&key.name, name)) {
                continue;
            }
            let text = words::missing(name, self.way.last());
            let problem = Problem { line: begins, text };
            self.missing.push((name.to_owned(), problem));
        }
        is_whole
    }
}

/// Whether values of `schema` are objects, and nothing is none.
fn has_fields(schema: &Value) -> bool {
    let types = words::types(schema);
    types.contains(&"object") && !types.contains(&"null")
}

/// `schema` with what it refers to; what stands beside a reference counts before that. Of several, one of which is nothing, the other,
/// with nothing as a further type. `x-name` is the name of what it refers to.
fn resolved(root: &Value, schema: &Value) -> Value {
    let Some(own) = schema.as_object() else {
        return Value::Null;
    };
    let mut whole = Map::new();
    if let Some(name) = own.get("$ref").and_then(Value::as_str) {
        let name = name.trim_start_matches("#/$defs/");
        whole.extend(root["$defs"][name].as_object().cloned().unwrap_or_default());
        whole.insert("x-name".to_owned(), name.into());
    }
    whole.extend(own.clone());
    if let Some(Value::Array(either)) = own.get("anyOf") {
        let other = either.iter().find(|it| it["type"] != "null");
        if let Some(Value::Object(other)) = other.map(|it| resolved(root, it)) {
            whole.extend(other);
        }
        if either.len() > 1 {
            let mut types: Vec<Value> = words::types(&Value::Object(whole.clone()))
                .into_iter()
                .map(Value::from)
                .collect();
            types.push("null".into());
            whole.insert("type".to_owned(), types.into());
        }
    }
    Value::Object(whole)
}
