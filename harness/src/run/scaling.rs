//! Runs whose autoscaler decides how many consumers there are: waits for their number, and has it judged.

use std::time::Duration;

use anyhow::Context as _;
use autoscaler::Settings;
use judge::scaling::{self, Consumers, Loops, ScaleOut, Standstill};
use platform::Roster;
use platform::autoscale::ScalingRecord;

use super::Run;
use crate::events::Event;
use crate::pace::Pace;

/// The consumers in `roster`; `most`: the most that the autoscaler has wanted.
fn consumers(roster: &Roster, most: u32) -> Consumers {
    Consumers {
        // A consumer that started has left a trace in the roster.
        came: most > 0 || !roster.workers.is_empty() || !roster.departed.is_empty(),
        wanted: roster.wanted,
        running: roster.running().count(),
        at_work: roster.at_work().count(),
        leaving: roster.ending().count(),
    }
}

/// The loops that made `recording` under `settings`.
pub fn loops(recording: &ScalingRecord, settings: &Settings) -> Loops {
    Loops {
        away: recording.away().map(str::to_owned),
        latest: recording.latest(),
        sync_period: settings.controller.sync_period,
    }
}

impl Run {
    /// What the autoscaler saw and decided so far, in a run with one queue.
    pub fn recording(&self) -> anyhow::Result<ScalingRecord> {
        let recording = self.scaling().into_iter().next();
        recording.context("nothing scales the consumers: the scenario gives their number")
    }

    /// Waits until `holds` is true of the consumers, which `settings` scale, for at most `deadline`. Whether they are late if it is not,
    /// or storage, the loops or the platform, is judged.
    pub async fn until_consumers(
        &self,
        settings: &Settings,
        deadline: Duration,
        holds: impl Fn(Consumers) -> bool,
    ) -> anyhow::Result<()> {
        let most = self.recording()?.most();
        let now = |roster: &Roster| consumers(roster, most);
        let waited = self.until_workers(deadline, |roster| holds(now(roster)).then_some(()));
        if waited.await.is_ok() {
            return Ok(());
        }
        let (now, loops) = (now(&self.roster()), loops(&self.recording()?, settings));
        let no_room = self.census().no_room();
        Ok(now.late(deadline, &loops, no_room.as_deref(), self.storage_time())?)
    }

    /// Judges whether the numbers of consumers, wanted and running, were those that the model of the autoscaler allows under
    /// `settings`, and records what it allows.
    pub fn judge_scaling(&self, settings: &Settings, pace: Pace) -> anyhow::Result<()> {
        let recording = self.recording()?;
        loops(&recording, settings).told()?;
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
        Ok(scale_out.in_time(count, later, &loops(&recording, settings))?)
    }

    /// Lets `time` pass, and judges whether no consumer has come until then, and the queue keeps its `messages`.
    pub async fn judge_standstill(&self, time: Duration, messages: u64) -> anyhow::Result<()> {
        let polls = self.recording()?.polls();
        self.let_pass(time).await;
        let recording = self.recording()?;
        let seen = Standstill {
            ran: self.census().most(),
            wanted: recording.most(),
            polls: recording.polls().saturating_sub(polls),
            left: self.depth().await?,
        };
        Ok(seen.keeps(messages)?)
    }
}
