//! Persistence: the store on disk, and the form of its records.

pub(crate) mod codec;
pub(crate) mod disk;
