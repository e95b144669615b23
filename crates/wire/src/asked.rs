//! Parses requests and responses for the history. A form that is in no reference of the service is not refused, since it is for
//! the client and storage to decide; the crossing names it as not understood.

use contract::Stamp;
use contract::workload::Lens;
use hyper::{HeaderMap, Method, StatusCode};

use super::headers::Headers;
use super::multipart::Transaction;
use super::request::{Request, Target};
use super::{Answer, Crossing, Handled, Operation, Service, bodies};

/// A request that came to the proxy.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The service that it addresses.
    pub service: Service,
    /// The path of the service's endpoint, which is not part of the request's resource.
    pub base: &'a str,
    /// Its method.
    pub method: &'a Method,
    /// Its path.
    pub path: &'a str,
    /// Its query, without `?`.
    pub query: Option<&'a str>,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its body.
    pub body: &'a [u8],
    /// The lens through which messages and rows are read.
    pub lens: &'a Lens,
}

impl Asked<'_> {
    /// Makes the crossing of this request of `client`, without an answer yet.
    pub fn crossing(self, client: &str, began: Stamp) -> Crossing {
        let headers = Headers::of(self.headers);
        let target = Target {
            service: self.service,
            base: self.base.trim_end_matches('/'),
            method: self.method,
            path: self.path,
            query: self.query,
        };
        let request = Request::of(target, &headers);
        let mut crossing = Crossing {
            client: client.to_owned(),
            operation: request.operation,
            resource: request.resource.clone(),
            began,
            ended: began,
            answer: Answer::NotAsked,
            failed_part: None,
            fault: None,
            unheard: false,
            messages: vec![],
            rows: vec![],
            strange: request.strange.clone(),
            clock_us: 0,
            pauses: vec![],
        };
        let read = self.read_body(&request, &headers, target.base, &mut crossing);
        crossing.strange = crossing.strange.or(read.err());
        crossing
    }

    fn read_body(
        self,
        request: &Request,
        headers: &Headers,
        base: &str,
        crossing: &mut Crossing,
    ) -> Result<(), String> {
        match request.operation {
            Operation::Transaction => {
                let told = Transaction::of(self.lens, base, headers, self.body);
                (crossing.resource, crossing.rows) = (told.table, told.rows);
                told.strange.map_or(Ok(()), Err)
            }
            Operation::InsertEntity
            | Operation::UpdateEntity
            | Operation::UpsertEntity
            | Operation::DeleteEntity
            | Operation::GetEntity => {
                crossing
                    .rows
                    .extend(bodies::row(self.lens, request, headers, self.body)?);
                Ok(())
            }
            Operation::CreateTable => {
                crossing.resource = bodies::created_table(headers, self.body)?;
                Ok(())
            }
            Operation::PutMessage => {
                let put = bodies::put_message(self.lens, &request.resource, headers, self.body)?;
                crossing.messages.push(Handled {
                    lives_s: request.lives_s,
                    ..put
                });
                Ok(())
            }
            Operation::UpdateMessage | Operation::DeleteMessage => {
                let print = match request.operation {
                    Operation::UpdateMessage => bodies::updated_print(headers, self.body)?,
                    _ => None,
                };
                crossing.messages.push(Handled {
                    print,
                    queue_id: request.message.clone().unwrap_or_default(),
                    receipt: request.receipt.as_deref().map(bodies::canonical_receipt),
                    hidden_s: request.hidden_s,
                    ..Handled::default()
                });
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Adds storage's answer to `crossing`; `code` is the error code in its header.
pub fn answered(
    lens: &Lens,
    crossing: &mut Crossing,
    status: StatusCode,
    code: Option<&str>,
    body: &[u8],
) {
    let succeeded = status.is_success();
    // The response to a transaction is 202 even if one of its operations has failed.
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
    let told = match crossing.operation {
        Operation::ReceiveMessages | Operation::PeekMessages | Operation::PutMessage => {
            bodies::answered_messages(lens, body)
        }
        _ => return,
    };
    match told {
        Ok(given) if crossing.operation == Operation::PutMessage => {
            let given = given.into_iter().next();
            if let (Some(put), Some(given)) = (crossing.messages.first_mut(), given) {
                put.queue_id = given.queue_id;
            }
        }
        Ok(given) => crossing.messages = given,
        Err(strange) => {
            crossing.strange.get_or_insert(strange);
        }
    }
}
