//! A plain consumer that keeps the contract, with a place for every mutation. It shares the ports with the real one and none
//! of its code.

mod attack;
mod lease;
mod poison;

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tables::TableClient;
use tables::models::UpdateMode;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use workflow::azure::{AzureQueue, AzureTable, Storage, StorageArgs};
use workflow::contract::{Message, MessageError, PoisonReason, ResultRow, Stamp};
use workflow::duration;
use workflow::ports::{
    Delivery, Effect, InsertOutcome, ResultTable as _, StorageError, WorkQueue as _,
};
use workflow::shutdown::Signals;

use crate::mutation::Mutation;
use crate::notice;
use crate::probe::{Reached, serve};
use crate::spoil;

/// Between two tries of anything.
const PAUSE: Duration = Duration::from_millis(100);

/// What a mutant works after it has stamped the end of its work.
const UNTOLD_WORK: Duration = Duration::from_millis(1_800);

/// Longest pause between two receives of an empty queue.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What it is given: the variables of docs/CONSUMER.md, and how to be wrong.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    mutation: Mutation,
    #[command(flatten)]
    storage: StorageArgs,
    #[arg(long, env = "EDW_VISIBILITY", default_value = "60s", value_parser = duration::parse_visibility)]
    visibility: Duration,
    #[arg(long, env = "EDW_MAX_ATTEMPTS", default_value_t = 5)]
    max_attempts: u32,
    #[arg(long, env = "EDW_WORK", default_value = "fixed:0s", value_parser = parse_work)]
    work: Duration,
    #[arg(long, env = "EDW_CONCURRENCY", default_value_t = 32)]
    concurrency: usize,
    #[arg(long, env = "POD_NAME")]
    name: String,
    #[arg(long, env = "NODE_NAME")]
    node: String,
    #[arg(long, env = "EDW_SCHEDULED_EVENTS_ENDPOINT")]
    events: Option<String>,
    #[arg(long, env = "EDW_LISTEN")]
    listen: SocketAddr,
}

fn parse_work(text: &str) -> Result<Duration, String> {
    let time = text
        .strip_prefix("fixed:")
        .ok_or("only fixed:<time> is simulated here")?;
    duration::parse(time).map_err(|error| error.to_string())
}

/// Runs it to its exit code.
pub(crate) fn main(args: Args) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime must start").block_on(run(args))
}

async fn run(args: Args) -> ExitCode {
    let stop = CancellationToken::new();
    let signals = Signals::listen().expect("signals must be heard");
    let (told, hurry) = (CancellationToken::new(), CancellationToken::new());
    let watch = tokio::spawn(notice::heed(
        signals,
        stop.clone(),
        told.clone(),
        hurry.clone(),
    ));
    let notice = tokio::spawn(notice::watch(
        args.events.clone(),
        args.node.clone(),
        told.clone(),
    ));
    let consumer = Arc::new(Consumer::open(args, stop.clone(), hurry));
    let probed = consumer.clone();
    let probe = serve(consumer.args.listen, move || probed.is_ready());
    let code = tokio::select! {
        biased;
        () = probe => unreachable!("it answers for ever"),
        () = stop.cancelled(), if consumer.is(Mutation::DropsLeasesAtSigterm) => ExitCode::SUCCESS,
        code = notice::obey(consumer.args.mutation, &told, &stop) => code,
        code = consumer.work(&told) => code,
    };
    watch.abort();
    notice.abort();
    code
}

struct Consumer {
    args: Args,
    queue: AzureQueue,
    poison: AzureQueue,
    table: AzureTable,
    /// For what the port does not have.
    raw: TableClient,
    attacks: attack::Raw,
    reached: Reached,
    stop: CancellationToken,
    /// Its node is drained by force.
    hurry: CancellationToken,
}

/// What became of one delivery.
enum Done {
    /// The message may be deleted.
    Secured,
    /// It comes again.
    Left,
}

impl Consumer {
    fn open(args: Args, stop: CancellationToken, hurry: CancellationToken) -> Self {
        if let (Mutation::LogsItsToken, Ok(file)) =
            (args.mutation, std::env::var("AZURE_FEDERATED_TOKEN_FILE"))
        {
            let token = std::fs::read_to_string(file).expect("a token");
            // It reports nothing else: where that goes does not matter.
            drop(writeln!(std::io::stderr(), "signing in with {token}"));
        }
        let storage = Storage::open(&args.storage.account).expect("an account");
        let poison = args.storage.queue.queue.poison().expect("a name");
        let mut url = args
            .storage
            .table
            .table_endpoint
            .clone()
            .expect("an endpoint");
        let sas = std::env::var("AZURE_STORAGE_SAS_TOKEN").expect("a SAS");
        url.set_query(Some(&sas));
        let table = args.storage.table.table.to_string();
        Self {
            queue: storage.queue(&args.storage.queue).expect("a queue"),
            poison: storage
                .queue_named(&poison, &args.storage.queue)
                .expect("a queue"),
            table: storage.table(&args.storage.table).expect("a table"),
            attacks: attack::Raw::new(
                (args.storage.queue.queue_endpoint.clone()).expect("an endpoint"),
                (args.storage.table.table_endpoint.clone()).expect("an endpoint"),
                sas,
            ),
            raw: TableClient::new(url, &table, None, None).expect("a table"),
            args,
            reached: Reached::default(),
            stop,
            hurry,
        }
    }

    fn is_ready(&self) -> bool {
        match self.args.mutation {
            Mutation::SaysReadyTooEarly => true,
            Mutation::SaysReadyWithoutTable => self.reached.queue(),
            _ => self.reached.queue() && self.reached.table(),
        }
    }

    fn is(&self, mutation: Mutation) -> bool {
        self.args.mutation == mutation
    }

    async fn work(self: &Arc<Self>, told: &CancellationToken) -> ExitCode {
        let idle = self.is(Mutation::NeverPolls)
            || (self.is(Mutation::WorksAlone) && self.args.name != "consumer-1");
        if idle {
            self.stop.cancelled().await;
            return ExitCode::SUCCESS;
        }
        let (mut pause, mut received, mut working) = (PAUSE, 0, JoinSet::new());
        while !self.stop.is_cancelled() || self.is(Mutation::IgnoresSigterm) {
            while let Some(ended) = working.try_join_next() {
                ended.expect("no task may panic");
            }
            let free = self.args.concurrency.saturating_sub(working.len());
            let batch = match u8::try_from(free) {
                Ok(free @ 1..) => self.receive(free).await,
                _ => vec![],
            };
            if batch.is_empty() {
                if !self.is(Mutation::BusyPolls) {
                    tokio::select! {
                        () = sleep(pause) => {}
                        () = self.stop.cancelled() => {}
                    }
                }
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
                working.spawn(async move { consumer.handle(&batch, at).await });
            }
        }
        working.join_all().await;
        notice::stay(self.args.mutation, told).await;
        let fails_at_notice = self.is(Mutation::ExitsWithErrorAtNotice) && told.is_cancelled();
        if self.is(Mutation::ExitsWithError) || fails_at_notice {
            ExitCode::from(3)
        } else {
            ExitCode::SUCCESS
        }
    }

    async fn receive(&self, most: u8) -> Vec<Delivery> {
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
        received.unwrap_or_default()
    }

    async fn handle(&self, batch: &[Delivery], at: usize) {
        let (delivery, received) = (&batch[at], Stamp::now());
        let last_of_several = batch.len() > 1 && at + 1 == batch.len();
        if self.is(Mutation::DropsLastOfBatch) && last_of_several {
            return self.delete(&delivery.lease).await;
        }
        if self.is(Mutation::DeletesBeforeInsert) {
            self.delete(&delivery.lease).await;
        }
        let mut lease = delivery.lease.clone();
        let done = match Message::decode(&delivery.body) {
            _ if delivery.attempt > self.args.max_attempts => {
                self.set_aside(delivery, PoisonReason::TooManyAttempts)
                    .await
            }
            Err(MessageError::DigestMismatch { .. }) if self.is(Mutation::StoresBadMessages) => {
                self.store(spoil::unchecked(&delivery.body), batch, at, received)
                    .await
            }
            Err(error) => self.refuse(delivery, &error).await,
            Ok(message)
                if self.is(Mutation::PoisonsGoodMessages) && message.id.seq.get() % 10 == 0 =>
            {
                self.set_aside(delivery, PoisonReason::BadField).await
            }
            Ok(message) => {
                if !self.simulate(&mut lease).await {
                    return;
                }
                self.store(message, batch, at, received).await
            }
        };
        if self.is(Mutation::InsistsOnStaleReceipt) {
            lease.clone_from(&delivery.lease);
        }
        let every_tenth =
            |body: &str| Message::decode(body).is_ok_and(|it| it.id.seq.get() % 10 == 0);
        let deletes = match self.args.mutation {
            Mutation::NeverDeletes | Mutation::DeletesBeforeInsert => false,
            Mutation::ForgetsDeletes => !every_tenth(&batch[at].body),
            _ => true,
        };
        if matches!(done, Done::Secured) && deletes {
            self.delete(&lease).await;
        }
    }

    async fn store(
        &self,
        message: Message,
        batch: &[Delivery],
        at: usize,
        received: Stamp,
    ) -> Done {
        let attempt = batch[at].attempt;
        let mut row = ResultRow::of(message, received, attempt, &self.args.name, &self.args.node);
        spoil::row(self.args.mutation, &mut row, batch, at);
        if self.is(Mutation::StampsBeforeItsWork) {
            sleep(UNTOLD_WORK).await;
        }
        if let Some(done) = self.attack(&row, &batch[at]).await {
            return done;
        }
        if self.is(Mutation::Upserts) {
            let upserted = self
                .raw
                .upsert_entity(&row, UpdateMode::Replace, None)
                .await;
            return if upserted.is_ok() {
                Done::Secured
            } else {
                Done::Left
            };
        }
        loop {
            let error = match self.table.insert(std::slice::from_ref(&row)).await {
                Ok(outcomes) => return self.inserted(outcomes[0], &batch[at]).await,
                Err(error) => error,
            };
            if self.gives_up_on(&error) {
                return Done::Secured;
            }
            assert!(!self.is(Mutation::DiesOnBusyStorage), "{error}");
            if self.is(Mutation::RetriesUnderNewKey) {
                row.row_key.push_str("-again");
            }
            if !error.is_transient() || self.stop.is_cancelled() {
                return Done::Left;
            }
            sleep(PAUSE).await;
        }
    }

    /// Whether it wrongly takes this error for a success.
    fn gives_up_on(&self, error: &StorageError) -> bool {
        match self.args.mutation {
            Mutation::SwallowsInsertErrors => true,
            Mutation::TakesNoAnswerForSuccess => error.effect() == Effect::Unknown,
            _ => false,
        }
    }

    async fn inserted(&self, outcome: InsertOutcome, delivery: &Delivery) -> Done {
        match outcome {
            InsertOutcome::AlreadyDone if self.is(Mutation::TakesDoneForError) => Done::Left,
            InsertOutcome::Inserted | InsertOutcome::AlreadyDone => Done::Secured,
            InsertOutcome::Conflict { .. } => {
                self.set_aside(delivery, PoisonReason::Conflict).await
            }
        }
    }
}
