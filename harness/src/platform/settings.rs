//! The settings of the workload's programs: as variables, the same on every platform, and as their own parsers read them.

use std::ffi::OsStr;
use std::time::Duration;

use anyhow::anyhow;
use workflow::contract::RunId;

use super::workers::{ConsumerOptions, Seat};
use crate::wire::Endpoints;

/// The queue name and the table name of a run: both derive from its id, so that they can be found again.
pub fn names(run: &RunId) -> (String, String) {
    let letters: String = run.as_str().chars().filter(|c| *c != '-').collect();
    (format!("edw-{run}"), format!("edw{letters}"))
}

/// The variables that give a process of the workload the storage of `run`.
pub fn storage_variables(run: &RunId, endpoints: &Endpoints, sas: String) -> Vec<(String, String)> {
    let (queue_name, table_name) = names(run);
    let variables = [
        ("AZURE_STORAGE_ACCOUNT_NAME", azurite::ACCOUNT.to_owned()),
        ("AZURE_QUEUE_NAME", queue_name),
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

/// A consumer is configured through its environment alone, so that any program can be one.
pub fn consumer_variables(
    name: &str,
    options: &ConsumerOptions,
    seat: &Seat,
) -> impl Iterator<Item = (String, String)> {
    let seconds = |time: Duration| format!("{}s", time.as_secs());
    let millis = |time: Duration| format!("{}ms", time.as_millis());
    let always = |value: &str| Some(value.to_owned());
    let variables = [
        ("EDW_LOG_FORMAT", always("json")),
        (
            "NODE_NAME",
            (seat.node.as_ref()).map_or(always("laptop"), |placed| always(&placed.node)),
        ),
        (
            "EDW_SCHEDULED_EVENTS_ENDPOINT",
            (seat.node.as_ref()).map(|placed| placed.events_url.clone()),
        ),
        ("POD_NAME", always(name)),
        (
            "EDW_LISTEN",
            (seat.probes).map_or(always("127.0.0.1:0"), |probes| Some(probes.to_string())),
        ),
        ("EDW_WORK", options.work.clone()),
        ("EDW_VISIBILITY", options.visibility.map(seconds)),
        (
            "EDW_CONCURRENCY",
            options.concurrency.map(|n| n.to_string()),
        ),
        (
            "EDW_MAX_ATTEMPTS",
            options.max_attempts.map(|n| n.to_string()),
        ),
        ("EDW_IDLE_POLL_MAX", options.idle_poll_max.map(millis)),
        ("EDW_GRACE", options.grace.map(seconds)),
        ("EDW_START_TIMEOUT", options.start_timeout.map(seconds)),
        ("EDW_LOG", options.log.clone()),
    ];
    variables
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
}

/// Reads the settings of a program as its own `main` will: its arguments, the variables it is given, as the flags whose
/// twins they are, and what it inherits from this process.
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
    let given: Vec<_> = variables.iter().filter_map(flag).collect();
    let words = [name.to_owned()].into_iter().chain(arguments.to_vec());
    command
        .try_get_matches_from(words.chain(given))
        .and_then(|matches| A::from_arg_matches(&matches))
        .map_err(|error| anyhow!(first_paragraph(&error)))
}

/// What is wrong, without the usage of a program that nobody called.
fn first_paragraph(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let text = text.trim_start_matches("error: ");
    text.split("\n\n").next().unwrap_or(text).to_owned()
}
