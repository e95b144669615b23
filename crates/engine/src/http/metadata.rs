//! Metadata of a queue: headers `x-ms-meta-*`, in and out.
//!
//! Source: "Setting and retrieving properties and metadata for queue resources" and "Naming queues and metadata", Azure Storage
//! REST reference: names are C# identifiers, with at most 8 KiB in total. A name keeps its original case, and is looked up
//! case-insensitively.

use hyper::header::HeaderName;

use super::{error::ServiceError, request::Request, response::Answer};

pub(super) const PREFIX: &str = "x-ms-meta-";
const MOST_BYTES: usize = 8 * 1024;

/// The metadata in a request's headers.
pub(crate) fn of_headers(request: &Request) -> Result<Vec<(String, String)>, ServiceError> {
    let mut metadata: Vec<(String, String)> = Vec::new();
    let mut bytes = 0;
    for (name, value) in &request.headers {
        let Some(name) = name.as_str().strip_prefix(PREFIX) else {
            continue;
        };
        let identifier = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !identifier {
            return Err(ServiceError::invalid_metadata());
        }
        let value = value
            .to_str()
            .map_err(|_| ServiceError::invalid_metadata())?;
        bytes += name.len() + value.len();
        match metadata.iter_mut().find(|(other, _)| other == name) {
            Some((_, values)) => {
                values.push(',');
                values.push_str(value);
            }
            None => metadata.push((name.to_owned(), value.to_owned())),
        }
    }
    for (name, _) in &mut metadata {
        let mut sent = request.metadata_names.iter();
        if let Some(sent) = sent.find(|sent| sent.eq_ignore_ascii_case(name)) {
            name.clone_from(sent);
        }
    }
    if bytes > MOST_BYTES {
        return Err(ServiceError::metadata_too_large());
    }
    Ok(metadata)
}

/// Sets the metadata headers of an answer.
pub(crate) fn set(answer: &mut Answer, metadata: &[(String, String)]) {
    for (name, value) in metadata {
        if let Ok(header) = HeaderName::from_bytes(format!("{PREFIX}{name}").as_bytes()) {
            answer.set(header, value);
            if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                answer.metadata_names.push(name.clone());
            }
        }
    }
}
