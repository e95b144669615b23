//! Steps: each a translation of one sentence into calls of [`crate::run`], and nothing else.

/// Like `anyhow::bail`, for steps: their error type prints its causes.
macro_rules! bail {
    ($($message:tt)*) => { return Err(anyhow::anyhow!($($message)*).into()) };
}

/// Like `anyhow::ensure`, for steps.
macro_rules! ensure {
    ($condition:expr, $($message:tt)*) => { if !$condition { bail!($($message)*) } };
}

mod given;
mod inject;
mod then_latency;
mod then_poison;
mod then_results;
mod trouble;
mod when;
mod when_faults;
