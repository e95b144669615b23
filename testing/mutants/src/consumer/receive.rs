//! The loop of a consumer: receives messages, gives them to tasks, and ends when told.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use workflow::azure::Storage;
use workflow::ports::{Delivery, ErrorKind, ResultTable as _, StorageError, WorkQueue as _};

use super::{Consumer, PAUSE};
use crate::mutation::Mutation;
use crate::notice;

/// Longest pause between two receives of an empty queue.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How long a slow mutant takes to begin: 45 s at the pace of scaling scenarios, where the sentence allows 15 s.
const LONG_START: Duration = Duration::from_secs(3);

/// The exit code of a consumer that storage refuses (docs/CONSUMER.md, `workflow::exit::Exit::Denied`).
const DENIED: u8 = 5;

impl Consumer {
    pub(super) async fn work(self: &Arc<Self>, told: &CancellationToken) -> ExitCode {
        if self.is(Mutation::OnlyTheFirstFourWork) && self.number() > 4 {
            return self.look_busy().await;
        }
        if self.is(Mutation::HandsBackAndRests) && self.number() > 4 {
            return self.hand_back_one_and_rest().await;
        }
        if self.is_idle() {
            self.stop.cancelled().await;
            return ExitCode::SUCCESS;
        }
        if self.is(Mutation::TakesLongToBegin) {
            sleep(LONG_START).await;
        }
        let (mut pause, mut received, mut working) = (PAUSE, 0, JoinSet::new());
        // Who drops leases at SIGTERM goes on until it has some, if there are messages.
        let mut goes_on =
            self.is(Mutation::IgnoresSigterm) || self.is(Mutation::DropsLeasesAtSigterm);
        while !self.stop.is_cancelled() || goes_on {
            while let Some(ended) = working.try_join_next() {
                ended.expect("no task may panic");
            }
            let free = self.args.concurrency.saturating_sub(working.len());
            let batch = match u8::try_from(free) {
                Ok(free @ 1..) => match self.receive(free).await {
                    Ok(batch) => batch,
                    Err(refused) => return self.give_up(&refused),
                },
                _ => vec![],
            };
            if batch.is_empty() {
                if self.is(Mutation::DropsLeasesAtSigterm) && self.stop.is_cancelled() && free > 0 {
                    goes_on = false;
                }
                if self.is(Mutation::EndsWithTheQueue) && pause > 4 * PAUSE {
                    return ExitCode::SUCCESS;
                }
                self.rest(pause).await;
                pause = LONGEST_PAUSE.min(pause * 2);
                continue;
            }
            pause = PAUSE;
            received += batch.len();
            if self.is(Mutation::ExitsCleanlyAfterPanic) && received > 10 {
                return ExitCode::SUCCESS;
            }
            let batch: Arc<[Delivery]> = batch.into();
            for at in 0..batch.len() {
                let (consumer, batch) = (self.clone(), batch.clone());
                self.in_hand.send_modify(|count| *count += 1);
                working.spawn(async move {
                    consumer.handle(&batch, at).await;
                    consumer.in_hand.send_modify(|count| *count -= 1);
                });
            }
        }
        working.join_all().await;
        self.attack_at_the_end().await;
        notice::stay(self.args.mutation, told).await;
        let fails_at_notice = self.is(Mutation::ExitsWithErrorAtNotice) && told.is_cancelled();
        if self.is(Mutation::ExitsWithError) || fails_at_notice {
            ExitCode::from(3)
        } else {
            ExitCode::SUCCESS
        }
    }

    /// Whether the consumer does nothing at all.
    fn is_idle(&self) -> bool {
        match self.args.mutation {
            Mutation::NeverPolls => true,
            Mutation::WorksAlone => self.number() != 1,
            _ => false,
        }
    }

    /// The number of this consumer in its run.
    fn number(&self) -> u32 {
        let number = self.args.name.strip_prefix("consumer-");
        number.and_then(|it| it.parse().ok()).unwrap_or_default()
    }

    /// Hands back the first message that it gets, and then only looks busy.
    async fn hand_back_one_and_rest(&self) -> ExitCode {
        while !self.stop.is_cancelled() {
            let batch = self.receive(1).await.unwrap_or_default();
            if let Some(delivery) = batch.first() {
                self.hand_back(&delivery.lease).await;
                break;
            }
            self.rest(PAUSE).await;
        }
        self.look_busy().await
    }

    /// Receives from the poison queue, which is empty.
    async fn look_busy(&self) -> ExitCode {
        while !self.stop.is_cancelled() {
            drop(self.poison.receive(1, self.args.visibility).await);
            self.rest(LONGEST_PAUSE).await;
        }
        ExitCode::SUCCESS
    }

    /// Waits before the next look at an empty queue.
    async fn rest(&self, pause: Duration) {
        match self.args.mutation {
            Mutation::BusyPolls => return,
            Mutation::WarnsOfEmptyQueue => {
                say(&json!({"level": "WARN", "message": "the queue is empty"}));
            }
            _ => {}
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = self.stop.cancelled() => {}
        }
    }

    /// Receives messages. Returns none if storage has trouble, and an error if storage will never let the consumer work.
    async fn receive(&self, most: u8) -> Result<Vec<Delivery>, StorageError> {
        self.before_receive().await;
        let received = self.queue.receive(most, self.args.visibility).await;
        if let (Err(error), Mutation::DiesWithoutToken) = (&received, self.args.mutation) {
            assert_ne!(error.code(), Some("AuthorityUnavailable"), "{error}");
        }
        assert!(
            received.is_ok() || !self.is(Mutation::DiesOnBusyStorage),
            "storage is busy"
        );
        if received.is_ok() {
            self.reached.queue.store(true, Ordering::Relaxed);
        }
        if self.reached.queue() && !self.reached.table() {
            let id = "startup-check-1".parse().expect("an id");
            let answered = self.table.get(&id).await.is_ok();
            self.reached.table.store(answered, Ordering::Relaxed);
        }
        match received {
            Err(error) if error.kind() == ErrorKind::Denied && !self.reached.queue() => Err(error),
            received => Ok(received.unwrap_or_default()),
        }
    }

    async fn before_receive(&self) {
        match self.args.mutation {
            Mutation::SignsInForEachReceive => {
                let storage = Storage::open(&self.args.storage.account).expect("an account");
                let queue = storage.queue(&self.args.storage.queue).expect("a queue");
                // Only the use of the token matters.
                drop(queue.peek(1).await);
            }
            Mutation::AsksWithABadToken => {
                let queue = self.args.storage.queue.queue.to_string();
                self.attacks.peek_with_a_bad_token(&queue).await;
            }
            Mutation::RestsBeforeItReceives => sleep(LONG_START).await,
            Mutation::StoresWhatItPeeks => self.store_what_it_peeks().await,
            _ => {}
        }
    }

    /// Ends a consumer that storage refuses at the start: logs the reason and the remedy.
    fn give_up(&self, refused: &StorageError) -> ExitCode {
        let mut causes = vec![refused.to_string()];
        let mut source = std::error::Error::source(refused);
        while let Some(cause) = source {
            causes.push(cause.to_string());
            source = cause.source();
        }
        let advice = match self.args.mutation {
            Mutation::NamesNoRemedy => None,
            _ => refused.advice(),
        };
        say(&json!({"level": "ERROR", "error": causes.join(": "), "advice": advice}));
        match self.args.mutation {
            Mutation::GivesUpWithAnotherCode => ExitCode::FAILURE,
            _ => ExitCode::from(DENIED),
        }
    }
}

/// Writes a line of the log.
fn say(line: &serde_json::Value) {
    // An error in writing the log does not matter.
    drop(writeln!(std::io::stderr(), "{line}"));
}
