//! A request in progress, as the operations of both services see it.

use crate::{auth::Grant, clock::Moment, http::request::Target, state::directory::Directory};

/// A request in progress: the data for an operation.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) directory: &'a Directory,
    /// The name of the account.
    pub(crate) account: &'a str,
    pub(crate) target: &'a Target<'a>,
    pub(crate) grant: Grant,
    pub(crate) now: Moment,
    pub(crate) request_id: &'a str,
}

/// Drops a value that may be large on a separate thread, so that no request waits for it.
#[expect(
    clippy::disallowed_methods,
    reason = "it frees memory and nothing else: nobody need wait for it, and the process may end before it"
)]
pub(crate) fn drop_later<T: Send + 'static>(large: T) {
    let spawned = std::thread::Builder::new()
        .name("engine-drop".into())
        .spawn(move || drop(large));
    if let Err(error) = spawned {
        // Without a thread, the value is dropped here.
        tracing::debug!(%error, "no thread to drop removed data");
    }
}
