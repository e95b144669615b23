//! What the services keep: queues of messages and tables of entities, without HTTP and without a clock.
//!
//! Each operation is given the time and takes the lock of one queue or one table. It decides what will change, has the
//! [`Store`](crate::store::Store) write that, and only then changes memory: what was acknowledged is in the store.

pub(crate) mod directory;
pub(crate) mod edm;
pub(crate) mod entity;
pub(crate) mod message;
pub(crate) mod policy;
pub(crate) mod queue;
pub(crate) mod ranges;
pub(crate) mod table;
pub(crate) mod write;
