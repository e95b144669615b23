//! Measures the CPU time and memory that a phase of a load uses. Processes are read repeatedly, since a process that has ended
//! cannot be read any more.

use std::collections::BTreeMap;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use platform::local::proc::machine_busy;
use platform::{PARTS, Taken};

use crate::events::{PartUsage, Usage};
use crate::run::Run;

/// The meter of one phase.
pub(super) struct Meter {
    began: Instant,
    /// CPU time before the phase, of processes that ran when it began.
    before: BTreeMap<String, Duration>,
    /// The last reading of each process.
    last: BTreeMap<String, Taken>,
    machine: Option<Duration>,
}

impl Meter {
    /// Starts the meter of a phase of `run`.
    pub(super) async fn start(run: &Run) -> Self {
        let before = run.taken().await.into_iter();
        Self {
            began: Instant::now(),
            before: before.map(|taken| (taken.process, taken.cpu)).collect(),
            last: BTreeMap::new(),
            machine: machine_busy(),
        }
    }

    /// Reads the processes of `run` once more.
    pub(super) async fn read(&mut self, run: &Run) {
        self.take(run.taken().await);
    }

    fn take(&mut self, taken: Vec<Taken>) {
        let taken = taken.into_iter().map(|it| (it.process.clone(), it));
        self.last.extend(taken);
    }

    /// The usage of the phase called `phase`, with about `messages` messages, up to now; `None` if no process could be read.
    pub(super) fn usage(&self, phase: &str, messages: u64) -> Option<Usage> {
        if self.last.is_empty() {
            return None;
        }
        let machine = self.machine.zip(machine_busy());
        let parts = PARTS.iter().filter_map(|part| self.part(part));
        Some(Usage {
            phase: phase.to_owned(),
            lasted_ms: millis(self.began.elapsed()),
            messages,
            cores: available_parallelism().map_or(1, |cores| cores.get() as u64),
            machine_busy_ms: machine.map(|(before, now)| millis(now.saturating_sub(before))),
            parts: parts.collect(),
        })
    }

    fn part(&self, part: &str) -> Option<PartUsage> {
        let of_part: Vec<&Taken> = self.last.values().filter(|it| it.part == part).collect();
        let cpu = |taken: &&Taken| {
            let before = self.before.get(&taken.process).copied();
            taken.cpu.saturating_sub(before.unwrap_or_default())
        };
        let all: Vec<u64> = of_part.iter().map(|it| millis(cpu(it))).collect();
        Some(PartUsage {
            name: part.to_owned(),
            processes: of_part.len() as u64,
            cpu_ms: all.iter().sum(),
            busiest_cpu_ms: all.into_iter().max()?,
            peak_kib: of_part.iter().map(|it| it.peak_kib).max()?,
        })
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_before_the_phase_does_not_count_and_what_has_ended_does() {
        let taken = |part: usize, process: &str, ms, peak_kib| Taken {
            part: PARTS[part],
            process: process.to_owned(),
            cpu: Duration::from_millis(ms),
            peak_kib,
        };
        let mut meter = Meter {
            began: Instant::now(),
            before: [("storage".to_owned(), Duration::from_millis(900))].into(),
            last: BTreeMap::new(),
            machine: None,
        };
        assert_eq!(meter.usage("load", 1), None);
        meter.take(vec![
            taken(2, "storage", 1_000, 7),
            taken(3, "consumer-1", 40, 5),
        ]);
        // The consumer has ended meanwhile, and another one has started.
        meter.take(vec![
            taken(2, "storage", 1_200, 9),
            taken(3, "consumer-2", 100, 4),
        ]);
        let usage = meter.usage("load", 10).unwrap();
        let [storage, consumers] = &usage.parts[..] else {
            panic!("{:?}", usage.parts)
        };
        assert_eq!((storage.cpu_ms, storage.peak_kib), (300, 9));
        assert_eq!((consumers.processes, consumers.cpu_ms), (2, 140));
        assert_eq!((consumers.busiest_cpu_ms, consumers.peak_kib), (100, 5));
        assert_eq!(usage.cpu_us_a_message(), Some(44_000.0));
    }
}
