//! The plan of a run: decided before anything starts, so that the command that repeats the run can be printed first.

use std::time::Duration;

use producer::Shape;
use producer::schedule::Schedule;
use workflow::contract::PayloadSize;

use platform::Identity;

/// How long a load of a scenario may take to send, beyond its own schedule.
const SENDING: Duration = Duration::from_secs(60);

/// The load of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// Messages to send.
    pub messages: u64,
    /// How they arrive over time.
    pub shape: Shape,
    /// How large they are.
    pub payload: PayloadSize,
    /// Fraction of messages sent twice on purpose, 0 to 1.
    pub duplicate_rate: f64,
    /// How many generators send the load, each one slice; from 1.
    pub generators: u32,
}

impl Load {
    /// The default size of payloads. Unlike the text of the sample, they have characters that faulty consumers alter.
    pub const PAYLOAD: PayloadSize = PayloadSize::Fixed(256);

    /// The number of messages of the load: [`Load::messages`], or the number of arrivals in its trace if that is smaller.
    pub fn planned(&self) -> u64 {
        let arrivals = self.shape.arrivals();
        arrivals.map_or(self.messages, |arrivals| arrivals.min(self.messages))
    }

    /// How long it may take to send in a scenario: its own schedule, and a minute.
    pub fn sending(&self) -> anyhow::Result<Duration> {
        // The time to send does not depend on the seed, except for random arrivals, for which `SENDING` has room.
        let schedule = Schedule::new(&self.shape, 0, Some(self.messages), None)?;
        Ok(SENDING + schedule.last().unwrap_or_default())
    }

    /// The arguments of the producers, without the slice of each.
    pub fn arguments(&self, identity: &Identity) -> Vec<String> {
        let mut arguments = vec![
            format!("--run={}", identity.run),
            format!("--seed={}", identity.seed),
            format!("--messages={}", self.messages),
            format!("--shape={}", self.shape),
            format!("--payload={}", self.payload),
            "--progress=json".to_owned(),
        ];
        if self.duplicate_rate > 0.0 {
            arguments.push(format!("--duplicate-rate={}", self.duplicate_rate));
        }
        arguments
    }
}

/// Time limits of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// From the end of sending until the queue must be empty.
    pub settle: Duration,
    /// From SIGTERM until a consumer must have ended.
    pub drain: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            settle: Duration::from_secs(120),
            drain: Duration::from_secs(40),
        }
    }
}
