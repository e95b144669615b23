//! Errors of starting Azurite, with advice.

use std::path::PathBuf;

use crate::{IMAGE, Source, VERSION};

/// Reason why there is no Azurite.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `EDW_AZURITE_SOURCE` has an unknown value.
    #[error("EDW_AZURITE_SOURCE is {0:?}; it must be auto, address, docker or npm")]
    UnknownSource(String),

    /// The given address is invalid or incomplete.
    #[error("use the Azurite at the address given: {0}")]
    MalformedAddress(String),

    /// The source must be an address, and none is given.
    #[error(
        "start Azurite from address, the only source allowed here: {}; set both",
        crate::address::NOT_GIVEN
    )]
    NoAddress,

    /// Nothing usable answers at the given address. Other sources are not tried: a user who names an emulator wants that one.
    #[error("use the Azurite at the address given: {0}")]
    Address(String),

    /// This source does not support the request.
    #[error("{0}")]
    Unsupported(String),

    /// A requested port is in use.
    #[error(
        "start Azurite on port {port}: the port is already in use; stop what listens there or ask for port 0 (any free port)"
    )]
    PortInUse {
        /// The requested port.
        port: u16,
    },

    /// The only allowed source does not work.
    #[error("start Azurite from {wanted}, the only source allowed here: {reason}")]
    Forced {
        /// The source from `EDW_AZURITE_SOURCE` or the builder.
        wanted: Source,
        /// What was tried, and why it failed.
        reason: String,
    },

    /// None of the three sources works.
    #[error(
        "start Azurite: none of its three sources works\n  \
         address: {address}\n  docker:  {docker}\n  npm:     {npm}\n\
         Do one of these: set EDW_AZURITE_QUEUE_URL and EDW_AZURITE_TABLE_URL to an Azurite that runs \
         (like http://127.0.0.1:10001/devstoreaccount1); or start a Docker engine that has, or can pull, {IMAGE}:{VERSION}; \
         or install Node.js 20 or later with npm and let it reach its registry once"
    )]
    NoSource {
        /// Why no address was used.
        address: String,
        /// Why Docker was not used.
        docker: String,
        /// Why the npm package was not used.
        npm: String,
    },

    /// Azurite did not start, or ended soon.
    #[error("{0}")]
    Start(String),

    /// An operation on a file or directory of the installation failed.
    #[error("{action} {}", path.display())]
    Io {
        /// The operation.
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
}

impl Error {
    /// Whether the settings are wrong: nothing was tried.
    pub fn is_wrong_input(&self) -> bool {
        matches!(
            self,
            Self::UnknownSource(_) | Self::MalformedAddress(_) | Self::NoAddress
        )
    }

    /// The error with its cause, for an error about several sources.
    pub(crate) fn with_cause(&self) -> String {
        match std::error::Error::source(self) {
            None => self.to_string(),
            Some(cause) => format!("{self}: {cause}"),
        }
    }

    /// Whether another source may still work; not if the request itself cannot be met.
    pub(crate) fn allows_next_source(&self) -> bool {
        matches!(self, Self::Start(_) | Self::Io { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let error = Error::Io {
            action: "create",
            path: "/no/such".into(),
            source: std::io::ErrorKind::NotFound.into(),
        };
        assert_eq!(error.to_string(), "create /no/such");
        assert_eq!(error.with_cause(), "create /no/such: entity not found");
    }

    #[test]
    fn only_wrong_settings_are_wrong_input() {
        let text = || "text".to_owned();
        for wrong in [
            Error::UnknownSource(text()),
            Error::MalformedAddress(text()),
            Error::NoAddress,
        ] {
            assert!(wrong.is_wrong_input(), "{wrong}");
        }
        for failed in [Error::Address(text()), Error::Start(text())] {
            assert!(!failed.is_wrong_input(), "{failed}");
        }
    }
}
