//! `harness init`: a first description of a workload, from messages and rows that are there. It asks nothing: what it finds is filled in,
//! and what it cannot tell stands in the description as a comment.
//!
//! `files` reads messages and rows as tools export them, `kind` refuses what no description stands for. `place` lists the fields of all messages,
//! `owners` says of which message each row is, `names` what each field is; `columns` says what each column is, and `said` what is written of one
//! that nothing stands for, as `frozen` does of a field, and `asked` what a person has to look at. `embed`, `guid`, `hidden` and `times` know how
//! values are written. `guess` joins these, and `write` makes YAML of it.

mod asked;
mod columns;
mod digests;
mod embed;
mod files;
mod frozen;
mod guess;
mod guid;
mod hidden;
mod kind;
mod names;
mod owners;
mod place;
mod said;
mod times;
mod write;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail, ensure};
use futures::TryStreamExt as _;
use serde_json::{Map, Value};
use workflow::azure::{AccountArgs, QueueArgs, Storage, TableArgs};
use workflow::ports::{MAX_RECEIVE, ResultTable as _, WorkQueue as _};

use manifest::text_of;
use workflow::exit::WrongInput;

use self::kind::{Placed, counted, decoded, named, one_kind, several};

/// Most rows that are looked at: those of more than the messages that one look at a queue shows.
const MOST_ROWS: usize = 1_000;

/// Where messages and rows are.
#[derive(Debug, Clone, clap::Args)]
#[command(mut_arg("queue", |arg| arg.required(false)), mut_arg("table", |arg| arg.required(false)))]
pub struct InitArgs {
    /// File of messages: one message a line, as the queue holds it; or a JSON list of messages; or the output of `az storage
    /// message peek -o json`
    #[arg(long, requires = "rows")]
    pub messages: Option<PathBuf>,
    /// File of rows: one JSON object a line; or the output of `az storage entity query -o json`; or an export of Storage Explorer
    #[arg(long, requires = "messages")]
    pub rows: Option<PathBuf>,
    /// The account to look at instead.
    #[command(flatten)]
    pub account: AccountArgs,
    /// Its queue; nothing is taken out of it.
    #[command(flatten)]
    pub queue: Option<QueueArgs>,
    /// Its table.
    #[command(flatten)]
    pub table: Option<TableArgs>,
}

/// What was found of a workload.
#[derive(Debug, Clone, Default)]
pub struct Examples {
    /// The texts of messages, as their queue holds them.
    pub messages: Vec<String>,
    /// Rows.
    pub rows: Vec<Map<String, Value>>,
}

/// The text of a first description.
pub async fn init(args: &InitArgs) -> anyhow::Result<String> {
    let (samples, untold) = match (&args.messages, &args.rows) {
        (Some(messages), Some(rows)) => of_files(messages, rows)?,
        _ => (of_storage(args).await?, None),
    };
    let text = described(&samples).context(WrongInput("describe the workload"))?;
    Ok(match (untold, text.split_once('\n')) {
        (Some(untold), Some((first, rest))) => format!("{first}\n# NOT TOLD: {untold}\n{rest}"),
        _ => text,
    })
}

const MISSING: WrongInput = WrongInput(
    "find messages and rows; name files with --messages and --rows, or give the storage as to a consumer",
);

const READ: WrongInput = WrongInput("read the messages and rows");

/// What files hold, and what cannot be told of it.
fn of_files(messages: &Path, rows: &Path) -> anyhow::Result<(Examples, Option<String>)> {
    let read = |path: &Path| text_of(path).context(MISSING);
    let (messages_text, rows_text) = (read(messages)?, read(rows)?);
    if files::are_swapped(&messages_text, &rows_text) {
        let swapped = anyhow!(
            "{} holds rows, with PartitionKey and RowKey, and {} holds none: the files are swapped; name messages with --messages, and rows \
             with --rows",
            messages.display(),
            rows.display()
        );
        return Err(swapped.context(READ));
    }
    let messages_of = files::messages(&messages_text);
    let rows_of = files::rows(&rows_text);
    let in_messages = || format!("read {}", messages.display());
    let in_rows = || format!("read {}", rows.display());
    let messages = messages_of.with_context(in_messages).context(READ)?;
    let untold = files::untold(&messages_text, &messages);
    let samples = Examples {
        messages: messages.into_iter().map(|message| message.text).collect(),
        rows: rows_of.with_context(in_rows).context(READ)?,
    };
    Ok((samples, untold))
}

async fn of_storage(args: &InitArgs) -> anyhow::Result<Examples> {
    let (Some(queue), Some(table)) = (&args.queue, &args.table) else {
        return Err(anyhow!("a queue and a table must be named").context(MISSING));
    };
    let storage = Storage::open(&args.account)?;
    let queue = storage.queue(queue)?;
    let peeked = queue
        .peek(MAX_RECEIVE)
        .await
        .context("look into the queue")?;
    let table = storage.table(table)?;
    let mut entities = table.all_entities();
    let mut rows = Vec::new();
    while rows.len() < MOST_ROWS {
        let Some(row) = entities.try_next().await.context("read the table")? else {
            break;
        };
        rows.push(row);
    }
    let messages: Vec<String> = peeked.into_iter().map(|message| message.body).collect();
    let placed = (1..)
        .zip(&messages)
        .map(|(number, text): (usize, _)| Placed {
            place: format!("message {number} of the queue"),
            text: text.clone(),
        });
    // What is in the queue stays there: a file can leave messages out.
    one_kind(&placed.collect::<Vec<_>>())
        .context("put the messages of one kind into a file for --messages, and their rows into one for --rows")
        .context(READ)?;
    Ok(Examples { messages, rows })
}

/// The description of what `samples` are of.
pub fn described(samples: &Examples) -> anyhow::Result<String> {
    ensure!(
        !samples.messages.is_empty(),
        "there is no message to look at; put a few real ones into the queue, or into a file for --messages"
    );
    ensure!(
        !samples.rows.is_empty(),
        "there is no row to look at; let the worker finish a few messages, or write their rows into a file for --rows"
    );
    let (samples, dropped) = &without_doubles(samples);
    let json = |texts: &[String]| -> Option<Vec<Value>> {
        let read = |text: &String| serde_json::from_str::<Value>(text).ok();
        texts.iter().map(read).collect()
    };
    let bodies: Option<Vec<String>> = samples.messages.iter().map(|it| decoded(it)).collect();
    let (encoding, bodies) = match bodies {
        Some(bodies) if json(&samples.messages).is_none() => ("base64", bodies),
        _ => ("text", samples.messages.clone()),
    };
    let parsed = json(&bodies);
    let mut found = match parsed.clone() {
        Some(all) if all.iter().all(|it| it.is_object() || it.is_array()) => {
            guess::Found::of_objects(&all, &samples.rows)
        }
        Some(all) if all.iter().all(Value::is_string) || all.iter().all(Value::is_u64) => {
            guess::Found::of_values(&all, &samples.rows)
        }
        _ => guess::Found::of_texts(&bodies, &samples.rows),
    };
    if !found.identifies()
        && let Some(kinds) = parsed.and_then(|all| several(&all))
    {
        bail!(kinds);
    }
    ensure!(
        found.identifies(),
        "nothing in the messages tells one from the next: no field holds an id, a number or a text that is another in each; give messages \
         that differ"
    );
    found.untold.splice(0..0, dropped.clone());
    Ok(write::yaml(encoding, &found, samples))
}

/// `samples` with every message and every row once, and what is said of this. Doubles are left where nothing tells
/// the others apart, or only their kind.
fn without_doubles(samples: &Examples) -> (Examples, Vec<String>) {
    let (mut found, mut doubles) = (Examples::default(), Vec::new());
    for (number, message) in (1..).zip(&samples.messages) {
        if found.messages.contains(message) {
            doubles.push(number);
        } else {
            found.messages.push(message.clone());
        }
    }
    let mut untold = Vec::new();
    let parsed = samples
        .messages
        .iter()
        .map(|it| serde_json::from_str(it).unwrap_or_default());
    let kinds = named(&parsed.collect::<Vec<_>>()).unwrap_or(1);
    if found.messages.len() == kinds {
        found.messages.clone_from(&samples.messages);
    } else if !doubles.is_empty() {
        untold.push(format!(
            "A message is given several times ({} again), and was taken once: no two messages of a run are the same.",
            counted(&doubles)
        ));
    }
    // A table has one row for a key: the other is of another export.
    for row in &samples.rows {
        let has_keys = owners::KEYS.iter().all(|key| row.contains_key(*key));
        if !has_keys || !found.rows.contains(row) {
            found.rows.push(row.clone());
        }
    }
    (found, untold)
}

#[cfg(test)]
mod tests;
