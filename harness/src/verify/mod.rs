//! `harness verify`: audits the table of a load after the run, whichever program sent the messages and wrote the rows.
//!
//! What must be in the table follows from the producer's summary alone: run, seed, payload and the fate of every send.

mod columns;
mod quiet;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use futures::TryStreamExt as _;
use judge::{Conclusion, Part};
use platform::described;
use platform::storage::Queue;
use producer::Summary;
use project::shell::word;
use workflow::azure::{QueueArgs, Storage, StorageArgs};
use workflow::contract::text::decode;
use workflow::contract::workload::{Description, Lens, Owner};
use workflow::contract::{MessageId, RunId, Stamp, json};
use workflow::duration;
use workflow::exit::WrongInput;
use workflow::ports::{EntityStream, ErrorKind, ResultTable as _};

use crate::audit::ExpectedPoison;
use crate::events::{Event, EventLog, Fact, Measured, RunStarted};
use crate::load::LatencyLimitArg;
use crate::measure::{LatencyLimit, judge};
use crate::pace::Pace;
use crate::report::{Report, RunRecord};
use crate::run::{Leftovers, RunDir, about};

/// The column of the id in a table of the contract.
const ROW_KEY: &str = "RowKey";

/// The column of the payload in a table of the contract.
const DATA: &str = "data";

/// What to audit.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "which", required = true, multiple = false, args = ["run", "summary"])]
pub struct VerifyArgs {
    /// Id of the run; its directory, below --out, holds the producer's summary
    #[arg(long)]
    pub run: Option<RunId>,
    /// File to which the producer wrote its summary (its --summary)
    #[arg(long)]
    pub summary: Option<PathBuf>,
    /// Name of the column that holds the message id
    #[arg(long, default_value = ROW_KEY)]
    pub id_column: String,
    /// Name of the column that holds the payload
    #[arg(long, default_value = "data")]
    pub data_column: String,
    /// File that describes the workload, instead of flags about columns [default: edw.yaml here or in a directory above, if no
    /// flag about columns is given]
    #[arg(long, env = "EDW_WORKLOAD", conflicts_with_all = ["id_column", "data_column", "payload_only"])]
    pub workload: Option<PathBuf>,
    /// Judge only ids and payloads, for rows without the other columns of the contract; always so if --id-column is not RowKey
    #[arg(long)]
    pub payload_only: bool,
    /// Latency limit that the rows must keep, such as 'end to end p99 2s'; repeat for more [default: none]
    #[arg(long = "limit")]
    pub limits: Vec<LatencyLimitArg>,
    /// Longest time to wait for consumers while the queue still has messages of the run, visible or leased
    #[arg(long, default_value = "120s", value_parser = duration::parse)]
    pub settle: Duration,
    /// Directory that holds the run directories, and gets the report [default: target/runs in a Cargo workspace, else
    /// edw-out/runs in the project]
    #[arg(long, env = "EDW_OUT", default_value_os_t = project::out("runs"), hide_default_value = true)]
    pub out: PathBuf,
    /// The storage
    #[command(flatten)]
    pub storage: StorageArgs,
}

/// The description by which rows are judged, as `args` choose it.
fn description(args: &VerifyArgs) -> anyhow::Result<Arc<Description>> {
    let names_columns = args.id_column != ROW_KEY || args.data_column != DATA || args.payload_only;
    if !names_columns && let Some(described) = described(args.workload.as_deref())? {
        return Ok(described.description);
    }
    let own = Description::own();
    if !names_columns {
        return Ok(own);
    }
    columns::description(&own, &args.id_column, &args.data_column, args.payload_only)
        .context(WrongInput("use the columns that are named"))
}

/// The context of every error about finding the summary.
const SUMMARY: WrongInput = WrongInput(
    "read the producer's summary; name it with --summary, or its run with --run and --out",
);

/// Audits the table that `args` name, and writes a report.
pub async fn verify(args: &VerifyArgs) -> anyhow::Result<(RunRecord, Report)> {
    let summary = summary(args).context(SUMMARY)?;
    RunDir::check_parent(&args.out)?;
    let storage = Storage::open(&args.storage.account)?;
    let (queue, table) = (&args.storage.queue, &args.storage.table);
    let lens = Lens::new(description(args)?, summary.run.clone());
    let poison = match lens.poison_queue(queue.queue.as_str()) {
        Some(name) => Some(storage.queue(&QueueArgs {
            queue: name.parse()?,
            queue_endpoint: queue.queue_endpoint.clone(),
        })?),
        None => None,
    };
    let queue = storage.queue(queue)?;
    let table = storage.table(table)?;
    // Checks access before any waiting: the row itself need not exist.
    let any: MessageId = "verify-1".parse().context("make an id to ask for")?;
    table.get(&any).await.context("look for the table")?;
    // A worker of another team may have no poison queue.
    let poison = match poison {
        None => None,
        Some(poison) => match poison.approximate_count().await {
            Ok(_) => Some(poison),
            Err(error) if error.kind() == ErrorKind::NoSuchResource => None,
            Err(error) => return Err(error).context("look for the poison queue"),
        },
    };
    let leftovers = Leftovers {
        queue: &queue,
        poison: poison.as_ref().map(|poison| poison as &dyn Queue),
        lens: &lens,
        own_storage: false,
        at_work: quiet::until_quiet(&queue, &lens, args.settle).await?,
    };
    let counts = Arc::new(Counts::default());
    let rows = counts.clone().of(table.all_entities(), lens.clone());
    let audited = leftovers
        .audit(rows, &summary, ExpectedPoison::default(), |_| Ok(()))
        .await;
    let (auditor, hops, _) = audited?;
    counts.check(&args.id_column)?;
    let audit = auditor.finish();
    let verdicts = judge(&hops, &limits(args));

    let dir = RunDir::create_of_verification(&args.out, &producer::new_run_id())?;
    let log = EventLog::open(&dir)?;
    let parts = Part::all_of(&audit).into_iter();
    let conclusion = Conclusion::of(parts.chain(verdicts.iter().map(Part::from)));
    let others = (audit.other_runs > 0).then(|| Event::Note {
        text: format!(
            "{} rows and messages of other runs, or that were there before this one began, were left out.",
            audit.other_runs
        ),
    });
    let found = [
        Event::Audited(Box::new(audit)),
        Event::Measured(Box::new(Measured { hops, verdicts })),
        conclusion.event(),
    ];
    let begun = [started(args, &summary)].into_iter();
    for event in begun.chain(others).chain(found) {
        log.append(Stamp::now(), event)?;
    }
    drop(log);
    Ok(crate::report::write(&dir)?)
}

/// How many rows were read, and how many of them have an id.
#[derive(Debug, Default)]
struct Counts {
    rows: AtomicU64,
    with_id: AtomicU64,
}

impl Counts {
    /// Passes `rows` on, and counts them.
    fn of(self: Arc<Self>, rows: EntityStream, lens: Lens) -> EntityStream {
        Box::pin(rows.inspect_ok(move |row| {
            let with_id = lens.owner_of_row(&lens.row(row)) != Owner::Nobody;
            self.rows.fetch_add(1, Ordering::Relaxed);
            self.with_id.fetch_add(with_id.into(), Ordering::Relaxed);
        }))
    }

    /// Refuses a column that no row has: findings in such a column would say nothing about the consumer.
    fn check(&self, column: &str) -> anyhow::Result<()> {
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
        let (rows, with_id) = (count(&self.rows), count(&self.with_id));
        if rows == 0 || with_id > 0 || column == ROW_KEY {
            return Ok(());
        }
        Err(anyhow!("none of the {rows} rows has a message id in it"))
            .context(WrongInput(
                "read the ids of the rows; name the column that holds them with --id-column",
            ))
            .with_context(|| format!("use the column {column:?}"))
    }
}

fn limits(args: &VerifyArgs) -> Vec<LatencyLimit> {
    args.limits.iter().map(|limit| limit.0).collect()
}

/// Explains what a summary is.
const WHAT_IT_IS: &str =
    "give what the producer wrote with --summary FILE, or producer.json of a run's directory";

/// The producer's summary that `args` name.
fn summary(args: &VerifyArgs) -> anyhow::Result<Summary> {
    let path = match (&args.summary, &args.run) {
        (Some(path), _) => path.clone(),
        (None, Some(run)) => of_run(&args.out, run)?,
        (None, None) => return Err(anyhow!("neither is given")),
    };
    let text = producer::read_file(&path).with_context(|| format!("read {}", path.display()))?;
    let text = decode(&text).with_context(|| {
        format!(
            "{} is no text, and no summary of the producer; {WHAT_IT_IS}",
            path.display()
        )
    })?;
    let summary: Summary = serde_json::from_str(&text).map_err(|error| {
        let path = path.display();
        let wrong = other_json(&text).unwrap_or_else(|| {
            let (line, wrong) = json::trouble(&error, &text);
            format!("line {line}: {wrong}")
        });
        anyhow!("{path} is no summary of the producer: {wrong}; {WHAT_IT_IS}")
    })?;
    summary
        .check()
        .with_context(|| format!("{} cannot be believed", path.display()))?;
    ensure!(
        summary.queue.is_some(),
        "{}: the messages went into no queue, so nothing can have come of them",
        path.display()
    );
    Ok(summary)
}

/// What `text` is, where it is JSON without any field of a summary: then a message about one missing field would mislead.
fn other_json(text: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let is_near = ["run", "seed", "queue"]
        .iter()
        .any(|field| value.get(*field).is_some());
    (!is_near).then(|| format!("it is JSON of another kind, {}", json::kind(&value)))
}

/// The summary of `run`, whose directory is below `out` or below the directory of a suite.
fn of_run(out: &Path, run: &RunId) -> anyhow::Result<PathBuf> {
    let summary = |dir: &Path| dir.join(run.as_str()).join("producer.json");
    let direct = summary(out);
    if direct.is_file() {
        return Ok(direct);
    }
    let suites = std::fs::read_dir(out).with_context(|| format!("read {}", out.display()))?;
    for suite in suites {
        let nested = summary(&suite?.path());
        if nested.is_file() {
            return Ok(nested);
        }
    }
    Err(anyhow!(
        "no {} and none in a suite's directory",
        direct.display()
    ))
}

fn started(args: &VerifyArgs, summary: &Summary) -> Event {
    let StorageArgs { queue, table, .. } = &args.storage;
    let command = command(args);
    let table = table.table.as_str();
    Event::RunStarted(Box::new(RunStarted {
        run: summary.run.clone(),
        title: format!("audit of table {table} after the fact"),
        seed: summary.seed,
        environment: "given storage".to_owned(),
        pace: Pace::PRODUCTION,
        command,
        messages: summary.planned,
        plan: vec![
            Fact::new("arrivals", summary.shape.clone()),
            Fact::new("payload", summary.payload.to_string()),
            Fact::new("message id in", args.id_column.clone()),
            Fact::new("payload in", args.data_column.clone()),
        ],
        limits: limits(args),
        setting: about::setting(format!("queue {}, table {table}", queue.queue.as_str())),
        versions: about::versions(),
        leeway: vec![],
    }))
}

/// The command that repeats the audit. Secrets stay in variables.
fn command(args: &VerifyArgs) -> String {
    let StorageArgs {
        account,
        queue,
        table,
    } = &args.storage;
    let summary = args.summary.as_deref().map(Path::to_string_lossy);
    let url = |url: &Option<reqwest::Url>| url.as_ref().map(ToString::to_string);
    let unless = |given: &str, default: &str| (given != default).then(|| given.to_owned());
    let mut words = vec![format!("{} verify", project::program())];
    let out = (args.run.is_some() && args.out != project::out("runs"))
        .then(|| args.out.display().to_string());
    let options = [
        ("run", args.run.as_ref().map(ToString::to_string)),
        ("out", out),
        ("summary", summary.map(std::borrow::Cow::into_owned)),
        ("account", account.account.clone()),
        ("queue", Some(queue.queue.to_string())),
        ("queue-endpoint", url(&queue.queue_endpoint)),
        ("table", Some(table.table.to_string())),
        ("table-endpoint", url(&table.table_endpoint)),
        ("id-column", unless(&args.id_column, ROW_KEY)),
        ("data-column", unless(&args.data_column, DATA)),
        (
            "workload",
            args.workload
                .as_ref()
                .map(|file| file.to_string_lossy().into_owned()),
        ),
        ("settle", Some(duration::text(args.settle))),
    ];
    for (option, value) in options {
        words.extend(value.map(|value| format!("--{option} {}", word(&value))));
    }
    if args.payload_only {
        words.push("--payload-only".to_owned());
    }
    let limits = args.limits.iter();
    words.extend(limits.map(|limit| format!("--limit {}", word(&limit.to_string()))));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        args: VerifyArgs,
    }

    #[test]
    fn the_line_that_repeats_an_audit_names_its_queue_and_table() {
        let given = "--summary a/b.json --queue work --table results --queue-endpoint http://127.0.0.1:1/a \
                     --table-endpoint http://127.0.0.1:2/a --id-column messageId --data-column payload --payload-only";
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let parsed = Cli::parse_from(["verify".to_owned()].into_iter().chain(words(given)));
        let repeated = command(&parsed.args);
        for part in [
            "--queue work",
            "--table results",
            "--queue-endpoint http://127.0.0.1:1/a",
            "--data-column payload",
        ] {
            assert!(repeated.contains(part), "{part:?} is missing in {repeated}");
        }
        let again = repeated
            .strip_prefix("cargo harness ")
            .expect("a command of the harness");
        let again = Cli::parse_from(words(again));
        assert_eq!(command(&again.args), repeated);
    }

    #[test]
    fn json_that_is_no_summary_is_told_by_what_it_is() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let given = format!(
            "--summary {} --queue work --table results --queue-endpoint http://127.0.0.1:1/a --table-endpoint http://127.0.0.1:2/a",
            file.path().display()
        );
        let args = Cli::parse_from(["verify"].into_iter().chain(given.split(' '))).args;
        for (text, words) in [
            (
                "[]",
                "JSON of another kind, an empty list; give what the producer wrote",
            ),
            ("[{\"run\": \"r1\"}]", "JSON of another kind, a list of 1"),
            ("5", "JSON of another kind, a number"),
            (
                "{\"findings\": []}",
                "JSON of another kind, an object with the fields findings",
            ),
            ("{\"run\": \"r1\"}", "line 1: lacks the field version"),
            ("hello", "line 1: this is no JSON"),
        ] {
            std::fs::write(file.path(), text).unwrap();
            let told = format!("{:#}", summary(&args).unwrap_err());
            assert!(told.contains(words), "{text}: {told}");
            assert!(!told.contains("struct"), "{told}");
        }
    }
}
