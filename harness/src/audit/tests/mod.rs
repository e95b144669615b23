//! The auditor is shown good histories and every planted violation.

pub(crate) mod planted;
