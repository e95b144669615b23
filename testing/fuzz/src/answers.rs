//! Answers of storage, read by the clients through a transport that gives the fuzzed answer.
//!
//! An input is a status, headers and a body, as in HTTP: `404`, `x-ms-error-code: TableNotFound`, an empty line, the body.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{
    AsyncRawResponse, ClientOptions, HttpClient, Request, RetryOptions, StatusCode, Transport, Url,
};
use futures::TryStreamExt as _;
use futures::executor::block_on;
use tables::{
    Entity, ErrorCode, Stored, TableClient, TableClientOptions, TableServiceClient,
    TableServiceClientOptions, TransactionError,
};
use workflow::azure::credential::CredentialChoice;
use workflow::azure::{AccountArgs, AzureQueue, QueueArgs, Secret, Storage};
use workflow::contract::StoredRow;
use workflow::ports::{Lease, WorkQueue as _};

/// How often the answer is given: a page with a continuation would otherwise repeat forever.
const ANSWERS: usize = 3;

#[derive(Debug, Clone)]
struct Answer {
    status: StatusCode,
    headers: Headers,
    body: Vec<u8>,
}

impl Answer {
    fn of(input: &[u8]) -> Option<Self> {
        let end = input.windows(2).position(|pair| pair == b"\n\n")?;
        let (head, body) = (std::str::from_utf8(&input[..end]).ok()?, &input[end + 2..]);
        let mut lines = head.lines();
        let status: u16 = lines.next()?.parse().ok()?;
        let mut headers = Headers::new();
        for line in lines {
            let (name, value) = line.split_once(':')?;
            // Headers that an HTTP client would reject never reach the tested code.
            let name = hyper::header::HeaderName::from_bytes(name.as_bytes()).ok()?;
            let value = hyper::header::HeaderValue::from_str(value.trim()).ok()?;
            let value = value.to_str().ok()?.to_owned();
            let name = HeaderName::from(name.as_str().to_owned());
            headers.insert(name, HeaderValue::from(value));
        }
        Some(Self {
            status: StatusCode::from(hyper::StatusCode::from_u16(status).ok()?.as_u16()),
            headers,
            body: body.to_vec(),
        })
    }

    fn ok(body: Vec<u8>) -> Self {
        Self {
            status: StatusCode::Ok,
            headers: Headers::new(),
            body,
        }
    }
}

/// Gives the same answer a few times, then an empty page; keeps the body of the last request.
#[derive(Debug)]
struct Wire {
    answer: Answer,
    asked: Mutex<(usize, Vec<u8>)>,
}

impl Wire {
    fn new(answer: Answer) -> Arc<Self> {
        Arc::new(Self {
            answer,
            asked: Mutex::default(),
        })
    }

    fn last_body(&self) -> Vec<u8> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.1.clone()
    }
}

#[async_trait]
impl HttpClient for Wire {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.0 += 1;
        asked.1 = Vec::from(azure_core::Bytes::from(request.body()));
        let answer = if asked.0 <= ANSWERS {
            self.answer.clone()
        } else {
            Answer::ok(br#"{"value":[]}"#.to_vec())
        };
        Ok(AsyncRawResponse::from_bytes(
            answer.status,
            answer.headers,
            answer.body,
        ))
    }
}

fn options(wire: Arc<Wire>) -> ClientOptions {
    ClientOptions {
        transport: Some(Transport::new(wire)),
        retry: RetryOptions::none(),
        ..ClientOptions::default()
    }
}

fn url() -> Url {
    Url::parse("http://127.0.0.1:10002/acc?sig=s").expect("a constant URL must parse")
}

fn table_client(wire: Arc<Wire>) -> TableClient {
    let options = TableClientOptions {
        client_options: options(wire),
        ..TableClientOptions::default()
    };
    TableClient::new(url(), "results", None, Some(options)).expect("constant options must be valid")
}

/// Checks that an error has a message, and that its code, if it has one, is part of the message.
fn told(error: &azure_core::Error) {
    assert!(!error.to_string().is_empty());
    drop((ErrorCode::of(error), format!("{error:?}")));
}

/// Answers about entities and tables. An entity that was read is written, and must be read back as the same.
pub(crate) fn table(input: &[u8]) {
    let Some(answer) = Answer::of(input) else {
        return;
    };
    let client = || table_client(Wire::new(answer.clone()));
    let row = block_on(client().get_entity::<StoredRow>("p", "r", None));
    if let Err(error) = row.and_then(azure_core::http::Response::into_model) {
        told(&error);
    }
    match block_on(client().get_entity::<Entity>("p", "r", None))
        .and_then(azure_core::http::Response::into_model)
    {
        Ok(Stored { entity, .. }) => survives(&entity),
        Err(error) => told(&error),
    }
    let entities = client().query_entities::<Stored<Entity>>(None);
    let entities = entities.expect("a query without options must be valid");
    if let Err(error) = block_on(entities.try_collect::<Vec<_>>()) {
        told(&error);
    }
    let options = TableServiceClientOptions {
        client_options: options(Wire::new(answer.clone())),
        ..TableServiceClientOptions::default()
    };
    let service = TableServiceClient::new(url(), None, Some(options));
    let service = service.expect("constant options must be valid");
    let tables = service
        .list_tables(None)
        .expect("a query without options must be valid");
    if let Err(error) = block_on(tables.try_collect::<Vec<_>>()) {
        told(&error);
    }
    if let Err(error) = block_on(client().insert_entity(&Entity::new("p", "r"), None)) {
        told(&error);
    }
}

fn survives(entity: &Entity) {
    let wire = Wire::new(Answer::ok(Vec::new()));
    // Another client may have stored an entity whose names or sizes this client does not write.
    if block_on(table_client(wire.clone()).insert_entity(entity, None)).is_err() {
        return;
    }
    let again = table_client(Wire::new(Answer::ok(wire.last_body())));
    let again = block_on(again.get_entity::<Entity>("p", "r", None))
        .and_then(azure_core::http::Response::into_model)
        .expect("what was written must be read");
    // Compared as texts: a NaN is not equal to itself.
    assert_eq!(format!("{:?}", again.entity), format!("{entity:?}"));
}

/// Answers to a transaction of three inserts.
pub(crate) fn transaction(input: &[u8]) {
    let Some(answer) = Answer::of(input) else {
        return;
    };
    let client = table_client(Wire::new(answer));
    let mut transaction = client.transaction();
    for row in ["a", "b", "c"] {
        let added = transaction.insert(&Entity::new("p", row));
        added.expect("three rows of one partition must make a transaction");
    }
    match block_on(client.submit_transaction(transaction, None)) {
        Ok(outcome) => assert_eq!(outcome.etags.len(), 3),
        Err(error) => {
            told(&error);
            if let Some(failed) = error.downcast_ref::<TransactionError>() {
                assert!(failed.index.is_none_or(|index| index < 3));
            }
        }
    }
}

fn queue_client(answer: Answer) -> AzureQueue {
    let account = AccountArgs {
        account: None,
        endpoint_suffix: "core.windows.net".to_owned(),
        credential: CredentialChoice::Sas,
        connection_string: None,
        sas: Some(Secret::new("sv=2024-11-04&sig=s")),
    };
    let queue = QueueArgs {
        queue: "work".parse().expect("a constant name must be valid"),
        queue_endpoint: Some(url_of_queue()),
    };
    let storage = Storage::over(&account, Wire::new(answer));
    let storage = storage.expect("constant options must be valid");
    storage.queue(&queue).expect("a constant queue must open")
}

fn url_of_queue() -> Url {
    Url::parse("http://127.0.0.1:10001/acc").expect("a constant URL must parse")
}

/// Answers about messages, as the port reads them.
pub(crate) fn queue(input: &[u8]) {
    let Some(answer) = Answer::of(input) else {
        return;
    };
    let lease = Lease {
        message_id: "m".to_owned(),
        pop_receipt: "r".to_owned(),
    };
    let queue = queue_client(answer);
    let told = |error: workflow::ports::StorageError| {
        let is_transient = error.is_transient();
        drop((error.to_string(), is_transient, error.advice()));
    };
    block_on(async {
        drop(
            queue
                .receive(32, Duration::from_secs(30))
                .await
                .map_err(told),
        );
        drop(queue.peek(32).await.map_err(told));
        drop(
            queue
                .renew(&lease, Duration::from_secs(30))
                .await
                .map_err(told),
        );
    });
    let queue =
        queue_client(Answer::of(input).expect("an answer that was read must be read again"));
    block_on(async {
        let _ = queue.delete(&lease).await.map_err(told);
        let _ = queue.send("{}").await.map_err(told);
        let _ = queue.approximate_count().await.map_err(told);
    });
}
