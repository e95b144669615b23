//! Tests of messages over time, as a client of the Queue service sees them.

use crate::played::Played;

const WEEK: u64 = 7 * 24 * 60 * 60;

fn put(played: &Played, query: &str, text: &str) {
    let body = format!("<QueueMessage><MessageText>{text}</MessageText></QueueMessage>");
    let put = played.queue("POST", &format!("/queue/messages?{query}"), &[], &body);
    assert_eq!(put.status, 201, "{}", put.body);
}

fn received(played: &Played, query: &str) -> Vec<String> {
    let answer = played.queue(
        "GET",
        &format!("/queue/messages?numofmessages=32&{query}"),
        &[],
        "",
    );
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
        .elements("MessageText")
        .into_iter()
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_message_expires_after_seven_days_unless_told_otherwise() {
    let played = Played::with_queue();
    put(&played, "", "a week");
    put(&played, "messagettl=10", "ten seconds");
    put(&played, "messagettl=-1", "for ever");
    played.advance(9);
    assert_eq!(received(&played, "visibilitytimeout=1").len(), 3);
    played.advance(1);
    assert_eq!(
        received(&played, "visibilitytimeout=1"),
        ["a week", "for ever"]
    );
    played.advance(WEEK - 11);
    assert_eq!(received(&played, "visibilitytimeout=1").len(), 2);
    played.advance(1);
    assert_eq!(received(&played, "visibilitytimeout=1"), ["for ever"]);
    let metadata = played.queue("GET", "/queue?comp=metadata", &[], "");
    assert_eq!(metadata.header("x-ms-approximate-messages-count"), "1");
}

#[test]
fn a_hidden_message_is_counted_and_comes_back_with_the_next_count() {
    let played = Played::with_queue();
    put(&played, "visibilitytimeout=5", "later");
    assert!(received(&played, "").is_empty());
    played.advance(5);
    assert_eq!(received(&played, "visibilitytimeout=604800"), ["later"]);
    played.advance(6 * 24 * 60 * 60);
    assert!(received(&played, "").is_empty());
    let metadata = played.queue("HEAD", "/queue?comp=metadata", &[], "");
    assert_eq!(metadata.header("x-ms-approximate-messages-count"), "1");
}

#[test]
fn a_message_has_the_elements_that_the_documentation_shows_and_a_peeked_one_has_fewer() {
    let played = Played::with_queue();
    put(&played, "", "&lt;a&gt;");
    let peeked = played.queue("GET", "/queue/messages?peekonly=true", &[], "");
    let received = played.queue("GET", "/queue/messages", &[], "");
    for (name, value) in [
        ("InsertionTime", "Sat, 28 Nov 2026 18:03:44 GMT"),
        ("ExpirationTime", "Sat, 05 Dec 2026 18:03:44 GMT"),
        ("MessageText", "&lt;a&gt;"),
    ] {
        assert_eq!(peeked.elements(name), [value], "{name}");
        assert_eq!(received.elements(name), [value], "{name}");
    }
    assert_eq!(peeked.elements("DequeueCount"), ["0"]);
    assert!(
        peeked.elements("PopReceipt").is_empty() && peeked.elements("TimeNextVisible").is_empty()
    );
    assert_eq!(received.elements("DequeueCount"), ["1"]);
    assert_eq!(
        received.elements("TimeNextVisible"),
        ["Sat, 28 Nov 2026 18:04:14 GMT"]
    );
    assert_eq!(received.elements("PopReceipt").len(), 1);
}

#[test]
fn numbers_out_of_range_are_told_with_their_range() {
    let played = Played::with_queue();
    for (query, code) in [
        ("numofmessages=0", "OutOfRangeQueryParameterValue"),
        ("numofmessages=33", "OutOfRangeQueryParameterValue"),
        ("numofmessages=many", "InvalidQueryParameterValue"),
        ("visibilitytimeout=0", "OutOfRangeQueryParameterValue"),
        ("visibilitytimeout=604801", "OutOfRangeQueryParameterValue"),
        ("visibilitytimeout=-1", "OutOfRangeQueryParameterValue"),
    ] {
        let answer = played.queue("GET", &format!("/queue/messages?{query}"), &[], "");
        assert_eq!(
            (answer.status, answer.code.as_str()),
            (400, code),
            "{query}"
        );
    }
    let answer = played.queue("GET", "/queue/messages?numofmessages=33", &[], "");
    assert_eq!(answer.elements("MaximumAllowed"), ["32"]);
    assert_eq!(answer.elements("QueryParameterValue"), ["33"]);
}

#[test]
fn a_text_of_64_kib_fits_and_one_byte_more_does_not() {
    let played = Played::with_queue();
    // Escaped it is five times as long, which does not matter.
    put(&played, "", &"&amp;".repeat(64 * 1024));
    let body = format!(
        "<QueueMessage><MessageText>{}</MessageText></QueueMessage>",
        "x".repeat(64 * 1024 + 1)
    );
    let refused = played.queue("POST", "/queue/messages", &[], &body);
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (413, "RequestBodyTooLarge")
    );
    assert_eq!(refused.elements("MaxLimit"), ["65536"]);
}

#[test]
fn what_xml_cannot_hold_is_refused_when_it_is_put() {
    let played = Played::with_queue();
    let body = "<QueueMessage><MessageText>&#x1;</MessageText></QueueMessage>";
    let refused = played.queue("POST", "/queue/messages", &[], body);
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (400, "InvalidXmlDocument")
    );
}

#[test]
fn clearing_removes_hidden_messages_too_and_old_receipts_find_nothing() {
    let played = Played::with_queue();
    put(&played, "", "a");
    let received = played.queue("GET", "/queue/messages", &[], "");
    let id = received.elements("MessageId")[0].to_owned();
    let receipt = received.elements("PopReceipt")[0]
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    assert_eq!(
        played.queue("DELETE", "/queue/messages", &[], "").status,
        204
    );
    let metadata = played.queue("GET", "/queue?comp=metadata", &[], "");
    assert_eq!(metadata.header("x-ms-approximate-messages-count"), "0");
    put(&played, "", "b");
    let deleted = played.queue(
        "DELETE",
        &format!("/queue/messages/{id}?popreceipt={receipt}"),
        &[],
        "",
    );
    assert_eq!(
        (deleted.status, deleted.code.as_str()),
        (404, "MessageNotFound")
    );
}
