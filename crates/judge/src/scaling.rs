//! Judges how many consumers ran, and when, where an autoscaler decides their number.
//!
//! The model of the autoscaler is not here: callers hand in what it allows, in words or as times.

use std::fmt::Display;
use std::time::Duration;

use contract::Stamp;
use evidence::audit::StorageTime;
use evidence::outcome::{NotPassed, Outcome};
use evidence::pace::Pace;

use crate::{Census, Kept, Part, fail_unless};

/// Pods that were removed at once may be reported as ended this far apart. The HPA decides every 15 s, so two of its decisions are
/// never counted as one.
const AT_ONCE: Duration = Duration::from_secs(5);

/// How long consumers may take to start or to end after a decision: the time that a cluster with room for the pods takes. Never
/// less than [`PROCESS`].
const FLEET: Duration = Duration::from_secs(45);

/// How long a process may take to start or to end, whatever the pace.
const PROCESS: Duration = Duration::from_secs(1);

impl Census {
    /// Fails unless there were consumers, and never more than `count`.
    pub fn never_more_than(&self, count: usize) -> Kept {
        let most = self.some()?;
        fail_unless(most <= count, || format!("there were {most}"))
    }

    /// Fails unless there were consumers, whose number turned at most this often between rising and falling.
    pub fn turned_at_most(&self, most: usize) -> Kept {
        self.some()?;
        let (turns, counts) = (self.turns(), self.counts());
        fail_unless(turns <= most, || {
            format!("it turned {turns} times: {counts:?}")
        })
    }

    /// Fails unless the most consumers that were taken away at once are `count`, in a run at `pace`.
    pub fn took_away_at_once(&self, count: usize, pace: Pace) -> Kept {
        let cut = self.deepest_cut(pace.time(AT_ONCE));
        fail_unless(cut == count, || {
            format!("the most that went at once is {cut}")
        })
    }

    /// Fails unless the running consumers followed the wanted number: as many ran as were `wanted` at most, and the two numbers
    /// never differed for long. `latest`: the longest delay of a tick of the autoscaler's loops.
    ///
    /// The wanted number judges the loops; the running number judges the platform that starts and ends consumers. Inconclusive if the
    /// platform had no room for all of them.
    pub fn followed(&self, wanted: u32, pace: Pace, latest: Duration) -> Kept {
        let followed = self.ran_as_wanted(wanted, pace, latest);
        followed.map_err(|failed| match self.no_room() {
            Some(why) => NotPassed::inconclusive(format!("{failed}, but {why}")),
            None => failed,
        })
    }

    fn ran_as_wanted(&self, wanted: u32, pace: Pace, latest: Duration) -> Kept {
        let ran = self.most();
        fail_unless(usize::try_from(wanted) == Ok(ran), || {
            format!("{wanted} consumers were wanted at most, and {ran} ran")
        })?;
        let (apart, patience) = (
            self.longest_apart(),
            pace.time(FLEET).max(PROCESS).saturating_add(latest),
        );
        fail_unless(apart <= patience, || {
            format!("for {apart:.1?} not as many consumers ran as were wanted")
        })
    }

    /// The most consumers that ran; fails if none ever did.
    fn some(&self) -> Result<usize, NotPassed> {
        let most = self.most();
        fail_unless(most > 0, || "there was never a consumer at all".to_owned())?;
        Ok(most)
    }
}

/// Inconclusive if the record of the autoscaler proves nothing; `untold` says why.
fn told(untold: Option<String>) -> Kept {
    untold.map_or(Ok(()), |why| Err(NotPassed::inconclusive(why)))
}

/// Fails with the first of `excursions`, the times in which the wanted numbers were not those that the model allows.
pub fn within_model(excursions: &[impl Display]) -> Kept {
    let first = excursions.first();
    first.map_or(Ok(()), |first| Err(NotPassed::fail(first.to_string())))
}

/// The judgement of the consumers of one queue, which is named if there are several; `None` if the model allows their numbers.
/// `untold`: why the record of the autoscaler proves nothing.
pub fn part_of(
    excursions: &[impl Display],
    untold: Option<String>,
    queue: Option<&str>,
) -> Option<Part> {
    let whose = queue.map_or_else(String::new, |queue| format!(" for {queue}"));
    if let Some(why) = untold {
        let reason = format!("nothing can be said of the number of consumers{whose}: {why}");
        return Some(Part::new(Outcome::Inconclusive, reason));
    }
    let first = excursions.first()?;
    let reason = format!(
        "the number of consumers{whose} was not one that the model of KEDA and the HPA allows: {first}"
    );
    Some(Part::new(Outcome::Fail, reason))
}

/// How the loops of the autoscaler ran that scaled the consumers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loops {
    /// Why the real autoscaler was not available, if it ever was not.
    pub away: Option<String>,
    /// The longest delay of a tick.
    pub latest: Duration,
    /// The time from one tick of the HPA to the next, at the pace of the run.
    pub sync_period: Duration,
}

impl Loops {
    /// Why nothing can be said of the number of consumers, if so: the autoscaler was not available, or a tick was later than one
    /// sync period. The range that the model allows is widened by the longest delay of a tick. From a whole sync period on, it holds
    /// the numbers of two turns of the HPA at every moment, and also those of a scaler that leaves out every second turn.
    ///
    /// The rule is the same for scenarios and loads: a sync period is 15 s at a cluster's times, and 1 s at the pace at which
    /// scenarios about scaling run on this machine.
    pub fn untold(&self) -> Option<String> {
        self.untold_beyond(self.sync_period)
    }

    /// Inconclusive if nothing can be said of the number of consumers.
    pub fn told(&self) -> Kept {
        told(self.untold())
    }

    /// As [`Loops::untold`], if a tick may be as late as `slack`.
    fn untold_beyond(&self, slack: Duration) -> Option<String> {
        if let Some(why) = &self.away {
            return Some(format!("KEDA did not answer the HPA: {why}"));
        }
        let latest = self.latest;
        (latest > slack).then(|| {
            format!("the machine was busy with something else, or storage did not answer: the loops ticked up to {latest:.1?} late")
        })
    }
}

/// The consumers of a run at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consumers {
    /// Whether there ever was a consumer.
    pub came: bool,
    /// How many are wanted.
    pub wanted: u32,
    /// How many run.
    pub running: usize,
    /// How many of the running consumers have begun to receive, as far as the wire shows it.
    pub at_work: usize,
    /// How many were told to end, and have not ended.
    pub leaving: usize,
}

impl Consumers {
    /// Whether there are `count` consumers: so many are wanted and run, and all of them are at work.
    pub fn are(self, count: u32) -> bool {
        let all = usize::try_from(count).unwrap_or(usize::MAX);
        self.wanted == count && self.running == all && self.at_work == all
    }

    /// Whether there were consumers, and the last one has gone.
    pub const fn have_gone(self) -> bool {
        self.came && self.wanted == 0 && self.running == 0 && self.leaving == 0
    }

    /// The judgement of consumers whose number was not reached `after` that time: a broken promise, unless the loops, the platform
    /// or `storage` delayed them. `no_room`: why the platform had no room for all of them.
    pub fn late(
        self,
        after: Duration,
        loops: &Loops,
        no_room: Option<&str>,
        storage: StorageTime,
    ) -> Kept {
        loops.told()?;
        let Self {
            wanted,
            running,
            at_work,
            leaving,
            ..
        } = self;
        let late = format!(
            "after {after:?} {wanted} consumers are wanted, {running} run, {at_work} of them have asked for messages, and {leaving} \
             are about to end"
        );
        told(no_room.map(|why| format!("{late}, but {why}")))?;
        crate::late(late, storage)
    }
}

/// What was seen in a time in which no consumer should come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standstill {
    /// The most consumers that ran until its end.
    pub ran: usize,
    /// The most consumers that were wanted until its end.
    pub wanted: u32,
    /// How often the autoscaler has looked at the queue in this time.
    pub polls: usize,
    /// How many messages the queue holds at its end.
    pub left: u64,
}

impl Standstill {
    /// Fails if a consumer came or was wanted, or if the queue does not hold `messages`. Inconclusive if nobody has looked at the
    /// queue.
    pub fn keeps(self, messages: u64) -> Kept {
        let Self {
            ran,
            wanted,
            polls,
            left,
        } = self;
        fail_unless(ran == 0, || format!("{ran} came"))?;
        fail_unless(wanted == 0, || format!("{wanted} were wanted"))?;
        let unseen = "nobody has looked at the queue in that time";
        told((polls == 0).then(|| unseen.to_owned()))?;
        fail_unless(left == messages, || format!("it holds {left}"))
    }
}

/// The way of a run's consumers to their first messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScaleOut {
    /// When scaling began.
    pub since: Stamp,
    /// When each consumer first received a message, in any order.
    pub first_deliveries: Vec<Stamp>,
    /// The time from `since` after which the model has as many consumers as are judged.
    pub possible: Duration,
}

impl ScaleOut {
    /// Fails unless `count` consumers had work at most `later` after the model has them. Inconclusive if the loops took more than
    /// half of `later` for one tick.
    pub fn in_time(mut self, count: u32, later: Duration, loops: &Loops) -> Kept {
        self.first_deliveries.sort_unstable();
        let last = usize::try_from(count).unwrap_or(usize::MAX);
        let Some(at_work) = self.first_deliveries.get(last.saturating_sub(1)) else {
            let ever = self.first_deliveries.len();
            return Err(NotPassed::fail(format!(
                "only {ever} consumers ever had work"
            )));
        };
        let taken = at_work.micros_since(self.since);
        let taken = Duration::from_micros(u64::try_from(taken).unwrap_or(0));
        let possible = self.possible;
        if taken <= possible.saturating_add(later) {
            return Ok(());
        }
        told(loops.untold_beyond(later / 2))?;
        Err(NotPassed::fail(format!(
            "they had work {taken:.2?} after scaling began, where the model has them after {possible:.2?}"
        )))
    }
}

#[cfg(test)]
mod tests;
