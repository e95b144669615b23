//! The raw load: the same operations without a program around them. Its rate is what storage allows, and the two programs are
//! compared with it.
//!
//! Bodies are built before the time is measured. Answers are read but not parsed, except for the message id and the pop receipt,
//! which the next request needs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use hyper::Method;
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::http::{Call, Connection};
use crate::messages::Batch;
use crate::storage::{Place, Storage};

/// Most messages of one Get Messages (Queue service REST reference).
const MAX_RECEIVE: u32 = 32;

const PUT: &[(&str, &str)] = &[("content-type", "application/xml")];
const INSERT: &[(&str, &str)] = &[
    ("content-type", "application/json"),
    ("accept", "application/json;odata=nometadata"),
    ("prefer", "return-no-content"),
];

impl Storage {
    /// A new place with `messages` in its queue.
    pub(crate) async fn filled(
        &mut self,
        messages: u64,
        concurrency: u16,
    ) -> anyhow::Result<(Place, Batch)> {
        let place = self.place().await?;
        let batch = Batch::new(&place.run, messages)?;
        put(self, &place, batch.puts(), concurrency)
            .await
            .context("fill a queue")?;
        Ok((place, batch))
    }
}

/// Puts `bodies` into the queue over `concurrency` connections. Returns the time that it took.
pub(crate) async fn put(
    storage: &Storage,
    place: &Place,
    bodies: Vec<Bytes>,
    concurrency: u16,
) -> anyhow::Result<Duration> {
    let target: Arc<str> = storage
        .target(&format!("{}/messages", place.queue), "")
        .into();
    let mut connections = open(storage.queue_authority()?, concurrency).await?;
    let bodies = Arc::new(std::sync::Mutex::new(bodies.into_iter()));
    let begun = Instant::now();
    let mut lanes = JoinSet::new();
    for mut connection in connections.drain(..) {
        let (bodies, target) = (Arc::clone(&bodies), Arc::clone(&target));
        lanes.spawn(async move {
            let next = || bodies.lock().expect("no holder may panic").next();
            while let Some(body) = next() {
                let call = Call {
                    method: Method::POST,
                    target: &target,
                    headers: PUT,
                    body,
                };
                connection.call(call).await?;
            }
            anyhow::Ok(())
        });
    }
    join(lanes).await?;
    Ok(begun.elapsed())
}

/// A received message: its delete, and the row to insert before.
struct Leased {
    delete: String,
    row: Bytes,
}

/// Receives up to 32 messages at a time, inserts one row for each, and deletes it; at most `concurrency` messages are in flight.
/// Returns the time from the first receive to the last delete.
pub(crate) async fn consume(
    storage: &Storage,
    place: &Place,
    rows: Vec<Bytes>,
    concurrency: u16,
) -> anyhow::Result<Duration> {
    let queues = open(storage.queue_authority()?, concurrency).await?;
    let tables = open(storage.table_authority()?, concurrency).await?;
    let receives = Connection::open(storage.queue_authority()?).await?;
    let insert: Arc<str> = storage.target(&place.table, "").into();
    let slots = Arc::new(Semaphore::new(concurrency.into()));
    let (feed, leased) = mpsc::channel(concurrency.into());
    let leased = Arc::new(Mutex::new(leased));

    let begun = Instant::now();
    let mut lanes = JoinSet::new();
    for (queue, table) in queues.into_iter().zip(tables) {
        let (leased, insert) = (Arc::clone(&leased), Arc::clone(&insert));
        let slots = Arc::clone(&slots);
        lanes.spawn(async move { lane(queue, table, &leased, &insert, &slots).await });
    }
    tokio::try_join!(
        receive_all(storage, place, receives, rows, &slots, feed),
        join(lanes)
    )?;
    Ok(begun.elapsed())
}

/// Receives until there is a message for each row. Like the consumer, it waits until half a batch fits.
async fn receive_all(
    storage: &Storage,
    place: &Place,
    mut connection: Connection,
    rows: Vec<Bytes>,
    slots: &Semaphore,
    feed: mpsc::Sender<Leased>,
) -> anyhow::Result<()> {
    let mut rows = rows.into_iter();
    // No lane has begun yet, so all slots are free.
    let half = (MAX_RECEIVE / 2).min(u32::try_from(slots.available_permits())?);
    while rows.len() > 0 {
        slots.acquire_many(half).await?.forget();
        let mut wanted = half;
        while wanted < MAX_RECEIVE
            && let Ok(slot) = slots.try_acquire()
        {
            slot.forget();
            wanted += 1;
        }
        let query = format!("numofmessages={wanted}&visibilitytimeout=60");
        let target = storage.target(&format!("{}/messages", place.queue), &query);
        let call = Call {
            method: Method::GET,
            target: &target,
            headers: &[],
            body: Bytes::new(),
        };
        let answer = connection.call(call).await?;
        let answer = std::str::from_utf8(&answer)?;
        let mut received = 0;
        for (id, receipt) in leases(answer) {
            let query = format!("popreceipt={}", encode(receipt));
            let delete = storage.target(&format!("{}/messages/{id}", place.queue), &query);
            let row = rows.next().context("find a row for a message too many")?;
            // The lanes end only after the feed: if it is closed, a lane has failed, and that error is reported.
            if feed.send(Leased { delete, row }).await.is_err() {
                return Ok(());
            }
            received += 1;
        }
        ensure!(
            received > 0 || rows.len() == 0,
            "receive messages: the queue is empty and {} are missing",
            rows.len()
        );
        slots.add_permits(usize::try_from(wanted - received)?);
    }
    Ok(())
}

async fn lane(
    mut queue: Connection,
    mut table: Connection,
    leased: &Mutex<mpsc::Receiver<Leased>>,
    insert: &str,
    slots: &Semaphore,
) -> anyhow::Result<()> {
    loop {
        let next = leased.lock().await.recv().await;
        let Some(Leased { delete, row }) = next else {
            return Ok(());
        };
        table
            .call(Call {
                method: Method::POST,
                target: insert,
                headers: INSERT,
                body: row,
            })
            .await?;
        queue
            .call(Call {
                method: Method::DELETE,
                target: &delete,
                headers: &[],
                body: Bytes::new(),
            })
            .await?;
        slots.add_permits(1);
    }
}

async fn open(authority: &str, count: u16) -> anyhow::Result<Vec<Connection>> {
    let mut connections = Vec::with_capacity(count.into());
    for _ in 0..count {
        connections.push(Connection::open(authority).await?);
    }
    Ok(connections)
}

async fn join(mut lanes: JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    while let Some(ended) = lanes.join_next().await {
        ended.context("run a lane of the raw load")??;
    }
    Ok(())
}

/// Message ids and pop receipts of an answer to Get Messages.
fn leases(xml: &str) -> impl Iterator<Item = (&str, &str)> {
    xml.split("<QueueMessage>").skip(1).filter_map(|message| {
        Some((
            element(message, "<MessageId>")?,
            element(message, "<PopReceipt>")?,
        ))
    })
}

fn element<'a>(xml: &'a str, open: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(open)?;
    rest.split('<').next()
}

/// Percent-encodes the characters of Base64 that are not letters or digits.
fn encode(receipt: &str) -> String {
    receipt
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leases_are_found_in_an_answer() {
        let xml = "<QueueMessagesList><QueueMessage><MessageId>a</MessageId><PopReceipt>b+/=</PopReceipt></QueueMessage>\
                   <QueueMessage><MessageId>c</MessageId><PopReceipt>d</PopReceipt></QueueMessage></QueueMessagesList>";
        let found: Vec<_> = leases(xml).collect();
        assert_eq!(found, [("a", "b+/="), ("c", "d")]);
        assert_eq!(encode("b+/="), "b%2B%2F%3D");
    }
}
