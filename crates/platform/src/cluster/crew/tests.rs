use cluster::pods::ContainerEnd;
use tempfile::TempDir;

use super::waiting::START;
use super::*;
use crate::workers::CONSUMERS;

fn crew() -> (Crew, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let log = EventLog::open(dir.path()).unwrap();
    let mut crew = Crew::new(log, dir.path().to_owned(), WorkerForm::default());
    crew.want(CONSUMERS, [("aqs-app".to_owned(), 2)].into(), false, false);
    (crew, dir)
}

fn pod(name: &str) -> PodView {
    PodView {
        name: name.to_owned(),
        uid: format!("uid of {name}"),
        group: Some(CONSUMERS.to_owned()),
        node: Some("node-a".to_owned()),
        is_running: true,
        is_ready: true,
        ..PodView::default()
    }
}

fn ended(name: &str, code: i32, reason: &str) -> PodView {
    PodView {
        is_running: false,
        ended: Some(ContainerEnd {
            code,
            reason: reason.to_owned(),
            started: None,
            finished: None,
        }),
        ..pod(name)
    }
}

fn told(view: PodView) -> PodView {
    PodView {
        told: Some("2026-11-28T12:00:00Z".parse().unwrap()),
        ..view
    }
}

fn last(crew: &Crew) -> Departure {
    crew.roster().borrow().departed.last().unwrap().clone()
}

#[test]
fn a_pod_that_was_told_to_end_and_did_is_orderly() {
    let (mut crew, _dir) = crew();
    crew.saw(pod("a")).unwrap();
    crew.saw(told(pod("a"))).unwrap();
    assert_eq!(crew.roster().borrow().ending().count(), 1);
    crew.saw(told(ended("a", 0, "Completed"))).unwrap();
    crew.gone(told(ended("a", 0, "Completed"))).unwrap();
    let departure = last(&crew);
    assert_eq!(
        (departure.cause, departure.end),
        (Cause::Told, End::Exited(0))
    );
    assert!(departure.is_orderly);
    assert_eq!(crew.roster().borrow().departed.len(), 1, "taken down once");
    assert!(*crew.present().borrow() == 0);
}

/// SIGTERM ends a process that does not listen for it yet (signal(7)), unless it is process 1 of its namespace.
#[test]
fn a_pod_that_is_told_to_end_while_it_starts_may_end_by_sigterm() {
    let starting = |name| PodView {
        is_ready: false,
        ..told(pod(name))
    };
    let by_sigterm = |name| PodView {
        is_ready: false,
        ..told(ended(name, 143, "Error"))
    };
    let (mut crew, _dir) = crew();
    crew.saw(starting("a")).unwrap();
    crew.saw(by_sigterm("a")).unwrap();
    assert_eq!(last(&crew).end, End::Signalled(15));
    assert!(last(&crew).is_orderly && last(&crew).is_early);

    // It was ready before, so it may have had messages in hand.
    crew.saw(pod("b")).unwrap();
    crew.saw(starting("b")).unwrap();
    crew.saw(by_sigterm("b")).unwrap();
    assert!(!last(&crew).is_orderly && !last(&crew).is_early);

    // No probe has seen it ready, but it had received messages.
    crew.look_through(Arc::new(Two));
    crew.saw(starting("d")).unwrap();
    crew.saw(by_sigterm("d")).unwrap();
    assert!(!last(&crew).is_orderly && !last(&crew).is_early);

    // It did not end within its grace period.
    crew.saw(starting("c")).unwrap();
    crew.saw(PodView {
        is_ready: false,
        ..told(ended("c", 137, "Error"))
    })
    .unwrap();
    assert!(!last(&crew).is_orderly);
}

#[test]
fn an_end_that_only_the_last_event_tells_is_taken_down_all_the_same() {
    let (mut crew, _dir) = crew();
    crew.saw(told(pod("a"))).unwrap();
    crew.gone(told(ended("a", 137, "Error"))).unwrap();
    let departure = last(&crew);
    assert_eq!(departure.end, End::Signalled(9));
    assert!(
        !departure.is_orderly,
        "it did not end within its grace period"
    );
}

#[test]
fn a_pod_that_the_kernel_ends_for_its_memory_is_no_drain_and_is_named() {
    let (mut crew, _dir) = crew();
    crew.saw(pod("a")).unwrap();
    crew.saw(PodView {
        is_running: true,
        restarts: 1,
        ..ended("a", 137, "OOMKilled")
    })
    .unwrap();
    let departure = last(&crew);
    assert_eq!(departure.cause, Cause::Unasked);
    assert!(!departure.is_orderly);
    assert!(
        departure.sentence.contains("OOMKilled"),
        "{}",
        departure.sentence
    );
    assert_eq!(
        crew.roster().borrow().running().count(),
        1,
        "it was started again"
    );
}

#[test]
fn a_pod_that_waits_to_be_started_again_is_held_back() {
    let (mut crew, _dir) = crew();
    crew.saw(PodView {
        is_held_back: true,
        restarts: 2,
        ..ended("a", 3, "Error")
    })
    .unwrap();
    let roster = crew.roster().borrow().clone();
    assert_eq!((roster.held_back, roster.workers.len()), (1, 0));
    assert_eq!(last(&crew).end, End::Exited(3));
}

#[test]
fn a_pod_without_a_node_says_so_until_it_has_one() {
    let (mut crew, _dir) = crew();
    let waits = "Unschedulable: 0/1 nodes are available: 1 Insufficient cpu.";
    let unplaced = PodView {
        is_running: false,
        waits_for: Some(waits.to_owned()),
        ..pod("a")
    };
    crew.saw(unplaced).unwrap();
    let no_room = crew.roster().borrow().no_room.clone();
    assert_eq!(no_room, Some(format!("a: {waits}")));
    crew.saw(pod("a")).unwrap();
    assert_eq!(crew.roster().borrow().no_room, None);
}

#[test]
fn what_was_asked_is_the_cause_also_where_nobody_saw_the_end() {
    let (mut crew, _dir) = crew();
    crew.saw(pod("a")).unwrap();
    crew.asks("a", Cause::Killed);
    crew.gone(pod("a")).unwrap();
    let departure = last(&crew);
    assert_eq!(
        (departure.cause, departure.end),
        (Cause::Killed, End::Unknown)
    );
    assert!(departure.is_orderly);
}

#[test]
fn pods_of_nobodys_group_are_none_of_the_crews() {
    let (mut crew, _dir) = crew();
    crew.saw(PodView {
        group: None,
        ..pod("azurite")
    })
    .unwrap();
    assert!(*crew.present().borrow() == 0);
}

#[tokio::test(start_paused = true)]
async fn an_image_that_cannot_be_pulled_is_trouble_after_a_while() {
    let (mut crew, _dir) = crew();
    let waits = |why: &str| PodView {
        is_running: false,
        waits_for: Some(why.to_owned()),
        ..pod("a")
    };
    crew.saw(waits("ImagePullBackOff: no such image")).unwrap();
    assert_eq!(crew.trouble(Instant::now()), None);
    tokio::time::advance(START).await;
    let trouble = crew.trouble(Instant::now()).unwrap();
    assert_eq!(trouble, "start a: ImagePullBackOff: no such image");
    // An unschedulable pod may still get a node.
    crew.saw(waits("Unschedulable: 0/1 nodes")).unwrap();
    assert_eq!(crew.trouble(Instant::now()), None);
    // If no node will be made, the caller says how long a pod may wait for one.
    let patience = Duration::from_secs(240);
    assert_eq!(crew.unplaced(Instant::now(), patience), None);
    tokio::time::advance(patience).await;
    let unplaced = crew.unplaced(Instant::now(), patience).unwrap();
    assert_eq!(
        unplaced,
        "a has had no node for 240s: Unschedulable: 0/1 nodes"
    );
}

#[test]
fn a_pod_that_the_wire_killed_has_run_although_the_kubelet_never_said_so() {
    let (mut crew, _dir) = crew();
    let waiting = PodView {
        is_running: false,
        is_ready: false,
        ..pod("a")
    };
    crew.saw(waiting.clone()).unwrap();
    crew.asks("a", Cause::Fault);
    crew.gone(waiting.clone()).unwrap();
    assert_eq!(last(&crew).cause, Cause::Fault);
    // A pod that was not killed and never ran is no departure.
    let other = PodView {
        name: "b".to_owned(),
        uid: "uid of b".to_owned(),
        ..waiting
    };
    crew.saw(other.clone()).unwrap();
    crew.gone(other).unwrap();
    assert_eq!(crew.roster().borrow().departed.len(), 1);
}

/// A wire on which every client has received two messages.
#[derive(Debug)]
struct Two;

#[async_trait::async_trait]
impl Wire for Two {
    async fn install(&self, _: wire::Rule) -> anyhow::Result<Box<dyn wire::InForce>> {
        unreachable!("a crew breaks nothing")
    }

    async fn hold(&self, _: &str, _: bool) -> anyhow::Result<()> {
        unreachable!("a crew holds nothing")
    }

    async fn cut_off(&self, _: &str) -> anyhow::Result<()> {
        unreachable!("a crew cuts nobody off")
    }

    fn struck(&self) -> u64 {
        0
    }

    fn written(&self) -> wire::Written {
        unreachable!("a crew reads no history")
    }

    fn in_hand_of(&self, _: &str) -> u64 {
        2
    }

    async fn until_received(&self, _: &str, _: usize, _: Duration) -> anyhow::Result<()> {
        Ok(())
    }

    async fn until_in_hand(&self, _: &str, _: usize, _: Duration) -> anyhow::Result<()> {
        Ok(())
    }

    async fn finish(&self) -> anyhow::Result<()> {
        Ok(())
    }

    fn check(&self) -> anyhow::Result<()> {
        Ok(())
    }
}

#[test]
fn what_a_pod_has_in_hand_when_it_is_told_to_end_is_what_the_wire_says() {
    let (mut crew, _dir) = crew();
    crew.saw(pod("a")).unwrap();
    crew.look_through(Arc::new(Two));
    crew.saw(told(pod("a"))).unwrap();
    crew.gone(told(ended("a", 0, "Completed"))).unwrap();
    assert_eq!(last(&crew).held, 2);
}

#[test]
fn pods_that_have_ended_have_nothing_in_hand() {
    let (mut crew, _dir) = crew();
    crew.saw(pod("a")).unwrap();
    crew.saw(pod("b")).unwrap();
    assert_eq!(crew.roster().borrow().in_hand(&Two), 4);
    crew.saw(told(pod("a"))).unwrap();
    assert_eq!(crew.roster().borrow().in_hand(&Two), 4);
    crew.gone(told(ended("a", 137, "Error"))).unwrap();
    assert_eq!(crew.roster().borrow().in_hand(&Two), 2);
}

#[test]
fn pods_that_their_description_lets_end_are_restarted_and_no_fault() {
    let dir = tempfile::tempdir().unwrap();
    let log = EventLog::open(dir.path()).unwrap();
    let worker = WorkerForm {
        exit: Exit::Restart,
        drains: false,
        ..WorkerForm::default()
    };
    let mut crew = Crew::new(log, dir.path().to_owned(), worker);
    crew.want(CONSUMERS, [("aqs-app".to_owned(), 1)].into(), false, false);
    crew.saw(PodView {
        is_running: true,
        restarts: 1,
        ..ended("a", 1, "Error")
    })
    .unwrap();
    let departure = last(&crew);
    assert!(departure.is_restart && departure.is_orderly);
    let roster = crew.roster().borrow().clone();
    assert_eq!((roster.restarted(), roster.unexpected().count()), (1, 0));
    crew.saw(told(pod("b"))).unwrap();
    crew.gone(told(ended("b", 143, "Error"))).unwrap();
    let departure = last(&crew);
    assert!(departure.is_orderly && !departure.is_restart);
    let log = std::fs::read_to_string(dir.path().join(evidence::events::FILE)).unwrap();
    assert_eq!(log.matches("\"restarted\":true").count(), 1, "{log}");
}

#[test]
fn a_pod_on_a_node_that_azure_takes_back_is_promised_no_time() {
    let (mut crew, _dir) = crew();
    for name in ["a", "b", "c"] {
        crew.saw(pod(name)).unwrap();
    }
    crew.evicted(["node-a".to_owned()].into());
    let found = |crew: &Crew| {
        let departure = last(crew);
        (departure.cause, departure.end, departure.is_orderly)
    };
    crew.saw(ended("a", 0, "Completed")).unwrap();
    assert_eq!(found(&crew), (Cause::Notice, End::Exited(0), true));
    // Node auto-provisioning drained the pod, with a grace period of one second.
    crew.saw(told(pod("b"))).unwrap();
    crew.gone(told(ended("b", 137, "Error"))).unwrap();
    assert_eq!(found(&crew), (Cause::Evicted, End::Signalled(9), true));
    // The pod went with its node, and its end was not seen.
    crew.gone(pod("c")).unwrap();
    assert_eq!(found(&crew), (Cause::Evicted, End::Unknown, true));
}

#[test]
fn a_pod_that_read_of_its_end_before_anybody_else_knew_has_drained() {
    let (mut crew, dir) = crew();
    std::fs::create_dir(dir.path().join("logs")).unwrap();
    let line = format!("{{\"fields\":{{\"message\":\"{ANNOUNCED}\"}}}}\n");
    std::fs::write(dir.path().join("logs/a.log"), line).unwrap();
    for name in ["a", "b"] {
        crew.saw(pod(name)).unwrap();
        crew.saw(ended(name, 0, "Completed")).unwrap();
    }
    let causes: Vec<Cause> = (crew.roster().borrow().departed.iter())
        .map(|departure| departure.cause)
        .collect();
    assert_eq!(causes, [Cause::Notice, Cause::Unasked]);
}
