//! Storage that refuses, fails, throttles, or is missing: an error at the start, waited for later, and nothing lost.

use tokio::net::TcpSocket;

use crate::script::{Scripted, Step};
use crate::support::{Consumer, SAS, run, storage};

#[tokio::test]
async fn a_refusal_at_the_start_has_its_exit_code_and_advice() {
    let refusals = [
        (
            403,
            "AuthorizationPermissionMismatch",
            5,
            "the SAS does not grant this operation on the queue",
        ),
        (401, "NoAuthenticationInformation", 5, "check the SAS"),
        (404, "QueueNotFound", 4, "--create"),
        (
            409,
            "OperationNotAllowedInCurrentState",
            3,
            "OperationNotAllowedInCurrentState",
        ),
        (413, "RequestBodyTooLarge", 3, "RequestBodyTooLarge"),
    ];
    for (status, code, exit, text) in refusals {
        let scripted =
            Scripted::start(move |step, _| (step == Step::Receive).then_some((status, code))).await;
        let url = scripted.url();
        let ended = run(&[], &storage(&url, &url, SAS)).await;
        assert_eq!(ended.code, Some(exit), "{status}: {}", ended.stderr);
        assert!(ended.stderr.contains(text), "{status}: {}", ended.stderr);
        assert!(
            !ended.stderr.contains("c2lnbmF0dXJl"),
            "a signature is not repeated: {}",
            ended.stderr
        );
    }
}

#[tokio::test]
async fn the_first_request_is_get_messages() {
    let scripted =
        Scripted::start(|step, _| (step == Step::Receive).then_some((404, "QueueNotFound"))).await;
    let url = scripted.url();
    run(&[], &storage(&url, &url, SAS)).await;
    assert_eq!(
        scripted.steps().first(),
        Some(&Step::Receive),
        "{:?}",
        scripted.steps()
    );
}

#[tokio::test]
async fn a_busy_answer_at_the_start_is_waited_for() {
    for (status, code) in [(503, "ServerBusy"), (500, "OperationTimedOut")] {
        let scripted = Scripted::start(move |step, nth| {
            (step == Step::Receive && nth <= 3).then_some((status, code))
        })
        .await;
        let url = scripted.url();
        let ended = run(&["--exit-when-idle", "10ms"], &storage(&url, &url, SAS)).await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert_eq!(scripted.count(Step::Delete), 1);
    }
}

#[tokio::test]
async fn each_failure_of_a_receive_at_run_time_is_ridden_out() {
    let failures = [
        (403, "AuthorizationFailure"),
        (404, "QueueNotFound"),
        (409, "QueueBeingDeleted"),
        (413, "RequestBodyTooLarge"),
        (500, "InternalError"),
        (503, "ServerBusy"),
    ];
    // The second to seventh receive fail, each in another way.
    let rule = move |step, nth: usize| match step {
        Step::Receive if nth >= 2 => failures.get(nth - 2).copied(),
        Step::Delete if nth == 1 => Some((503, "ServerBusy")),
        _ => None,
    };
    let scripted = Scripted::start(rule).await;
    let url = scripted.url();
    let mut consumer = Consumer::start(&["--exit-when-idle", "10ms"], &storage(&url, &url, SAS));
    consumer.until("storage lost").await;
    consumer.until("storage back").await;
    let (code, end) = consumer.end().await;
    assert_eq!(code, Some(0), "{end}");
    assert_eq!(end["deleted"], 1, "{end}");
}

#[tokio::test]
async fn each_failure_of_an_insert_keeps_the_message_until_the_row_is_stored() {
    let failures = [
        (403, "AuthorizationFailure"),
        (404, "TableNotFound"),
        (500, "InternalError"),
        (503, "ServerBusy"),
    ];
    for (status, code) in failures {
        let scripted = Scripted::start(move |step, nth| {
            (step == Step::Insert && nth <= 2).then_some((status, code))
        })
        .await;
        let url = scripted.url();
        let ended = run(&["--exit-when-idle", "10ms"], &storage(&url, &url, SAS)).await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let done: Vec<_> = scripted
            .steps()
            .into_iter()
            .filter(|s| matches!(s, Step::Insert | Step::Delete))
            .collect();
        assert_eq!(
            done,
            [Step::Insert, Step::Insert, Step::Insert, Step::Delete],
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_row_that_is_too_large_goes_to_the_poison_queue_before_the_delete() {
    let scripted =
        Scripted::start(|step, _| (step == Step::Insert).then_some((413, "RequestBodyTooLarge")))
            .await;
    let url = scripted.url();
    let ended = run(&["--exit-when-idle", "10ms"], &storage(&url, &url, SAS)).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let steps: Vec<_> = scripted
        .steps()
        .into_iter()
        .filter(|s| !matches!(s, Step::Receive | Step::Other))
        .collect();
    assert_eq!(steps, [Step::Insert, Step::SendPoison, Step::Delete]);
    assert!(ended.stderr.contains("oversized"), "{}", ended.stderr);
}

#[tokio::test]
async fn storage_that_is_not_there_yet_is_waited_for() {
    // Bound, but not listening: connections are refused, and no other process gets the port.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    let url = format!("http://{address}/account");
    let mut consumer = Consumer::start(&["--exit-when-idle", "10ms"], &storage(&url, &url, SAS));
    let lost = consumer.until("storage lost").await;
    assert!(
        lost["advice"].as_str().unwrap().contains("endpoint"),
        "{lost}"
    );
    let scripted = Scripted::start_on(socket.listen(128).unwrap(), |_, _| None);
    consumer.until("storage back").await;
    consumer.assert_only_ours_spoke();
    let (code, end) = consumer.end().await;
    assert_eq!((code, scripted.count(Step::Delete)), (Some(0), 1), "{end}");
}

#[tokio::test]
async fn storage_that_stays_away_at_the_start_is_given_up_with_its_own_code() {
    let url = "http://127.0.0.1:1/account";
    let ended = run(&["--start-timeout", "1s"], &storage(url, url, SAS)).await;
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("check the account name or endpoint"),
        "{}",
        ended.stderr
    );
}
