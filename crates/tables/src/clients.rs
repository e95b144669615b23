//! Clients of the Table service: one for an account, one for a table of it.

mod connection;
mod entities;
mod paging;
mod request;
mod service;
mod table;
#[cfg(test)]
mod tests;

pub use service::{TableServiceClient, TableServiceClientOptions};
pub use table::{TableClient, TableClientOptions};

/// The first version of the service that takes Microsoft Entra tokens for tables.
const DEFAULT_VERSION: &str = "2020-12-06";
