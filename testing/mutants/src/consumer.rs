//! A plain consumer that keeps the contract, with a place for every mutation. It shares the ports with the real consumer, and none
//! of its code.

mod attack;
mod delivery;
mod lease;
mod poison;
mod raw;
mod receive;
mod row;

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tables::TableClient;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use workflow::azure::{AzureQueue, AzureTable, Storage, StorageArgs};
use workflow::duration;
use workflow::shutdown::Signals;
use workflow::task;

use crate::mutation::Mutation;
use crate::notice;
use crate::probe::{Reached, serve};

/// Time between two tries of any request.
const PAUSE: Duration = Duration::from_millis(100);

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

/// Runs the consumer, and returns its exit code.
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
    let watch = task::spawn(notice::heed(
        args.mutation,
        signals,
        stop.clone(),
        told.clone(),
        hurry.clone(),
    ));
    let notice = task::spawn(notice::watch(
        args.mutation,
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
        () = consumer.holds_once(&stop), if consumer.is(Mutation::DropsLeasesAtSigterm) => ExitCode::SUCCESS,
        () = consumer.holds_once(&told), if consumer.is(Mutation::DropsLeasesAtNotice) => ExitCode::SUCCESS,
        never = notice::obey(consumer.args.mutation, &told, &stop) => match never {},
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
    /// For requests that the port does not have.
    raw: TableClient,
    attacks: raw::Raw,
    /// The state of an attack.
    noted: attack::Noted,
    reached: Reached,
    /// The number of messages in hand.
    in_hand: watch::Sender<usize>,
    stop: CancellationToken,
    /// Cancelled when its node is drained by force.
    hurry: CancellationToken,
}

impl Consumer {
    fn open(args: Args, stop: CancellationToken, hurry: CancellationToken) -> Self {
        if let (Mutation::LogsItsToken, Ok(file)) =
            (args.mutation, std::env::var("AZURE_FEDERATED_TOKEN_FILE"))
        {
            let token = std::fs::read_to_string(file).expect("a token");
            // This mutant logs only this line; an error in writing it does not matter.
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
            attacks: raw::Raw::new(
                (args.storage.queue.queue_endpoint.clone()).expect("an endpoint"),
                (args.storage.table.table_endpoint.clone()).expect("an endpoint"),
                sas,
            ),
            raw: TableClient::new(url, &table, None, None).expect("a table"),
            args,
            noted: attack::Noted::default(),
            reached: Reached::default(),
            in_hand: watch::Sender::default(),
            stop,
            hurry,
        }
    }

    /// Waits until it is `told`, and then until it has a message in hand: between two batches it has none that it could drop.
    async fn holds_once(&self, told: &CancellationToken) {
        told.cancelled().await;
        let mut in_hand = self.in_hand.subscribe();
        let held = in_hand.wait_for(|count| *count > 0).await;
        held.expect("the consumer itself counts them");
    }

    fn is_ready(&self) -> bool {
        match self.args.mutation {
            Mutation::SaysReadyTooEarly => true,
            Mutation::NeverSaysReady => false,
            Mutation::SaysReadyWithoutTable => self.reached.queue(),
            _ => self.reached.queue() && self.reached.table(),
        }
    }

    fn is(&self, mutation: Mutation) -> bool {
        self.args.mutation == mutation
    }
}
