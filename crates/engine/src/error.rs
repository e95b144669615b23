//! Errors of starting an engine.

use std::{io, net::SocketAddr, path::PathBuf};

/// Reason why an engine does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The account's name or key is invalid.
    #[error("{0}")]
    Account(String),
    /// Certificate or key cannot be used.
    #[error("{0}")]
    Tls(String),
    /// An address cannot be listened at, usually because another process uses the port.
    #[error("listen at {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// The directory cannot be read or written, or another engine uses it.
    #[error("open the data in {}: {reason}", .directory.display())]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// What is wrong.
        reason: String,
    },
}
