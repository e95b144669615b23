//! Storage's response times, as seen on the wire.

use evidence::audit::AnswerTimes;
use evidence::latency::{Percentile, Samples};
use evidence::{Answer, Crossing};

/// The response times so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Answers(Samples);

impl Answers {
    /// Adds the response time of a crossing that no fault has changed.
    pub(super) fn crossing(&mut self, crossing: &Crossing) {
        if crossing.fault.is_none() && matches!(crossing.answer, Answer::Status(..)) {
            self.0.record(crossing.ended.micros_since(crossing.began));
        }
    }

    /// The statistics; `None` without any response.
    pub(super) fn times(&self) -> Option<AnswerTimes> {
        Some(AnswerTimes {
            count: self.0.count(),
            p50_us: self.0.at(Percentile::P50)?,
            p99_us: self.0.at(Percentile::P99)?,
            max_us: self.0.max()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::sample_crossing;
    use contract::Stamp;
    use evidence::Operation;

    #[test]
    fn only_what_storage_has_answered_unbroken_is_timed() {
        let mut answers = Answers::default();
        assert_eq!(answers.times(), None);
        for (micros, answer, fault) in [
            (100, Answer::Status(200, None), None),
            (300, Answer::Status(404, None), None),
            (9_000, Answer::NotAsked, None),
            (9_000, Answer::None("reset".to_owned()), None),
            (
                9_000,
                Answer::Status(200, None),
                Some("500 ms late".to_owned()),
            ),
        ] {
            answers.crossing(&Crossing {
                began: Stamp::from_micros(0),
                ended: Stamp::from_micros(micros),
                answer,
                fault,
                ..sample_crossing(Operation::DeleteMessage)
            });
        }
        let times = answers.times().unwrap();
        assert_eq!((times.count, times.p50_us, times.max_us), (2, 100, 300));
    }
}
