//! "List Queues", Azure Storage REST reference.

use hyper::StatusCode;

use crate::{
    call::Call,
    http::{error::ServiceError, response::Answer, xml},
};

/// Most queues in one answer.
const MOST_LISTED: u64 = 5_000;

pub(super) fn list(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let target = call.target;
    let prefix = target.parameter("prefix").unwrap_or_default();
    let marker = target.parameter("marker").unwrap_or_default();
    // A larger number is allowed, but the answer has at most 5,000.
    let asked = target.number("maxresults", 1, u64::from(i32::MAX.unsigned_abs()))?;
    let most = asked.unwrap_or(MOST_LISTED).min(MOST_LISTED);
    let include = target.parameter("include").unwrap_or_default();
    let mut with_metadata = false;
    for part in include.split(',').filter(|part| !part.is_empty()) {
        if part != "metadata" {
            return Err(ServiceError::invalid_parameter(
                "include",
                include,
                "metadata is the only value",
            ));
        }
        with_metadata = true;
    }
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut queues = call.directory.queues(prefix, marker, most + 1);
    let next = (queues.len() > most).then(|| queues.pop()).flatten();
    let mut body = String::from(xml::DECLARATION);
    body.push_str("<EnumerationResults ServiceEndpoint=\"");
    xml::escape_into(&mut body, &target.base);
    body.push_str("/\">");
    for (name, value) in [("Prefix", prefix), ("Marker", marker)] {
        if !value.is_empty() {
            xml::element(&mut body, name, value);
        }
    }
    if let Some(asked) = asked {
        xml::element(&mut body, "MaxResults", &asked.to_string());
    }
    body.push_str("<Queues>");
    for queue in &queues {
        body.push_str("<Queue>");
        xml::element(&mut body, "Name", &queue.name);
        if with_metadata && !queue.metadata.is_empty() {
            body.push_str("<Metadata>");
            for (name, value) in &queue.metadata {
                xml::element(&mut body, name, value);
            }
            body.push_str("</Metadata>");
        }
        body.push_str("</Queue>");
    }
    body.push_str("</Queues>");
    xml::element(
        &mut body,
        "NextMarker",
        &next.map(|queue| queue.name).unwrap_or_default(),
    );
    body.push_str("</EnumerationResults>");
    Ok(Answer::new(StatusCode::OK).body("application/xml", body))
}
