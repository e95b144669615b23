#![doc = include_str!("../README.md")]
//!
//! # Types of properties
//!
//! | Rust | stored as |
//! |---|---|
//! | `bool` | `Edm.Boolean` |
//! | `i8`, `i16`, `i32`, `u8`, `u16` | `Edm.Int32` |
//! | `i64`, `u32`, `u64` (up to `i64::MAX`) | `Edm.Int64` |
//! | `f32`, `f64` (also whole, `NaN` and infinite) | `Edm.Double` |
//! | `String`, `&str`, `char`, enums without content | `Edm.String` |
//! | [`Binary`], and what asks serde for bytes | `Edm.Binary` |
//! | [`DateTime`] | `Edm.DateTime` |
//! | [`Guid`] | `Edm.Guid` |
//! | `Option`, newtypes, `#[serde(flatten)]` | what is in them; `None` is an absent property |
//!
//! The type of a property follows from the Rust type alone, never from the value. A property called `Timestamp` is read
//! (as a [`DateTime`]) and not written: the service sets it.

mod clients;
mod de;
mod edm;
mod endpoint;
mod entity;
mod error;
mod filter;
mod keys;
mod logging;
mod markers;
pub mod models;
mod ser;
mod transaction;

pub use clients::{TableClient, TableClientOptions, TableServiceClient, TableServiceClientOptions};
pub use edm::{Binary, DateTime, Guid, Value};
pub use entity::{Entity, Stored};
pub use error::ErrorCode;
pub use filter::Filter;
pub use keys::{KeyError, MAX_KEY_UTF16_UNITS, MAX_NAME_UTF16_UNITS, NameError};
pub use models::UpdateMode;
pub use ser::EntityError;
pub use transaction::{
    InvalidTransaction, MAX_OPERATIONS, MAX_SIZE_BYTES, OperationKind, Transaction,
    TransactionError, TransactionOutcome,
};
