//! "Performing entity group transactions", Azure Storage REST reference: writes of one partition, all or none; or a single read.

use std::fmt::Write as _;

use hyper::{
    HeaderMap, Method, StatusCode,
    header::{HeaderName, HeaderValue},
};

use super::{
    address::{self, Resource},
    entities::{check_update, inserted, insertion, matched, update},
    format::{self, Format},
    multipart::{self, InnerRequest},
    need, query,
};
use crate::{
    auth::ResourceType,
    call::Call,
    http::{
        error::ServiceError,
        request::{Request, Target, decoded_segment},
        response::Answer,
    },
    state::{
        entity::{Entity, Key},
        table::FailedWrite,
        write::Action,
    },
};

const MOST_OPERATIONS: usize = 100;
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// One parsed write of a transaction.
struct Operation<'a> {
    request: &'a InnerRequest<'a>,
    table: String,
    key: Key,
    action: Action,
    inserts: bool,
}

/// The error and the index of the failed operation.
struct Failure {
    index: usize,
    error: ServiceError,
}

impl From<FailedWrite> for Failure {
    fn from(failed: FailedWrite) -> Self {
        Self {
            index: failed.index,
            error: failed.error.into(),
        }
    }
}

pub(super) fn answer(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let request = call.target.request;
    if request.body.len() > MOST_BYTES {
        return Err(ServiceError::request_body_too_large());
    }
    let content_type = request.header("content-type").unwrap_or_default();
    let parts = multipart::parts(&request.body, multipart::boundary(content_type)?)?;
    let [part] = parts.as_slice() else {
        let message = "A batch request has exactly one change set, or one query operation.";
        return Err(ServiceError::invalid_input(message));
    };
    let kind = part.header("content-type").unwrap_or_default();
    if kind.trim().eq_ignore_ascii_case("application/http") {
        let inner = multipart::inner(part.body)?;
        return Ok(batch(&read(call, &inner), None));
    }
    let changes = multipart::parts(part.body, multipart::boundary(kind)?)?;
    let changes = changes.iter().map(|part| multipart::inner(part.body));
    let changes: Vec<InnerRequest<'_>> = changes.collect::<Result<_, _>>()?;
    let set = uuid::Uuid::new_v4().to_string();
    let body = match transact(call, &changes) {
        Ok(answers) => {
            let answered = changes.iter().zip(&answers);
            let parts = answered
                .map(|(request, answer)| part_of(&set, request.header("content-id"), answer));
            parts.collect()
        }
        Err(failure) => {
            let content_id = changes.get(failure.index);
            let content_id = content_id.and_then(|request| request.header("content-id"));
            let json = failure
                .error
                .json_body(call.request_id, call.now, Some(failure.index));
            let answer = failure.error.answer().header("dataserviceversion", "3.0;");
            let answer = answer.body(Format::Minimal.content_type(), json);
            part_of(&set, content_id, &answer)
        }
    };
    Ok(batch(&body, Some(&set)))
}

/// The whole answer with its content: a change set of that name, or the answer to a read.
fn batch(body: &str, set: Option<&str>) -> Answer {
    let id = uuid::Uuid::new_v4();
    let mut text = format!("--batchresponse_{id}\r\n");
    match set {
        Some(set) => {
            let _ = write!(
                text,
                "Content-Type: multipart/mixed; boundary=changesetresponse_{set}\r\n\r\n{body}--changesetresponse_{set}--\r\n"
            );
        }
        None => text.push_str(body),
    }
    let _ = write!(text, "--batchresponse_{id}--\r\n");
    let mut answer = format::bare(StatusCode::ACCEPTED);
    let kind = format!("multipart/mixed; boundary=batchresponse_{id}");
    answer.set(hyper::header::CONTENT_TYPE, &kind);
    answer.body = text.into();
    answer
}

/// An answer as a part of a change set.
fn part_of(set: &str, content_id: Option<&str>, answer: &Answer) -> String {
    let mut text = format!("--changesetresponse_{set}\r\n");
    write_part(&mut text, content_id, answer);
    text
}

fn write_part(text: &mut String, content_id: Option<&str>, answer: &Answer) {
    let reason = answer.status.canonical_reason().unwrap_or_default();
    let _ = write!(
        text,
        "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nHTTP/1.1 {} {reason}\r\n",
        answer.status.as_str()
    );
    if let Some(content_id) = content_id {
        let _ = write!(text, "Content-ID: {content_id}\r\n");
    }
    for (name, value) in &answer.headers {
        let name = shown(name);
        let _ = write!(
            text,
            "{name}: {}\r\n",
            String::from_utf8_lossy(value.as_bytes())
        );
    }
    text.push_str("\r\n");
    text.push_str(&String::from_utf8_lossy(&answer.body));
    text.push_str("\r\n");
}

/// Header names with the service's capitalisation. Some clients compare them case-sensitively, since these are not HTTP headers
/// to them.
fn shown(name: &HeaderName) -> &str {
    match name.as_str() {
        "cache-control" => "Cache-Control",
        "content-type" => "Content-Type",
        "dataserviceid" => "DataServiceId",
        "dataserviceversion" => "DataServiceVersion",
        "etag" => "ETag",
        "location" => "Location",
        "preference-applied" => "Preference-Applied",
        "x-content-type-options" => "X-Content-Type-Options",
        other => other,
    }
}

/// Stores all of the changes or none.
fn transact(call: &Call<'_>, changes: &[InnerRequest<'_>]) -> Result<Vec<Answer>, Failure> {
    let at = |index| move |error| Failure { index, error };
    if changes.len() > MOST_OPERATIONS {
        let message = format!(
            "The batch request operation exceeds the maximum {MOST_OPERATIONS} changes per change set."
        );
        return Err(at(0)(ServiceError::invalid_input(message)));
    }
    let mut operations: Vec<Operation<'_>> = Vec::with_capacity(changes.len());
    for (index, request) in changes.iter().enumerate() {
        let understood = operation(call, request).and_then(|operation| {
            check(operations.first(), &operations, &operation)?;
            Ok(operation)
        });
        match understood {
            Ok(operation) => operations.push(operation),
            // The first failure counts, and one of the earlier changes may fail too.
            Err(error) => return Err(before(call, &operations).unwrap_or(Failure { index, error })),
        }
    }
    let Some(first) = operations.first() else {
        let error = ServiceError::invalid_input("The change set has no operation.");
        return Err(at(0)(error));
    };
    let table = first.table.clone();
    let directory = call.directory;
    let writes = writes(&operations);
    let written = directory.write_table(&table, |table| {
        table.entities.write(&*directory.store, call.now, writes)
    });
    let written = written.map_err(ServiceError::of_table).map_err(at(0))?;
    let written = written.map_err(Failure::from)?;
    let answered = operations.iter().zip(written);
    Ok(answered
        .map(|(operation, entity)| answer_to(call, operation, entity.as_ref()))
        .collect())
}

fn writes(operations: &[Operation<'_>]) -> Vec<(Key, Action)> {
    let writes = operations.iter();
    writes
        .map(|operation| (operation.key.clone(), operation.action.clone()))
        .collect()
}

/// The first failure of changes that will not be stored, if one of them would fail.
fn before(call: &Call<'_>, operations: &[Operation<'_>]) -> Option<Failure> {
    let table = &operations.first()?.table;
    let planned = call.directory.read_table(table, |table| {
        table.entities.plan(call.now, writes(operations))
    });
    match planned {
        Ok(planned) => planned.err().map(Failure::from),
        Err(error) => Some(Failure {
            index: 0,
            error: ServiceError::of_table(error),
        }),
    }
}

/// Checks an operation against those before it.
fn check(
    first: Option<&Operation<'_>>,
    before: &[Operation<'_>],
    operation: &Operation<'_>,
) -> Result<(), ServiceError> {
    let status = StatusCode::BAD_REQUEST;
    let Some(first) = first else {
        return Ok(());
    };
    if !first.table.eq_ignore_ascii_case(&operation.table)
        || first.key.partition != operation.key.partition
    {
        let message = "All commands in a batch must operate on same entity group.";
        let code = "CommandsInBatchActOnDifferentPartitions";
        return Err(ServiceError::new(status, code, message));
    }
    if before.iter().any(|other| other.key == operation.key) {
        let message = format!(
            "A command with RowKey '{}' is already present in the batch. An entity can appear only once in a batch.",
            operation.key.row
        );
        return Err(ServiceError::new(status, "InvalidDuplicateRow", message));
    }
    Ok(())
}

fn answer_to(call: &Call<'_>, operation: &Operation<'_>, entity: Option<&Entity>) -> Answer {
    let request = operation.request;
    match entity {
        Some(entity) if operation.inserts => {
            let accept = request.header("accept").and_then(Format::parse);
            let format = accept.unwrap_or(Format::Minimal);
            let prefer = request.header("prefer");
            inserted(
                call,
                &operation.table,
                format,
                prefer,
                &operation.key,
                entity,
            )
        }
        Some(entity) => format::bare(StatusCode::NO_CONTENT).header("etag", &entity.etag()),
        None => format::bare(StatusCode::NO_CONTENT),
    }
}

/// Parses one write.
fn operation<'a>(
    call: &Call<'_>,
    request: &'a InnerRequest<'a>,
) -> Result<Operation<'a>, ServiceError> {
    let if_match = request.header("if-match");
    let method = request.header("x-http-method").unwrap_or(request.method);
    let (table, key, action, inserts) = match (method, resource(call, request.url)?) {
        ("POST", Resource::Entities(table)) => {
            call.grant.check(need(ResourceType::Object, "a", "a"))?;
            let (key, action) = insertion(request.body)?;
            (table, key, action, true)
        }
        ("PUT" | "PATCH" | "MERGE", Resource::Entity(table, key)) => {
            check_update(call, if_match.is_none())?;
            let method = if method == "PUT" {
                Method::PUT
            } else {
                Method::PATCH
            };
            let action = update(&method, &key, if_match, request.body)?;
            (table, key, action, false)
        }
        ("DELETE", Resource::Entity(table, key)) => {
            call.grant.check(need(ResourceType::Object, "d", "d"))?;
            // As in Azurite, a deletion without a version is for any version.
            let action = Action::Delete(matched(if_match.unwrap_or("*"))?);
            (table, key, action, false)
        }
        _ => return Err(ServiceError::not_implemented()),
    };
    if !call.grant.allows_key(&key) {
        return Err(ServiceError::authorization_failure());
    }
    Ok(Operation {
        request,
        table,
        key,
        action,
        inserts,
    })
}

/// The resource in an operation's address: absolute, absolute on this host, or relative to the account.
fn resource(call: &Call<'_>, url: &str) -> Result<Resource, ServiceError> {
    let path = url.split('?').next().unwrap_or_default();
    let path = match path.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => path.strip_prefix('/').unwrap_or(path),
    };
    let account = call.account;
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let segment = match (segments.next(), segments.next(), segments.next()) {
        (Some(first), Some(segment), None) if first == account => segment,
        (Some(segment), None, None) => segment,
        _ => return Err(ServiceError::invalid_uri()),
    };
    address::parse(&decoded_segment(segment)?)
}

/// Answers a read, as a part of the batch.
fn read(call: &Call<'_>, inner: &InnerRequest<'_>) -> String {
    let answer = read_answer(call, inner).unwrap_or_else(|error| {
        let json = error.json_body(call.request_id, call.now, Some(0));
        let answer = error.answer().header("dataserviceversion", "3.0;");
        answer.body(Format::Minimal.content_type(), json)
    });
    let mut text = String::new();
    write_part(&mut text, inner.header("content-id"), &answer);
    text
}

fn read_answer(call: &Call<'_>, inner: &InnerRequest<'_>) -> Result<Answer, ServiceError> {
    if inner.method != "GET" {
        return Err(ServiceError::invalid_input(
            "A write of a batch must be in a change set.",
        ));
    }
    let resource = resource(call, inner.url)?;
    let mut headers = HeaderMap::new();
    for name in ["accept", "host"] {
        let value = inner.header(name).or_else(|| call.target.header(name));
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    let request = Request {
        method: Method::GET,
        path: call.target.request.path.clone(),
        query: inner
            .url
            .split_once('?')
            .map_or_else(String::new, |(_, query)| query.to_owned()),
        headers,
        body: bytes::Bytes::new(),
        secure: call.target.request.secure,
        peer: call.target.request.peer,
        metadata_names: Vec::new(),
    };
    let target = Target::new(&request, call.account)?;
    let call = Call {
        directory: call.directory,
        account: call.account,
        target: &target,
        grant: call.grant.clone(),
        now: call.now,
        request_id: call.request_id,
    };
    call.grant.check(need(ResourceType::Object, "r", "r"))?;
    match resource {
        Resource::Entities(table) => query::answer(&call, &table),
        Resource::Entity(table, key) => super::entities::get(&call, &table, &key),
        _ => Err(ServiceError::not_implemented()),
    }
}
