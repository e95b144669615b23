//! Runs whose autoscaler decides how many consumers there are: waits for their number, and has it judged.

use std::time::Duration;

use anyhow::Context as _;
use autoscaler::Settings;
use judge::scaling::{self, LATE, ScaleOut, Standstill};
use platform::Roster;
use platform::autoscale::ScalingRecord;

use super::Run;
use crate::events::Event;
use crate::pace::Pace;

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
    /// The consumers in `roster`; `most`: the most that the autoscaler has wanted.
    fn of(roster: &Roster, most: u32) -> Self {
        Self {
            // A consumer that started has left a trace in the roster.
            came: most > 0 || !roster.workers.is_empty() || !roster.departed.is_empty(),
            wanted: roster.wanted,
            running: roster.running().count(),
            at_work: roster.at_work().count(),
            leaving: roster.ending().count(),
        }
    }
}

impl Run {
    /// What the autoscaler saw and decided so far, in a run with one queue.
    pub fn recording(&self) -> anyhow::Result<ScalingRecord> {
        let recording = self.scaling().into_iter().next();
        recording.context("nothing scales the consumers: the scenario gives their number")
    }

    /// Waits until `holds` is true of the consumers, for at most `deadline`. If it is not, the consumers are late, unless storage or
    /// the loops of the autoscaler were, or unless the platform had no room for them.
    pub async fn until_consumers(
        &self,
        deadline: Duration,
        holds: impl Fn(Consumers) -> bool,
    ) -> anyhow::Result<()> {
        let most = self.recording()?.most();
        let now = |roster: &Roster| Consumers::of(roster, most);
        let waited = self.until_workers(deadline, |roster| holds(now(roster)).then_some(()));
        if waited.await.is_ok() {
            return Ok(());
        }
        let Consumers {
            wanted,
            running,
            at_work,
            leaving,
            ..
        } = now(&self.roster());
        let storage = self.storage_time();
        scaling::told(self.recording()?.untold(LATE))?;
        let late = format!(
            "after {deadline:?} {wanted} consumers are wanted, {running} run, {at_work} of them have asked for messages, and {leaving} \
             are about to end"
        );
        let no_room = self.census().no_room();
        scaling::told(no_room.map(|why| format!("{late}, but {why}")))?;
        Ok(judge::late(late, storage)?)
    }

    /// Judges whether the numbers of consumers, wanted and running, were those that the model of the autoscaler allows under
    /// `settings`, and records what it allows.
    pub fn judge_scaling(&self, settings: &Settings, pace: Pace) -> anyhow::Result<()> {
        let recording = self.recording()?;
        scaling::told(recording.untold(LATE))?;
        let (allowed, excursions) = recording.allowed(settings, recording.age());
        let census = self.census();
        census.followed(recording.most(), pace, recording.latest())?;
        self.record(Event::Allowed(Box::new(allowed)))?;
        Ok(scaling::within_model(&excursions)?)
    }

    /// Judges whether `count` consumers had work at most `later` after the moment at which the model has them under `settings`.
    pub fn judge_scale_out(
        &self,
        settings: &Settings,
        count: u32,
        later: Duration,
    ) -> anyhow::Result<()> {
        let recording = self.recording()?;
        let possible = recording.possible(settings, count);
        let scale_out = ScaleOut {
            since: recording.since(),
            possible: possible.with_context(|| format!("the model never has {count} consumers"))?,
            first_deliveries: self.first_deliveries()?,
        };
        Ok(scale_out.in_time(count, later, |slack| recording.untold(slack))?)
    }

    /// Lets `time` pass, and returns the messages that the queue holds then. Fails if a consumer has come until then.
    pub async fn stand_still(&self, time: Duration) -> anyhow::Result<u64> {
        let polls = self.recording()?.polls();
        self.let_pass(time).await;
        let recording = self.recording()?;
        let seen = Standstill {
            ran: self.census().most(),
            wanted: recording.most(),
            polls: recording.polls().saturating_sub(polls),
        };
        seen.nobody_came()?;
        Ok(self.depth().await?)
    }
}
