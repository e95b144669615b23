//! Skipping of ticks under a constant load, after both loops have come to rest.

use std::time::Duration;

use super::Load;
use crate::Settings;

/// Tells when both loops have come to rest under a constant load: nothing has changed for longer than either of them remembers,
/// so nothing will change until the load does.
pub(super) struct Quiet {
    memory: Duration,
    /// Whether there is a cron trigger, which may change its state at any time.
    clock: bool,
    /// The last change of replicas or load.
    changed: Duration,
    /// The time until which the load is constant.
    pub(super) until: Duration,
}

impl Quiet {
    pub(super) fn new(settings: &Settings, slack: Duration) -> Self {
        Self {
            memory: memory(settings, slack),
            clock: settings.has_cron(),
            changed: Duration::ZERO,
            until: Duration::ZERO,
        }
    }

    pub(super) fn is_over(&mut self, now: Duration, decided: bool, load: &impl Load) -> bool {
        let load_changed = now >= self.until;
        if load_changed {
            self.until = load.steady_until(now);
        }
        if decided || load_changed {
            self.changed = now;
        }
        let rested = now.saturating_sub(self.changed) > self.memory;
        rested && !self.clock && load.silent_until(now).is_none()
    }
}

/// The last tick before `until`, of ticks a period apart. Both loops then see the old load for the last time: the last poll
/// that finds the queue active starts a cooldown, and the last sync's recommendation stays in the HPA's windows.
pub(super) fn last_before(until: Duration, tick: Duration, period: Duration) -> Duration {
    let left = until.saturating_sub(tick);
    let past = left.as_nanos() % period.as_nanos().max(1);
    let past = Duration::from_nanos(u64::try_from(past).unwrap_or(0));
    let whole = left.saturating_sub(past);
    let before = if past.is_zero() {
        whole.saturating_sub(period)
    } else {
        whole
    };
    tick + before
}

/// The time after which earlier states no longer matter, if polls and syncs are late by `slack` each time: every window,
/// cooldown and policy period is over, and the fallback's number of reads have been made.
pub(crate) fn memory(settings: &Settings, slack: Duration) -> Duration {
    let mut longest = settings
        .cooldown_period
        .max(settings.initial_cooldown_period)
        .max(settings.controller.downscale_stabilization);
    let behavior = settings.behavior.iter();
    for rules in behavior.flat_map(|it| [&it.scale_up, &it.scale_down]) {
        let periods = rules.policies.iter().map(|policy| policy.period);
        let remembered = periods.chain(rules.stabilization_window);
        longest = longest.max(remembered.max().unwrap_or_default());
    }
    let round = settings.polling_interval + settings.controller.sync_period + slack * 2;
    let reads = settings.fallback.map_or(0, |it| it.failure_threshold);
    longest + settings.controller.status_resolution + round.saturating_mul(reads.saturating_add(4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Behavior, Fallback, FallbackBehavior};

    /// Polls every 30 s and syncs every 15 s, a status in whole seconds, and cooldown and window of 300 s.
    #[test]
    fn the_longest_memory_and_four_rounds_or_more_must_pass() {
        let memory = |slack: u64, change: &dyn Fn(&mut Settings)| {
            let mut settings = Settings::default();
            change(&mut settings);
            super::memory(&settings, Duration::from_secs(slack)).as_secs()
        };
        assert_eq!(memory(0, &|_| ()), 300 + 1 + 4 * 45);
        assert_eq!(memory(2, &|_| ()), 300 + 1 + 4 * 49);
        let failing = |it: &mut Settings| {
            it.fallback = Some(Fallback {
                failure_threshold: 3,
                replicas: 1,
                behavior: FallbackBehavior::Static,
            });
        };
        assert_eq!(memory(0, &failing), 300 + 1 + 7 * 45);
        let windowed = |it: &mut Settings| {
            let mut behavior = Behavior::default();
            behavior.scale_up.stabilization_window = Some(Duration::from_secs(1_000));
            it.behavior = Some(behavior);
        };
        assert_eq!(memory(0, &windowed), 1_000 + 1 + 4 * 45);
        let cold = |it: &mut Settings| it.initial_cooldown_period = Duration::from_secs(700);
        assert_eq!(memory(0, &cold), 700 + 1 + 4 * 45);
    }
}
