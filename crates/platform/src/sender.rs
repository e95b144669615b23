//! The producer of a stage, and the events that it writes.

use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;

use wire::PRODUCER;
use workflow::exit::Exit;

use super::End;

/// What the producer writes to its standard output, a line each: [`producer::Event`] as JSON. The stream ends when the producer
/// has ended.
pub type Lines = BoxStream<'static, std::io::Result<String>>;

/// A producer at work. Dropping it ends it.
#[async_trait]
pub trait Sender: Send + Sync {
    /// Its output. `None` on a second call.
    fn lines(&mut self) -> Option<Lines>;

    /// Whether it has ended.
    fn has_ended(&mut self) -> anyhow::Result<bool>;

    /// Asks it to finish the sends in flight, to write its summary and to end.
    async fn interrupt(&mut self) -> anyhow::Result<()>;

    /// Waits until it has ended, for at most `deadline`.
    async fn wait(&mut self, deadline: Duration) -> anyhow::Result<End>;

    /// Ends it at once; `expected` says whether the run intends this.
    async fn kill(&mut self, expected: bool) -> anyhow::Result<End>;

    /// The last lines of its log, each cut to a readable length.
    fn last_lines(&self) -> String;
}

/// The name of generator `index`, counted from 0, of `generators`.
pub fn generator_name(index: u32, generators: u32) -> String {
    match generators {
        0 | 1 => PRODUCER.to_owned(),
        _ => format!("{PRODUCER}-{}", index + 1),
    }
}

/// The command line arguments of generator `index`, counted from 0, of `generators`.
pub(super) fn arguments_of(arguments: &[String], index: u32, generators: u32) -> Vec<String> {
    let slice = (generators > 1).then(|| format!("--slice={index}/{generators}"));
    arguments.iter().cloned().chain(slice).collect()
}

/// Whether a producer with this end did what it was asked to. Failed sends are not its fault: the summary counts them.
pub(super) fn is_orderly(end: End) -> bool {
    [Exit::Success, Exit::Partial]
        .iter()
        .any(|exit| end.code() == Some(i32::from(exit.code())))
}
