//! The service's answer to a transaction.

use super::{Operations, TransactionError, multipart};
use crate::{ErrorCode, error::Report};
use azure_core::{
    Error,
    error::ErrorKind,
    http::{Etag, RawResponse, headers::ETAG},
};

/// A transaction that was carried out.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TransactionOutcome {
    /// The new version of each operation's entity, in the order of the operations; `None` for a deleted one.
    pub etags: Vec<Option<Etag>>,
}

/// Reads the answer to a transaction of these operations.
pub(crate) fn read_outcome(
    response: &RawResponse,
    operations: &Operations,
) -> Result<TransactionOutcome, Error> {
    let answers = multipart::parse(response.body()).map_err(|malformed| {
        Error::with_error(
            ErrorKind::DataConversion,
            malformed.clone(),
            unknown(&malformed.to_string()),
        )
    })?;
    if let Some((place, failure)) = answers
        .iter()
        .enumerate()
        .find(|(_, answer)| !answer.status().is_success())
    {
        return Err(operations.failure(failure, place, answers.len()));
    }
    if answers.len() != operations.kinds.len() {
        let detail = format!(
            "{} answers to {} operations",
            answers.len(),
            operations.kinds.len()
        );
        return Err(Error::with_message(
            ErrorKind::DataConversion,
            unknown(&detail),
        ));
    }
    let etag = |answer: &RawResponse| answer.headers().get_optional_str(&ETAG).map(Etag::from);
    Ok(TransactionOutcome {
        etags: answers.iter().map(etag).collect(),
    })
}

fn unknown(detail: &str) -> String {
    format!(
        "the answer to a transaction cannot be read, whether it was carried out is not known: {detail}"
    )
}

impl Operations {
    /// The error for a failed answer: the service sends it alone, with the index of the operation in its message.
    fn failure(&self, answer: &RawResponse, place: usize, answers: usize) -> Error {
        let Report { code, message } = Report::of(answer);
        let (named, message) = match message.as_deref() {
            Some(message) => split_index(message),
            None => (None, ""),
        };
        // An answer among others is at the index of its operation.
        let by_place = (answers == self.kinds.len()).then_some(place);
        let index = named.or(by_place).filter(|index| *index < self.kinds.len());
        let row_of = |index| self.rows.iter().find(|(_, place)| **place == index);
        let report = Report {
            code: code.clone(),
            message: (!message.is_empty()).then(|| message.to_owned()),
        };
        let status = answer.status();
        let error = TransactionError {
            index,
            operation: index.map(|index| self.kinds[index]),
            partition_key: self.partition.clone().unwrap_or_default(),
            row_key: index.and_then(row_of).map(|(row, _)| row.clone()),
            code: code.as_deref().map(ErrorCode::from),
            message: report.text().unwrap_or_else(|| status.to_string()),
        };
        let kind = ErrorKind::HttpResponse {
            status,
            error_code: code,
            raw_response: Some(Box::new(answer.clone())),
        };
        Error::new(kind, error)
    }
}

/// Splits `3:The specified entity already exists.`
fn split_index(message: &str) -> (Option<usize>, &str) {
    match message.split_once(':') {
        Some((index, rest)) if !index.is_empty() && index.bytes().all(|b| b.is_ascii_digit()) => {
            (index.parse().ok(), rest)
        }
        _ => (None, message),
    }
}
