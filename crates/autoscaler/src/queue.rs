//! The queue as the scaler reads it.

use thiserror::Error;

/// Most messages that a peek returns (KEDA `pkg/scalers/azure_queue_scaler.go`, `maxPeekMessages`).
const PEEK_LIMIT: u64 = 32;

/// The messages of a queue at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Queue {
    /// Messages that a receive would return.
    pub visible: u64,
    /// Messages that were handed to a consumer and are hidden until their lease ends.
    pub leased: u64,
}

/// The result of a read of the queue.
pub type Observation = Result<Queue, ScalerError>;

/// Error of the scaler's read: storage is away or throttles, or the credentials were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the queue length could not be read")]
pub struct ScalerError;

/// `queueLengthStrategy` of the `azure-queue` trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LengthStrategy {
    /// Visible and leased messages, as the service's approximate count has them.
    #[default]
    All,
    /// Visible messages only, as long as a peek can count them.
    VisibleOnly,
}

impl LengthStrategy {
    /// The length that the scaler reports. `visibleonly` peeks at 32 messages and uses a smaller number as it is; with 32 it
    /// falls back to the count of all messages, so one message more can add hundreds (KEDA `azure_queue_scaler.go`,
    /// `getMessageCount`).
    pub fn length(self, queue: Queue) -> u64 {
        match self {
            Self::VisibleOnly if queue.visible < PEEK_LIMIT => queue.visible,
            Self::All | Self::VisibleOnly => queue.visible.saturating_add(queue.leased),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: KEDA `pkg/scalers/azure_queue_scaler.go`, `getMessageCount`.
    #[test]
    fn visible_only_counts_leased_messages_too_from_32_visible_on() {
        for (visible, leased, all, visible_only) in [
            (0, 0, 0, 0),
            (0, 75, 75, 0),
            (31, 100, 131, 31),
            (32, 100, 132, 132),
            (32, 0, 32, 32),
            (200, 0, 200, 200),
        ] {
            let queue = Queue { visible, leased };
            assert_eq!(LengthStrategy::All.length(queue), all, "{queue:?}");
            assert_eq!(
                LengthStrategy::VisibleOnly.length(queue),
                visible_only,
                "{queue:?}"
            );
        }
    }
}
