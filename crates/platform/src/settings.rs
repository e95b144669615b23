//! Settings of the workload's programs: the same variables on every platform, and their check by the programs' own parsers.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::time::Duration;

use anyhow::anyhow;
use wire::Endpoints;
use workflow::contract::RunId;
use workflow::contract::workload::{Description, Format, Name, Placeholder};
use workflow::duration;

use super::workers::{ConsumerOptions, Seat};

/// The queue name and the table name of a run: both derive from its id, so that they can be found again.
pub fn names(run: &RunId) -> (String, String) {
    let letters: String = run.as_str().chars().filter(|c| *c != '-').collect();
    (format!("edw-{run}"), format!("edw{letters}"))
}

/// The names of the `queues` queues of a run: that of [`names`], or, if there are several, each with a number.
pub fn own_queues(run: &RunId, queues: u32) -> Vec<String> {
    let (queue, _) = names(run);
    match queues {
        0 | 1 => vec![queue],
        _ => (1..=queues).map(|n| format!("{queue}-q{n}")).collect(),
    }
}

/// The variables by which a process of the workload finds the storage of `run`, and the queue `queue` in it.
pub fn storage_variables(
    run: &RunId,
    queue: &str,
    endpoints: &Endpoints,
    sas: String,
) -> Vec<(String, String)> {
    let (_, table_name) = names(run);
    let variables = [
        ("AZURE_STORAGE_ACCOUNT_NAME", azurite::ACCOUNT.to_owned()),
        ("AZURE_QUEUE_NAME", queue.to_owned()),
        ("AZURE_TABLE_NAME", table_name),
        ("AZURE_QUEUE_ENDPOINT", endpoints.queue.clone()),
        ("AZURE_TABLE_ENDPOINT", endpoints.table.clone()),
        ("AZURE_STORAGE_SAS_TOKEN", sas),
        ("EDW_CREDENTIAL", "sas".to_owned()),
    ];
    variables
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}

/// The storage of a run, as its workers are told.
#[derive(Debug, Clone, Copy)]
pub struct StorageTold<'a> {
    /// The run.
    pub run: &'a RunId,
    /// The queue that the worker serves.
    pub queue: &'a str,
    /// The addresses of the services.
    pub endpoints: &'a Endpoints,
    /// A SAS for both services; empty if the worker signs in otherwise.
    pub sas: &'a str,
    /// How to sign in: `sas` or `auto`.
    pub credential: &'a str,
}

/// The variables of a worker's description, with their values. A worker is configured by its environment alone, so that any
/// program can be one. A variable with a placeholder that has no value is left out.
pub fn worker_variables(
    description: &Description,
    storage: StorageTold<'_>,
    name: &str,
    options: &ConsumerOptions,
    seat: &Seat,
) -> Vec<(String, String)> {
    filled(description, |hole| {
        let of_storage = of_storage(description, storage, hole.name);
        let told = of_storage.or_else(|| of_worker(name, options, seat, hole));
        told.or_else(|| of_description(description, hole.name))
    })
}

/// As [`worker_variables`]: `place` gives the values that depend on the worker's place, `options` the rest.
pub fn placed_variables(
    description: &Description,
    options: &ConsumerOptions,
    place: impl Fn(Name) -> Option<String>,
) -> Vec<(String, String)> {
    filled(description, |hole| {
        if matches!(
            hole.name,
            Name::Worker | Name::Node | Name::Listen | Name::Events
        ) {
            return place(hole.name);
        }
        let told = place(hole.name);
        let told = told.or_else(|| of_worker("", options, &Seat::default(), hole));
        told.or_else(|| of_description(description, hole.name))
    })
}

/// The description's own value for a setting that neither options nor place give.
fn of_description(description: &Description, name: Name) -> Option<String> {
    let after = description.poison.as_ref()?.after?;
    (name == Name::Attempts).then(|| after.to_string())
}

/// The consumer's variables without those about storage.
pub fn consumer_variables(
    description: &Description,
    name: &str,
    options: &ConsumerOptions,
    seat: &Seat,
) -> Vec<(String, String)> {
    filled(description, |hole| of_worker(name, options, seat, hole))
}

fn filled(
    description: &Description,
    value: impl Fn(Placeholder) -> Option<String>,
) -> Vec<(String, String)> {
    let variables = description.worker.variables.iter();
    let variables = variables.filter_map(|(name, template)| {
        let text = template.fill(|hole| value(hole).map(Cow::Owned))?;
        Some((name.clone(), text))
    });
    variables.collect()
}

fn of_storage(description: &Description, told: StorageTold<'_>, name: Name) -> Option<String> {
    let (_, table) = names(told.run);
    let Endpoints {
        queue: queue_url,
        table: table_url,
    } = told.endpoints;
    Some(match name {
        Name::Account => azurite::ACCOUNT.to_owned(),
        Name::PoisonQueue => {
            let poison = description.poison.as_ref()?;
            return poison.queue.fill(|_| Some(Cow::Borrowed(told.queue)));
        }
        Name::Queue => told.queue.to_owned(),
        Name::Table => table,
        Name::QueueEndpoint => queue_url.clone(),
        Name::TableEndpoint => table_url.clone(),
        Name::Sas => told.sas.to_owned(),
        Name::Credential => told.credential.to_owned(),
        Name::AccountKey => azurite::ACCOUNT_KEY.to_owned(),
        Name::ConnectionString => format!(
            "QueueEndpoint={queue_url};TableEndpoint={table_url};SharedAccessSignature={}",
            told.sas
        ),
        _ => return None,
    })
}

/// The value that manifests give to a variable of the project's own consumer, for a worker with other variable names.
fn of_manifests(options: &ConsumerOptions, name: Name) -> Option<String> {
    let own = Description::own();
    let mut variables = own.worker.variables.iter();
    let (variable, _) =
        variables.find(|(_, template)| template.whole().is_some_and(|it| it.name == name))?;
    let mut said = options.variables.iter();
    said.find_map(|(known, value)| (known == variable).then(|| value.clone()))
}

fn of_worker(
    name: &str,
    options: &ConsumerOptions,
    seat: &Seat,
    hole: Placeholder,
) -> Option<String> {
    let span = |time: Option<Duration>, unit: fn(Duration) -> String| {
        let manifests = || duration::parse(&of_manifests(options, hole.name)?).ok();
        let time = time.or_else(manifests)?;
        Some(match hole.format {
            Format::Seconds => time.as_secs().to_string(),
            Format::Millis => time.as_millis().to_string(),
            Format::Clock => {
                let seconds = time.as_secs();
                format!(
                    "{:02}:{:02}:{:02}",
                    seconds / 3_600,
                    seconds / 60 % 60,
                    seconds % 60
                )
            }
            _ => unit(time),
        })
    };
    let count = |count: Option<u32>| {
        let count = count.map(|count| count.to_string());
        count.or_else(|| of_manifests(options, hole.name))
    };
    let seconds = |time: Duration| format!("{}s", time.as_secs());
    let millis = |time: Duration| format!("{}ms", time.as_millis());
    match hole.name {
        Name::Worker => Some(name.to_owned()),
        Name::Node => Some(seat.told_node().to_owned()),
        Name::Events => seat.node.as_ref().map(|placed| placed.events_url.clone()),
        Name::Listen => Some(
            seat.probes
                .map_or_else(|| "127.0.0.1:0".to_owned(), |probes| probes.to_string()),
        ),
        Name::Work => {
            let work = options
                .work
                .clone()
                .or_else(|| of_manifests(options, hole.name))?;
            if hole.format == Format::Plain {
                return Some(work);
            }
            // Only a fixed working time is a single number.
            let fixed = duration::parse(work.strip_prefix("fixed:")?).ok()?;
            span(Some(fixed), millis)
        }
        Name::Lease => span(options.visibility, seconds),
        Name::Grace => span(options.grace, seconds),
        Name::StartTimeout => span(options.start_timeout, seconds),
        Name::IdlePoll => span(options.idle_poll_max, millis),
        Name::Concurrency => count(options.concurrency),
        Name::Attempts => count(options.max_attempts),
        Name::Log => options.log.clone(),
        _ => None,
    }
}

/// Parses the settings of a program as its own `main` would: its arguments, its variables as the flags that they stand for, and
/// the variables that it inherits from this process.
pub fn parse<A: clap::Args>(
    name: &'static str,
    arguments: &[String],
    variables: &[(String, String)],
) -> anyhow::Result<A> {
    let command = A::augment_args(clap::Command::new(name));
    let flag = |(variable, value): &(String, String)| {
        let mut flags = command.get_arguments();
        let twin = flags.find(|flag| flag.get_env() == Some(OsStr::new(variable)))?;
        Some(format!("--{}={value}", twin.get_long()?))
    };
    // As in an environment, the last variable of a name counts.
    let is_last = |(at, (name, _)): &(usize, &(String, String))| {
        let mut later = variables[at + 1..].iter();
        later.all(|(other, _)| other != name)
    };
    let last = variables.iter().enumerate().filter(is_last);
    let given: Vec<_> = last.filter_map(|(_, pair)| flag(pair)).collect();
    let words = [name.to_owned()].into_iter().chain(arguments.to_vec());
    command
        .try_get_matches_from(words.chain(given))
        .and_then(|matches| A::from_arg_matches(&matches))
        .map_err(|error| anyhow!(first_paragraph(&error)))
}

/// The error without the usage text: the user did not call this program.
fn first_paragraph(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let text = text.trim_start_matches("error: ");
    text.split("\n\n").next().unwrap_or(text).to_owned()
}
