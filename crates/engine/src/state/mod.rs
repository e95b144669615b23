//! The services' data: queues of messages and tables of entities, without HTTP and without a clock.
//!
//! Each operation gets the time and takes the lock of one queue or one table. It determines the changes, writes them to the
//! [`Store`](store::Store), and only then changes memory, so that every acknowledged change is in the store.

pub(crate) mod directory;
pub(crate) mod edm;
pub(crate) mod entity;
pub(crate) mod message;
pub(crate) mod policy;
pub(crate) mod queue;
pub(crate) mod ranges;
pub(crate) mod store;
pub(crate) mod table;
pub(crate) mod write;
