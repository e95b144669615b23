//! Faults: rules that decide the effect on each request.

mod kind;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use kind::{FaultKind, Moment, Refusal};

use super::wire::InForce;
use super::{Operation, PRODUCER, lock};

/// Receives that pass before one is the death of its consumer.
const EMPTY_RECEIVES: u64 = 3;

/// The clients to which a rule applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Whom {
    /// Workers only.
    Workers,
    /// Workers and the producer.
    All,
}

/// The requests to which a rule applies, and its effect on them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// The operations; empty for all.
    pub operations: Vec<Operation>,
    /// The clients.
    pub whom: Whom,
    /// Share of the matching requests that are affected, 0 to 1: with 0.25, one of every four, at a random place. So even a few
    /// requests get their share; with an independent probability for each, a short run might have none.
    pub share: f64,
    /// Number of matching requests that pass first.
    pub after: u64,
    /// Most requests that are affected.
    pub most: u64,
    /// The effect.
    pub effect: FaultKind,
}

impl Rule {
    /// Makes a rule with `effect` on every request for `operation` of any consumer.
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

    /// Makes a rule that kills consumers at this moment of their requests for any of `operations`. The first receives may find an
    /// empty queue, where a death loses nothing, and pass; of other requests there may be few.
    pub fn deaths(operations: Vec<Operation>, moment: Moment) -> Self {
        let may_be_empty = operations.contains(&Operation::ReceiveMessages);
        Self {
            operations,
            after: if may_be_empty { EMPTY_RECEIVES } else { 0 },
            ..Self::on(Operation::Other, FaultKind::Kill(moment))
        }
    }

    /// Limits the rule to `times` requests.
    #[must_use]
    pub const fn at_most(mut self, times: u64) -> Self {
        self.most = times;
        self
    }

    /// Limits the rule to this share of the requests.
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

/// A rule in force.
#[derive(Debug)]
struct Installed {
    number: u64,
    rule: Rule,
    met: u64,
    struck: u64,
}

/// The rules in force, and the counts of all earlier ones.
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

/// A rule in force, until this is dropped.
#[derive(Debug)]
#[must_use = "dropping the guard takes the rule away"]
pub(super) struct InstalledRule {
    number: u64,
    faults: Faults,
}

impl InForce for InstalledRule {
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

/// The effect of all rules on one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ruling {
    pub(super) delay: Duration,
    pub(super) effect: Option<FaultKind>,
    /// A random number for other decisions about this request.
    pub(super) draw: u64,
}

impl Faults {
    /// Makes faults without rules. Equal seeds give equal decisions for equal sequences of requests.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            state: Arc::default(),
        }
    }

    /// How often rules have struck in total, including rules that are no longer in force.
    pub fn struck(&self) -> u64 {
        self.lock().struck
    }

    /// Puts `rule` in force, as long as the returned guard exists.
    pub(super) fn install(&self, rule: Rule) -> InstalledRule {
        let number = self.lock().installed + 1;
        self.put(number, rule);
        InstalledRule {
            number,
            faults: self.clone(),
        }
    }

    /// Puts `rule` in force under its own number. A repetition changes nothing.
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

    /// Removes the rule with this number, if it is in force.
    pub(super) fn remove(&self, number: u64) {
        self.lock().rules.retain(|rule| rule.number != number);
    }

    /// How often each rule in force has struck, by its number.
    pub(super) fn counts(&self) -> BTreeMap<u64, u64> {
        let state = self.lock();
        state
            .rules
            .iter()
            .map(|it| (it.number, it.struck))
            .collect()
    }

    /// Applies every rule to a request. Of the rules that strike, delays add up, and the first other effect counts. A client is
    /// killed once only: `doomed` tells whether this is decided already, and is set by the decision.
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

/// Whether a rule strikes on a request after `met` matching ones: the requests are divided into sections of 1 / `share`, and a
/// random place is drawn in each.
fn strikes(met: u64, share: f64, seed: u64) -> bool {
    let request = met as f64;
    let (first, last) = (request * share, (request + 1.0) * share);
    // Both are at least 0, and far below the size at which f64 loses integers.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let mut stretches = first as u64..=last as u64;
    stretches.any(|stretch| {
        let point = stretch as f64 + unit(mix(mix(seed) ^ stretch));
        (first..last).contains(&point)
    })
}

/// `SplitMix64`: a well-mixed function of a counter, so that a decision depends on seed, rule and request alone, not on the
/// order of requests of other rules.
pub(super) const fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// A number from 0 to below 1.
fn unit(draw: u64) -> f64 {
    (draw >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests;
