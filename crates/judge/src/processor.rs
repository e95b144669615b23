//! Judges whether a machine had processor time to spare, and who took it.

use evidence::Usage;

/// A machine whose processors were busy for this share of a phase had no time to spare, in percent: the rest is lost in waiting.
const FULL: u64 = 90;

/// The share of a full machine that processes other than the run's must take to be named, in percent.
const MUCH: u64 = 25;

/// The share of the machine's processor time that was `busy_ms` of the phase, in percent, rounded down; `None` if it took no time.
fn percent(usage: &Usage, busy_ms: u64) -> Option<u64> {
    let all = usage.lasted_ms.saturating_mul(usage.cores);
    busy_ms.saturating_mul(100).checked_div(all)
}

/// The share of the machine's processor time that was taken in the phase by all of its processes, in percent, if that left no time
/// to spare; `None` also if the system does not tell.
pub(crate) fn full(usage: &Usage) -> Option<u64> {
    percent(usage, usage.machine_busy_ms?).filter(|percent| *percent >= FULL)
}

/// Whether `busy_ms` of processor time left none to spare.
pub(crate) fn is_full(usage: &Usage, busy_ms: u64) -> bool {
    percent(usage, busy_ms).is_some_and(|percent| percent >= FULL)
}

/// Processor time that others took from a run, in cores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crowded {
    /// The cores of the machine.
    pub cores: u64,
    /// Those that were busy, on average.
    pub busy: f64,
    /// Those that were busy with what is not known to be of this run.
    pub others: f64,
}

/// The judgement of a phase of the load: `Some` if the machine had no time to spare, and others took much of it. It excuses no limit:
/// some of those programs may have been started by the worker, and it is unknown whether the latency would have kept its limit on a
/// free machine.
pub fn crowded(usage: &Usage) -> Option<Crowded> {
    full(usage)?;
    let others_ms = usage.machine_busy_ms?.saturating_sub(usage.cpu_ms());
    let (busy, others) = usage.busy_cores()?;
    (percent(usage, others_ms)? >= MUCH).then_some(Crowded {
        cores: usage.cores,
        busy,
        others,
    })
}

#[cfg(test)]
mod tests {
    use evidence::PartUsage;

    use super::*;

    /// Ten seconds on two cores.
    fn usage(machine_busy_ms: Option<u64>, own_ms: u64) -> Usage {
        let part = PartUsage {
            name: "consumers".to_owned(),
            processes: 2,
            cpu_ms: own_ms,
            busiest_cpu_ms: own_ms,
            peak_kib: 1,
        };
        Usage {
            phase: "load".to_owned(),
            lasted_ms: 10_000,
            messages: 100,
            cores: 2,
            machine_busy_ms,
            parts: vec![part],
        }
    }

    #[test]
    fn a_machine_is_full_from_nine_tenths_on_and_its_time_must_be_known() {
        assert_eq!(full(&usage(Some(18_000), 0)), Some(90));
        assert_eq!(full(&usage(Some(17_999), 0)), None);
        assert_eq!(full(&usage(None, 20_000)), None);
        assert!(is_full(&usage(None, 0), 18_000));
        assert!(!is_full(&usage(None, 0), 17_999));
        let no_time = Usage {
            lasted_ms: 0,
            ..usage(Some(1), 0)
        };
        assert_eq!(full(&no_time), None);
    }

    #[test]
    fn a_run_was_crowded_if_others_took_a_quarter_of_a_full_machine() {
        let found = crowded(&usage(Some(19_000), 4_000)).unwrap();
        let expected = Crowded {
            cores: 2,
            busy: 1.9,
            others: 1.5,
        };
        assert_eq!(found, expected);
        assert!(crowded(&usage(Some(18_000), 13_000)).is_some());
        for (busy, own) in [
            (Some(18_000), 13_001),
            // A consumer that uses the whole machine itself.
            (Some(19_000), 18_000),
            (Some(14_100), 8_000),
            (None, 4_000),
        ] {
            assert_eq!(crowded(&usage(busy, own)), None, "{busy:?} {own}");
        }
    }
}
