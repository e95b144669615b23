//! A table of another form, or one into which other programs write, too.

use super::*;

/// The record of the verification that found corrupted rows.
fn corrupted(out: &Path) -> RunRecord {
    let entries = std::fs::read_dir(out).expect("the directory");
    let dirs = entries.map(|entry| entry.expect("an entry").path());
    let records = dirs
        .filter(|path| path.is_dir())
        .map(|dir| RunRecord::read(&dir));
    let mut records = records.map(|record| record.expect("its event log"));
    let has_one = |record: &RunRecord| {
        let audit = record.audit.as_ref().expect("an audit");
        audit.count(Violation::Corrupted) > 0
    };
    records
        .find(has_one)
        .expect("a report with a corrupted row")
}

#[tokio::test]
async fn a_witness_names_the_column_of_the_payload_that_was_given() {
    let sent = Sent::new().await;
    foreign_worker(&sent).await;
    let wrong = json!({
        "PartitionKey": "all", "RowKey": "again", "messageId": "r1-7", "payload": "something else",
    });
    let inserted = sent.table().insert_entity(&wrong, None).await;
    inserted.expect("a row");
    let (code, text) = sent
        .verified(&["--id-column=messageId", "--data-column=payload"])
        .await;
    assert_eq!(code, Some(10), "{text}");
    let audit = corrupted(sent.out.path()).audit.expect("an audit");
    let mut findings = audit.findings.iter();
    let found = findings.find(|it| it.violation == Violation::Corrupted);
    let witness = &found.expect("a finding").witnesses[0];
    let detail = &witness.detail;
    assert!(
        detail.starts_with("`payload` is not what was sent"),
        "{detail}"
    );
    let row = witness.row.as_ref().expect("its row");
    let columns = row.columns();
    let payload = columns.iter().find(|column| column.0 == "payload");
    assert_eq!(
        payload.and_then(|it| it.1.as_deref()),
        Some("something else")
    );
    assert!(
        columns.iter().all(|column| column.0 != "data"),
        "{columns:?}"
    );
}

/// The summary says that the load began ten minutes later than it did, so that the row of another program is ten minutes older.
#[tokio::test]
async fn rows_of_somebody_else_that_were_there_before_are_no_phantoms() {
    let sent = Sent::new().await;
    let worker = Worker::new(&sent).await;
    let all = worker.receive_all().await;
    worker.finish(&all, Duration::ZERO).await;
    let sample = json!({ "PartitionKey": "5d0c", "RowKey": "2f0e", "data": "Hello, World!" });
    sent.table()
        .insert_entity(&sample, None)
        .await
        .expect("a row");
    let (code, text) = sent.verified(&[]).await;
    assert_eq!(
        code,
        Some(11),
        "nobody knows that it is not of the run's consumers: {text}"
    );

    let later = |stamp: &serde_json::Value| {
        let stamp: Stamp = serde_json::from_value(stamp.clone()).expect("a stamp");
        serde_json::to_value(stamp.plus(Duration::from_secs(600))).expect("a stamp")
    };
    let text = std::fs::read(&sent.summary).expect("the summary");
    let mut summary: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    for field in ["started", "ended"] {
        summary[field] = later(&summary[field]);
    }
    std::fs::write(&sent.summary, summary.to_string()).expect("the summary");
    let (code, text) = sent.verified(&[]).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("40 messages stored exactly once each"),
        "{text}"
    );
}

/// A worker that stamps the end of its work with the time at which the message was sent: by its own stamps, no message took any
/// time. The latency ends with the service's own `Timestamp`, though no wire has seen the rows.
#[tokio::test]
async fn a_worker_that_stamps_too_early_is_as_slow_as_the_tables_own_timestamp_says() {
    let sent = Sent::new().await;
    let worker = Worker::new(&sent).await;
    for delivery in worker.receive_all().await {
        let message = Message::decode(&delivery.body).expect("a message");
        let row = ResultRow::of(message, Stamp::now(), delivery.attempt, "worker", "here");
        let row = ResultRow {
            dequeued_stamp: row.sent_stamp,
            date_stamp: row.sent_stamp,
            ..row
        };
        worker.table.insert(&[row]).await.expect("a row");
        let deleted = sent.queue.delete(&delivery.lease).await;
        deleted.expect("a delete");
    }
    // The producer ended in between.
    let (code, text) = sent.verified(&["--limit=end to end p50 1ms"]).await;
    assert_eq!(code, Some(10), "{text}");
    assert!(
        text.contains("end to end p50 at most 1.0") && text.contains(": found"),
        "{text}"
    );
    let hops = sent.record().measured.expect("latencies").hops;
    let least = |hop| hops.samples(hop).at_rank(1).expect("samples");
    assert!(least(Hop::EndToEnd) >= least(Hop::Store), "{text}");
    assert!(least(Hop::Store) > 1_000, "{text}");
    assert_eq!(hops.samples(Hop::Work).max(), Some(0), "{text}");
}
