//! The auditor is shown good histories and every planted violation.

mod planted;
