//! Tests of service properties, of CORS, and of lists.

use engine::Service;

use crate::played::{Played, request};

const RULE: &str = "<StorageServiceProperties><Cors><CorsRule><AllowedOrigins>http://a.example</AllowedOrigins><AllowedMethods>GET,PUT</AllowedMethods><MaxAgeInSeconds>60</MaxAgeInSeconds><ExposedHeaders>x-ms-request-id,x-ms-meta-*</ExposedHeaders><AllowedHeaders>x-ms-*</AllowedHeaders></CorsRule></Cors></StorageServiceProperties>";

#[test]
fn a_section_that_is_left_out_stays_as_it_is() {
    let played = Played::new();
    let target = "/?restype=service&comp=properties";
    assert_eq!(played.queue("PUT", target, &[], RULE).status, 202);
    let metrics = "<StorageServiceProperties><HourMetrics><Version>1.0</Version><Enabled>true</Enabled><IncludeAPIs>true</IncludeAPIs><RetentionPolicy><Enabled>true</Enabled><Days>7</Days></RetentionPolicy></HourMetrics></StorageServiceProperties>";
    assert_eq!(played.queue("PUT", target, &[], metrics).status, 202);
    let seen = played.queue("GET", target, &[], "");
    assert_eq!(seen.elements("AllowedOrigins"), ["http://a.example"]);
    assert_eq!(seen.elements("Days"), ["7"]);
    assert_eq!(seen.elements("Logging").len(), 1);
    // Each service has its own properties.
    let tables = played.table("GET", target, &[], "");
    assert!(tables.elements("AllowedOrigins").is_empty());
    let wrong = metrics.replace("<Days>7</Days>", "<Days>366</Days>");
    assert_eq!(
        played.queue("PUT", target, &[], &wrong).code,
        "InvalidXmlNodeValue"
    );
}

#[test]
fn a_preflight_is_answered_by_the_rules() {
    let played = Played::new();
    played.queue("PUT", "/?restype=service&comp=properties", &[], RULE);
    let ask = |origin: &str, method: &str, header: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", method),
            ("access-control-request-headers", header),
        ];
        played.ask(
            Service::Queue,
            &request("OPTIONS", "/devstoreaccount1/queue", &headers, ""),
        )
    };
    let allowed = ask("http://a.example", "PUT", "x-ms-date");
    assert_eq!(allowed.status, 200, "{}", allowed.body);
    assert_eq!(
        allowed.header("access-control-allow-origin"),
        "http://a.example"
    );
    assert_eq!(allowed.header("access-control-max-age"), "60");
    for (origin, method, header) in [
        ("http://b.example", "PUT", "x-ms-date"),
        ("http://a.example", "DELETE", "x-ms-date"),
        ("http://a.example", "PUT", "authorization"),
    ] {
        assert_eq!(ask(origin, method, header).code, "CorsPreflightFailure");
    }
    let seen = played.queue("GET", "/?comp=list", &[("origin", "http://a.example")], "");
    assert_eq!(
        seen.header("access-control-expose-headers"),
        "x-ms-request-id"
    );
}

#[test]
fn queues_are_listed_in_pages() {
    let played = Played::new();
    for name in ["aa-1", "aa-2", "aa-3", "bb-1"] {
        let headers = [("x-ms-meta-name", name)];
        assert_eq!(
            played
                .queue("PUT", &format!("/{name}"), &headers, "")
                .status,
            201
        );
    }
    let first = played.queue("GET", "/?comp=list&prefix=aa&maxresults=2", &[], "");
    assert_eq!(first.elements("Name"), ["aa-1", "aa-2"]);
    let marker = first.elements("NextMarker")[0].to_owned();
    let target = format!("/?comp=list&prefix=aa&maxresults=2&include=metadata&marker={marker}");
    let second = played.queue("GET", &target, &[], "");
    assert_eq!(second.elements("Name"), ["aa-3"]);
    assert_eq!(second.elements("name"), ["aa-3"]);
    assert_eq!(second.elements("NextMarker"), [""]);
}

#[test]
fn creating_a_queue_twice_is_no_error_with_the_same_metadata() {
    let played = Played::new();
    let create = |value: &str| {
        let seen = played.queue("PUT", "/queue", &[("x-ms-meta-color", value)], "");
        (seen.status, seen.code)
    };
    assert_eq!(create("blue").0, 201);
    assert_eq!(create("blue").0, 204);
    assert_eq!(create("red"), (409, "QueueAlreadyExists".to_owned()));
}

#[test]
fn tables_are_named_in_any_case_and_keep_theirs() {
    let played = Played::new();
    assert_eq!(
        played
            .table("POST", "/Tables", &[], r#"{"TableName":"MyTable"}"#)
            .status,
        201
    );
    assert_eq!(
        played
            .table("POST", "/Tables", &[], r#"{"TableName":"mytable"}"#)
            .code,
        "TableAlreadyExists"
    );
    assert!(
        played
            .table("GET", "/Tables", &[], "")
            .body
            .contains("MyTable")
    );
    assert_eq!(played.table("GET", "/mYtAbLe()", &[], "").status, 200);
    assert_eq!(
        played.table("DELETE", "/Tables('MYTABLE')", &[], "").status,
        204
    );
}

#[test]
fn a_preflight_without_its_headers_is_told_so() {
    let played = Played::new();
    played.queue("PUT", "/?restype=service&comp=properties", &[], RULE);
    for headers in [
        &[("origin", "http://a.example")][..],
        &[("access-control-request-method", "GET")],
    ] {
        let target = "/devstoreaccount1/queue";
        let seen = played.ask(Service::Queue, &request("OPTIONS", target, headers, ""));
        assert_eq!(
            (seen.status, seen.code.as_str()),
            (400, "InvalidHeaderValue")
        );
        let message = seen.elements("Message")[0];
        assert!(
            message.starts_with("A required CORS header is not present."),
            "{message}"
        );
    }
}

#[test]
fn an_answer_that_depends_on_the_origin_says_so() {
    let played = Played::new();
    let ask = |origin: &str| {
        let seen = played.queue("GET", "/?comp=list", &[("origin", origin)], "");
        seen.header("vary").to_owned()
    };
    assert_eq!(ask("http://b.example"), "", "there are no rules");
    played.queue("PUT", "/?restype=service&comp=properties", &[], RULE);
    assert_eq!(ask("http://a.example"), "Origin");
    assert_eq!(ask("http://b.example"), "Origin", "no rule matches");
    let seen = played.queue("GET", "/?comp=list", &[], "");
    assert_eq!(seen.header("vary"), "", "no origin is given");
    let any = RULE.replace("http://a.example", "*");
    played.queue("PUT", "/?restype=service&comp=properties", &[], &any);
    assert_eq!(ask("http://b.example"), "", "the rule is for all");
}
