//! The amount of metadata in a JSON answer: "Payload format for Table service operations", Azure Storage REST reference.

use hyper::StatusCode;

use crate::{
    clock::Moment,
    http::{
        error::ServiceError,
        request::{Request, Target, decoded},
        response::Answer,
    },
};

/// `odata=nometadata`, `minimalmetadata` or `fullmetadata`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    None,
    Minimal,
    Full,
}

impl Format {
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::None => "application/json;odata=nometadata;streaming=true;charset=utf-8",
            Self::Minimal => "application/json;odata=minimalmetadata;streaming=true;charset=utf-8",
            Self::Full => "application/json;odata=fullmetadata;streaming=true;charset=utf-8",
        }
    }

    /// The format that a request asks for, in `$format` or in `Accept`; the first supported one counts.
    pub(super) fn of(target: &Target<'_>) -> Result<Self, ServiceError> {
        let asked = target
            .parameter("$format")
            .or_else(|| target.header("accept"));
        Self::parse(asked.unwrap_or_default()).ok_or_else(ServiceError::atom_not_supported)
    }

    pub(super) fn parse(accept: &str) -> Option<Self> {
        accept.split(',').find_map(|one| {
            let one: String = one.chars().filter(|c| !c.is_whitespace()).collect();
            let one = one.to_ascii_lowercase();
            let mut parts = one.split(';');
            match parts.next()? {
                "application/json" | "application/*" | "*/*" => {}
                _ => return None,
            }
            let level = parts.find_map(|part| part.strip_prefix("odata="));
            match level {
                None | Some("minimalmetadata") => Some(Self::Minimal),
                Some("nometadata") => Some(Self::None),
                Some("fullmetadata") => Some(Self::Full),
                // The light format of OData 3 has these names; other names are of no version.
                Some(_) => None,
            }
        })
    }
}

/// An error document in the format that a request asks for: JSON, or XML if it did not ask for JSON.
pub(crate) fn error(
    error: &ServiceError,
    request: &Request,
    request_id: &str,
    now: Moment,
) -> Answer {
    let parameter = request.query.split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let is_format = name == "$format" || name.eq_ignore_ascii_case("%24format");
        is_format.then(|| decoded(value).ok()).flatten()
    });
    let asked = parameter.as_deref().or_else(|| request.header("accept"));
    match Format::parse(asked.unwrap_or_default()) {
        None => error.xml(request_id, now),
        Some(format) => error.answer().body(
            format.content_type(),
            error.json_body(request_id, now, None),
        ),
    }
}

/// An answer with a body, and the headers of every such answer.
pub(super) fn answer(status: StatusCode, format: Format, body: String) -> Answer {
    bare(status).body(format.content_type(), body)
}

/// An answer without a body.
pub(super) fn bare(status: StatusCode) -> Answer {
    Answer::new(status)
        .header("cache-control", "no-cache")
        .header("dataserviceversion", "3.0;")
        .header("x-content-type-options", "nosniff")
}

/// Whether the answer to a write contains the entity: it does unless the request says otherwise.
pub(super) fn wants_content(prefer: Option<&str>) -> bool {
    !prefer.is_some_and(|prefer| {
        prefer
            .split(',')
            .any(|one| one.trim() == "return-no-content")
    })
}
