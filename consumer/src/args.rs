//! The flags, each with its environment twin. Those of the sample keep their names.

use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use workflow::azure::StorageArgs;
use workflow::backoff::Backoff;
use workflow::duration;
use workflow::ports::MAX_BATCH;
use workflow::telemetry::TelemetryArgs;

use crate::http::Listen;
use crate::settings::Settings;
use crate::work::Work;
use crate::writer::Limits;

/// Most messages one consumer works on at a time; above this more consumers serve better.
const MAX_CONCURRENCY: u64 = 1_024;

/// The arguments of a consumer.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Which storage.
    #[command(flatten)]
    pub storage: StorageArgs,
    /// Create a missing queue or table instead of exiting with code 4
    #[arg(long, env = "EDW_CREATE", help_heading = "Storage")]
    pub create: bool,
    /// Longest time that storage may be unreachable at the start; after it, the consumer exits with code 3
    #[arg(long, env = "EDW_START_TIMEOUT", default_value = "2m", value_parser = duration::parse, help_heading = "Storage")]
    pub start_timeout: Duration,

    /// Highest number of messages worked on at once
    #[arg(long, env = "EDW_CONCURRENCY", default_value_t = 32,
          value_parser = RangedU64ValueParser::<u16>::new().range(1..=MAX_CONCURRENCY), help_heading = "Messages")]
    pub concurrency: u16,
    /// Visibility timeout (lease): how long a received message stays hidden from other consumers, in whole seconds; renewed at
    /// half of it
    #[arg(long, env = "EDW_VISIBILITY", default_value = "60s", value_parser = duration::parse_visibility, help_heading = "Messages")]
    pub visibility: Duration,
    /// Number of deliveries of a message; the next delivery moves it to the poison queue, <queue>-poison. Deliveries that a drain
    /// hands back count too
    #[arg(long, env = "EDW_MAX_ATTEMPTS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..),
          help_heading = "Messages")]
    pub max_attempts: u32,
    /// Simulated work for each message: none, fixed:50ms, uniform:10ms..100ms, exponential:50ms (mean) or cpu:20ms (keeps a core
    /// busy)
    #[arg(long, env = "EDW_WORK", default_value_t, help_heading = "Messages")]
    pub work: Work,
    /// Highest number of rows in one write to the table (entity group transaction); 1 writes each row alone
    #[arg(long, env = "EDW_INSERT_BATCH", default_value_t = MAX_BATCH as u16,
          value_parser = RangedU64ValueParser::<u16>::new().range(1..=MAX_BATCH as u64), help_heading = "Messages")]
    pub insert_batch: u16,
    /// Highest number of writes to the table in flight; while all are in flight, further rows gather for the next write
    #[arg(long, env = "EDW_INSERT_WRITES", default_value_t = 4,
          value_parser = RangedU64ValueParser::<u16>::new().range(1..=64), help_heading = "Messages")]
    pub insert_writes: u16,

    /// Wait after the first empty receive; it doubles with each further one, up to --idle-poll-max
    #[arg(long, env = "EDW_IDLE_POLL_MIN", default_value = "100ms", value_parser = duration::parse_positive, help_heading = "Polling")]
    pub idle_poll_min: Duration,
    /// Longest wait between two receives while the queue is empty
    #[arg(long, env = "EDW_IDLE_POLL_MAX", default_value = "5s", value_parser = duration::parse_positive, help_heading = "Polling")]
    pub idle_poll_max: Duration,
    /// Time with an empty queue and no message in flight after which the consumer exits with code 0 [default: never]
    #[arg(long, env = "EDW_EXIT_WHEN_IDLE", value_parser = duration::parse_positive, help_heading = "Polling")]
    pub exit_when_idle: Option<Duration>,

    /// Longest time that a drain (after SIGTERM, SIGINT or a Spot notice) may take; set it 5 s shorter than the pod's termination
    /// grace period
    #[arg(long, env = "EDW_GRACE", default_value = "25s", value_parser = duration::parse, help_heading = "Lifecycle")]
    pub grace: Duration,
    /// URL of Azure Scheduled Events, polled for Spot notices, such as
    /// <http://169.254.169.254/metadata/scheduledevents?api-version=2020-07-01> [default: none, no polling]
    #[arg(
        long,
        env = "EDW_SCHEDULED_EVENTS_ENDPOINT",
        value_parser = parse_events_endpoint,
        help_heading = "Lifecycle"
    )]
    pub scheduled_events_endpoint: Option<String>,
    /// Check whether credential and roles suffice, then exit: put, get and delete a message and insert a row in a queue and a
    /// table of their own, which are removed again, and print what was refused. No other message is touched
    #[arg(long, env = "EDW_PROBE", help_heading = "Lifecycle")]
    pub probe: bool,
    /// Address at which /livez, /readyz and /metrics answer, such as 0.0.0.0:8080 (port 0: any free port), or none
    #[arg(long, env = "EDW_LISTEN", default_value_t, help_heading = "Lifecycle")]
    pub listen: Listen,
    /// Name of this consumer, written into every row [default: HOSTNAME and the process id]
    #[arg(long, env = "POD_NAME", help_heading = "Lifecycle")]
    pub name: Option<String>,
    /// Name of this node, written into every row; a Spot notice that names it starts a drain
    #[arg(long, env = "NODE_NAME", help_heading = "Lifecycle")]
    pub node: Option<String>,

    /// Logs.
    #[command(flatten)]
    pub telemetry: TelemetryArgs,
}

impl Args {
    /// What the protocol needs to know.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            name: self
                .name
                .clone()
                .filter(|name| !name.is_empty())
                .unwrap_or_else(default_name),
            node: self.node.clone().unwrap_or_default(),
            concurrency: self.concurrency.into(),
            visibility: self.visibility,
            max_attempts: self.max_attempts,
            work: self.work,
            limits: Limits {
                rows: self.insert_batch.into(),
                writes: self.insert_writes.into(),
            },
            idle: Backoff {
                first: self.idle_poll_min.min(self.idle_poll_max),
                longest: self.idle_poll_max,
            },
            grace: self.grace,
            start_timeout: self.start_timeout,
            exit_when_idle: self.exit_when_idle,
            create: self.create,
        }
    }
}

fn parse_events_endpoint(text: &str) -> Result<String, String> {
    match text.parse::<reqwest::Url>() {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(text.to_owned()),
        _ => Err(
            "expected a URL such as http://169.254.169.254/metadata/scheduledevents?api-version=2020-07-01; leave it \
             away to poll nothing"
                .to_owned(),
        ),
    }
}

/// Distinct among the consumers of a machine as well as among machines: evidence names who did what.
fn default_name() -> String {
    let host = std::env::var("HOSTNAME")
        .ok()
        .filter(|host| !host.is_empty());
    format!(
        "{}-{}",
        host.as_deref().unwrap_or("consumer"),
        std::process::id()
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    fn parsed(flags: &str) -> Result<Args, clap::Error> {
        let storage = "consumer --account devstoreaccount1 --queue queue --table table";
        Cli::try_parse_from(storage.split(' ').chain(flags.split_whitespace())).map(|cli| cli.args)
    }

    #[test]
    fn flags_are_consistent_and_each_has_an_environment_twin() {
        use clap::CommandFactory as _;
        let mut command = Cli::command();
        command.build();
        let lacking: Vec<_> = command
            .get_arguments()
            .filter(|arg| arg.get_env().is_none() && arg.get_id() != "help")
            .map(|arg| arg.get_id().to_string())
            .collect();
        assert!(lacking.is_empty(), "{lacking:?}");
        command.debug_assert();
    }

    #[test]
    fn defaults_are_the_documented_ones() {
        let settings = parsed("").unwrap().settings();
        assert_eq!((settings.concurrency, settings.max_attempts), (32, 5));
        assert_eq!(
            (settings.visibility.as_secs(), settings.grace.as_secs()),
            (60, 25)
        );
        assert_eq!(
            settings.limits,
            Limits {
                rows: 100,
                writes: 4
            }
        );
    }

    #[test]
    fn an_empty_name_is_no_name() {
        let settings = parsed("--name=").unwrap().settings();
        assert_eq!(settings.name, default_name());
    }

    #[test]
    fn values_out_of_range_are_refused() {
        for flags in [
            "--concurrency 0",
            "--concurrency 1025",
            "--visibility 0s",
            "--visibility 1500ms",
            "--max-attempts 0",
            "--insert-batch 101",
            "--work sleep",
            "--listen 8080",
            "--grace 25",
            "--exit-when-idle 0s",
            "--scheduled-events-endpoint=",
            "--scheduled-events-endpoint=169.254.169.254",
        ] {
            assert!(parsed(flags).is_err(), "{flags} must be refused");
        }
    }
}
