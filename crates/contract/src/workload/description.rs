//! The description of a workload, as a team writes it: `edw.yaml`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::Body;
use super::placeholder::Name;
use super::template::Template;

/// Patterns of the schema, which say of names what `check::names` says: in the syntax that JavaScript and Python share, so that letters
/// beyond ASCII are taken as they come.
const NOT_BLANK: &str = r"\S";
const QUEUE: &str = r"^(?!\{queue\}$)(?=.{3})([a-z0-9]|\{queue\})(-?([a-z0-9]|\{queue\}))*$";
const TABLE: &str = r"^(?!\{table\}$)(?=.{3})([A-Za-z]|\{table\})([A-Za-z0-9]|\{table\})*$";
const COLUMN: &str = r"^[^\x00-@\[-^`{-\x7f][^\x00-/:-@\[-^`{-\x7f]{0,254}\??$";

fn column_names() -> Value {
    let of_the_service = ["Timestamp", "Timestamp?", "PartitionKey?", "RowKey?"];
    json!({ "pattern": COLUMN, "not": { "enum": of_the_service } })
}

/// Names that hold what `needs` looks for, beside what is in `pattern`.
fn names(needs: &str, pattern: &str) -> Value {
    let pattern = pattern.replacen('^', &format!("^{needs}"), 1);
    json!({ "$ref": "#/$defs/Template", "type": "string", "pattern": pattern })
}

/// A workload: the messages in its queue, the rows in its table, and the worker that makes a row of each message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Description {
    /// The version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// The name of the workload in reports.
    #[schemars(extend("pattern" = NOT_BLANK))]
    pub name: String,
    /// The messages that the producer puts into the queue.
    pub message: MessageForm,
    /// The row that the worker writes into the table for each message. One row for several messages is out of scope.
    pub row: RowForm,
    /// The queue for messages that the worker gives up. Without this field, the worker gives no message up, or deletes it.
    #[serde(default)]
    pub poison: Option<PoisonForm>,
    /// Other queues and tables that the worker uses.
    #[serde(default)]
    pub beside: BesideForm,
    /// How the worker is started, and how it behaves.
    #[serde(default)]
    pub worker: WorkerForm,
}

/// The form of a message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MessageForm {
    /// How the body is encoded in the text of a queue message.
    #[serde(default)]
    pub encoding: Encoding,
    /// The body of a message: fields, which become a JSON object, or a text. Placeholders such as `{id}` and `{payload}` are
    /// filled in for each message.
    #[schemars(extend("pattern" = r"\{(id|seq|uuid|payload[2-9]?)[:}]"))]
    pub body: Body,
}

/// How a body is encoded in the text of a queue message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// Not encoded.
    #[default]
    Text,
    /// Base64, the default of Azure Functions and of older clients for .NET.
    Base64,
}

/// The form of a row.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RowForm {
    /// What each column holds. Name `PartitionKey` and `RowKey` only if the worker promises its keys. A name that ends in `?`
    /// means that the column may be absent. Columns that are not named here are ignored.
    #[schemars(extend("minProperties" = 1, "propertyNames" = column_names()))]
    pub columns: BTreeMap<String, Template>,
    /// How the worker writes a row.
    #[serde(default)]
    pub written: Written,
}

/// How a worker writes a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Written {
    /// With one insert. Nothing changes the row afterwards.
    #[default]
    Inserted,
    /// With inserts, upserts or updates. The row is judged in its last state.
    Updated,
}

/// The queue for messages that the worker gives up, and their form in it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PoisonForm {
    /// The name of the poison queue.
    #[serde(default = "poison_queue")]
    #[schemars(extend("type" = "string", "pattern" = QUEUE))]
    pub queue: Template,
    /// The body in the poison queue: `{body}`, which is the original body, alone or within an envelope.
    #[serde(default = "bare")]
    #[schemars(extend("pattern" = r"\{body[:}]"))]
    pub body: Body,
    /// The possible reasons, if the envelope holds a reason.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// The number of deliveries after which a message is given up; the value of `{attempts}`, unless a scenario sets another one.
    #[serde(default)]
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub after: Option<u32>,
}

fn poison_queue() -> Template {
    "{queue}-poison".parse().expect("a constant must parse")
}

fn bare() -> Body {
    Body::Text("{body}".parse().expect("a constant must parse"))
}

/// Other queues and tables that the worker uses. They are created before a run and removed after it; their content is not judged.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BesideForm {
    /// The names of queues, such as `{queue}-low`.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true, "items" = names(r"(?=.*\{queue\})", QUEUE)))]
    pub queues: Vec<Template>,
    /// The names of tables, such as `{table}log`.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true, "items" = names(r"(?=.*\{table\})", TABLE)))]
    pub tables: Vec<Template>,
}

/// How the worker is started, and how it behaves.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WorkerForm {
    /// The shell command that starts the worker, run in the directory of this file. Without this field, the project's own
    /// consumer runs.
    #[serde(default)]
    #[schemars(extend("pattern" = NOT_BLANK))]
    pub command: Option<String>,
    /// The image of the worker's pods in a cluster. Without this field, the image in the manifests is used.
    #[serde(default)]
    #[schemars(extend("pattern" = NOT_BLANK))]
    pub image: Option<String>,
    /// The environment variables of the worker, with placeholders for settings. A variable is left out if its placeholder has no
    /// value in a run. If no variable holds the placeholder of a setting, the worker counts as lacking that setting.
    #[serde(default)]
    #[schemars(extend("propertyNames" = json!({ "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" })))]
    pub variables: BTreeMap<String, Template>,
    /// How it counts if the worker ends by itself.
    #[serde(default)]
    pub exit: Exit,
    /// Whether the worker, at SIGTERM, finishes its messages or hands them back, and then exits with 0.
    #[serde(default = "yes")]
    pub drains: bool,
    /// Whether the worker signs in with workload identity if the platform provides one.
    #[serde(default)]
    pub workload_identity: bool,
    /// Whether each line of the worker's log is a JSON object with a `level`.
    #[serde(default)]
    pub json_log: bool,
}

const fn yes() -> bool {
    true
}

impl Default for WorkerForm {
    fn default() -> Self {
        Self {
            command: None,
            image: None,
            variables: BTreeMap::new(),
            exit: Exit::default(),
            drains: true,
            workload_identity: false,
            json_log: false,
        }
    }
}

/// How it counts if a worker ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// As a fault of the worker.
    #[default]
    Fault,
    /// As a restart, like under `restartPolicy: Always`: the worker is started again, with the kubelet's back-off.
    Restart,
}

impl Description {
    /// How a worker writes a row.
    pub const fn written(&self) -> Written {
        self.row.written
    }

    /// Whether messages and poison messages have the form of the project's own contract. Only for this form the harness knows
    /// which messages are bad, and how a worker must treat them.
    pub fn has_own_messages(&self) -> bool {
        let own = Self::own();
        self.message == own.message && self.poison == own.poison
    }
}

impl WorkerForm {
    /// Whether a variable gives the worker `setting`.
    pub fn has(&self, setting: Name) -> bool {
        let mut templates = self.variables.values();
        templates.any(|template| template.holes().any(|hole| hole.name == setting))
    }
}

/// A column of the description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in the table.
    pub name: String,
    /// What it holds.
    pub template: Template,
    /// Whether it may be absent.
    pub is_optional: bool,
}

impl RowForm {
    /// The columns, by name.
    pub fn columns(&self) -> impl Iterator<Item = Column> + '_ {
        self.columns.iter().map(|(name, template)| {
            let bare = name.strip_suffix('?');
            Column {
                name: bare.unwrap_or(name).to_owned(),
                template: template.clone(),
                is_optional: bare.is_some(),
            }
        })
    }
}
