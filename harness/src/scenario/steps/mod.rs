//! Steps: each a translation of one sentence into calls of [`crate::run`], and nothing else.

/// Like `anyhow::bail`, for steps: a promise is broken.
macro_rules! bail {
    ($($message:tt)*) => {
        return Err($crate::scenario::world::StepError::of(
            $crate::outcome::Outcome::Fail,
            anyhow::anyhow!($($message)*),
        ))
    };
}

/// Like `anyhow::ensure`, for steps: what is not so is a broken promise.
macro_rules! ensure {
    ($condition:expr, $($message:tt)*) => { if !$condition { bail!($($message)*) } };
}

mod given;
mod identity;
mod inject;
mod nodes;
mod ready;
mod scaling;
mod then_identity;
mod then_latency;
mod then_nodes;
mod then_poison;
mod then_results;
mod then_scaling;
mod trouble;
mod when;
mod when_faults;

pub(super) use nodes::OnNodes;
