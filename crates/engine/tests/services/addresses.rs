//! Tests of addresses: the account in the path or in the host, its secondary, other accounts, and invalid addresses.

use engine::Service;

use crate::played::{Played, request};

#[test]
fn the_account_may_be_in_the_host() {
    let played = Played::with_queue();
    let target = format!("/queue?comp=metadata&{}", played.services.sas());
    let host = [("host", "devstoreaccount1.queue.localhost:10001")];
    let seen = played.ask(Service::Queue, &request("GET", &target, &host, ""));
    assert_eq!(seen.status, 200, "{}", seen.body);
}

#[test]
fn the_secondary_reads_the_same_and_writes_nothing() {
    let played = Played::with_queue();
    let sas = played.services.sas();
    let ask = |method: &str, target: &str| {
        let target = format!("{target}&{sas}");
        played.ask(Service::Queue, &request(method, &target, &[], ""))
    };
    assert_eq!(
        ask("GET", "/devstoreaccount1-secondary/queue?comp=metadata").status,
        200
    );
    let refused = ask("PUT", "/devstoreaccount1-secondary/other?");
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (403, "WriteOperationNotSupportedOnSecondary")
    );
    let stats = ask(
        "GET",
        "/devstoreaccount1-secondary/?restype=service&comp=stats",
    );
    assert_eq!(stats.elements("Status"), ["live"]);
    assert_eq!(
        ask("GET", "/devstoreaccount1/?restype=service&comp=stats").status,
        400
    );
}

#[test]
fn another_account_is_not_there() {
    let played = Played::new();
    let seen = played.ask(Service::Queue, &request("GET", "/other?comp=list", &[], ""));
    assert_eq!((seen.status, seen.code.as_str()), (404, "ResourceNotFound"));
}

#[test]
fn what_names_no_resource_or_no_operation_is_refused() {
    let played = Played::with_queue();
    for (method, target, status, code) in [
        ("GET", "/queue/other", 400, "InvalidUri"),
        ("GET", "/queue/messages/a/b", 400, "InvalidUri"),
        ("POST", "/queue", 405, "UnsupportedHttpVerb"),
        ("PATCH", "/queue/messages", 405, "UnsupportedHttpVerb"),
        (
            "GET",
            "/queue?comp=unknown",
            400,
            "InvalidQueryParameterValue",
        ),
        ("GET", "/%ff?comp=metadata", 400, "InvalidUri"),
        ("GET", "/queue?comp=%ff", 400, "InvalidUri"),
        ("PUT", "/ab", 400, "OutOfRangeInput"),
        ("PUT", "/Queue", 400, "InvalidResourceName"),
        ("PUT", "/-queue", 400, "InvalidResourceName"),
        ("PUT", "/que--ue", 400, "InvalidResourceName"),
        ("PUT", "/%E9", 400, "InvalidUri"),
    ] {
        let seen = played.queue(method, target, &[], "");
        assert_eq!(
            (seen.status, seen.code.as_str()),
            (status, code),
            "{method} {target}"
        );
    }
    let version = [("x-ms-version", "latest")];
    let seen = played.queue("GET", "/queue?comp=metadata", &version, "");
    assert_eq!(
        (seen.status, seen.code.as_str()),
        (400, "InvalidHeaderValue")
    );
}

#[test]
fn tunnelled_verbs_are_those_of_a_post_alone() {
    let played = Played::with_table();
    let target = "/table(PartitionKey='p',RowKey='r')";
    let merge = [("x-http-method", "MERGE")];
    assert_eq!(played.table("POST", target, &merge, "{}").status, 204);
    assert_eq!(
        played.table("PUT", target, &merge, "{}").code,
        "XMethodNotUsingPost"
    );
    let unknown = [("x-http-method", "TRACE")];
    assert_eq!(
        played.table("POST", target, &unknown, "{}").code,
        "XMethodIncorrectValue"
    );
    let delete = [("x-http-method", "DELETE"), ("if-match", "*")];
    assert_eq!(played.table("POST", target, &delete, "").status, 204);
}
