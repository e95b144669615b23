//! Faults: small rules that say what happens to a request.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::wire::AtWork;
use super::{Operation, Service, lock};

/// What happens to a request or to its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// Storage is not asked; the client gets this error with the service's own body.
    Refuse(Refusal),
    /// The request waits for up to this time, then goes on. Several add up.
    Delay(Duration),
    /// The connection is reset.
    Reset(Moment),
    /// Storage does it, and no answer comes: the connection stays open and silent.
    Withhold,
    /// Storage does it, and half of the answer comes; then the connection ends in order.
    Truncate,
    /// Storage does it, and the answer's body is garbled, its length unchanged.
    Garble,
    /// The client's process gets SIGKILL.
    Kill(Moment),
}

/// When, in the life of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Moment {
    /// Before storage has seen it: it does not happen.
    Before,
    /// After storage has done it, before its answer.
    AfterEffect,
    /// With half of the answer sent.
    DuringAnswer,
}

/// Errors that the service documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// 503 `ServerBusy`.
    ServerBusy,
    /// 500 `OperationTimedOut`.
    OperationTimedOut,
    /// 500 `InternalError`.
    InternalError,
    /// 403 `AuthorizationFailure`.
    Forbidden,
    /// 403 `AuthorizationPermissionMismatch`: an identity without the role.
    NoRole,
    /// 429 `TooManyRequests`.
    TooManyRequests,
}

impl Refusal {
    /// Status, code and message, as the error code lists of the services have them.
    const fn parts(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::ServerBusy => (503, "ServerBusy", "The server is busy."),
            Self::OperationTimedOut => (
                500,
                "OperationTimedOut",
                "Operation could not be completed within the specified time.",
            ),
            Self::InternalError => (
                500,
                "InternalError",
                "Server encountered an internal error. Please try again after some time.",
            ),
            Self::Forbidden => (
                403,
                "AuthorizationFailure",
                "This request is not authorized to perform this operation.",
            ),
            Self::NoRole => (
                403,
                "AuthorizationPermissionMismatch",
                "This request is not authorized to perform this operation using this permission.",
            ),
            Self::TooManyRequests => (429, "TooManyRequests", "Too many requests."),
        }
    }

    /// The HTTP status.
    pub const fn status(self) -> u16 {
        self.parts().0
    }

    /// The error code.
    pub const fn code(self) -> &'static str {
        self.parts().1
    }

    /// The body that `service` sends: XML for queues, JSON for tables.
    pub(super) fn body(self, service: Service) -> (&'static str, String) {
        let (_, code, message) = self.parts();
        let message = format!(
            "{message}\nRequestId:00000000-0000-0000-0000-000000000000\nTime:2026-01-01T00:00:00.0000000Z"
        );
        match service {
            Service::Queue => (
                "application/xml",
                format!(
                    "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
                ),
            ),
            Service::Table => (
                "application/json;odata=minimalmetadata;streaming=true;charset=utf-8",
                serde_json::json!({"odata.error": {"code": code, "message": {"lang": "en-US", "value": message}}})
                    .to_string(),
            ),
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |moment: Moment| match moment {
            Moment::Before => "before storage has the request",
            Moment::AfterEffect => "after storage has done it, before the answer",
            Moment::DuringAnswer => "in the middle of the answer",
        };
        match *self {
            Self::Refuse(refusal) => write!(f, "{} {}", refusal.status(), refusal.code()),
            Self::Delay(most) => write!(f, "up to {most:?} late"),
            Self::Reset(moment) => write!(f, "connection reset {}", at(moment)),
            Self::Withhold => f.write_str("answer withheld"),
            Self::Truncate => f.write_str("answer truncated"),
            Self::Garble => f.write_str("answer garbled"),
            Self::Kill(moment) => write!(f, "consumer killed {}", at(moment)),
        }
    }
}

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
    pub effect: Effect,
}

impl Rule {
    /// `effect` on every request for `operation` of any consumer.
    pub fn on(operation: Operation, effect: Effect) -> Self {
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
pub(super) struct Guard {
    number: u64,
    faults: Faults,
}

impl AtWork for Guard {
    fn struck(&self) -> u64 {
        let counts = self.faults.counts();
        counts.get(&self.number).copied().unwrap_or_default()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.faults.remove(self.number);
    }
}

/// What the rules say about one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ruling {
    pub(super) delay: Duration,
    pub(super) effect: Option<Effect>,
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
    pub(super) fn install(&self, rule: Rule) -> Guard {
        let number = self.lock().installed + 1;
        self.put(number, rule);
        Guard {
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
            let taken = ruling.effect.is_some() && !matches!(rule.effect, Effect::Delay(_));
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
            if matches!(rule.effect, Effect::Kill(_)) && doomed.swap(true, Ordering::Relaxed) {
                continue;
            }
            installed.struck += 1;
            *struck += 1;
            match rule.effect {
                Effect::Delay(most) => ruling.delay += most.mul_f64(unit(mix(draw))),
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
mod tests {
    use super::*;

    static ALIVE: AtomicBool = AtomicBool::new(false);
    const BUSY: Effect = Effect::Refuse(Refusal::ServerBusy);

    fn struck(faults: &Faults, requests: u64) -> u64 {
        let judged = |_| {
            faults
                .judge(Operation::InsertEntity, "consumer-1", &ALIVE)
                .effect
        };
        (0..requests).filter_map(judged).count() as u64
    }

    #[test]
    fn a_rule_meets_what_it_says_and_ends_with_its_guard() {
        let faults = Faults::new(1);
        let guard = faults.install(Rule::on(Operation::InsertEntity, BUSY));
        let effect = |operation, client| faults.judge(operation, client, &ALIVE).effect;
        assert_eq!(effect(Operation::InsertEntity, "consumer-3"), Some(BUSY));
        assert_eq!(effect(Operation::DeleteMessage, "consumer-3"), None);
        assert_eq!(effect(Operation::InsertEntity, "producer"), None);
        assert_eq!(guard.struck(), 1);
        drop(guard);
        assert_eq!(effect(Operation::InsertEntity, "consumer-3"), None);
    }

    #[test]
    fn a_rule_lets_some_pass_and_strikes_no_more_than_it_may() {
        let faults = Faults::new(1);
        let rule = Rule {
            after: 2,
            ..Rule::on(Operation::InsertEntity, BUSY).at_most(3)
        };
        let _guard = faults.install(rule);
        let pattern: Vec<_> = (0..7).map(|_| struck(&faults, 1)).collect();
        assert_eq!(pattern, [0, 0, 1, 1, 1, 0, 0]);
    }

    #[test]
    fn every_stretch_gets_its_share_and_the_places_follow_the_seed() {
        let of = |seed| {
            let faults = Faults::new(seed);
            let rule = Rule::on(Operation::InsertEntity, BUSY).on_share(0.25);
            let _guard = faults.install(rule);
            (0..1_000).map(|_| struck(&faults, 1)).collect::<Vec<_>>()
        };
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        assert!(of(3).chunks(4).all(|four| four.iter().sum::<u64>() == 1));
        let places = |at: usize| of(3).chunks(4).filter(|four| four[at] == 1).count();
        let places = [places(0), places(1), places(2), places(3)];
        assert!(
            places.iter().all(|count| (40..90).contains(count)),
            "{places:?}"
        );
    }

    #[test]
    fn any_share_is_kept() {
        for share in [0.0, 0.01, 0.05, 0.1, 0.3, 0.5, 0.9, 1.0] {
            let faults = Faults::new(5);
            let rule = Rule::on(Operation::InsertEntity, BUSY).on_share(share);
            let _guard = faults.install(rule);
            let hit = struck(&faults, 1_000) as f64 / 1_000.0;
            // Two points may fall on one request.
            assert!(hit <= share && hit >= share * 0.85, "{share}: {hit}");
        }
    }

    #[test]
    fn a_client_dies_once_and_its_other_requests_do_not_count() {
        let faults = Faults::new(1);
        let kill = Effect::Kill(Moment::Before);
        let guard = faults.install(Rule::on(Operation::DeleteMessage, kill).at_most(2));
        let (first, second) = (AtomicBool::new(false), AtomicBool::new(false));
        let effect = |doomed| {
            faults
                .judge(Operation::DeleteMessage, "consumer-1", doomed)
                .effect
        };
        assert_eq!([effect(&first), effect(&first)], [Some(kill), None]);
        assert_eq!([effect(&second), effect(&second)], [Some(kill), None]);
        assert_eq!(guard.struck(), 2);
        drop(guard);
        assert_eq!(faults.struck(), 2, "what has struck stays known");
    }

    #[test]
    fn delays_add_up_and_the_first_other_effect_counts() {
        let faults = Faults::new(9);
        let late = Effect::Delay(Duration::from_millis(10));
        let _guards = [late, BUSY, late, Effect::Withhold]
            .map(|effect| faults.install(Rule::on(Operation::InsertEntity, effect)));
        let ruling = faults.judge(Operation::InsertEntity, "consumer-1", &ALIVE);
        assert_eq!(ruling.effect, Some(BUSY));
        assert!(ruling.delay > Duration::ZERO && ruling.delay < Duration::from_millis(20));
    }

    #[test]
    fn refusals_have_the_services_own_bodies() {
        let (kind, xml) = Refusal::ServerBusy.body(Service::Queue);
        assert!(kind == "application/xml" && xml.contains("<Code>ServerBusy</Code>"));
        let (_, json) = Refusal::ServerBusy.body(Service::Table);
        assert!(
            json.contains("\"odata.error\":{\"code\":\"ServerBusy\""),
            "{json}"
        );
    }
}
