//! Tests of evictions.

mod handed;

use tokio::time::Instant;
use workflow::contract::Stamp;

use super::*;
use crate::simulated::MachineEnd;
use crate::workers::{Cause, Departure, End};

/// Start of the tests; nodes are ten minutes old by then.
const BEGIN: &str = "2026-11-28T12:10:00Z";
const CREATED: &str = "2026-11-28T12:00:00Z";

const PREEMPT: Eviction = Eviction {
    notice: None,
    drained_after: None,
    ends: MachineEnd::Deleted,
    returns: false,
};

fn parsed(text: &str) -> k8s_openapi::jiff::Timestamp {
    text.parse().unwrap()
}

/// Stories, and the current time in them.
struct Told {
    stories: Stories,
    start: Instant,
    second: u64,
    roster: Roster,
}

fn node(name: &str) -> SeenNode {
    SeenNode {
        name: name.to_owned(),
        capacity: Some(Capacity::Spot),
        zone: "eastus-1".to_owned(),
        size: Some("Standard_D2s_v5".to_owned()),
        provider_id: Some(format!("azure:///of/{name}")),
        created: Some(parsed(CREATED)),
        is_ready: true,
        ..SeenNode::default()
    }
}

impl Told {
    /// Two nodes, `a` and `b`, with two consumers each, whose scheduled events endpoints have all answered.
    fn begin() -> Self {
        Self::begin_by(Rules::Azure)
    }

    fn begin_by(rules: Rules) -> Self {
        let mut told = Self {
            stories: Stories::of(rules),
            start: Instant::now(),
            second: 0,
            roster: Roster {
                wanted: 4,
                ..Roster::default()
            },
        };
        for name in ["a", "b"] {
            told.stories.saw(&node(name), told.now());
        }
        for (consumer, node) in [("c1", "a"), ("c2", "a"), ("c3", "b"), ("c4", "b")] {
            told.comes(consumer, node);
            told.stories.heard(consumer, &Heard::Answered, told.now());
        }
        told.stories.take_events();
        told
    }

    fn now(&self) -> Moment {
        let begin = Stamp::from_micros(parsed(BEGIN).as_microsecond());
        let later = Duration::from_secs(self.second);
        Moment {
            stamp: begin.plus(later),
            at: self.start + later,
        }
    }

    fn comes(&mut self, consumer: &str, node: &str) {
        self.roster.workers.push(Worker {
            name: consumer.to_owned(),
            group: "consumers",
            node: Some(node.to_owned()),
            state: WorkerState::Running,
            readiness: Readiness::Ready,
            has_received: None,
        });
        self.stories.saw_workers(&self.roster, self.now());
    }

    fn ends(&mut self, consumer: &str, end: End) {
        self.departs(consumer, end, false);
    }

    fn departs(&mut self, consumer: &str, end: End, is_early: bool) {
        self.roster.workers.retain(|it| it.name != consumer);
        self.roster.departed.push(Departure {
            name: consumer.to_owned(),
            end,
            cause: Cause::Evicted,
            is_orderly: true,
            is_restart: false,
            is_early,
            after: Duration::ZERO,
            held: 5,
            sentence: String::new(),
            tail: String::new(),
        });
        self.stories.saw_workers(&self.roster, self.now());
    }

    fn at(&mut self, second: u64) -> &mut Self {
        self.second = second;
        self
    }

    /// The changes since the last call, as text.
    fn changes(&mut self) -> Vec<String> {
        let events = self.stories.take_events();
        let words = events.into_iter().map(|event| {
            let change = match event.change {
                NodeChange::Joined { .. } => "joined".to_owned(),
                NodeChange::Requested => "requested".to_owned(),
                NodeChange::Cordoned { is_drained } => format!("cordoned, drained: {is_drained}"),
                NodeChange::HeldBack { consumer, why } => format!("{consumer} held back: {why}"),
                NodeChange::GivenBack => "given back".to_owned(),
                NodeChange::Unasked => "unasked".to_owned(),
                NodeChange::Noticed { consumer } => format!("noticed by {consumer}"),
                NodeChange::Announced { notice_ms } => format!("announced {notice_ms}"),
                NodeChange::Condition { condition } => condition,
                NodeChange::Drained { after_ms } => format!("drained {after_ms}"),
                NodeChange::Gone { killed, .. } => format!("gone with {}", killed.join("+")),
                NodeChange::Replaced { by } => format!("replaced by {by}"),
                NodeChange::Recovered { after_ms } => format!("recovered {after_ms}"),
                NodeChange::Priced { .. } => "priced".to_owned(),
                NodeChange::Placed { consumer } => format!("placed {consumer}"),
            };
            format!("{}: {change}", event.node)
        });
        words.collect()
    }

    fn evictable(&self) -> Vec<String> {
        self.stories.view(self.now()).evictable()
    }
}

fn noticed(seconds: u64) -> Heard {
    Heard::Noticed {
        notice: Duration::from_secs(seconds),
    }
}

#[test]
fn an_eviction_is_told_from_the_request_until_it_is_made_good() {
    let mut told = Told::begin();
    assert_eq!(told.evictable(), ["a", "b"]);
    let now = told.now();
    let asked = told.stories.ask("a", PREEMPT, now).unwrap();
    assert_eq!(asked.provider_id.as_deref(), Some("azure:///of/a"));
    let now = told.at(2).now();
    told.stories.heard("c1", &noticed(30), now);
    let mut going = node("a");
    going.announced = vec!["PreemptionScheduled".to_owned()];
    let now = told.at(4).now();
    told.stories.saw(&going, now);
    told.at(5).ends("c1", End::Exited(0));
    told.at(6).ends("c2", End::Signalled(9));
    assert!(told.evictable().is_empty(), "one at a time");
    let now = told.at(33).now();
    told.stories.gone("a", now);
    let expected = [
        "a: requested",
        "a: noticed by c1",
        "a: announced 30000",
        "a: PreemptionScheduled",
        "a: gone with c2",
    ];
    assert_eq!(told.changes(), expected);
    let now = told.at(80).now();
    told.stories.saw(&node("n"), now);
    told.at(85).comes("c5", "n");
    told.at(90).comes("c6", "n");
    // Consumers were missing from 5 s after the request on.
    let expected = ["n: joined", "a: replaced by n", "a: recovered 85000"];
    assert_eq!(told.changes(), expected);
    let view = told.stories.view(told.now());
    let [eviction] = &view.evictions[..] else {
        panic!("{:?}", view.evictions)
    };
    assert!(eviction.is_asked && eviction.is_over);
    assert_eq!(eviction.killed, [("c2".to_owned(), 5)]);
    assert_eq!(eviction.ended.len(), 1);
    assert_eq!(eviction.eviction.notice, Some(Duration::from_secs(30)));
    // Another node may be evicted; the new node's consumers have had no answer from their endpoint yet.
    assert_eq!(told.evictable(), ["b"]);
    let figures = told.stories.figures(told.now());
    // 33 s of `a`, 90 s of `b`, 10 s of `n`.
    assert!((figures.spot_hours * 3600.0 - 133.0).abs() < 1e-6);
}

#[test]
fn consumers_that_all_end_by_themselves_have_drained() {
    let mut told = Told::begin();
    let now = told.now();
    told.stories.ask("a", PREEMPT, now).unwrap();
    let now = told.at(3).now();
    told.stories.heard("c2", &noticed(30), now);
    told.at(5).ends("c1", End::Exited(0));
    // It had not begun to work.
    told.at(7).departs("c2", End::Signalled(15), true);
    let changes = told.changes();
    assert_eq!(changes.last().map(String::as_str), Some("a: drained 4000"));
}

#[test]
fn an_eviction_that_nobody_asked_for_is_known_by_any_of_its_signs() {
    let mut by_notice = Told::begin();
    let now = by_notice.now();
    by_notice.stories.heard("c3", &noticed(20), now);
    assert_eq!(by_notice.changes()[0], "b: unasked");

    let mut by_condition = Told::begin();
    let mut going = node("b");
    going.announced = vec!["VMEventScheduled".to_owned()];
    let now = by_condition.now();
    by_condition.stories.saw(&going, now);
    assert_eq!(
        by_condition.changes(),
        ["b: unasked", "b: VMEventScheduled"]
    );

    let mut by_silence = Told::begin();
    let mut silent = node("b");
    silent.is_ready = false;
    let now = by_silence.now();
    by_silence.stories.saw(&silent, now);
    assert_eq!(by_silence.changes(), ["b: unasked", "b: NotReady"]);

    let mut by_absence = Told::begin();
    let now = by_absence.now();
    by_absence.stories.gone("b", now);
    assert_eq!(by_absence.changes()[0], "b: unasked");
    for told in [by_notice, by_condition, by_silence, by_absence] {
        let view = told.stories.view(told.now());
        assert!(!view.evictions[0].is_asked, "{:?}", view.evictions);
    }
}

#[test]
fn a_node_that_goes_since_nobody_needs_it_is_no_eviction() {
    let mut told = Told::begin();
    told.ends("c3", End::Exited(0));
    told.ends("c4", End::Exited(0));
    let mut leaving = node("b");
    leaving.is_leaving = true;
    let now = told.at(60).now();
    told.stories.saw(&leaving, now);
    leaving.is_ready = false;
    told.stories.saw(&leaving, now);
    told.stories.gone("b", now);
    assert_eq!(told.changes(), ["b: gone with "]);
    assert!(told.stories.view(told.now()).evictions.is_empty());
}

#[test]
fn what_keeps_a_node_from_being_evicted_is_named() {
    let refused = |told: &mut Told, node: &str| {
        let now = told.now();
        told.stories
            .ask(node, PREEMPT, now)
            .unwrap_err()
            .to_string()
    };
    let mut told = Told::begin();
    assert!(refused(&mut told, "x").contains("it is not there"));
    let mut young = node("young");
    young.created = Some(parsed("2026-11-28T12:05:00Z"));
    let now = told.now();
    told.stories.saw(&young, now);
    told.comes("c5", "young");
    assert!(refused(&mut told, "young").contains("younger than 6 min"));
    let mut dear = node("dear");
    dear.capacity = Some(Capacity::OnDemand);
    told.stories.saw(&dear, now);
    assert!(refused(&mut told, "dear").contains("no Spot machine"));
    told.at(61);
    assert!(refused(&mut told, "young").contains("has had an answer"));
    let now = told.now();
    told.stories.heard("c5", &Heard::Answered, now);
    assert_eq!(told.evictable(), ["a", "b", "young"]);
    told.stories.ask("a", PREEMPT, now).unwrap();
    assert!(refused(&mut told, "b").contains("another eviction"));
    // Azure refused, so another eviction may be requested.
    told.stories.refused("a");
    assert_eq!(told.evictable(), ["a", "b", "young"]);
}

#[test]
fn a_machine_that_is_silent_before_its_node_is_gone_has_one_story() {
    let mut told = Told::begin();
    let now = told.now();
    told.stories.ask("a", PREEMPT, now).unwrap();
    let mut going = node("a");
    going.announced = vec!["PreemptionScheduled".to_owned()];
    told.stories.saw(&going, now);
    going.is_ready = false;
    for second in [40, 41] {
        let now = told.at(second).now();
        told.stories.saw(&going, now);
    }
    let now = told.at(42).now();
    told.stories.heard("c1", &noticed(0), now);
    told.stories.gone("a", now);
    // The consumer's last log line is read only after that.
    told.stories.heard("c2", &noticed(0), now);
    assert_eq!(told.stories.view(now).evictions.len(), 1);
    assert!(!told.changes().contains(&"a: unasked".to_owned()));
}

#[test]
fn a_new_node_that_is_not_ready_yet_is_no_sign_of_anything() {
    let mut told = Told::begin();
    let mut new = node("n");
    new.is_ready = false;
    let now = told.now();
    told.stories.saw(&new, now);
    told.comes("c5", "n");
    told.stories.saw(&new, now);
    assert_eq!(told.changes(), ["n: joined"]);
}
