//! Where messages go.

use std::future::Future;

use workflow::ports::{StorageError, WorkQueue};

/// Takes messages. Every queue does; so does [`NullSink`].
pub trait Sink: Clone + Send + Sync + 'static {
    /// The queue's name; `None` if there is no queue.
    fn queue(&self) -> Option<&str>;

    /// One try to put `body`, which tells truthfully how it ended.
    fn put(&self, body: &str) -> impl Future<Output = Result<(), StorageError>> + Send;
}

impl<Q: WorkQueue> Sink for Q {
    fn queue(&self) -> Option<&str> {
        Some(self.name())
    }

    fn put(&self, body: &str) -> impl Future<Output = Result<(), StorageError>> + Send {
        self.send(body)
    }
}

/// Takes everything and keeps nothing: measures the generator itself.
#[derive(Debug, Clone, Copy)]
pub struct NullSink;

impl Sink for NullSink {
    fn queue(&self) -> Option<&str> {
        None
    }

    async fn put(&self, body: &str) -> Result<(), StorageError> {
        // The body must have been made; without this the optimiser could skip the work that is measured.
        std::hint::black_box(body);
        Ok(())
    }
}
