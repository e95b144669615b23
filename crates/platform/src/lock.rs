//! Locks that stay usable after a panic of their holder: the panic itself is reported elsewhere (`panics`).

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks `mutex`, even if an earlier holder panicked.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
