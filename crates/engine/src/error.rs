//! Why an engine does not start.

use std::{io, net::SocketAddr, path::PathBuf};

/// Why an engine does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The account's name or key cannot be one.
    #[error("{0}")]
    Account(String),
    /// Certificate or key cannot be used.
    #[error("{0}")]
    Tls(String),
    /// An address cannot be listened at: most often a port that something else has.
    #[error("listen at {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The directory cannot be read or written, or is another engine's.
    #[error("open the data in {}: {reason}", .directory.display())]
    Directory {
        /// Where.
        directory: PathBuf,
        /// What is wrong.
        reason: String,
    },
}
