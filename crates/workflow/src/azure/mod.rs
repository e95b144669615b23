//! The adapters to Azure Queue and Table Storage; the only place that names `azure_*`.
//!
//! - [`args`]: the flags and environment variables that select account, queue and table.
//! - [`credential`]: how to sign in, and the reason of the choice; [`sign_in`]: why it failed, and how to mend it.
//! - [`Storage`]: a connection to an account: one HTTP client and one credential, shared by all adapters.
//! - [`AzureQueue`], [`AzureTable`]: the ports.
//! - [`Arm`]: asks Azure to evict a Spot machine.
//!
//! The SDK's own retries are disabled: a port makes one try and reports how it ended, so that a send without an answer counts
//! as unknown and not as sent once.

pub mod args;
mod arm;
mod connection_string;
pub mod credential;
mod development;
mod endpoint;
mod error;
mod given;
mod http;
mod names;
mod queue;
mod sas;
mod secret;
pub mod sign_in;
mod storage;
mod table;
mod token;

pub use args::{AccountArgs, QueueArgs, StorageArgs, TableArgs};
pub use arm::{Arm, ArmError, Machine, NoMachine};
pub use endpoint::EndpointError;
pub use names::{InvalidName, QueueName, TableName};
pub use queue::AzureQueue;
pub use sas::SasError;
pub use secret::{Secret, redact};
pub use storage::{ConfigError, Storage};
pub use table::AzureTable;
