//! A description as text.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::Examples;
use super::guess::Found;

/// The text of a description of what was found.
pub(super) fn yaml(encoding: &str, found: &Found, samples: &Examples) -> String {
    let mut text = String::new();
    let (messages, rows) = (samples.messages.len(), samples.rows.len());
    let mut line = |content: &str| {
        text.push_str(content);
        text.push('\n');
    };
    line(&format!(
        "# A first description, from {messages} messages and {rows} rows. Look at every line, then: harness lint edw.yaml"
    ));
    for untold in &found.untold {
        line(&format!("# NOT TOLD: {untold}"));
    }
    line("version: 1");
    line("name: my worker");
    line("message:");
    line(&format!("  encoding: {encoding}"));
    // JSON is YAML too.
    line(&format!("  body: {}", spread(&found.body)));
    line("row:");
    if found.columns.is_empty() {
        line("  # NOT TOLD: no row holds anything of a message here. Which column holds what?");
        line("  columns: {}");
    } else {
        line("  columns:");
        for (name, template) in &found.columns {
            line(&format!(
                "    {}: {}",
                Value::from(name.as_str()),
                Value::from(template.as_str())
            ));
        }
    }
    if let Some(columns) = updated(samples) {
        line(&format!(
            "  # NOT TOLD: whether rows are written once, as is taken here. {columns} may change: if the worker upserts or updates rows, add"
        ));
        line("  # written: updated");
    }
    line(
        "# NOT TOLD: whether there is a poison queue. If so: poison: { queue: \"{queue}-poison\", body: \"{body}\", after: 5 }",
    );
    line("worker:");
    line("  # NOT TOLD: how it is started, and its own names for what it is told.");
    line("  command: python3 worker.py");
    line("  variables:");
    line("    AZURE_STORAGE_CONNECTION_STRING: \"{connection-string}\"");
    line("    QUEUE_NAME: \"{queue}\"");
    line("    TABLE_NAME: \"{table}\"");
    line(
        "  # If pods restart it when it ends on an error: exit: restart. If SIGTERM ends it at once: drains: false.",
    );
    text
}

/// The columns whose names say that rows may be updated.
fn updated(samples: &Examples) -> Option<String> {
    const NAMES: [&str; 10] = [
        "status",
        "state",
        "version",
        "revision",
        "updated",
        "updatedat",
        "updatedon",
        "modified",
        "modifiedat",
        "lastmodified",
    ];
    let names: BTreeSet<&String> = samples.rows.iter().flat_map(|row| row.keys()).collect();
    let is_updated = |name: &&String| {
        let name = name.replace('_', "").to_lowercase();
        NAMES.contains(&name.as_str())
    };
    let names: Vec<&str> = names
        .into_iter()
        .filter(is_updated)
        .map(String::as_str)
        .collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// An object with a field a line, as far as its own fields go.
fn spread(body: &Value) -> String {
    let Value::Object(fields) = body else {
        return body.to_string();
    };
    let mut text = String::new();
    for (name, value) in fields {
        write!(text, "\n    {}: {value}", Value::from(name.as_str()))
            .expect("writing to a string must succeed");
    }
    text
}
