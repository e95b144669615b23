//! Reading a description, and what is wrong with one: each problem with its line, and with what would be right.

mod mistaken;
mod names;

use std::fmt;

use serde_json::Value;

use super::body::Body;
use super::description::{Column, Description};
use super::placeholder::Name;
use super::template::Template;

/// One thing that is wrong with a description.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The line, from 1; 0 where it is about no line.
    pub line: u64,
    /// What is wrong, and what would be right.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.text),
            line => write!(f, "line {line}: {}", self.text),
        }
    }
}

/// Columns that belong to the table service.
const OF_THE_SERVICE: [&str; 2] = ["Timestamp", "odata.etag"];

impl Description {
    /// Reads a description in YAML; an error has every problem of it, the first line first.
    pub fn read(text: &str) -> Result<Self, Vec<Problem>> {
        if let Some(problem) = mistaken::mistaken(text) {
            return Err(vec![problem]);
        }
        let read: Self = serde_saphyr::from_str(text).map_err(|error| {
            let (line, text) = crate::yaml::trouble(&error, text);
            vec![Problem { line, text }]
        })?;
        let mut problems = Problems {
            text,
            found: vec![],
        };
        read.check(&mut problems);
        problems.found.sort();
        if problems.found.is_empty() {
            Ok(read)
        } else {
            Err(problems.found)
        }
    }

    fn check(&self, problems: &mut Problems<'_>) {
        self.check_message(problems);
        self.check_row(problems);
        self.check_poison(problems);
        self.check_beside(problems);
        self.check_worker(problems);
    }

    /// Whether the producer writes `name` into messages.
    pub fn message_has(&self, name: Name) -> bool {
        let leaves = self.message.body.leaves();
        leaves
            .iter()
            .any(|(_, template)| template.holes().any(|hole| hole.name == name))
    }

    fn check_message(&self, problems: &mut Problems<'_>) {
        let way = ["message", "body"];
        for (_, template) in self.message.body.leaves() {
            let text = "a message holds {id}, {run}, {seq}, {uuid}, {bucket}, {payload}, {digest}, {intended} and {sent}";
            only(problems, &way, template, Name::is_of_messages, text);
        }
        unquoted(&self.message.body, &way, problems);
        let leaves = self.message.body.leaves();
        let mut holes = leaves.iter().flat_map(|(_, template)| template.holes());
        if !holes.any(|hole| hole.name.identifies()) {
            let text = "nothing in the message tells which one it is; have it hold {id}, {seq}, {uuid} or {payload}";
            problems.add(&way, text);
        }
    }

    fn check_row(&self, problems: &mut Problems<'_>) {
        let mut claimed = Vec::new();
        for column in self.row.columns() {
            self.check_column(&column, problems);
            let claim = column.template.whole().filter(|hole| !hole.name.is_known());
            if let Some(hole) = claim {
                if claimed.contains(&hole.name) {
                    let text = format!("a second column holds {{{}}}; name one of them", hole.name);
                    problems.add(&["row", "columns", &column.name], text);
                }
                claimed.push(hole.name);
            }
        }
        let identifies = |column: Column| {
            !column.is_optional && column.template.holes().any(|hole| hole.name.identifies())
        };
        if !self.row.columns().any(identifies) {
            let text = "no column tells of which message a row is; have one hold {id}, {seq}, {uuid} or {payload}. One row for \
                        many messages is out of scope: nobody could say which of them it stands for";
            problems.add(&["row", "columns"], text);
        }
    }

    fn check_column(&self, column: &Column, problems: &mut Problems<'_>) {
        let Column {
            name,
            template,
            is_optional,
        } = column;
        let way = ["row", "columns", name.as_str()];
        let text = "a column holds what a message holds, or {received}, {done}, {attempt}, {worker} or {node}";
        let fits = |name: Name| name.is_of_messages() || name.is_claim();
        only(problems, &way, template, fits, text);
        if OF_THE_SERVICE.contains(&name.as_str()) {
            problems.add(
                &way,
                format!("the column {name} is the table service's own; leave it out"),
            );
        }
        names::column(name, &way, problems);
        let is_key = matches!(name.as_str(), "PartitionKey" | "RowKey");
        if is_key {
            names::key(name, template, problems);
        }
        for hole in template.holes() {
            if is_key && !hole.name.is_known() && fits(hole.name) {
                let text = format!(
                    "nobody can say beforehand what {{{}}} will be, so that a key with it is not judged; leave {name} out",
                    hole.name
                );
                problems.add(&way, text);
            } else if !hole.name.is_known() && template.whole().is_none() {
                let text = format!(
                    "{{{}}} must be all of a column; leave out the text beside it",
                    hole.name
                );
                problems.add(&way, text);
            }
            let source = match hole.name {
                Name::Digest => Some(Name::Payload(1)),
                name if name.identifies() || matches!(name, Name::Intended | Name::Sent) => {
                    Some(name)
                }
                _ => None,
            };
            if let Some(source) = source.filter(|source| !self.message_has(*source)) {
                let text = format!(
                    "{{{source}}} is not in the message, and the worker knows nothing else of it; put {{{source}}} into message.body"
                );
                problems.add(&way, text);
            }
        }
        if is_key && *is_optional {
            problems.add(&way, format!("every row has a {name}; write it without ?"));
        }
    }

    fn check_poison(&self, problems: &mut Problems<'_>) {
        let Some(poison) = &self.poison else { return };
        let text = "the name of a poison queue is made of {queue} and text";
        only(
            problems,
            &["poison", "queue"],
            &poison.queue,
            |name| name == Name::Queue,
            text,
        );
        if poison.queue.to_string() == "{queue}" {
            problems.add(
                &["poison", "queue"],
                "the poison queue is the queue itself; give it a name of its own",
            );
        }
        let fits = |name| {
            use Name::{At, Attempt, Body, Detail, MessageId, Part, Parts, Reason, Worker};
            matches!(
                name,
                At | Attempt | Body | Detail | MessageId | Part | Parts | Reason | Worker
            )
        };
        names::queue(&poison.queue, &["poison", "queue"], problems);
        unquoted(&poison.body, &["poison", "body"], problems);
        let leaves = poison.body.leaves();
        for (_, template) in &leaves {
            let text = "what is given up holds {body}, {reason}, {detail}, {message-id}, {attempt}, {worker}, {at}, {part} and {parts}";
            only(problems, &["poison", "body"], template, fits, text);
        }
        let mut holes = leaves.iter().flat_map(|(_, template)| template.holes());
        if !holes.any(|hole| hole.name == Name::Body) {
            let text = "the message itself is nowhere in it; have it hold {body}";
            problems.add(&["poison", "body"], text);
        }
        if poison.after == Some(0) {
            problems.add(&["poison", "after"], "deliveries count from 1");
        }
    }

    fn check_beside(&self, problems: &mut Problems<'_>) {
        let poison = self.poison.as_ref().map(|poison| &poison.queue);
        for (key, names, own) in [
            ("queues", &self.beside.queues, Name::Queue),
            ("tables", &self.beside.tables, Name::Table),
        ] {
            for (at, template) in names.iter().enumerate() {
                let way = ["beside", key];
                let text = format!("its name is made of {{{own}}} and text");
                only(problems, &way, template, |name| name == own, &text);
                match own {
                    Name::Queue => names::queue(template, &way, problems),
                    _ => names::table(template, &way, problems),
                }
                // Else two runs would share it.
                if !template.holes().any(|hole| hole.name == own) {
                    problems.add(
                        &way,
                        format!("{template} is the same for every run; have it hold {{{own}}}"),
                    );
                }
                let is_known = template.whole().is_some()
                    || poison == Some(template)
                    || names[..at].contains(template);
                if is_known {
                    problems.add(&way, format!("{template} is there already; leave it out"));
                }
            }
        }
    }

    fn check_worker(&self, problems: &mut Problems<'_>) {
        let fits = |name: Name| {
            use Name::{Body, Reason};
            let of_rows = name.is_of_messages() || name.is_time();
            let of_poison = matches!(
                name,
                Body | Reason | Name::Detail | Name::MessageId | Name::Part | Name::Parts
            );
            !of_rows && !of_poison && name != Name::Attempt
        };
        for (name, template) in &self.worker.variables {
            names::variable(name, &["worker", "variables", name], problems);
            let text = "a variable holds what a worker is told, such as {queue}, {queue-endpoint}, {sas} or {lease}";
            only(
                problems,
                &["worker", "variables", name],
                template,
                fits,
                text,
            );
        }
        let (command, image) = (&self.worker.command, &self.worker.image);
        if command.is_none() && image.is_none() {
            return;
        }
        let is_empty = |text: &Option<String>| text.as_ref().is_some_and(|it| it.trim().is_empty());
        if is_empty(command) {
            problems.add(&["worker", "command"], "it is empty; name a program");
        }
        if is_empty(image) {
            problems.add(&["worker", "image"], "it is empty; name an image");
        }
        for (told, what) in [
            ([Name::QueueEndpoint, Name::ConnectionString], "the queue"),
            ([Name::TableEndpoint, Name::ConnectionString], "the table"),
        ] {
            if !told.iter().any(|name| self.worker.has(*name)) {
                let text = format!(
                    "no variable tells the worker where {what} is; have one hold {{{}}} or {{connection-string}}",
                    told[0]
                );
                problems.add(&["worker", "variables"], text);
            }
        }
    }
}

/// Names in `template` that do not belong there.
fn only(
    problems: &mut Problems<'_>,
    way: &[&str],
    template: &Template,
    fits: impl Fn(Name) -> bool,
    instead: &str,
) {
    for hole in template.holes().filter(|hole| !fits(hole.name)) {
        problems.add(
            way,
            format!("{{{}}} has no meaning here; {instead}", hole.name),
        );
    }
}

/// A placeholder without quotes, which YAML reads as a mapping of one key without a value.
fn unquoted(body: &Body, way: &[&str], problems: &mut Problems<'_>) {
    match body {
        Body::Object(fields) => {
            if let [(name, Body::Constant(Value::Null))] = &fields[..]
                && format!("{{{name}}}")
                    .parse::<Template>()
                    .is_ok_and(|it| it.whole().is_some())
            {
                let text =
                    format!("{{{name}}} without quotes is a mapping to YAML; write \"{{{name}}}\"");
                problems.add(way, text);
            }
            for (_, body) in fields {
                unquoted(body, way, problems);
            }
        }
        Body::List(list) => list.iter().for_each(|body| unquoted(body, way, problems)),
        Body::Text(_) | Body::Constant(_) => {}
    }
}

/// Problems as they are found in `text`.
struct Problems<'a> {
    text: &'a str,
    found: Vec<Problem>,
}

impl Problems<'_> {
    fn add(&mut self, way: &[&str], text: impl Into<String>) {
        let line = line_of(self.text, way);
        let text = text.into();
        self.found.push(Problem { line, text });
    }
}

/// The line of the key at `way` in a text in YAML; of the deepest key on the way that has a line of its own.
fn line_of(text: &str, way: &[&str]) -> u64 {
    let (mut found, mut depth, mut inside) = (0, 0, None);
    for (line, number) in text.lines().zip(1..) {
        let trimmed = line.trim_start();
        let indent = line.len() - trimmed.len();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        if inside.is_some_and(|inside| indent <= inside) {
            break;
        }
        let Some(wanted) = way.get(depth) else { break };
        // A key may have a colon in it, and be in quotes.
        let after = trimmed
            .trim_start_matches(['"', '\''])
            .strip_prefix(*wanted);
        let after = after.map(|rest| rest.trim_start_matches(['?', '"', '\'']).trim_start());
        if after.is_some_and(|rest| rest.starts_with(':')) {
            (found, inside) = (number, Some(indent));
            depth += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests;
