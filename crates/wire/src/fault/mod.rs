//! Faults: small rules that say what happens to a request.

mod kind;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use kind::{FaultKind, Moment, Refusal};

use super::wire::AtWork;
use super::{Operation, lock};

/// The client that sends the load. All others are workers.
pub const PRODUCER: &str = "producer";

/// Whose requests a rule meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Whom {
    /// Those of workers.
    Workers,
    /// Those of workers and of the producer.
    All,
}

/// Which requests a rule meets, and what it does to them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// The operations; empty for every one.
    pub operations: Vec<Operation>,
    /// The clients.
    pub whom: Whom,
    /// On which share of the requests that it meets it strikes, 0 to 1: with 0.25, on one of every four, at a random place.
    /// So even a few requests get their share; with a probability for each, a short run might see none.
    pub share: f64,
    /// How many requests it lets pass first.
    pub after: u64,
    /// How often it strikes at most.
    pub most: u64,
    /// What happens.
    pub effect: FaultKind,
}

impl Rule {
    /// `effect` on every request for `operation` of any consumer.
    pub fn on(operation: Operation, effect: FaultKind) -> Self {
        Self {
            operations: vec![operation],
            whom: Whom::Workers,
            share: 1.0,
            after: 0,
            most: u64::MAX,
            effect,
        }
    }

    /// At most `times` times.
    #[must_use]
    pub const fn at_most(mut self, times: u64) -> Self {
        self.most = times;
        self
    }

    /// On this share of the requests.
    #[must_use]
    pub const fn on_share(mut self, share: f64) -> Self {
        self.share = share;
        self
    }

    fn meets(&self, operation: Operation, client: &str) -> bool {
        (self.operations.is_empty() || self.operations.contains(&operation))
            && (self.whom == Whom::All || client != PRODUCER)
    }
}

/// A rule at work.
#[derive(Debug)]
struct Installed {
    number: u64,
    rule: Rule,
    met: u64,
    struck: u64,
}

/// The rules at work, and what is known of all that ever were.
#[derive(Debug, Default)]
struct State {
    rules: Vec<Installed>,
    installed: u64,
    struck: u64,
}

/// The rules of one proxy. Clones share them.
#[derive(Debug, Clone)]
pub struct Faults {
    seed: u64,
    state: Arc<Mutex<State>>,
}

/// A rule at work, until this is dropped.
#[derive(Debug)]
#[must_use = "dropping the guard takes the rule away"]
pub(super) struct InstalledRule {
    number: u64,
    faults: Faults,
}

impl AtWork for InstalledRule {
    fn struck(&self) -> u64 {
        let counts = self.faults.counts();
        counts.get(&self.number).copied().unwrap_or_default()
    }
}

impl Drop for InstalledRule {
    fn drop(&mut self) {
        self.faults.remove(self.number);
    }
}

/// What the rules say about one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ruling {
    pub(super) delay: Duration,
    pub(super) effect: Option<FaultKind>,
    /// For whatever else must be drawn for this request.
    pub(super) draw: u64,
}

impl Faults {
    /// None yet. Equal seeds decide alike about equal sequences of requests.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            state: Arc::default(),
        }
    }

    /// How often rules have struck, all together, those that are no longer at work included.
    pub fn struck(&self) -> u64 {
        self.lock().struck
    }

    /// Puts `rule` to work, for as long as the guard is held.
    pub(super) fn install(&self, rule: Rule) -> InstalledRule {
        let number = self.lock().installed + 1;
        self.put(number, rule);
        InstalledRule {
            number,
            faults: self.clone(),
        }
    }

    /// Puts `rule` to work under a number that is its own. Done twice, it changes nothing.
    pub(super) fn put(&self, number: u64, rule: Rule) {
        let mut state = self.lock();
        if state.rules.iter().any(|rule| rule.number == number) {
            return;
        }
        state.installed = state.installed.max(number);
        state.rules.push(Installed {
            number,
            rule,
            met: 0,
            struck: 0,
        });
    }

    /// Takes the rule of this number away, if it is at work.
    pub(super) fn remove(&self, number: u64) {
        self.lock().rules.retain(|rule| rule.number != number);
    }

    /// How often each rule at work has struck, by its number.
    pub(super) fn counts(&self) -> BTreeMap<u64, u64> {
        let state = self.lock();
        state
            .rules
            .iter()
            .map(|it| (it.number, it.struck))
            .collect()
    }

    /// Asks every rule; of those that strike, delays add up and the first other effect counts. A client dies once:
    /// `doomed` says whether its death is decided, and is set when it is.
    pub(super) fn judge(&self, operation: Operation, client: &str, doomed: &AtomicBool) -> Ruling {
        let mut ruling = Ruling::default();
        let mut state = self.lock();
        let State { rules, struck, .. } = &mut *state;
        for installed in rules {
            let rule = &installed.rule;
            let taken = ruling.effect.is_some() && !matches!(rule.effect, FaultKind::Delay(_));
            if taken || installed.struck >= rule.most || !rule.meets(operation, client) {
                continue;
            }
            installed.met += 1;
            let seed = self.seed ^ mix(installed.number);
            let draw = mix(seed ^ installed.met);
            let Some(met) = installed.met.checked_sub(rule.after + 1) else {
                continue;
            };
            if !strikes(met, rule.share, seed) {
                continue;
            }
            if matches!(rule.effect, FaultKind::Kill(_)) && doomed.swap(true, Ordering::Relaxed) {
                continue;
            }
            installed.struck += 1;
            *struck += 1;
            match rule.effect {
                FaultKind::Delay(most) => ruling.delay += most.mul_f64(unit(mix(draw))),
                effect => (ruling.effect, ruling.draw) = (Some(effect), mix(draw)),
            }
        }
        ruling
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// Whether a rule strikes on the request before which it has met `met` others: the requests are divided into stretches of
/// 1 / `share`, and one point is drawn in each.
fn strikes(met: u64, share: f64, seed: u64) -> bool {
    let request = met as f64;
    let (first, last) = (request * share, (request + 1.0) * share);
    // Both from 0 up, and far below where f64 counts in steps of more than 1.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let mut stretches = first as u64..=last as u64;
    stretches.any(|stretch| {
        let point = stretch as f64 + unit(mix(mix(seed) ^ stretch));
        (first..last).contains(&point)
    })
}

/// `SplitMix64`: a well-mixed function of a counter, so that a decision depends on seed, rule and request alone, and not on
/// how requests of several rules interleave.
pub(super) const fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// From 0 to below 1.
fn unit(draw: u64) -> f64 {
    (draw >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests;
