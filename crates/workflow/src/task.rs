//! Tasks that end with their owner: the only way to spawn a task outside of a `JoinSet` or `TaskTracker`.

use tokio_util::task::AbortOnDropHandle;

/// Spawns `work` as a task that ends when the handle is dropped. Awaiting the handle returns the task's result, or its panic as
/// an error.
#[expect(
    clippy::disallowed_methods,
    reason = "the handle that is returned owns the task"
)]
pub fn spawn<F>(work: F) -> AbortOnDropHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    AbortOnDropHandle::new(tokio::spawn(work))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_task_ends_with_its_handle() {
        let held = Arc::new(());
        let (weak, kept) = (Arc::downgrade(&held), held);
        let task = spawn(async move {
            std::future::pending::<()>().await;
            drop(kept);
        });
        assert!(weak.upgrade().is_some());
        drop(task);
        while weak.upgrade().is_some() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_panic_is_an_error_of_the_handle() {
        let task = spawn(async { panic!("on purpose, in a test") });
        assert!(task.await.is_err_and(|error| error.is_panic()));
    }
}
