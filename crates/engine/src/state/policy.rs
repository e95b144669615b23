//! Stored access policies of a queue or a table.
//!
//! Source: "Define a stored access policy", Azure Storage REST reference: at most five, ids of at most 64 characters.

use serde::{Deserialize, Serialize};

/// A policy to which a shared access signature may refer (`si`). The signature must give the values that the policy lacks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Policy {
    pub(crate) id: String,
    pub(crate) start: Option<String>,
    pub(crate) expiry: Option<String>,
    pub(crate) permission: Option<String>,
}
