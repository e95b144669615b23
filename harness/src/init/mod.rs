//! `harness init`: a first description of a workload, from messages and rows that are there. It asks nothing: what it finds is filled in,
//! and what it cannot tell stands in the description as a comment.
//!
//! `files` reads messages and rows as tools export them; `guess` says what the values at one place of all messages are, `columns` what
//! those of a column of all rows are; `write` makes YAML of it. A column of rows is what the same value of a message is, wherever one is
//! found.

mod columns;
mod files;
mod guess;
mod write;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures::TryStreamExt as _;
use serde_json::{Map, Value};
use workflow::azure::{AccountArgs, QueueArgs, Storage, TableArgs};
use workflow::ports::{MAX_RECEIVE, ResultTable as _, WorkQueue as _};

use crate::exit::WrongInput;
use crate::manifest::text_of;

/// Most rows that are looked at: those of more than the messages that one look at a queue shows.
const MOST_ROWS: usize = 1_000;

/// Where messages and rows are.
#[derive(Debug, Clone, clap::Args)]
#[command(mut_arg("queue", |arg| arg.required(false)), mut_arg("table", |arg| arg.required(false)))]
pub struct InitArgs {
    /// A file of messages, one a line, each as its queue holds it; or what `az storage message peek -o json` prints
    #[arg(long, requires = "rows")]
    pub messages: Option<PathBuf>,
    /// A file of rows, one a line, each an object of JSON; or what `az storage entity query -o json` prints or Storage Explorer exports
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
    let samples = match (&args.messages, &args.rows) {
        (Some(messages), Some(rows)) => of_files(messages, rows)?,
        _ => of_storage(args).await?,
    };
    described(&samples).context(WrongInput("describe the workload"))
}

const MISSING: WrongInput = WrongInput(
    "find messages and rows; name files with --messages and --rows, or give the storage as to a consumer",
);

const READ: WrongInput = WrongInput("read the messages and rows");

fn of_files(messages: &Path, rows: &Path) -> anyhow::Result<Examples> {
    let read = |path: &Path| text_of(path).context(MISSING);
    let messages_of = files::messages(&read(messages)?);
    let rows_of = files::rows(&read(rows)?);
    let in_messages = || format!("read {}", messages.display());
    let in_rows = || format!("read {}", rows.display());
    Ok(Examples {
        messages: messages_of.with_context(in_messages).context(READ)?,
        rows: rows_of.with_context(in_rows).context(READ)?,
    })
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
    Ok(Examples {
        messages: peeked.into_iter().map(|message| message.body).collect(),
        rows,
    })
}

/// The description of what `samples` are of.
pub fn described(samples: &Examples) -> anyhow::Result<String> {
    ensure!(
        !samples.messages.is_empty(),
        "there is no message to look at; put a few real ones into the queue, or into a file for --messages"
    );
    let plain = |text: &String| {
        serde_json::from_str::<Value>(text)
            .ok()
            .filter(Value::is_object)
    };
    let decoded = |text: &String| String::from_utf8(BASE64_STANDARD.decode(text.trim()).ok()?).ok();
    let bodies: Option<Vec<String>> = samples.messages.iter().map(decoded).collect();
    let is_json = samples.messages.iter().all(|text| plain(text).is_some());
    let (encoding, bodies) = match bodies {
        Some(bodies) if !is_json => ("base64", bodies),
        _ => ("text", samples.messages.clone()),
    };
    let objects: Option<Vec<Value>> = bodies.iter().map(plain).collect();
    let found = match objects {
        Some(objects) => guess::Found::of_objects(&objects, &samples.rows),
        None => guess::Found::of_texts(&bodies, &samples.rows),
    };
    Ok(write::yaml(encoding, &found, samples))
}

#[cfg(test)]
mod tests;
