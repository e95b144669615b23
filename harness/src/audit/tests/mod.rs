//! The auditor is shown good histories and every planted violation.

mod model;
pub(crate) mod planted;
mod shared;
mod stamps;
