//! Tests of requests as they are sent, and of answers that the emulator does not give.

#![expect(
    clippy::disallowed_methods,
    reason = "a test's tasks and threads end with it, and what they do is asserted"
)]

use super::*;
use crate::{
    Entity, ErrorCode, UpdateMode,
    models::{Metadata, TableClientQueryEntitiesOptions},
};
use async_trait::async_trait;
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
    http::{
        AsyncRawResponse, ClientOptions, Etag, FixedRetryOptions, HttpClient, Method, Request,
        RetryOptions, StatusCode, Transport, Url,
        headers::{HeaderName, Headers},
    },
    time::{Duration, OffsetDateTime},
};
use futures::TryStreamExt as _;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

/// A fake transport that gives prepared answers, and records the requests.
#[derive(Debug, Default)]
struct Wire {
    answers: Mutex<VecDeque<(StatusCode, Headers, &'static str)>>,
    requests: Mutex<Vec<Request>>,
}

#[async_trait]
impl HttpClient for Wire {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        self.requests.lock().unwrap().push(request.clone());
        let (status, headers, body) = self.answers.lock().unwrap().pop_front().unwrap();
        Ok(AsyncRawResponse::from_bytes(status, headers, body))
    }
}

impl Wire {
    fn answer(
        &self,
        status: StatusCode,
        headers: &[(&'static str, &'static str)],
        body: &'static str,
    ) {
        let mut all = Headers::new();
        for (name, value) in headers {
            all.insert(*name, *value);
        }
        self.answers.lock().unwrap().push_back((status, all, body));
    }

    fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }
}

#[derive(Debug)]
struct Token;

#[async_trait]
impl TokenCredential for Token {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        assert_eq!(scopes, ["https://storage.azure.com/.default"]);
        let expires = OffsetDateTime::now_utc() + Duration::hours(1);
        Ok(AccessToken::new("token", expires))
    }
}

fn client(
    url: &str,
    credential: Option<Arc<dyn TokenCredential>>,
    retry: RetryOptions,
) -> (Arc<Wire>, TableClient) {
    let wire = Arc::new(Wire::default());
    let options = TableClientOptions {
        client_options: ClientOptions {
            transport: Some(Transport::new(wire.clone())),
            retry,
            ..Default::default()
        },
        ..Default::default()
    };
    let url = Url::parse(url).unwrap();
    (
        wire,
        TableClient::new(url, "results", credential, Some(options)).unwrap(),
    )
}

fn with_sas() -> (Arc<Wire>, TableClient) {
    client(
        "http://127.0.0.1:10002/acc?sig=s%2F",
        None,
        RetryOptions::none(),
    )
}

fn header<'a>(request: &'a Request, name: &'static str) -> Option<&'a str> {
    request
        .headers()
        .get_optional_str(&HeaderName::from_static(name))
}

#[tokio::test]
async fn a_token_is_sent_with_the_date_and_over_https_only() {
    let (wire, table) = client(
        "https://acc.table.core.windows.net",
        Some(Arc::new(Token)),
        RetryOptions::none(),
    );
    wire.answer(StatusCode::NoContent, &[], "");
    table
        .insert_entity(&Entity::new("p", "r"), None)
        .await
        .unwrap();
    let requests = wire.requests();
    assert_eq!(header(&requests[0], "authorization"), Some("Bearer token"));
    assert!(header(&requests[0], "x-ms-date").unwrap().ends_with(" GMT"));

    let url = Url::parse("http://acc.table.core.windows.net?sig=secret").unwrap();
    let refused = TableServiceClient::new(url, Some(Arc::new(Token)), None)
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("must use https") && !refused.contains("secret"),
        "{refused}"
    );
}

#[tokio::test]
async fn every_operation_has_its_method_url_and_headers() {
    let (wire, table) = with_sas();
    let entity = Entity::new("p", "r");
    for _ in 0..7 {
        wire.answer(StatusCode::NoContent, &[], "");
    }
    table.insert_entity(&entity, None).await.unwrap();
    table
        .update_entity(&entity, UpdateMode::Merge, None)
        .await
        .unwrap();
    table
        .update_entity(&entity, UpdateMode::Replace, None)
        .await
        .unwrap();
    table
        .upsert_entity(&entity, UpdateMode::Merge, None)
        .await
        .unwrap();
    table
        .upsert_entity(&entity, UpdateMode::Replace, None)
        .await
        .unwrap();
    let if_match = Some(Etag::from("W/\"1\""));
    let options = crate::models::TableClientDeleteEntityOptions {
        if_match,
        ..Default::default()
    };
    table.delete_entity("p", "r", Some(options)).await.unwrap();
    table.create(None).await.unwrap();

    let base = "http://127.0.0.1:10002/acc";
    let row = format!("{base}/results(PartitionKey='p',RowKey='r')?sig=s%2F");
    let expected = [
        (
            Method::Post,
            format!("{base}/results?sig=s%2F"),
            None,
            Some("return-no-content"),
        ),
        (Method::Patch, row.clone(), Some("*"), None),
        (Method::Put, row.clone(), Some("*"), None),
        (Method::Patch, row.clone(), None, None),
        (Method::Put, row.clone(), None, None),
        (Method::Delete, row, Some("W/\"1\""), None),
        (
            Method::Post,
            format!("{base}/Tables?sig=s%2F"),
            None,
            Some("return-no-content"),
        ),
    ];
    let requests = wire.requests();
    assert_eq!(requests.len(), expected.len());
    for (request, (method, url, if_match, prefer)) in requests.iter().zip(expected) {
        assert_eq!(
            (request.method(), request.url().as_str()),
            (method, url.as_str())
        );
        assert_eq!(header(request, "if-match"), if_match, "{url}");
        assert_eq!(header(request, "prefer"), prefer, "{url}");
        assert_eq!(header(request, "x-ms-version"), Some(DEFAULT_VERSION));
        assert_eq!(header(request, "authorization"), None);
    }
}

#[tokio::test]
async fn a_transaction_goes_to_the_batch_address_with_the_sas() {
    let (wire, table) = with_sas();
    wire.answer(
        StatusCode::Accepted,
        &[],
        "--a\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n--a--",
    );
    let mut transaction = table.transaction();
    transaction.delete("p", "r", None).unwrap();
    table.submit_transaction(transaction, None).await.unwrap();
    let request = wire.requests().pop().unwrap();
    assert_eq!(
        request.url().as_str(),
        "http://127.0.0.1:10002/acc/$batch?sig=s%2F"
    );
    assert!(
        header(&request, "content-type")
            .unwrap()
            .starts_with("multipart/mixed; boundary=batch_")
    );
}

#[tokio::test]
async fn a_refused_batch_is_an_error_of_its_own_code() {
    let (wire, table) = with_sas();
    wire.answer(
        StatusCode::PayloadTooLarge,
        &[("x-ms-error-code", "RequestBodyTooLarge")],
        "",
    );
    let mut transaction = table.transaction();
    transaction.delete("p", "r", None).unwrap();
    let error = table
        .submit_transaction(transaction, None)
        .await
        .unwrap_err();
    assert_eq!(ErrorCode::of(&error), Some(ErrorCode::RequestBodyTooLarge));
}

/// The service gives such answers when partitions are split or moved.
#[tokio::test]
async fn an_empty_page_with_a_continuation_is_not_the_end() {
    let (wire, table) = with_sas();
    let key = "x-ms-continuation-nextpartitionkey";
    let row = "x-ms-continuation-nextrowkey";
    wire.answer(StatusCode::Ok, &[(key, "1!4!YQ-- +")], r#"{"value":[]}"#);
    wire.answer(
        StatusCode::Ok,
        &[(key, "b"), (row, "c")],
        r#"{"value":[{"PartitionKey":"p","RowKey":"1"}]}"#,
    );
    wire.answer(StatusCode::Ok, &[], r#"{"value":[]}"#);
    let options = TableClientQueryEntitiesOptions {
        top: Some(5),
        metadata: Metadata::None,
        ..Default::default()
    };
    let found = table.query_entities::<Entity>(Some(options)).unwrap();
    assert_eq!(
        found.try_collect::<Vec<_>>().await.unwrap(),
        [Entity::new("p", "1")]
    );
    let requests = wire.requests();
    let queries: Vec<&str> = requests
        .iter()
        .filter_map(|request| request.url().query())
        .collect();
    let first = "$top=5&sig=s%2F";
    assert_eq!(
        queries,
        [
            first.to_owned(),
            format!("{first}&NextPartitionKey=1%214%21YQ--%20%2B"),
            format!("{first}&NextPartitionKey=b&NextRowKey=c"),
        ]
    );
    assert_eq!(
        header(&requests[0], "accept"),
        Some("application/json;odata=nometadata")
    );
}

#[tokio::test]
async fn a_failed_page_ends_the_query_with_the_error() {
    let (wire, table) = with_sas();
    let more = [("x-ms-continuation-nextpartitionkey", "a")];
    wire.answer(
        StatusCode::Ok,
        &more,
        r#"{"value":[{"PartitionKey":"p","RowKey":"1"}]}"#,
    );
    wire.answer(
        StatusCode::InternalServerError,
        &[("x-ms-error-code", "OperationTimedOut")],
        "",
    );
    let mut found = table.query_entities::<Entity>(None).unwrap();
    assert!(found.try_next().await.unwrap().is_some());
    let error = found.try_next().await.unwrap_err();
    assert_eq!(ErrorCode::of(&error), Some(ErrorCode::OperationTimedOut));
}

#[tokio::test]
async fn a_body_cut_off_is_an_error() {
    let (wire, table) = with_sas();
    for body in [
        "",
        "{",
        r#"{"value":[{"PartitionKey":"p","RowKey":"1"}"#,
        "<html>",
    ] {
        wire.answer(StatusCode::Ok, &[], body);
        let found = table.query_entities::<Entity>(None).unwrap();
        let error = found.try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::DataConversion, "{body}");
    }
    wire.answer(StatusCode::Ok, &[], r#"{"PartitionKey":"p","Row"#);
    let response = table.get_entity::<Entity>("p", "r", None).await.unwrap();
    assert_eq!(
        *response.into_model().unwrap_err().kind(),
        ErrorKind::DataConversion
    );
}

#[tokio::test]
async fn retries_are_what_the_caller_says() {
    let busy = [("x-ms-error-code", "ServerBusy")];
    let entity = Entity::new("p", "r");
    let (wire, table) = with_sas();
    wire.answer(StatusCode::ServiceUnavailable, &busy, "");
    let error = table.insert_entity(&entity, None).await.unwrap_err();
    assert_eq!(ErrorCode::of(&error), Some(ErrorCode::ServerBusy));
    assert_eq!(wire.requests().len(), 1);

    let at_once = RetryOptions::fixed(FixedRetryOptions {
        delay: Duration::ZERO,
        max_retries: 2,
        ..Default::default()
    });
    let (wire, table) = client("http://127.0.0.1:10002/acc?sig=s%2F", None, at_once);
    wire.answer(StatusCode::ServiceUnavailable, &busy, "");
    wire.answer(StatusCode::NoContent, &[], "");
    table.insert_entity(&entity, None).await.unwrap();
    let requests = wire.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].url(), requests[1].url());
}

#[tokio::test]
async fn only_the_service_can_say_that_a_table_is_not_there() {
    let (wire, table) = with_sas();
    for code in ["TableNotFound", "ResourceNotFound"] {
        wire.answer(StatusCode::NotFound, &[("x-ms-error-code", code)], "");
        assert!(!table.exists(None).await.unwrap());
    }
    wire.answer(StatusCode::NotFound, &[], "<html>no such site</html>");
    let error = table.exists(None).await.unwrap_err();
    assert_eq!(error.http_status(), Some(StatusCode::NotFound));
    wire.answer(StatusCode::Ok, &[], r#"{"value":[]}"#);
    assert!(table.exists(None).await.unwrap());
}

#[tokio::test]
async fn operations_can_run_in_spawned_tasks() {
    let (wire, table) = with_sas();
    wire.answer(StatusCode::NoContent, &[], "");
    wire.answer(StatusCode::Ok, &[], r#"{"value":[]}"#);
    let task = tokio::spawn(async move {
        table.insert_entity(&Entity::new("p", "r"), None).await?;
        let entities = table.query_entities::<Entity>(None)?;
        entities.try_collect::<Vec<_>>().await
    });
    assert_eq!(task.await.unwrap().unwrap(), []);
}

#[test]
fn debug_shows_the_account_and_not_the_sas() {
    let (_, table) = with_sas();
    let service = TableServiceClient::new(table.url().clone(), None, None).unwrap();
    for text in [format!("{table:?}"), format!("{service:?}")] {
        assert!(
            text.contains("/acc") && text.contains("sig=REDACTED"),
            "{text}"
        );
    }
}
