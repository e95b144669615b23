//! Parsing of descriptions, with every problem of an invalid one: its line, and what would be right.

mod mistaken;
mod names;
mod node;
mod problems;
mod shape;
mod unseen;

use std::fmt;

use serde_json::Value;

use self::node::{YamlValue, line_within};
use self::problems::Problems;
use super::body::{Body, Step};
use super::description::{Column, Description};
use super::placeholder::Name;
use super::template::{Piece, Template};

/// One problem of a description.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The line, from 1; 0 if it concerns no line.
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

/// Columns of the table service.
const OF_THE_SERVICE: [&str; 2] = ["Timestamp", "odata.etag"];

impl Description {
    /// Parses a description in YAML; an error has all of its problems, in the order of lines.
    pub fn read(text: &str) -> Result<Self, Vec<Problem>> {
        if let Some(problem) = mistaken::mistaken(text) {
            return Err(vec![problem]);
        }
        let one = |(line, text)| vec![Problem { line, text }];
        let root = YamlValue::read(text).map_err(|error| one(unseen::no_yaml(&error, text)))?;
        let shape = shape::check(&root, text);
        let mut found = shape.problems;
        let read: Option<Self> = if found.is_empty() {
            let read = serde_saphyr::from_str_with_options(text, node::options());
            Some(read.map_err(|error| one(crate::yaml::trouble(&error, text)))?)
        } else {
            shape.remains.and_then(|it| serde_json::from_value(it).ok())
        };
        if let Some(read) = &read {
            let mut problems = Problems {
                root: &root,
                text,
                passed_over: shape.sections,
                found: vec![],
            };
            read.check(&mut problems);
            found.append(&mut problems.found);
        }
        found.sort();
        found.dedup();
        match read {
            Some(read) if found.is_empty() => Ok(read),
            _ => Err(found),
        }
    }

    fn check(&self, problems: &mut Problems<'_>) {
        if self.name.trim().is_empty() {
            problems.add(
                &["name"],
                "the name is empty; write the name that reports shall show",
            );
        }
        self.check_message(problems);
        self.check_row(problems);
        self.check_poison(problems);
        self.check_beside(problems);
        self.check_worker(problems);
    }

    /// Whether messages contain `name`.
    pub fn message_has(&self, name: Name) -> bool {
        let leaves = self.message.body.leaves();
        leaves
            .iter()
            .any(|(_, template)| template.holes().any(|hole| hole.name == name))
    }

    fn check_message(&self, problems: &mut Problems<'_>) {
        let way = ["message", "body"];
        let told = problems.found.len();
        unquoted(&self.message.body, &within(&way, &[]), problems);
        // What is meant to be in the message is then missed elsewhere.
        if problems.found.len() > told {
            problems.passed_over.push("message".to_owned());
        }
        for (steps, template) in self.message.body.leaves() {
            let text = "a message can hold {id}, {run}, {seq}, {uuid}, {bucket}, {payload}, {digest}, {intended} and {sent}";
            let way = within(&way, &steps);
            only(problems, &way, template, Name::is_of_messages, text);
        }
        let leaves = self.message.body.leaves();
        let mut holes = leaves.iter().flat_map(|(_, template)| template.holes());
        if !holes.any(|hole| hole.name.identifies()) {
            let text =
                "no placeholder in the message identifies it; add {id}, {seq}, {uuid} or {payload}";
            problems.add(&way, text);
        }
    }

    fn check_row(&self, problems: &mut Problems<'_>) {
        let mut claimed = Vec::new();
        for column in self.row.columns() {
            let twice = format!("{}?", column.name);
            if !column.is_optional && self.row.columns.contains_key(&twice) {
                let text = format!(
                    "the column {} is listed twice, with and without ?; remove one of the two",
                    column.name
                );
                problems.add(&["row", "columns", &twice], text);
            }
            self.check_column(&column, problems);
            let claim = column.template.whole().filter(|hole| !hole.name.is_known());
            if let Some(hole) = claim {
                if claimed.contains(&hole.name) {
                    let text = format!("two columns hold {{{}}}; remove one of them", hole.name);
                    problems.add(&["row", "columns", &column.name], text);
                }
                claimed.push(hole.name);
            }
        }
        let identifies = |column: Column| {
            !column.is_optional && column.template.holes().any(|hole| hole.name.identifies())
        };
        if !self.row.columns().any(identifies) {
            let text = "no column identifies the message of a row; add a column with {id}, {seq}, {uuid} or {payload}. One \
                        row for several messages is out of scope: the harness could not tell which messages it stands for";
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
        let text = "a column can hold the placeholders of a message, and {received}, {done}, {attempt}, {worker} and {node}";
        let fits = |name: Name| name.is_of_messages() || name.is_claim();
        only(problems, &way, template, fits, text);
        if OF_THE_SERVICE.contains(&name.as_str()) {
            problems.add(
                &way,
                format!("the table service itself writes the column {name}; remove it here"),
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
                    "only the worker knows the value of {{{}}}, so a key with it cannot be judged; remove {name}",
                    hole.name
                );
                problems.add(&way, text);
            } else if !hole.name.is_known() && template.whole().is_none() {
                let text = format!(
                    "{{{}}} must be the whole content of its column; remove the text beside it",
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
            let source = source.filter(|_| !problems.is_passed_over("message"));
            if let Some(source) = source.filter(|source| !self.message_has(*source)) {
                let text = format!(
                    "the worker cannot know {{{source}}}, because the message does not hold it; put {{{source}}} into message.body"
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
        let text = "the name of a poison queue can hold {queue} and text";
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
                "the poison queue has the name of the queue; give it another name, such as {queue}-poison",
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
        unquoted(&poison.body, &within(&["poison", "body"], &[]), problems);
        let leaves = poison.body.leaves();
        for (steps, template) in &leaves {
            let text = "a poison message can hold {body}, {reason}, {detail}, {message-id}, {attempt}, {worker}, {at}, {part} \
                        and {parts}";
            let way = within(&["poison", "body"], steps);
            only(problems, &way, template, fits, text);
        }
        let mut holes = leaves.iter().flat_map(|(_, template)| template.holes());
        if !holes.any(|hole| hole.name == Name::Body) {
            let text = "the poison message does not hold the original body; add {body}";
            problems.add(&["poison", "body"], text);
        }
    }

    fn check_beside(&self, problems: &mut Problems<'_>) {
        let poison = self.poison.as_ref().map(|poison| &poison.queue);
        for (key, names, own) in [
            ("queues", &self.beside.queues, Name::Queue),
            ("tables", &self.beside.tables, Name::Table),
        ] {
            for (at, template) in names.iter().enumerate() {
                let at_text = at.to_string();
                let way = ["beside", key, at_text.as_str()];
                let text = format!("the name can hold {{{own}}} and text");
                only(problems, &way, template, |name| name == own, &text);
                match own {
                    Name::Queue => names::queue(template, &way, problems),
                    _ => names::table(template, &way, problems),
                }
                // Without it, two runs would share the resource.
                if !template.holes().any(|hole| hole.name == own) {
                    problems.add(
                        &way,
                        format!("{template} is the same in every run; add {{{own}}} to the name"),
                    );
                }
                let is_known = template.whole().is_some()
                    || poison == Some(template)
                    || names[..at].contains(template);
                if is_known {
                    problems.add(&way, format!("{template} is known already; remove it here"));
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
            let text = "a variable can hold settings of a worker, such as {queue}, {queue-endpoint}, {sas} or {lease}";
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
            problems.add(
                &["worker", "command"],
                "the command is empty; name a program",
            );
        }
        if is_empty(image) {
            problems.add(&["worker", "image"], "the image is empty; name an image");
        }
        for (told, what) in [
            ([Name::QueueEndpoint, Name::ConnectionString], "the queue"),
            ([Name::TableEndpoint, Name::ConnectionString], "the table"),
        ] {
            if !told.iter().any(|name| self.worker.has(*name)) {
                let text = format!(
                    "no variable tells the worker where {what} is; add one with {{{}}} or {{connection-string}}",
                    told[0]
                );
                problems.add(&["worker", "variables"], text);
            }
        }
    }
}

/// Names in `template` that do not belong there.
fn only<S: AsRef<str>>(
    problems: &mut Problems<'_>,
    way: &[S],
    template: &Template,
    fits: impl Fn(Name) -> bool,
    instead: &str,
) {
    let mut before = String::new();
    for piece in template.pieces() {
        match piece {
            Piece::Text(text) => before.push_str(text),
            Piece::Hole(hole) if fits(hole.name) => {}
            Piece::Hole(hole) => {
                let begins = problems.root.line_of(way);
                let line = line_within(problems.text, begins, &before, &hole.to_string());
                let text = format!("{{{}}} has no meaning here; {instead}", hole.name);
                problems.add_in(line, way, text);
            }
        }
    }
}

/// The way from the top to the value that is at `steps` in the body at `way`.
fn within(way: &[&str], steps: &[Step]) -> Vec<String> {
    let steps = steps.iter().map(|step| match step {
        Step::Field(name) => name.clone(),
        Step::Place(place) => place.to_string(),
    });
    let way = way.iter().map(ToString::to_string);
    way.chain(steps).collect()
}

/// A placeholder without quotes, which YAML reads as a mapping of one key without a value.
fn unquoted(body: &Body, way: &[String], problems: &mut Problems<'_>) {
    let inside = |step: String| [way, &[step]].concat();
    match body {
        Body::Object(fields) => {
            if let [(name, Body::Constant(Value::Null))] = &fields[..]
                && format!("{{{name}}}")
                    .parse::<Template>()
                    .is_ok_and(|it| it.whole().is_some())
            {
                let text = format!(
                    "YAML reads {{{name}}} without quotes as a mapping; write \"{{{name}}}\""
                );
                problems.add(way, text);
            }
            for (name, body) in fields {
                unquoted(body, &inside(name.clone()), problems);
            }
        }
        Body::List(list) => {
            for (at, body) in list.iter().enumerate() {
                unquoted(body, &inside(at.to_string()), problems);
            }
        }
        Body::Text(_) | Body::Constant(_) => {}
    }
}

#[cfg(test)]
mod tests;
