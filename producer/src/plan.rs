//! The plan of a run, checked before anything is sent.

use std::time::Duration;

use workflow::backoff::Backoff;
use workflow::contract::workload::Lens;
use workflow::contract::{Message, MessageId, Payloads, RunId, Seq, Stamp};

use crate::duplicates::Duplicates;
use crate::schedule::{Schedule, ScheduleError};
use crate::shape::Shape;
use crate::slice::Slice;

/// One load to send.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The run that the messages belong to.
    pub run: RunId,
    /// The form of the messages; `None` for that of the project's own workload.
    pub form: Option<Lens>,
    /// Their payloads, and the seed of everything random.
    pub payloads: Payloads,
    /// How the messages arrive over time.
    pub shape: Shape,
    /// The slice of them to send.
    pub slice: Slice,
    /// The most messages to send; `None` for no limit.
    pub messages: Option<u64>,
    /// The longest duration of the schedule; `None` for no limit.
    pub duration: Option<Duration>,
    /// The fraction that is sent twice, from 0 to 1.
    pub duplicate_rate: f64,
    /// Most messages in flight; from 1.
    pub concurrency: usize,
    /// How one message is sent.
    pub persistence: Persistence,
    /// How long sends in flight may take after a stop.
    pub grace: Duration,
}

/// How hard to try to send one message.
#[derive(Debug, Clone, Copy)]
pub struct Persistence {
    /// Most tries; from 1.
    pub tries: u32,
    /// No try begins later than this after the first, and none waits longer than this for its answer.
    pub timeout: Duration,
    /// Waits between tries.
    pub backoff: Backoff,
}

/// A plan's pace.
#[derive(Debug)]
pub(crate) enum Pace {
    /// Open loop.
    Scheduled(Schedule, Slice),
    /// The sample's loop; see [`crate::closed_loop`].
    Sample {
        messages: Option<u64>,
        duration: Option<Duration>,
    },
}

impl Plan {
    /// Checks that the plan can be carried out; reads the trace, if the shape is one.
    pub fn check(&self) -> Result<(), ScheduleError> {
        self.pace().map(drop)
    }

    /// The pace; reads the trace, if the shape is one.
    pub(crate) fn pace(&self) -> Result<Pace, ScheduleError> {
        if self.shape == Shape::Sample {
            if !self.slice.is_whole() {
                return Err(ScheduleError::ClosedLoopInSlices);
            }
            return Ok(Pace::Sample {
                messages: self.messages,
                duration: self.duration,
            });
        }
        let schedule = Schedule::new(
            &self.shape,
            self.payloads.seed,
            self.messages,
            self.duration,
        )?;
        if schedule.planned().map(|all| self.slice.within(all)) == Some(0) {
            return Err(ScheduleError::Nothing);
        }
        Ok(Pace::Scheduled(schedule, self.slice))
    }

    /// The messages that are sent twice.
    pub fn duplicates(&self) -> Duplicates {
        Duplicates::new(self.payloads.seed, self.duplicate_rate)
            .expect("a plan's duplicate rate must be from 0 to 1")
    }

    /// The body of message `seq`.
    pub(crate) fn body(&self, seq: Seq, intended: Stamp, sent: Stamp) -> String {
        if let Some(form) = &self.form {
            return form.message(self.payloads, seq, intended, sent);
        }
        let id = MessageId::new(self.run.clone(), seq);
        Message::new(id, self.payloads.payload(seq), intended, sent).encode()
    }
}

impl Pace {
    /// The number of messages, if it is known.
    pub(crate) fn planned(&self) -> Option<u64> {
        match self {
            Self::Scheduled(schedule, slice) => schedule.planned().map(|all| slice.within(all)),
            Self::Sample { messages, duration } => {
                // One message each second, from 1 s on, before the end.
                let within = duration.map(|d| {
                    u64::try_from(d.as_nanos().div_ceil(1_000_000_000) - 1).unwrap_or(u64::MAX)
                });
                [*messages, within].into_iter().flatten().min()
            }
        }
    }
}

/// A unique run id: the time, and four random characters in case several runs start in the same second.
pub fn new_run_id() -> RunId {
    let stamp = Stamp::now().to_string();
    let digits: String = stamp[..19].chars().filter(char::is_ascii_digit).collect();
    let (date, time) = digits.split_at(8);
    let random: String = (0..4)
        .map(|_| {
            char::from(b"abcdefghijkmnpqrstuvwxyz23456789"[usize::from(rand::random::<u8>() & 31)])
        })
        .collect();
    format!("{date}-{time}-{random}")
        .parse()
        .expect("digits, letters and hyphens must make a run id")
}

#[cfg(test)]
pub(crate) mod tests {
    use workflow::contract::PayloadSize;

    use super::*;

    /// A plan for tests: patient, without duplicates.
    pub(crate) fn plan(shape: &str, messages: Option<u64>) -> Plan {
        Plan {
            form: None,
            run: "test".parse().unwrap(),
            payloads: Payloads {
                seed: 7,
                size: PayloadSize::Sample,
            },
            shape: shape.parse().unwrap(),
            slice: Slice::WHOLE,
            messages,
            duration: None,
            duplicate_rate: 0.0,
            concurrency: 16,
            persistence: Persistence {
                tries: 20,
                timeout: Duration::from_secs(60),
                backoff: Backoff::STORAGE,
            },
            grace: Duration::from_secs(10),
        }
    }

    #[test]
    fn generated_run_ids_differ() {
        let ids: std::collections::BTreeSet<_> = (0..20).map(|_| new_run_id()).collect();
        assert!(ids.len() > 15, "{ids:?}");
        assert_eq!(
            ids.first().unwrap().as_str().len(),
            "20261123-131415-abcd".len()
        );
    }

    #[test]
    fn the_samples_pace_plans_one_message_a_second() {
        let planned = |messages, seconds: Option<f64>| {
            let duration = seconds.map(Duration::from_secs_f64);
            Pace::Sample { messages, duration }.planned()
        };
        assert_eq!(planned(None, None), None);
        assert_eq!(planned(Some(3), None), Some(3));
        assert_eq!(planned(Some(9), Some(3.0)), Some(2));
        assert_eq!(planned(None, Some(3.5)), Some(3));
    }
}
