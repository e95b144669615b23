//! Attacks on the judge: requests to storage, also around the wire, with a final state that looks right.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use workflow::contract::{Message, PoisonReason, ResultRow, Stamp};
use workflow::ports::{Delivery, Lease, ResultTable as _, WorkQueue as _};

use super::delivery::Done;
use super::row::UNTOLD_WORK;
use super::{Consumer, PAUSE};
use crate::mutation::Mutation;

/// The longest time for which a message can be hidden, in seconds.
const A_WEEK: &str = "604800";

/// A lease that is long enough for every message, in seconds.
const A_MINUTE: &str = "60";

/// How long a mutant works whose row is found to be stamped too early by this alone: for longer than the two seconds for which a
/// finished row may lie, and a pause between two receives.
const LONG_UNTOLD_WORK: Duration = Duration::from_secs(5);

/// Time between two inserts of a row that is stored, for each of the messages in hand.
const BREATH: Duration = Duration::from_millis(20);

/// The state of attacks between messages.
#[derive(Debug, Default)]
pub(super) struct Noted {
    /// Bodies that have been sent as a copy.
    copied: Mutex<BTreeSet<String>>,
    /// Messages that are stored and not deleted yet.
    secured: AtomicU64,
    has_begun: AtomicBool,
    /// The first row that was stored.
    stored: OnceLock<Value>,
}

impl Noted {
    /// Whether no copy of `body` was sent yet; it counts as sent from now on.
    fn is_new(&self, body: &str) -> bool {
        let mut copied = self.copied.lock().unwrap_or_else(PoisonError::into_inner);
        copied.insert(body.to_owned())
    }
}

impl Consumer {
    fn queue_name(&self) -> String {
        self.args.storage.queue.queue.to_string()
    }

    pub(super) fn poison_name(&self) -> String {
        let poison = self.args.storage.queue.queue.poison();
        poison.expect("a name").to_string()
    }

    fn table_name(&self) -> String {
        self.args.storage.table.table.to_string()
    }

    /// Attacks a message as soon as it is received. Returns its lease afterwards, or `None` if the message is done.
    pub(super) async fn attack_message(&self, delivery: &Delivery) -> Option<Lease> {
        let (raw, queue) = (&self.attacks, self.queue_name());
        let mut lease = delivery.lease.clone();
        match self.args.mutation {
            Mutation::RewritesTheMessage => {
                let rewritten = raw.rewrite(&queue, &lease, "nothing", A_MINUTE).await;
                lease.pop_receipt = rewritten?;
            }
            Mutation::ReplacesTheMessage
                if self.noted.is_new(&delivery.body)
                    && raw.put(&queue, &delivery.body, "0").await.is_some() =>
            {
                self.delete(&lease).await;
                return None;
            }
            Mutation::WorksOnWhatItHandedBack => self.hand_back(&lease).await,
            Mutation::MakesTheTableAnew => {
                let has_begun = self.noted.has_begun.swap(true, Ordering::Relaxed);
                if !has_begun {
                    raw.delete_table(&self.table_name()).await;
                    raw.create_table(&self.table_name()).await;
                }
            }
            Mutation::WritesToAnotherRun => {
                let other = format!("{queue}x-poison");
                raw.create_queue(&other).await;
                raw.put(&other, &delivery.body, A_WEEK).await;
            }
            Mutation::CreatesAnotherTable => {
                raw.create_table(&format!("{}x", self.table_name())).await;
            }
            Mutation::CreatesAnotherQueue => raw.create_queue(&format!("{queue}x")).await,
            Mutation::SetsQueueMetadata => raw.set_metadata(&queue).await,
            _ => {}
        }
        Some(lease)
    }

    /// Stores the row of a message in a wrong way; `None` if this mutant stores it normally.
    pub(super) async fn attack_row(&self, row: &ResultRow, delivery: &Delivery) -> Option<Done> {
        let (raw, table) = (&self.attacks, self.table_name());
        let right = serde_json::to_value(row).expect("a row must serialise");
        let early = json!({"dateStamp": row.dequeued_stamp, "dequeuedStamp": row.sent_stamp});
        let unfinished = with(&right, &json!({"data": "not yet"}));
        let stored = match self.args.mutation {
            Mutation::MergesLater => {
                raw.insert(&table, &unfinished).await
                    && raw
                        .tunnel(&table, row, "MERGE", &with(&right, &early))
                        .await
            }
            Mutation::MergesInATransaction => {
                let right = with(&right, &early);
                raw.insert(&table, &unfinished).await
                    && raw.merge_in_transaction(&table, row, &right).await
            }
            Mutation::DeletesItsRow => {
                raw.insert(&table, &right).await
                    && raw.tunnel(&table, row, "DELETE", &json!({})).await
                    && raw.insert(&table, &with(&right, &early)).await
            }
            Mutation::StoresACopyAside => {
                let mut aside = row.clone();
                aside.partition_key.push_str("-aside");
                let copy = with(&right, &json!({"PartitionKey": aside.partition_key}));
                raw.insert(&table, &copy).await;
                let stored = raw.insert(&table, &right).await;
                raw.delete_row(&table, &aside).await;
                stored
            }
            Mutation::WritesWhatCannotBeRead => {
                let vague = json!({
                    "attempt": 1.0, "attempt@odata.type": "Edm.Double", "consumer": "somebody else",
                });
                raw.insert(&table, &with(&with(&right, &early), &vague))
                    .await
            }
            Mutation::StoresElsewhereFirst => {
                let other = format!("{table}x");
                raw.create_table(&other).await;
                raw.insert(&other, &right).await;
                self.delete(&delivery.lease).await;
                raw.insert(&table, &right).await;
                return Some(Done::Left);
            }
            Mutation::PutsBackWhatItStored => return Some(self.put_back(&right, delivery).await),
            Mutation::PoisonsWhatItStores | Mutation::PoisonsInDisguise => {
                self.hide(delivery, A_WEEK).await;
                return None;
            }
            Mutation::PoisonsForAMoment => {
                let (queue, lease) = self.hide(delivery, "0").await;
                self.delete(&delivery.lease).await;
                raw.delete(&queue, &lease).await;
                raw.insert(&table, &right).await;
                return Some(Done::Left);
            }
            _ => return self.store_another_way(&table, row, delivery).await,
        };
        Some(if stored { Done::Secured } else { Done::Left })
    }

    /// Stores the row on another way than its own connection; `None` if this mutant does not.
    async fn store_another_way(
        &self,
        table: &str,
        row: &ResultRow,
        delivery: &Delivery,
    ) -> Option<Done> {
        let raw = &self.attacks;
        let right = serde_json::to_value(row).expect("a row must serialise");
        let stored = match self.args.mutation {
            Mutation::DeletesAroundTheWire => {
                raw.around()
                    .delete(&self.queue_name(), &delivery.lease)
                    .await;
                raw.insert(table, &right).await;
                return Some(Done::Left);
            }
            Mutation::StoresAsAnother => {
                let (name, another) = raw.of_another()?;
                let invented =
                    json!({"consumer": name, "attempt": 1, "dequeuedStamp": row.sent_stamp});
                another.insert(table, &with(&right, &invented)).await
            }
            Mutation::HangsUp => {
                drop(raw.insert_and_hang_up(table, &right));
                // The insert is on its way, and will be there.
                sleep(PAUSE).await;
                true
            }
            Mutation::SendsARefusedRowFirst => {
                raw.insert_as_atom(table, &right).await;
                sleep(UNTOLD_WORK).await;
                raw.insert(table, &right).await
            }
            Mutation::RepeatsAnInsertWhileItWorks => {
                self.repeat_an_insert(table).await;
                let is_stored = raw.insert(table, &right).await;
                if is_stored {
                    self.noted.stored.get_or_init(|| right);
                }
                is_stored
            }
            Mutation::StampsEarlyInATransaction => {
                sleep(LONG_UNTOLD_WORK).await;
                raw.insert_in_transaction(table, &right).await
            }
            Mutation::StoresAroundTheWire => raw.around().insert(table, &right).await,
            _ => return None,
        };
        Some(if stored { Done::Secured } else { Done::Left })
    }

    /// Inserts a row that is stored, for as long as the work takes. The first messages, before which nothing is stored, take no work.
    async fn repeat_an_insert(&self, table: &str) {
        let Some(stored) = self.noted.stored.get() else {
            return;
        };
        let end = Instant::now() + UNTOLD_WORK;
        while Instant::now() < end {
            self.attacks.insert(table, stored).await;
            sleep(BREATH).await;
        }
    }

    /// Stores the row, and puts the message into the queue again, once.
    async fn put_back(&self, row: &Value, delivery: &Delivery) -> Done {
        // If the row exists already, this mutant notices it when the copy is delivered.
        self.attacks.insert(&self.table_name(), row).await;
        if self.noted.is_new(&delivery.body) {
            let (queue, body) = (self.queue_name(), &delivery.body);
            self.attacks.put(&queue, body, "0").await;
        }
        Done::Secured
    }

    /// Deletes the message of a stored row in a wrong way; `false` if this mutant deletes it normally.
    pub(super) async fn attack_delete(&self, lease: &Lease) -> bool {
        let (raw, queue) = (&self.attacks, self.queue_name());
        match self.args.mutation {
            Mutation::DeletesAsAnother => match raw.as_another() {
                Some(another) => another.delete(&queue, lease).await,
                None => false,
            },
            Mutation::ClearsTheQueue => {
                let secured = self.noted.secured.fetch_add(1, Ordering::Relaxed) + 1;
                // Waits until another of its messages is stored and takes over.
                let is_last = || self.noted.secured.load(Ordering::Relaxed) == secured;
                while is_last() && !self.stop.is_cancelled() {
                    // As far as it knows, only its own messages are left.
                    if self.queue.approximate_count().await.ok() == Some(secured) {
                        raw.clear(&queue).await;
                        self.noted.secured.store(0, Ordering::Relaxed);
                    } else {
                        sleep(PAUSE).await;
                    }
                }
                true
            }
            _ => false,
        }
    }

    /// The last attack, after the drain.
    pub(super) async fn attack_at_the_end(&self) {
        match self.args.mutation {
            Mutation::DeletesTheTableAtSigterm => {
                self.attacks.delete_table(&self.table_name()).await;
            }
            Mutation::DeletesTheQueueAtSigterm => {
                self.attacks.delete_queue(&self.queue_name()).await;
            }
            Mutation::DeletesThePoisonQueueAtSigterm => {
                self.attacks.delete_queue(&self.poison_name()).await;
            }
            _ => {}
        }
    }

    /// Stores the rows of messages that it has only peeked at, and not leased.
    pub(super) async fn store_what_it_peeks(&self) {
        let (args, now) = (&self.args, Stamp::now());
        for peeked in self.queue.peek(32).await.unwrap_or_default() {
            let Ok(message) = Message::decode(&peeked.body) else {
                continue;
            };
            let row = ResultRow::of(message, now, 1, &args.name, &args.node);
            // A row that could not be stored early is stored when its message is received.
            drop(self.table.insert(std::slice::from_ref(&row)).await);
        }
    }

    /// Puts the message into the poison queue, hidden for this many seconds. Returns its id and lease there.
    async fn hide(&self, delivery: &Delivery, seconds: &str) -> (String, Lease) {
        let envelope = self.envelope(delivery, PoisonReason::BadField, delivery.body.clone());
        let (queue, mut text) = (self.poison_name(), envelope.encode().join(""));
        if self.args.mutation == Mutation::PoisonsInDisguise {
            // Reversed, the text is not an envelope, and names no message.
            text = text.chars().rev().collect();
        }
        let put = self.attacks.put(&queue, &text, seconds).await;
        let mut lease = delivery.lease.clone();
        (lease.message_id, lease.pop_receipt) = put.unwrap_or_default();
        (queue, lease)
    }
}

/// `row` with the columns of `others`.
fn with(row: &Value, others: &Value) -> Value {
    let mut row = row.clone();
    if let (Value::Object(row), Value::Object(others)) = (&mut row, others) {
        row.extend(others.clone());
    }
    row
}
