//! The three sources of an Azurite, and the environment variables that choose one.

use std::{env, fmt, str::FromStr};

use crate::Error;

/// The source of an Azurite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A running Azurite at `EDW_AZURITE_QUEUE_URL` and `EDW_AZURITE_TABLE_URL`.
    Address,
    /// The published image, run by a Docker engine.
    Docker,
    /// The npm package, run by Node.js.
    Npm,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "address",
            Self::Docker => "docker",
            Self::Npm => "npm",
        })
    }
}

/// A source; `None` for "the first that works".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice(pub(crate) Option<Source>);

impl FromStr for Choice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "" | "auto" => Ok(Self(None)),
            "address" => Ok(Self(Some(Source::Address))),
            "docker" => Ok(Self(Some(Source::Docker))),
            "npm" => Ok(Self(Some(Source::Npm))),
            other => Err(Error::UnknownSource(other.to_owned())),
        }
    }
}

/// The environment's settings. Read once per start, so that all other code can be tested without changing the environment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    pub(crate) queue_url: Option<String>,
    pub(crate) table_url: Option<String>,
    pub(crate) blob_url: Option<String>,
    pub(crate) source: Option<String>,
}

impl Environment {
    pub(crate) fn read() -> Self {
        // Shells and CI files use an empty variable for "not set".
        let read = |name| env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            queue_url: read("EDW_AZURITE_QUEUE_URL"),
            table_url: read("EDW_AZURITE_TABLE_URL"),
            blob_url: read("EDW_AZURITE_BLOB_URL"),
            source: read("EDW_AZURITE_SOURCE"),
        }
    }

    pub(crate) fn choice(&self) -> Result<Choice, Error> {
        self.source.as_deref().unwrap_or_default().parse()
    }
}
