//! Resources that a part of a run used on its machine, by the operating system's figures.

use serde::{Deserialize, Serialize};

/// Resources that one phase of a run used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// The phase: `load` or `audit`.
    pub phase: String,
    /// Its duration.
    pub lasted_ms: u64,
    /// Number of messages in it.
    pub messages: u64,
    /// Number of CPU cores of the machine.
    pub cores: u64,
    /// Busy time of all cores of the machine, added up, by this run and all other processes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_busy_ms: Option<u64>,
    /// The parts of the run, in the order of a message's way.
    pub parts: Vec<PartUsage>,
}

/// Resources that the processes of one kind used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartUsage {
    /// The kind: `generators`, `wire and harness`, `storage`, `consumers`.
    pub name: String,
    /// Number of processes.
    pub processes: u64,
    /// CPU time of all of them.
    pub cpu_ms: u64,
    /// CPU time of the process that used most.
    pub busiest_cpu_ms: u64,
    /// Peak resident memory of the process that used most, in KiB.
    pub peak_kib: u64,
}

impl Usage {
    /// CPU time of all parts.
    pub fn cpu_ms(&self) -> u64 {
        self.parts.iter().map(|part| part.cpu_ms).sum()
    }

    /// CPU time per message, in microseconds; `None` without messages.
    pub fn cpu_us_a_message(&self) -> Option<f64> {
        let messages = self.messages as f64;
        (self.messages > 0).then(|| self.cpu_ms() as f64 * 1e3 / messages)
    }

    /// The average number of cores that `cpu_ms` of CPU time kept busy: at most all, although counters tick late.
    pub fn cores_of(&self, cpu_ms: u64) -> f64 {
        let cores = cpu_ms as f64 / self.lasted_ms.max(1) as f64;
        cores.min(self.cores as f64)
    }

    /// Whether the phase was long enough to tell how busy the machine was: processes are measured once a second.
    pub const fn tells_of_cores(&self) -> bool {
        self.lasted_ms >= 1_000
    }

    /// The average number of busy cores of the whole machine, and of those that processes other than this run's kept busy;
    /// `None` if the system does not tell. A child process of a part whose id is unknown does not count as this run's.
    pub fn busy_cores(&self) -> Option<(f64, f64)> {
        let busy = self.machine_busy_ms?;
        let others = busy.saturating_sub(self.cpu_ms());
        Some((self.cores_of(busy), self.cores_of(others)))
    }

    /// The part `name`.
    pub fn part(&self, name: &str) -> Option<&PartUsage> {
        self.parts.iter().find(|part| part.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_told_by_the_message_and_by_the_core() {
        let part = |name: &str, cpu_ms| PartUsage {
            name: name.to_owned(),
            processes: 1,
            cpu_ms,
            busiest_cpu_ms: cpu_ms,
            peak_kib: 1,
        };
        let mut usage = Usage {
            phase: "load".to_owned(),
            lasted_ms: 2_000,
            messages: 10_000,
            cores: 2,
            machine_busy_ms: None,
            parts: vec![part("storage", 1_000), part("consumers", 2_000)],
        };
        assert_eq!(usage.cpu_us_a_message(), Some(300.0));
        assert!((usage.cores_of(usage.cpu_ms()) - 1.5).abs() < 1e-9);
        assert_eq!(usage.part("storage").map(|it| it.cpu_ms), Some(1_000));
        assert_eq!(usage.busy_cores(), None);
        usage.machine_busy_ms = Some(3_800);
        let (all, others) = usage.busy_cores().unwrap();
        assert!((all - 1.9).abs() < 1e-9 && (others - 0.4).abs() < 1e-9);
        assert!(usage.tells_of_cores());
        // No machine is busier than whole.
        assert!((usage.cores_of(5_000) - 2.0).abs() < 1e-9);
        (usage.messages, usage.lasted_ms) = (0, 0);
        assert!(!usage.tells_of_cores());
        assert_eq!(usage.cpu_us_a_message(), None);
        assert!(usage.cores_of(5).is_finite());
    }
}
