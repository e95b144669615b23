//! Tests of evictions of handed-over nodes, which the harness itself carries out.

use cluster::drain::Told as Happened;

use super::super::super::taker::Progress;
use super::*;

const DRAIN: Eviction = Eviction {
    notice: None,
    drained_after: None,
    ends: MachineEnd::Kept,
    returns: false,
};

fn begin() -> Told {
    Told::begin_by(Rules::HandedOver("edw.example/drain=yes".parse().unwrap()))
}

impl Told {
    fn asks(&mut self, node: &str, eviction: Eviction) {
        let now = self.now();
        self.stories.ask(node, eviction, now).unwrap();
        self.goes_on(node, Progress::Cordoned);
    }

    fn goes_on(&mut self, node: &str, progress: Progress) {
        let now = self.now();
        self.stories.goes_on(node, progress, now);
    }
}

#[test]
fn a_drain_is_over_when_the_last_consumer_was_seen_to_end() {
    let mut told = begin();
    // They need no minimum age and no answer from an endpoint; both may be taken back.
    assert_eq!(told.evictable(), ["a", "b"]);
    told.asks("a", DRAIN);
    told.goes_on("a", Progress::Pods(Happened::Evicted("c1".to_owned())));
    let why = "it would violate the budget".to_owned();
    let held_back = Happened::HeldBack("c2".to_owned(), why);
    told.goes_on("a", Progress::Pods(held_back));
    assert_eq!(told.evictable(), ["b"]);
    told.at(5).ends("c1", End::Exited(0));
    told.at(20).comes("c5", "b");
    told.goes_on("a", Progress::Emptied);
    let is_over = |told: &Told| told.stories.view(told.now()).evictions[0].is_over;
    // The API server has no pod any more, but the end of the last one is not seen yet.
    assert!(!is_over(&told));
    told.at(26).ends("c2", End::Exited(0));
    assert!(is_over(&told));
    told.at(40).comes("c6", "b");
    let expected = [
        "a: cordoned, drained: true",
        "a: c2 held back: it would violate the budget",
        "a: drained 26000",
        "a: recovered 35000",
    ];
    assert_eq!(told.changes(), expected);
    let view = told.stories.view(told.now());
    assert!(view.evictions[0].killed.is_empty());
    // The harness told the pods to end; no machine went.
    assert!(told.stories.machines_gone().is_empty());
}

#[test]
fn a_consumer_that_ignores_a_drain_has_not_ended_by_itself() {
    let mut told = begin();
    told.asks("a", DRAIN);
    told.at(5).ends("c1", End::Exited(0));
    told.at(35).ends("c2", End::Signalled(9));
    told.goes_on("a", Progress::Emptied);
    let view = told.stories.view(told.now());
    assert_eq!(view.evictions[0].killed, [("c2".to_owned(), 5)]);
    assert!(view.evictions[0].is_over);
    assert_eq!(view.evictions[0].drained, None);
}

#[test]
fn what_came_to_the_node_at_the_last_moment_belongs_to_its_story() {
    let mut told = begin();
    told.asks("a", PREEMPT);
    let ends = Happened::Ends("c9".to_owned());
    told.goes_on("a", Progress::Pods(ends));
    for consumer in ["c1", "c2"] {
        told.ends(consumer, End::Unknown);
    }
    told.goes_on("a", Progress::Emptied);
    assert!(!told.stories.view(told.now()).evictions[0].is_over);
    told.ends("c9", End::Unknown);
    assert!(told.stories.view(told.now()).evictions[0].is_over);
    assert_eq!(told.changes(), ["a: cordoned, drained: false"]);
}

#[test]
fn what_keeps_a_node_from_being_taken_is_named_and_a_failure_too() {
    let mut told = begin();
    let refused = |told: &mut Told, node: &str| {
        let now = told.now();
        let refused = told.stories.ask(node, DRAIN, now).unwrap_err();
        refused.to_string()
    };
    let mut other = node("other");
    other.capacity = Some(Capacity::OnDemand);
    let now = told.now();
    told.stories.saw(&other, now);
    let why = "evict other: it does not carry edw.example/drain=yes";
    assert_eq!(refused(&mut told, "other"), why);
    let mut cordoned = node("b");
    cordoned.is_cordoned = true;
    told.stories.saw(&cordoned, now);
    assert_eq!(refused(&mut told, "b"), "evict b: it is cordoned");
    told.asks("a", DRAIN);
    assert_eq!(
        refused(&mut told, "a"),
        "evict a: it was taken back already"
    );
    told.goes_on("a", Progress::Failed("a pod will not go".to_owned()));
    let view = told.stories.view(now);
    let failed = view.evictions[0].failed.as_deref();
    assert_eq!(failed, Some("a pod will not go"));
    assert!(view.wanted.contains("edw.example/drain=yes"));
}
