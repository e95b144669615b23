//! The producer as a task, with the output of a producer process.

use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use futures::{StreamExt as _, stream};
use platform::settings::parse;
use platform::{End, Lines, Sender};
use producer::{Event, Started};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use workflow::contract::Stamp;
use workflow::memory::MemoryQueue;
use workflow::task;

/// A running producer.
pub(crate) struct Task {
    lines: Option<mpsc::Receiver<String>>,
    stop: CancellationToken,
    work: AbortOnDropHandle<anyhow::Result<()>>,
}

impl Task {
    pub(crate) fn start(arguments: &[String], queue: MemoryQueue) -> anyhow::Result<Self> {
        let args: producer::Args = parse("producer", arguments, &[])?;
        let plan = args.plan();
        let (say, lines) = mpsc::channel(2);
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let work = task::spawn(async move {
            let started = Event::Started(Started {
                run: plan.run.clone(),
                seed: plan.payloads.seed,
                shape: plan.shape.to_string(),
                payload: plan.payloads.size,
                queue: Some("work".to_owned()),
                planned: plan.messages,
                duplicate_rate: plan.duplicate_rate,
                at: Stamp::now(),
            });
            say.send(serde_json::to_string(&started)?).await.ok();
            let ended = producer::run_on_timer(plan, queue, stopped).await?;
            let summary = Event::Summary(Box::new(ended.summary));
            say.send(serde_json::to_string(&summary)?).await.ok();
            Ok(())
        });
        Ok(Self {
            lines: Some(lines),
            stop,
            work,
        })
    }
}

#[async_trait]
impl Sender for Task {
    fn lines(&mut self) -> Option<Lines> {
        let lines = self.lines.take()?;
        let next = async |mut lines: mpsc::Receiver<String>| {
            let line = lines.recv().await?;
            Some((Ok(line), lines))
        };
        Some(stream::unfold(lines, next).boxed())
    }

    fn has_ended(&mut self) -> anyhow::Result<bool> {
        Ok(self.work.is_finished())
    }

    async fn interrupt(&mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        Ok(())
    }

    async fn wait(&mut self, deadline: Duration) -> anyhow::Result<End> {
        let ended = tokio::time::timeout(deadline, &mut self.work);
        ended.await.context("wait for the producer")???;
        Ok(End::Exited(0))
    }

    async fn kill(&mut self, _: bool) -> anyhow::Result<End> {
        self.work.abort();
        Ok(End::Signalled(9))
    }

    fn last_lines(&self) -> String {
        String::new()
    }
}
