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

/// A workload: its message, its result, and the worker that makes one of the other.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Description {
    /// The version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// What the workload is called in reports.
    #[schemars(extend("pattern" = NOT_BLANK))]
    pub name: String,
    /// What is put into the queue.
    pub message: MessageForm,
    /// What the worker writes into the table for each message: one row. One row for many messages is out of scope.
    pub row: RowForm,
    /// Where the worker puts what it gives up; absent: it gives nothing up, or deletes it.
    #[serde(default)]
    pub poison: Option<PoisonForm>,
    /// Queues and tables that the worker uses beside these.
    #[serde(default)]
    pub beside: BesideForm,
    /// How the worker is started, and how it behaves.
    #[serde(default)]
    pub worker: WorkerForm,
}

/// The message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MessageForm {
    /// How the text of a queue message holds the body.
    #[serde(default)]
    pub encoding: Encoding,
    /// The body: fields, which become an object of JSON, or a text. Placeholders such as `{id}` and `{payload}` are filled in.
    #[schemars(extend("pattern" = r"\{(id|seq|uuid|payload[2-9]?)[:}]"))]
    pub body: Body,
}

/// How the text of a queue message holds a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// As it is.
    #[default]
    Text,
    /// In base64: the default of Azure Functions and of older clients for .NET.
    Base64,
}

/// The row.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RowForm {
    /// What each column holds, `PartitionKey` and `RowKey` among them where the worker promises its keys. A name that ends in `?` is of a
    /// column that may be absent. Columns that are not named are not looked at.
    #[schemars(extend("minProperties" = 1, "propertyNames" = column_names()))]
    pub columns: BTreeMap<String, Template>,
    /// How the row comes into the table.
    #[serde(default)]
    pub written: Written,
}

/// How rows come into the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Written {
    /// By one insert, and nothing changes them.
    #[default]
    Inserted,
    /// By inserts, upserts or updates: the last word counts.
    Updated,
}

/// What is given up.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PoisonForm {
    /// The name of the poison queue.
    #[serde(default = "poison_queue")]
    #[schemars(extend("type" = "string", "pattern" = QUEUE))]
    pub queue: Template,
    /// What is put there: `{body}` alone, or an envelope.
    #[serde(default = "bare")]
    #[schemars(extend("pattern" = r"\{body[:}]"))]
    pub body: Body,
    /// The reasons that there are, where the envelope has one.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// After how many deliveries a message is given up, where nobody sets it otherwise: what `{attempts}` is then.
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

/// Further queues and tables: made before a run and removed after it. What is in them is not judged.
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

/// The worker.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WorkerForm {
    /// The command of the shell that starts it, in the directory of this file; absent: the project's own consumer.
    #[serde(default)]
    #[schemars(extend("pattern" = NOT_BLANK))]
    pub command: Option<String>,
    /// The image that its pods are made of in a cluster; absent: that of the manifests.
    #[serde(default)]
    #[schemars(extend("pattern" = NOT_BLANK))]
    pub image: Option<String>,
    /// The environment variables that it is given, with placeholders for what they hold. One whose placeholder has no value is left out. What
    /// no variable names, the worker has no setting for.
    #[serde(default)]
    #[schemars(extend("propertyNames" = json!({ "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" })))]
    pub variables: BTreeMap<String, Template>,
    /// What it means when the worker ends by itself.
    #[serde(default)]
    pub exit: Exit,
    /// Whether SIGTERM makes it finish or hand back what it holds, and end with 0.
    #[serde(default = "yes")]
    pub drains: bool,
    /// Whether it signs in with workload identity where the platform gives it one.
    #[serde(default)]
    pub workload_identity: bool,
    /// Whether its log has a line of JSON with a `level` for each event.
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

/// What it means when a worker ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// A fault of the worker.
    #[default]
    Fault,
    /// A restart, as under `restartPolicy: Always`: it is started again, with the back-off of the kubelet.
    Restart,
}

impl Description {
    /// How rows come into the table.
    pub const fn written(&self) -> Written {
        self.row.written
    }

    /// Whether messages, and what is given up of them, are those of the project's own contract: only of these it is known which messages are
    /// bad, and what is to become of them.
    pub fn has_own_messages(&self) -> bool {
        let own = Self::own();
        self.message == own.message && self.poison == own.poison
    }
}

impl WorkerForm {
    /// Whether a variable gives it `setting`.
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

    /// The column that holds `name` and nothing else.
    pub fn column_of(&self, name: Name) -> Option<Column> {
        self.columns().find(|column| {
            column
                .template
                .whole()
                .is_some_and(|hole| hole.name == name)
        })
    }
}
