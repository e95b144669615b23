//! The metrics of `/metrics`, in base units. Ids are never labels: label values are small fixed sets.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use workflow::contract::PoisonReason;
use workflow::ports::{InsertOutcome, StorageError};

type Count = Counter<u64, AtomicU64>;

/// Why messages went to the poison queue.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

/// Which storage operations failed, and how.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failure {
    operation: &'static str,
    kind: &'static str,
}

/// Counters, gauges and histograms of one consumer.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) received: Count,
    pub(crate) redelivered: Count,
    pub(crate) inserted: Count,
    pub(crate) already_done: Count,
    pub(crate) conflicts: Count,
    pub(crate) deleted: Count,
    pub(crate) lease_lost: Count,
    pub(crate) renewed: Count,
    pub(crate) released: Count,
    pub(crate) clock_skew: Count,
    pub(crate) panics: Count,
    pub(crate) eviction_notices: Count,
    pub(crate) in_flight: Gauge,
    poisoned: Family<Reason, Count>,
    storage_errors: Family<Failure, Count>,
    queue_wait: Histogram,
    work: Histogram,
    end_to_end: Histogram,
    batch_rows: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        // 1 ms to 131 s, doubling: work and latency of a queue worker, at 18 buckets each.
        let seconds = || Histogram::new(exponential_buckets(0.001, 2.0, 18));
        let mut metrics = Self {
            registry: Registry::with_prefix("consumer"),
            received: Count::default(),
            redelivered: Count::default(),
            inserted: Count::default(),
            already_done: Count::default(),
            conflicts: Count::default(),
            deleted: Count::default(),
            lease_lost: Count::default(),
            renewed: Count::default(),
            released: Count::default(),
            clock_skew: Count::default(),
            panics: Count::default(),
            eviction_notices: Count::default(),
            in_flight: Gauge::default(),
            poisoned: Family::default(),
            storage_errors: Family::default(),
            // Up to 36 h: alerts are about messages that wait for long.
            queue_wait: Histogram::new(exponential_buckets(0.001, 2.0, 28)),
            work: seconds(),
            end_to_end: seconds(),
            batch_rows: Histogram::new([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 100.0]),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let counters = [
            (&self.received, "received", "Deliveries received"),
            (
                &self.redelivered,
                "redelivered",
                "Deliveries received that were not the first of their message",
            ),
            (&self.inserted, "inserted", "Rows stored that were new"),
            (
                &self.already_done,
                "already_done",
                "Rows that were there already with the same digest",
            ),
            (
                &self.conflicts,
                "conflicts",
                "Rows that were there already with another digest; not overwritten",
            ),
            (&self.deleted, "deleted", "Messages deleted"),
            (
                &self.lease_lost,
                "lease_lost",
                "Leases lost to another consumer or to an expired visibility",
            ),
            (&self.renewed, "renewed", "Leases renewed"),
            (
                &self.released,
                "released",
                "Messages handed back unfinished, visible at once",
            ),
            (
                &self.clock_skew,
                "clock_skew",
                "Messages received before they were sent, by the clocks involved",
            ),
            (
                &self.panics,
                "panics",
                "Tasks that panicked; one ends the consumer",
            ),
            (
                &self.eviction_notices,
                "eviction_notices",
                "Scheduled events that end this node: its Spot eviction, or its deletion",
            ),
        ];
        for (counter, name, help) in counters {
            self.registry.register(name, help, counter.clone());
        }
        self.register_others();
    }

    fn register_others(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "poisoned",
            "Messages moved to the poison queue",
            self.poisoned.clone(),
        );
        registry.register(
            "storage_errors",
            "Storage operations that failed",
            self.storage_errors.clone(),
        );
        registry.register(
            "in_flight",
            "Messages being worked on",
            self.in_flight.clone(),
        );
        let help = "From the send of a message (sentStamp) until it was received";
        registry.register_with_unit("queue_wait", help, Unit::Seconds, self.queue_wait.clone());
        let help = "Time spent on a message's work";
        registry.register_with_unit("work", help, Unit::Seconds, self.work.clone());
        let help = "From a message's intended send time (srcStamp) until its row was stored";
        registry.register_with_unit("end_to_end", help, Unit::Seconds, self.end_to_end.clone());
        let help = "Rows of one write to the table";
        registry.register("insert_batch_rows", help, self.batch_rows.clone());
        // Possible label values are exported from the start: an alert on a rate needs the value 0 before the value 1.
        for reason in PoisonReason::ALL {
            drop(self.poisoned.get_or_create(&Reason {
                reason: reason.as_str(),
            }));
        }
    }

    /// The metrics as `OpenMetrics` text.
    pub(crate) fn encode(&self) -> String {
        let mut text = String::with_capacity(8 * 1024);
        prometheus_client::encoding::text::encode(&mut text, &self.registry)
            .expect("writing to a string must succeed");
        text
    }

    pub(crate) fn lost(&self) {
        self.lease_lost.inc();
    }

    pub(crate) fn handed_back(&self) {
        self.released.inc();
    }

    pub(crate) fn stored(&self, outcome: InsertOutcome) {
        match outcome {
            InsertOutcome::Inserted => self.inserted.inc(),
            InsertOutcome::AlreadyDone => self.already_done.inc(),
            InsertOutcome::Conflict { .. } => self.conflicts.inc(),
        };
    }

    pub(crate) fn poisoned(&self, reason: PoisonReason) {
        self.poisoned
            .get_or_create(&Reason {
                reason: reason.as_str(),
            })
            .inc();
    }

    pub(crate) fn poisoned_count(&self) -> u64 {
        let count = |reason: PoisonReason| {
            self.poisoned
                .get_or_create(&Reason {
                    reason: reason.as_str(),
                })
                .get()
        };
        PoisonReason::ALL.into_iter().map(count).sum()
    }

    pub(crate) fn failed(&self, operation: &'static str, error: &StorageError) {
        let kind = error.kind().as_str();
        self.storage_errors
            .get_or_create(&Failure { operation, kind })
            .inc();
    }

    /// A message was received `micros` after it was sent. [`Self::finished`] says what negative values mean.
    pub(crate) fn waited(&self, micros: i64) {
        self.queue_wait.observe(micros.max(0) as f64 / 1e6);
    }

    pub(crate) fn worked(&self, took: Duration) {
        self.work.observe(took.as_secs_f64());
    }

    /// A row was stored `micros` after the intended send time. If clocks disagree, that may be negative: it counts in the lowest
    /// bucket, and in `clock_skew`.
    pub(crate) fn finished(&self, micros: i64) {
        self.end_to_end.observe(micros.max(0) as f64 / 1e6);
    }

    pub(crate) fn wrote(&self, rows: usize) {
        self.batch_rows.observe(rows as f64);
    }
}

#[cfg(test)]
mod tests {
    use workflow::ports::ErrorKind;

    use super::*;

    #[test]
    fn names_carry_native_units_and_every_poison_reason_starts_at_zero() {
        let metrics = Metrics::default();
        metrics.received.inc();
        metrics.worked(Duration::from_millis(250));
        metrics.finished(-5);
        metrics.waited(90_000_000);
        metrics.failed(
            "insert",
            &StorageError::new(ErrorKind::Busy, "insert rows", "table t"),
        );
        let text = metrics.encode();
        for line in [
            "consumer_received_total 1",
            "consumer_work_seconds_sum 0.25",
            "consumer_queue_wait_seconds_sum 90.0",
            "consumer_end_to_end_seconds_bucket{le=\"0.001\"} 1",
            "consumer_poisoned_total{reason=\"conflict\"} 0",
            "consumer_storage_errors_total{operation=\"insert\",kind=\"busy\"} 1",
            "consumer_in_flight 0",
            "consumer_eviction_notices_total 0",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is missing in:\n{text}"
            );
        }
    }

    /// The metrics that dashboards, alerts and the documentation name, with the suffixes of histograms and counters.
    fn named_in(file: &str) -> Vec<String> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(file);
        let text = std::fs::read_to_string(&path).expect("a file of the repository");
        let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
        let named = words.filter(|word| word.starts_with("consumer_"));
        named.map(str::to_owned).collect()
    }

    #[test]
    fn dashboards_alerts_and_the_documentation_name_what_there_is() {
        let metrics = Metrics::default();
        metrics.failed(
            "insert",
            &StorageError::new(ErrorKind::Busy, "insert rows", "table t"),
        );
        let text = metrics.encode();
        let told: Vec<_> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split(['{', ' ']).next())
            .collect();
        for file in [
            "docs/METRICS.md",
            "k8s/components/prometheus/alerts.yaml",
            "docs/dashboard.json",
        ] {
            let named = named_in(file);
            assert!(named.len() > 4, "{file}: {named:?}");
            for name in named {
                assert!(
                    told.contains(&name.as_str()),
                    "{file}: {name} is not in\n{text}"
                );
            }
        }
        let documented = named_in("docs/METRICS.md");
        for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
            let (name, kind) = line.split_once(' ').expect("a name and a type");
            let suffix = match kind {
                "counter" => "_total",
                "histogram" => "_bucket",
                _ => "",
            };
            let name = format!("{name}{suffix}");
            assert!(documented.contains(&name), "docs/METRICS.md lacks {name}");
        }
    }
}
