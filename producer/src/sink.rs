//! Destinations of messages.

use std::future::Future;

use workflow::ports::{StorageError, WorkQueue};

/// A destination of messages: every queue, and [`NullSink`].
pub trait Sink: Clone + Send + Sync + 'static {
    /// The queue's name; `None` if there is no queue.
    fn queue(&self) -> Option<&str>;

    /// Tries once to put `body`, and returns how the try ended.
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

/// Takes everything and keeps nothing, to measure the generator itself.
#[derive(Debug, Clone, Copy)]
pub struct NullSink;

impl Sink for NullSink {
    fn queue(&self) -> Option<&str> {
        None
    }

    async fn put(&self, body: &str) -> Result<(), StorageError> {
        // Without this, the optimiser could skip making the body, which is part of the measurement.
        std::hint::black_box(body);
        Ok(())
    }
}
