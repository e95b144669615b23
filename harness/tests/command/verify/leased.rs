//! Queues in which messages are still leased, or which other runs share.

use super::*;

#[tokio::test]
async fn limits_and_samples_are_those_of_the_run_alone_where_other_runs_share_the_table() {
    let sent = Sent::new().await;
    let worker = Worker::new(&sent).await;
    let of_run = worker.receive_all().await;
    worker.finish(&of_run, Duration::ZERO).await;
    // Five times as many rows, each an hour late.
    let other = sent.out.path().join("other.json");
    sent.load("r2", 5 * MESSAGES, &other).await;
    let of_other = worker.receive_all().await;
    worker.finish(&of_other, Duration::from_secs(3600)).await;

    let (code, text) = sent.verified(&["--limit=end to end p50 10m"]).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("40 messages stored exactly once each, 1 latency limit kept"),
        "{text}"
    );
    let record = sent.record();
    let hops = record.measured.expect("latencies").hops;
    assert_eq!(hops.rows(), 40);
    for hop in Hop::ALL {
        assert_eq!(hops.samples(hop).count(), 40, "{hop}");
    }
    let audit = record.audit.expect("an audit");
    assert_eq!((audit.rows, audit.other_runs), (40, 200));
}

#[tokio::test]
async fn messages_that_are_leased_are_waited_for_and_called_unfinished_only_once_nobody_holds_them()
{
    let sent = Sent::new().await;
    let worker = Worker::new(&sent).await;
    let all = worker.receive_all().await;
    let (done, held) = all.split_at(MESSAGES - 15);
    worker.finish(done, Duration::ZERO).await;

    let (code, text) = sent.verified(&["--settle=0s"]).await;
    assert_eq!(code, Some(11), "{text}");
    assert!(
        text.contains(
            "15 messages left unfinished in the queue, but 15 messages in the queue were leased"
        ),
        "{text}"
    );

    // No worker has leased the visible message.
    let (returned, held) = held.split_at(1);
    let visible = sent.queue.renew(&returned[0].lease, Duration::ZERO).await;
    visible.expect("a visible message");
    worker.finish(held, Duration::ZERO).await;
    let (code, text) = sent.verified(&["--settle=0s"]).await;
    assert_eq!(code, Some(10), "{text}");
    assert!(
        text.contains("1 message left unfinished in the queue"),
        "{text}"
    );

    let mut verify = sent.verify(&["--settle=10m"]);
    let verify = verify.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut verify = verify.spawn().expect("the harness must start");
    let stderr = verify.stderr.take().expect("its standard error");
    let mut lines = BufReader::new(stderr).lines();
    let line = lines.next_line().await.expect("a line");
    let line = line.expect("that it waits");
    assert!(
        line.starts_with(
            "waiting until consumers have finished what is in the queue (1 message, 0 leased)"
        ),
        "{line}"
    );
    let last = worker.receive_all().await;
    worker.finish(&last, Duration::ZERO).await;
    let output = verify.wait_with_output().await.expect("its end");
    let (code, text) = said(&output);
    assert_eq!(code, Some(0), "{text}");
}

#[tokio::test]
async fn leased_messages_of_other_runs_in_the_same_queue_are_no_violation_of_this_one() {
    let sent = Sent::new().await;
    let worker = Worker::new(&sent).await;
    let of_run = worker.receive_all().await;
    worker.finish(&of_run, Duration::ZERO).await;
    sent.load("r2", 3, &sent.out.path().join("other.json"))
        .await;
    sent.queue.send("not json").await.expect("a message");

    // Visible messages of other runs are not waited for.
    let (code, text) = sent.verified(&["--settle=10m"]).await;
    assert_eq!(code, Some(0), "{text}");
    worker.receive_all().await;
    let (code, text) = sent.verified(&["--settle=0s"]).await;
    assert_eq!(code, Some(11), "{text}");
    assert!(
        text.contains("4 messages in the queue could not be looked at: they are of other runs, or finished and not deleted"),
        "{text}"
    );
}
