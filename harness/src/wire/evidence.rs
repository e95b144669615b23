//! What a request and its answer tell, for the history. Whatever cannot be read tells nothing, and is no error: it is the
//! client's or storage's own.

use hyper::{Method, StatusCode};
use workflow::contract::Stamp;

use super::operation::Request;
use super::{Answer, Crossing, Handled, Operation, Service, bodies};

/// A request that came to the proxy.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Whom it asks.
    pub service: Service,
    /// The path of the service's endpoint, which is no part of what is asked for.
    pub base: &'a str,
    /// Its method.
    pub method: &'a Method,
    /// Its path.
    pub path: &'a str,
    /// Its query, without `?`.
    pub query: Option<&'a str>,
    /// Whether it has an `If-Match` header.
    pub matched: bool,
    /// Its body.
    pub body: &'a [u8],
}

impl Asked<'_> {
    /// The crossing that begins when `client` asks this: not yet answered.
    pub fn crossing(self, client: &str, began: Stamp) -> Crossing {
        let path = self.path.strip_prefix(self.base).unwrap_or(self.path);
        let request = Request::of(self.service, self.method, path, self.query, self.matched);
        let (mut resource, mut rows, mut messages) = (request.resource.to_owned(), vec![], vec![]);
        match request.operation {
            Operation::Transaction => (resource, rows) = bodies::transaction(self.base, self.body),
            Operation::InsertEntity
            | Operation::UpdateEntity
            | Operation::UpsertEntity
            | Operation::DeleteEntity
            | Operation::GetEntity => {
                rows.extend(bodies::row(request.operation, request.keys, self.body));
            }
            Operation::PutMessage => {
                messages.extend(bodies::put_message(request.resource, self.body));
            }
            Operation::UpdateMessage | Operation::DeleteMessage => messages.push(Handled {
                queue_id: request.message.unwrap_or_default().to_owned(),
                receipt: request.receipt.map(bodies::canonical_receipt),
                hidden_s: request.hidden_s,
                ..Handled::default()
            }),
            _ => {}
        }
        Crossing {
            client: client.to_owned(),
            operation: request.operation,
            resource,
            began,
            ended: began,
            answer: Answer::NotAsked,
            failed_part: None,
            fault: None,
            unheard: false,
            messages,
            rows,
        }
    }
}

/// Writes into `crossing` what storage answered; `code` is the error code of its header.
pub fn answered(crossing: &mut Crossing, status: StatusCode, code: Option<&str>, body: &[u8]) {
    let succeeded = status.is_success();
    // A transaction's answer is 202 also where one of its parts has failed.
    let failed = (succeeded && crossing.operation == Operation::Transaction)
        .then(|| bodies::failed_part(body))
        .flatten();
    crossing.answer = match failed {
        Some(status) => {
            crossing.failed_part = bodies::blamed_part(body);
            Answer::Status(status, bodies::error_code(body))
        }
        None if succeeded => Answer::Status(status.as_u16(), None),
        None => {
            let code = code.map(str::to_owned);
            Answer::Status(status.as_u16(), code.or_else(|| bodies::error_code(body)))
        }
    };
    if !succeeded {
        return;
    }
    match crossing.operation {
        Operation::ReceiveMessages | Operation::PeekMessages => {
            crossing.messages = bodies::answered_messages(body);
        }
        Operation::PutMessage => {
            let given = bodies::answered_messages(body).into_iter().next();
            if let (Some(put), Some(given)) = (crossing.messages.first_mut(), given) {
                put.queue_id = given.queue_id;
            }
        }
        _ => {}
    }
}
