//! Identity of a run.

use serde::{Deserialize, Serialize};
use workflow::contract::{PayloadSize, Payloads, RunId};

/// The identity of a run, and the seed that makes it repeatable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its id.
    pub run: RunId,
    /// Its seed: payloads, schedule and duplicates are functions of it.
    pub seed: u64,
}

impl Identity {
    /// Makes a new identity; the seed is random unless `seed` gives it.
    pub fn fresh(seed: Option<u64>) -> Self {
        Self {
            run: producer::new_run_id(),
            seed: seed.unwrap_or_else(rand::random),
        }
    }

    /// The payloads of this run.
    pub const fn payloads(&self, size: PayloadSize) -> Payloads {
        Payloads {
            seed: self.seed,
            size,
        }
    }
}
