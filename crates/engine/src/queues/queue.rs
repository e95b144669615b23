//! Operations on a queue: "Create Queue", "Delete Queue", "Get Queue Metadata", "Set Queue Metadata", "Get Queue ACL", "Set Queue
//! ACL", and "Naming queues and metadata", Azure Storage REST reference.

use hyper::StatusCode;

use crate::{
    call::{Call, drop_later},
    http::{error::ServiceError, metadata, response::Answer},
    policies,
};

/// Permission letters of a queue's policy: read, add, update, process.
const LETTERS: &str = "raup";

/// Checks a queue's name: 3 to 63 lower-case letters, digits and single hyphens, none at an end.
pub(super) fn check_name(name: &str) -> Result<(), ServiceError> {
    if !(3..=63).contains(&name.chars().count()) {
        return Err(ServiceError::out_of_range(
            "The specified resource name length is not within the permissible limits.",
        ));
    }
    let permitted = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let dashes = name.starts_with('-') || name.ends_with('-') || name.contains("--");
    if dashes || !name.chars().all(permitted) {
        return Err(ServiceError::invalid_resource_name());
    }
    Ok(())
}

pub(super) fn create(call: &Call<'_>, name: &str) -> Result<Answer, ServiceError> {
    let metadata = metadata::of_headers(call.target.request)?;
    let existing = call.directory.create_queue(name, metadata.clone())?;
    match existing {
        None => Ok(Answer::new(StatusCode::CREATED)),
        Some(existing) if same(&existing.metadata, &metadata) => {
            Ok(Answer::new(StatusCode::NO_CONTENT))
        }
        Some(_) => Err(ServiceError::queue_already_exists()),
    }
}

/// Whether both are equal apart from the order and the case of names.
fn same(a: &[(String, String)], b: &[(String, String)]) -> bool {
    let has = |(name, value): &(String, String)| {
        b.iter()
            .any(|(other, its)| other.eq_ignore_ascii_case(name) && its == value)
    };
    a.len() == b.len() && a.iter().all(has)
}

pub(super) fn delete(call: &Call<'_>, name: &str) -> Result<Answer, ServiceError> {
    let removed = call.directory.delete_queue(name);
    drop_later(removed.map_err(ServiceError::of_queue)?);
    Ok(Answer::new(StatusCode::NO_CONTENT))
}

pub(super) fn metadata(call: &Call<'_>, name: &str) -> Result<Answer, ServiceError> {
    let directory = call.directory;
    let queue = directory.with_queue(name, |queue| {
        // Expired messages are not counted, as far as they can be removed in one step.
        let expired = queue.messages.remove_expired(&*directory.store, call.now);
        expired.map(|_| (queue.messages.len(), queue.record.metadata.clone()))
    });
    let (count, metadata) = queue.map_err(ServiceError::of_queue)??;
    let mut answer = Answer::new(StatusCode::OK)
        .header("x-ms-approximate-messages-count", &count.to_string())
        .header("cache-control", "no-cache");
    metadata::set(&mut answer, &metadata);
    Ok(answer)
}

pub(super) fn set_metadata(call: &Call<'_>, name: &str) -> Result<Answer, ServiceError> {
    let metadata = metadata::of_headers(call.target.request)?;
    let directory = call.directory;
    let saved = directory.with_queue(name, |queue| {
        let mut record = queue.record.clone();
        record.metadata = metadata;
        queue.save(&*directory.store, record)
    });
    saved.map_err(ServiceError::of_queue)??;
    Ok(Answer::new(StatusCode::NO_CONTENT))
}

pub(super) fn policies(call: &Call<'_>, name: &str) -> Result<Answer, ServiceError> {
    let directory = call.directory;
    let policies = directory.with_queue(name, |queue| queue.record.policies.clone());
    Ok(policies::answer(&policies.map_err(ServiceError::of_queue)?))
}

pub(super) fn set_policies(call: &Call<'_>, name: &str) -> Result<Answer, ServiceError> {
    let policies = policies::parse(&call.target.request.body, LETTERS)?;
    let directory = call.directory;
    let saved = directory.with_queue(name, |queue| {
        let mut record = queue.record.clone();
        record.policies = policies;
        queue.save(&*directory.store, record)
    });
    saved.map_err(ServiceError::of_queue)??;
    Ok(Answer::new(StatusCode::NO_CONTENT))
}
