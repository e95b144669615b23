//! Workers: each receives a message, stores its row, deletes it, and may die or pause in between. Their steps are interleaved at random.

use serde_json::{Value, json};

use super::teams::{Row, Team};
use super::world::{Heard, Message, World};

const WORKERS: usize = 3;

/// The most steps of a run: many times what one needs.
const STEPS: usize = 20_000;

/// How many messages a batching worker waits for.
const BATCH: usize = 3;

/// A fault of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It deletes a message, and then stores its row.
    DeletesFirst,
    /// It stores nothing, and deletes.
    Skips,
    /// It makes a new key for each delivery.
    FreshKeys,
    /// It counts a delivery as the next one.
    CountsWrongly,
    /// It stores the text of another message.
    Mixes,
    /// It loses the last character of each text.
    CutsTexts,
    /// It writes over a row that is there.
    Overwrites,
    /// It puts a good message into the poison queue.
    GivesUp,
}

/// The progress of a worker with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Received,
    Begun,
    Stored,
}

struct Worker {
    name: String,
    held: Option<(Stage, Vec<Message>)>,
}

/// Lets workers of `team` work until the queue is empty.
pub(crate) fn work(world: &mut World, team: &Team, wrong: Option<Wrong>) {
    let named = |number: usize| Worker {
        name: format!("worker-{number}"),
        held: None,
    };
    let mut workers: Vec<Worker> = (1..=WORKERS).map(named).collect();
    let mut started = WORKERS;
    let mut last_text = json!("of no message");
    for _ in 0..STEPS {
        if world.is_empty() && workers.iter().all(|worker| worker.held.is_none()) {
            return;
        }
        let at = world.draw(WORKERS);
        if world.chance(0.04) {
            started += 1;
            workers[at] = named(started);
        }
        world.pass();
        step(world, team, wrong, &mut workers[at], &mut last_text);
    }
    panic!("{}: the queue is not empty after {STEPS} steps", team.name);
}

fn step(
    world: &mut World,
    team: &Team,
    wrong: Option<Wrong>,
    worker: &mut Worker,
    last_text: &mut Value,
) {
    let name = worker.name.clone();
    let Some((stage, messages)) = worker.held.take() else {
        let most = if team.is_batched { BATCH } else { 1 };
        let messages = world.receive(&name, most);
        if !messages.is_empty() {
            worker.held = Some((Stage::Received, messages));
        }
        return;
    };
    let deletes_first = wrong == Some(Wrong::DeletesFirst);
    if wrong == Some(Wrong::GivesUp) && stage == Stage::Received {
        let text = messages[0].text.clone();
        if world.give_up(&name, &text) {
            worker.held = Some((Stage::Stored, messages));
        }
        return;
    }
    match stage {
        Stage::Received if wrong == Some(Wrong::Skips) => {
            worker.held = Some((Stage::Stored, messages));
        }
        Stage::Received if deletes_first => {
            if messages.iter().all(|message| world.delete(&name, message)) {
                worker.held = Some((Stage::Begun, messages));
            }
        }
        Stage::Received | Stage::Begun => {
            let mut row = row(world, team, wrong, &messages, last_text);
            let is_first = team.is_updated && stage == Stage::Received && !deletes_first;
            let heard = if is_first {
                // Inserts and does not overwrite: an earlier delivery may have come further.
                let columns = json!({"state": "running", "tries": row.columns["tries"]});
                world.insert(&name, &Row { columns, ..row })
            } else if team.is_updated {
                let columns = row.columns.as_object_mut().expect("columns");
                columns.remove("tries");
                world.upsert(&name, &row)
            } else if wrong == Some(Wrong::Overwrites) {
                world.upsert(&name, &row)
            } else {
                world.insert(&name, &row)
            };
            worker.held = match heard {
                Heard::Done if is_first => Some((Stage::Begun, messages)),
                Heard::Done if deletes_first => None,
                Heard::Done => Some((Stage::Stored, messages)),
                // It tries again, or lets the lease run out.
                Heard::Failed => world.chance(0.5).then_some((stage, messages)),
            };
        }
        Stage::Stored => {
            let left: Vec<Message> = messages
                .into_iter()
                .filter(|message| !world.delete(&name, message))
                .collect();
            if !left.is_empty() && world.chance(0.5) {
                worker.held = Some((Stage::Stored, left));
            }
        }
    }
}

/// The row for these messages, with the worker's fault if it has one.
fn row(
    world: &mut World,
    team: &Team,
    wrong: Option<Wrong>,
    messages: &[Message],
    last_text: &mut Value,
) -> Row {
    let message = &messages[0];
    let attempt = message.attempt + u32::from(wrong == Some(Wrong::CountsWrongly));
    let mut row = (team.row)(&message.text, attempt);
    if team.is_batched {
        let ids = messages
            .iter()
            .map(|it| (team.row)(&it.text, it.attempt).key);
        row.columns[row.text] = json!(ids.collect::<Vec<_>>().join(","));
    }
    let text = row.columns[row.text].clone();
    match wrong {
        Some(Wrong::FreshKeys) => row.key = format!("{}-{}", row.key, world.fresh()),
        Some(Wrong::Mixes) => row.columns[row.text] = last_text.clone(),
        Some(Wrong::CutsTexts) => {
            let mut cut = text.as_str().unwrap_or_default().to_owned();
            cut.pop();
            row.columns[row.text] = json!(cut);
        }
        _ => {}
    }
    *last_text = text;
    row
}
