//! The queue port: at-least-once delivery with leases (visibility timeouts).

use std::future::Future;
use std::time::Duration;

use super::StorageError;

/// Most messages that one receive returns (Azure Queue Storage, Get Messages).
pub const MAX_RECEIVE: u8 = 32;

/// The right to finish one delivery: the queue's message id and the pop receipt of its last receive or renewal.
///
/// A renewal returns a **new** receipt. Renewals and the delete of one message must be serialised: a delete that overtakes a
/// renewal carries a receipt that is no longer valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The message id in the queue, which stays the same over deliveries.
    pub message_id: String,
    /// The pop receipt; opaque.
    pub pop_receipt: String,
}

/// One delivery of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The body as it was put.
    pub body: String,
    /// The lease of this delivery.
    pub lease: Lease,
    /// How often the message has been delivered, this delivery included; from 1.
    pub attempt: u32,
}

/// A message that was peeked, not received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peeked {
    /// The message id in the queue.
    pub message_id: String,
    /// The body as it was put.
    pub body: String,
    /// How often the message has been delivered.
    pub attempt: u32,
}

/// A queue with competing consumers.
pub trait WorkQueue: Clone + Send + Sync + 'static {
    /// Its name.
    fn name(&self) -> &str;

    /// Creates the queue; no error if it exists.
    fn create(&self) -> impl Future<Output = Result<(), StorageError>> + Send;

    /// Deletes the queue with everything in it; no error if it does not exist.
    fn delete_queue(&self) -> impl Future<Output = Result<(), StorageError>> + Send;

    /// Puts a message at the end.
    fn send(&self, body: &str) -> impl Future<Output = Result<(), StorageError>> + Send;

    /// Receives up to `max` (1 to [`MAX_RECEIVE`]) visible messages and hides them for `visibility` (whole seconds, 1 s to 7
    /// days). Returns an empty list if there are none: an empty queue is not an error.
    fn receive(
        &self,
        max: u8,
        visibility: Duration,
    ) -> impl Future<Output = Result<Vec<Delivery>, StorageError>> + Send;

    /// Hides the message for `visibility` from now on (whole seconds, 0 to 7 days) and returns the new lease. With 0 the
    /// message is handed back: it is visible at once. `ErrorKind::LeaseLost` if the lease is no longer valid.
    fn renew(
        &self,
        lease: &Lease,
        visibility: Duration,
    ) -> impl Future<Output = Result<Lease, StorageError>> + Send;

    /// Deletes the message. `ErrorKind::LeaseLost` if the lease is no longer valid.
    fn delete(&self, lease: &Lease) -> impl Future<Output = Result<(), StorageError>> + Send;

    /// Peeks at up to `max` (1 to [`MAX_RECEIVE`]) visible messages at the front, without a change.
    fn peek(&self, max: u8) -> impl Future<Output = Result<Vec<Peeked>, StorageError>> + Send;

    /// The number of messages in the queue, visible and leased; Azure promises that it is not below the true number.
    fn approximate_count(&self) -> impl Future<Output = Result<u64, StorageError>> + Send;
}
