//! A producer as a child process.

use std::time::Duration;

use async_trait::async_trait;
use evidence::events::EventLog;
use futures::{StreamExt as _, stream};
use wire::Lane;
use workflow::contract::Stamp;

use super::process::{Output, Process, exited};
use crate::sender::{Lines, Sender, is_orderly};
use crate::workers::End;

/// The producer as a child process.
pub(super) struct Producer {
    process: Process,
    log: EventLog,
    is_recorded: bool,
    /// Its connection to storage.
    _lane: Lane,
}

impl Producer {
    /// Makes the sender of `process`, which sends through `lane`. Its end is recorded in `log`.
    pub(super) fn new(process: Process, lane: Lane, log: EventLog) -> Self {
        Self {
            process,
            log,
            is_recorded: false,
            _lane: lane,
        }
    }

    fn record(&mut self, end: End, expected: bool) -> anyhow::Result<()> {
        if !std::mem::replace(&mut self.is_recorded, true) {
            let event = exited(&self.process, end, None, expected);
            self.log.append(Stamp::now(), event)?;
        }
        Ok(())
    }
}

#[async_trait]
impl Sender for Producer {
    fn lines(&mut self) -> Option<Lines> {
        let next = async |mut lines: Output| {
            let line = lines.next_line().await?;
            Ok(line.map(|line| (line, lines)))
        };
        Some(stream::try_unfold(self.process.lines()?, next).boxed())
    }

    fn has_ended(&mut self) -> anyhow::Result<bool> {
        Ok(self.process.try_end()?.is_some())
    }

    async fn interrupt(&mut self) -> anyhow::Result<()> {
        // Not SIGINT: processes that a shell starts in the background ignore it, and so do their own children.
        self.process.signal(nix::sys::signal::Signal::SIGTERM)
    }

    async fn wait(&mut self, deadline: Duration) -> anyhow::Result<End> {
        let end = self.process.wait(deadline).await?;
        self.record(end, is_orderly(end))?;
        Ok(end)
    }

    async fn kill(&mut self, expected: bool) -> anyhow::Result<End> {
        let end = self.process.kill().await?;
        self.record(end, expected)?;
        Ok(end)
    }

    fn last_lines(&self) -> String {
        self.process.last_lines()
    }
}
