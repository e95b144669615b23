//! Tests that each form in the reference is understood, and that each other form is reported by name.

use super::*;

const ROW: &str = "/acc/T(PartitionKey='p',RowKey='r')";

/// Requests, one per line: method and URL, headers after `|`, and the expected result after ` = `. `{ROW}` is the URL of a row.
fn cases(text: &str) -> impl Iterator<Item = (String, &str, &str)> {
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let (asked, expected) = line.rsplit_once(" = ").expect("what is expected");
            let (target, headers) = asked.split_once('|').unwrap_or((asked, ""));
            (
                target.trim().replace("{ROW}", ROW),
                headers,
                expected.trim(),
            )
        })
}

fn request(service: Service, asked: &str, headers: &str) -> Request {
    let (method, url) = asked.split_once(' ').expect("a method and a URL");
    let (path, query) = match url.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (url, None),
    };
    let pairs = headers
        .split(';')
        .filter_map(|header| header.split_once(':'));
    let pairs = pairs.map(|(name, value)| (name.trim(), Some(value)));
    let target = Target {
        service,
        base: "/acc",
        method: &method.parse().expect("a method"),
        path,
        query,
    };
    Request::of(target, &Headers::read(pairs))
}

fn queue(asked: &str) -> Request {
    request(Service::Queue, asked, "")
}

fn table(asked: &str) -> Request {
    request(Service::Table, asked, "")
}

/// Checks that each case is understood as the expected operation.
fn understood(service: Service, text: &str) {
    for (asked, headers, expected) in cases(text) {
        let request = request(service, &asked, headers);
        assert_eq!(request.strange, None, "{asked} {headers}");
        let (operation, resource) = expected.split_once(' ').unwrap_or((expected, ""));
        let told = (request.operation.as_str(), &*request.resource);
        assert_eq!(told, (operation, resource), "{asked} {headers}");
    }
}

/// Checks that each case is not understood, for the expected reason.
fn not_understood(service: Service, text: &str) {
    for (asked, headers, expected) in cases(text) {
        let request = request(service, &asked, headers);
        assert_eq!(
            request.strange.as_deref(),
            Some(expected),
            "{asked} {headers}"
        );
    }
}

/// "Operations on Messages", "Operations on Queues", "Operations on the Account (Queue Storage)".
#[test]
fn operations_of_the_queue_service_are_understood() {
    understood(
        Service::Queue,
        "POST /acc/work/messages?messagettl=-1&visibilitytimeout=5&timeout=30 = put-message work
         GET /acc/work/messages?numofmessages=32&visibilitytimeout=30 = receive-messages work
         GET /acc/work/messages?peekonly=true&numofmessages=2 = peek-messages work
         GET /acc/work/messages?peekonly=false = receive-messages work
         PUT /acc/work/messages/m1?popreceipt=a%3D&visibilitytimeout=0 = update-message work
         DELETE /acc/work/messages/m1?popreceipt=a%3D = delete-message work
         DELETE /acc/work/messages = clear-messages work
         PUT /acc/work = create-queue work
         DELETE /acc/work = delete-queue work
         GET /acc/work?comp=metadata = other work
         HEAD /acc/work?comp=metadata = other work
         PUT /acc/work?comp=metadata = change-queue work
         GET /acc/work?comp=acl = other work
         PUT /acc/work?comp=acl = change-queue work
         OPTIONS /acc/work = other work
         POST /acc/%77ork/mess%61ges = put-message work
         POST /%61cc/work/messages = put-message work
         POST /acc/work/messages/ = put-message work
         GET /acc?comp=list&prefix=w&marker=1&maxresults=5&include=metadata = other
         GET /acc/?comp=list = other
         GET /acc/?restype=service&comp=properties = other
         PUT /acc/?restype=service&comp=properties = change-queue
         GET /acc/?restype=service&comp=stats = other",
    );
    let update = queue("PUT /acc/work/messages/m%31?popreceipt=a%3D&visibilitytimeout=0");
    assert_eq!(
        (
            update.message.as_deref(),
            update.receipt.as_deref(),
            update.hidden_s
        ),
        (Some("m1"), Some("a="), Some(0))
    );
    for (query, lives_s) in [
        ("", None),
        ("?messagettl=-1", None),
        ("?messagettl=60", Some(60)),
        ("?messagettl=604801", Some(604_801)),
    ] {
        let put = queue(&format!("POST /acc/work/messages{query}"));
        assert_eq!((put.strange, put.lives_s), (None, lives_s), "{query}");
    }
}

#[test]
fn a_shared_access_signature_says_nothing_of_what_is_asked() {
    let sas = "sv=2022-11-02&ss=qt&srt=sco&sp=rwdlacup&se=2030-01-01T00%3A00%3A00Z&spr=https%2Chttp&sig=x%3D&st=2020&sip=1.1.1.1\
               &skoid=1&sktid=1&skt=1&ske=1&sks=q&skv=1&si=p&sr=q&tn=t&spk=a&srk=b&epk=c&erk=d";
    let put = queue(&format!("POST /acc/work/messages?{sas}"));
    assert_eq!(put.strange, None);
}

#[test]
fn other_forms_of_requests_to_a_queue_are_not_understood() {
    not_understood(
        Service::Queue,
        r#"PATCH /acc/work/messages/m1 = PATCH on a path of this form
           POST /acc/work/messages/m1 = POST on a path of this form
           GET /acc/work = GET on a path of this form
           POST /acc/work/letters = POST on a path of this form
           GET /acc/work/messages/m1/x = GET on a path of this form
           DELETE /acc/work/messages/m1?comp=list = DELETE on a path of this form
           GET /acc/work/messages?peekOnly=true = the parameter "peekOnly"
           GET /acc/work/messages?peekonly=1 = the parameter peekonly="1"
           GET /acc/work/messages?visibilitytimeout=0x1 = the parameter visibilitytimeout="0x1"
           POST /acc/work/messages?messagettl=-2 = the parameter messagettl="-2"
           POST /acc/work/messages?messagettl= = the parameter messagettl=""
           PUT /acc/work/messages/m1?popreceipt=a&popreceipt=b = the parameter popreceipt twice
           POST /acc//work/messages = an empty or a dotted segment in the path
           POST /acc/x/../work/messages = an empty or a dotted segment in the path
           POST /acc/work%2Fmessages = an encoded slash in the path
           POST /acc-secondary/work/messages = a path outside of the account
           POST /work/messages = a path outside of the account
           POST /acc/work/messages/m1|X-HTTP-Method: DELETE = POST with X-HTTP-Method: DELETE"#,
    );
    // Azurite's interpretation is recorded all the same: it applies that header to any request.
    let tunnelled = "POST /acc/work/messages/m1?popreceipt=a";
    let tunnelled = request(Service::Queue, tunnelled, "X-HTTP-Method: DELETE");
    assert_eq!(tunnelled.operation, Operation::DeleteMessage);
}

/// "Operations on Entities", "Operations on Tables", "Operations on the Account (Table Storage)".
#[test]
fn operations_of_the_table_service_are_understood() {
    understood(
        Service::Table,
        "POST /acc/T = insert-entity T
         GET {ROW} = get-entity T
         GET /acc/T() = query-entities T
         GET /acc/T = query-entities T
         GET /acc/T()?$filter=PartitionKey%20eq%20'p'&$top=5&$select=a&NextPartitionKey=p&NextRowKey=r = query-entities T
         PUT {ROW}|If-Match: * = update-entity T
         MERGE {ROW}|If-Match: * = update-entity T
         PATCH {ROW}|If-Match: * = update-entity T
         PUT {ROW} = upsert-entity T
         MERGE {ROW} = upsert-entity T
         PATCH {ROW} = upsert-entity T
         DELETE {ROW}|If-Match: * = delete-entity T
         POST {ROW}|X-HTTP-Method: MERGE; If-Match: * = update-entity T
         POST {ROW}|x-http-method: MERGE = upsert-entity T
         POST {ROW}|X-HTTP-Method: PATCH = upsert-entity T
         POST {ROW}|X-HTTP-Method: PUT; If-Match: * = update-entity T
         POST {ROW}|X-HTTP-Method: DELETE; If-Match: * = delete-entity T
         DELETE /acc/T(PartitionKey=%27p%27,RowKey=%27r%27)|If-Match: * = delete-entity T
         DELETE /acc/%54%28PartitionKey%3D%27p%27%2CRowKey%3D%27r%27%29|If-Match: * = delete-entity T
         DELETE /%61cc/T(PartitionKey='p',%20RowKey='r')|If-Match: * = delete-entity T
         GET /acc/Tables('T') = other T
         DELETE /acc/Tables('T') = delete-table T
         POST /acc/$batch = transaction
         POST /acc/Tables = create-table
         GET /acc/Tables = other
         GET /acc/Tables()?NextTableName=t = other
         GET /acc/T?comp=acl = other T
         PUT /acc/T?comp=acl = change-table T
         PUT /acc/?restype=service&comp=properties = change-table
         GET /acc/?restype=service&comp=properties = other
         OPTIONS /acc/T = other",
    );
    let encoded = table("DELETE /acc/%54%28PartitionKey%3D%27p%27%2CRowKey%3D%27r%27%29");
    assert_eq!(encoded.keys, table(&format!("DELETE {ROW}")).keys);
}

#[test]
fn other_forms_of_requests_to_a_table_are_not_understood() {
    not_understood(
        Service::Table,
        "POST {ROW} = POST on a path of this form
         POST /acc/T() = POST on a table with empty parentheses
         DELETE /acc/T() = DELETE on a table with empty parentheses
         BREW {ROW} = BREW on a path of this form
         PUT /acc/$batch = a table of this name
         DELETE /acc/T(RowKey='r',PartitionKey='p') = row keys of this form
         DELETE /acc/T(PartitionKey='p',RowKey='r')x = row keys of this form
         DELETE /acc/T(PartitionKey='p') = row keys of this form
         POST {ROW}|X-HTTP-Method: BREW = POST with X-HTTP-Method: BREW
         POST {ROW}|X-HTTP-Method: merge = POST with X-HTTP-Method: merge
         GET {ROW}|X-HTTP-Method: DELETE = GET with X-HTTP-Method: DELETE
         POST {ROW}|X-HTTP-Method: MERGE; X-HTTP-Method: DELETE = the header x-http-method twice
         POST {ROW}|X-HTTP-Method-Override: DELETE = the header x-http-method-override
         POST /acc/T|X-Original-URL: /acc/U = the header x-original-url
         POST /acc/T|x-ms-brew: 1 = the header x-ms-brew
         PUT {ROW}|If-None-Match: * = the header if-none-match
         POST /acc/T|Content-Encoding: gzip = the header content-encoding: gzip
         POST /acc/T|Content-Type: a; Content-Type: b = the header content-type twice",
    );
}

#[test]
fn headers_of_http_of_the_sdks_and_of_tracing_say_nothing() {
    let headers = "Accept: application/json; Host: h; User-Agent: azsdk-python; x-ms-date: d; x-ms-version: 2026-02-06;\
                   x-ms-client-request-id: 1; x-ms-return-client-request-id: true; DataServiceVersion: 3.0;\
                   MaxDataServiceVersion: 3.0,NetFx; Prefer: return-no-content; traceparent: 00-1; tracestate: ;\
                   Expect: 100-continue; Content-Type: application/json; Content-Length: 3; Transfer-Encoding: chunked;\
                   X-Forwarded-For: h; Authorization: x";
    let insert = request(Service::Table, "POST /acc/T", headers);
    assert_eq!(
        (insert.operation, insert.strange),
        (Operation::InsertEntity, None)
    );
}

#[test]
fn keys_are_decoded() {
    let request = table("GET /acc/T(PartitionKey='it%27%27s%20a',RowKey='r-1')");
    let keys = request.keys.unwrap();
    assert_eq!((&*keys.partition, &*keys.row), ("it's a", "r-1"));
    for broken in [
        "/acc/T(PartitionKey='p'",
        "/acc/T(RowKey='r')",
        "/acc/T('x')",
    ] {
        assert_eq!(table(&format!("GET {broken}")).keys, None, "{broken}");
    }
}
