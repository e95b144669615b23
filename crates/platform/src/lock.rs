//! Locks that a panic does not spoil: whoever panicked is told of elsewhere (`panics`).

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits for `mutex`, also where a holder of it has panicked.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
