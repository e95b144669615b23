//! Failing storage: the producer tries again where that can help, and reports the outcomes truthfully.

use workflow::contract::{Message, Seq};

use super::process::{producer_to, run};
use super::scripted::{Answer, Scripted};
use Answer::{CutOff, Refuse, Take};

fn seq(n: u64) -> Seq {
    Seq::new(n).unwrap()
}

/// Whether this is the body of message `n` of run `r1`.
fn is(body: &str, n: u64) -> bool {
    body.contains(&format!("r1-{n}&quot;")) || body.contains(&format!("r1-{n}\""))
}

#[test]
fn busy_storage_is_ridden_out_and_the_message_stays_the_same() {
    for (status, code) in [
        (503, "ServerBusy"),
        (500, "OperationTimedOut"),
        (429, "TooManyRequests"),
    ] {
        let storage = Scripted::start(move |n, _| if n < 3 { Refuse(status, code) } else { Take });
        let mut command = producer_to(&storage.endpoint);
        let ended = run(command.args(["--shape=burst", "--messages=1"])).assert(0, &[code]);
        let summary = ended.summary();
        assert_eq!((summary.acknowledged, summary.retries), (1, 3));
        assert_eq!(summary.errors["busy"], 3);
        let bodies = storage.bodies();
        assert!(bodies.len() == 4 && bodies.iter().all(|body| *body == bodies[0]));
    }
}

#[test]
fn a_message_that_is_too_large_for_storage_fails_alone() {
    let storage = Scripted::start(|_, body| {
        if is(body, 3) {
            Refuse(413, "RequestBodyTooLarge")
        } else {
            Take
        }
    });
    let mut command = producer_to(&storage.endpoint);
    let ended = run(command.args(["--shape=burst", "--messages=5", "--run=r1"]))
        .assert(8, &["too large", "413"]);
    let summary = ended.summary();
    assert_eq!(
        (summary.acknowledged, summary.failed, summary.interrupted),
        (4, 1, false)
    );
    assert_eq!(summary.outcome(seq(3)), Some(producer::SendEnd::Failed));
    assert_eq!(storage.bodies().len(), 5, "it is not tried again");
}

#[test]
fn a_denied_send_ends_the_run_and_tells_what_to_check() {
    for (status, code, advice) in [
        (
            403,
            "AuthenticationFailed",
            "the signature of the SAS does not fit",
        ),
        (
            401,
            "InvalidAuthenticationInfo",
            "see the tenant of the account's subscription with: az ",
        ),
    ] {
        let storage = Scripted::start(move |_, _| Refuse(status, code));
        let ended = run(producer_to(&storage.endpoint).args(["--rate=10"]));
        let ended = ended.assert(5, &["access denied", code, advice]);
        let summary = ended.summary();
        assert!(summary.interrupted && summary.fatal.as_ref().unwrap().contains("access denied"));
        assert_eq!((summary.failed, summary.acknowledged), (summary.begun, 0));
    }
}

#[test]
fn a_missing_queue_ends_the_run_and_offers_to_create_it() {
    let storage = Scripted::start(|_, _| Refuse(404, "QueueNotFound"));
    let ended = run(producer_to(&storage.endpoint).args(["--rate=10"]));
    ended.assert(4, &["does not exist", "aws2azmsgs", "--create"]);
}

#[test]
fn a_queue_that_may_not_be_created_is_denied() {
    let storage = Scripted::start(|_, _| Refuse(403, "AuthorizationPermissionMismatch"));
    let ended = run(producer_to(&storage.endpoint).args(["--rate=10", "--create"]));
    assert!(ended.assert(5, &["access denied"]).stdout.is_empty());
}

#[test]
fn a_lost_answer_makes_a_message_unknown_and_the_rest_goes_on() {
    let storage = Scripted::start(|_, body| if is(body, 2) { CutOff } else { Take });
    let mut command = producer_to(&storage.endpoint);
    command.args([
        "--rate=100",
        "--messages=4",
        "--run=r1",
        "--tries=2",
        "--concurrency=1",
    ]);
    let summary = run(&mut command).assert(8, &[]).summary();
    assert_eq!(
        (summary.acknowledged, summary.unknown, summary.failed),
        (3, 1, 0)
    );
    assert_eq!(summary.outcome(seq(2)), Some(producer::SendEnd::Unknown));
    assert_eq!(
        storage.bodies().iter().filter(|body| is(body, 2)).count(),
        2
    );
}

#[test]
fn a_lost_answer_and_an_acknowledged_retry_make_one_acknowledged_message() {
    let storage = Scripted::start(|n, _| if n == 0 { CutOff } else { Take });
    let summary = run(producer_to(&storage.endpoint).args(["--shape=burst", "--messages=1"]))
        .assert(0, &[])
        .summary();
    assert_eq!(
        (
            summary.acknowledged,
            summary.retries,
            summary.errors["interrupted"]
        ),
        (1, 1, 1)
    );
}

#[test]
fn storage_that_goes_away_makes_messages_late_and_loses_none() {
    // Storage is unavailable for 40 requests in the middle of the run: several senders back off at once and come back.
    let storage = Scripted::start(|n, _| {
        if (20..60).contains(&n) {
            Refuse(503, "ServerBusy")
        } else {
            Take
        }
    });
    let mut command = producer_to(&storage.endpoint);
    command.args(["--rate=200", "--messages=200", "--concurrency=8"]);
    let summary = run(&mut command).assert(0, &[]).summary();
    assert_eq!((summary.acknowledged, summary.retries), (200, 40));
    assert!(summary.lateness_us.max > 50_000, "{}", summary.lateness_us);
}

#[test]
fn a_port_where_nobody_listens_is_tried_for_a_while_and_then_given_up() {
    // Port 1 is reserved and unused. A port that was free a moment ago may be another test's by now.
    let mut command = producer_to("http://127.0.0.1:1/devstoreaccount1");
    command.args(["--rate=10", "--send-timeout=1s", "--log-format=json"]);
    let ended = run(&mut command).assert(3, &["unreachable", "check the account name or endpoint"]);
    let ours = |line: &str| {
        ["producer", "workflow"]
            .iter()
            .any(|own| line.contains(&format!(r#""target":"{own}"#)))
    };
    assert!(
        ended.stderr.lines().all(ours),
        "the SDK tells no line a try: {}",
        ended.stderr
    );
    let summary = ended.summary();
    assert!(summary.retries > 0 && summary.interrupted);
    assert_eq!(
        (summary.acknowledged, summary.failed),
        (0, summary.begun),
        "nothing can have arrived"
    );
}

#[test]
fn storage_that_is_always_busy_is_given_up_and_its_messages_are_unknown() {
    let storage = Scripted::start(|_, _| Refuse(503, "ServerBusy"));
    let mut command = producer_to(&storage.endpoint);
    let ended = run(command.args(["--shape=burst", "--messages=3", "--tries=2"]))
        .assert(3, &["ServerBusy"]);
    assert_eq!(ended.summary().unknown, 3);
}

#[test]
fn the_body_is_a_message_of_the_contract() {
    let storage = Scripted::start(|_, _| Take);
    let mut command = producer_to(&storage.endpoint);
    command.args([
        "--shape=burst",
        "--messages=1",
        "--run=r1",
        "--seed=7",
        "--payload=200",
    ]);
    run(&mut command).assert(0, &[]);
    let mut body = storage.bodies()[0].clone();
    // The ampersand is last: the text that it escapes is plain by then.
    for (escaped, plain) in [
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ] {
        body = body.replace(escaped, plain);
    }
    let json = &body[body.find('{').unwrap()..=body.rfind('}').unwrap()];
    let message = Message::decode(json).unwrap();
    assert_eq!(
        (message.id.to_string().as_str(), message.msg.len()),
        ("r1-1", 200)
    );
}
