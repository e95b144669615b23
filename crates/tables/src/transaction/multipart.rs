//! Parses a `multipart/mixed` answer into the HTTP answers in it.
//!
//! It accepts what the service, Azurite and proxies send: either line end, parts with or without a changeset around them. A
//! truncated answer is an error, because the missing part may be the failure.

use azure_core::http::{RawResponse, StatusCode, headers::Headers};

/// Reason why an answer to a transaction cannot be read. Then it is unknown whether the transaction was stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("no boundary line")]
    NoBoundary,
    #[error("cut off: the closing boundary {0:?} is missing")]
    CutOff(String),
    #[error("a part without an end to its headers")]
    NoHeaderEnd,
    #[error("a part of the type {0:?}")]
    PartType(String),
    #[error("{0:?} where a status line should be")]
    StatusLine(String),
    #[error("{0:?} where a header should be")]
    Header(String),
    #[error("changesets inside of changesets")]
    Nested,
}

/// The service nests once: a changeset in a batch.
const MAX_DEPTH: u8 = 2;

/// The HTTP answers in a body, in their order.
pub(super) fn parse(body: &[u8]) -> Result<Vec<RawResponse>, Malformed> {
    let mut responses = Vec::new();
    parse_level(body, MAX_DEPTH, &mut responses)?;
    Ok(responses)
}

fn parse_level(body: &[u8], depth: u8, responses: &mut Vec<RawResponse>) -> Result<(), Malformed> {
    let depth = depth.checked_sub(1).ok_or(Malformed::Nested)?;
    for part in split(body)? {
        let (headers, content) = headers(part)?;
        let content_type = headers.get_optional_string(&azure_core::http::headers::CONTENT_TYPE);
        let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
        if content_type.starts_with("multipart/") {
            parse_level(content, depth, responses)?;
        } else if content_type.starts_with("application/http") {
            responses.push(response(content)?);
        } else {
            return Err(Malformed::PartType(content_type));
        }
    }
    Ok(())
}

/// The parts between boundary lines. The first line that starts with `--` is the boundary, so the boundary's name in a header
/// is not needed.
fn split(body: &[u8]) -> Result<Vec<&[u8]>, Malformed> {
    let mut parts = Vec::new();
    let mut boundary: Option<&[u8]> = None;
    let mut part_start = 0;
    let mut position = 0;
    for raw in body.split_inclusive(|byte| *byte == b'\n') {
        let start = position;
        position += raw.len();
        let line = raw.trim_ascii_end();
        let Some(boundary) = boundary else {
            if line.starts_with(b"--") && line.len() > 2 {
                boundary = Some(line);
                part_start = position;
            }
            continue;
        };
        let Some(rest) = line.strip_prefix(boundary) else {
            continue;
        };
        if rest.is_empty() || rest == b"--" {
            parts.push(&body[part_start..start]);
            part_start = position;
        }
        if rest == b"--" {
            return Ok(parts);
        }
    }
    match boundary {
        Some(boundary) => Err(Malformed::CutOff(text(boundary))),
        None => Err(Malformed::NoBoundary),
    }
}

/// Headers up to an empty line, and the rest.
fn headers(part: &[u8]) -> Result<(Headers, &[u8]), Malformed> {
    let mut headers = Headers::new();
    let mut position = 0;
    for raw in part.split_inclusive(|byte| *byte == b'\n') {
        position += raw.len();
        let line = raw.trim_ascii();
        if line.is_empty() {
            return Ok((headers, &part[position..]));
        }
        let line = text(line);
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| Malformed::Header(line.clone()))?;
        let name = name.trim().to_ascii_lowercase();
        // `Headers` panics for a name with an upper-case letter beyond ASCII.
        if !is_token(&name) {
            return Err(Malformed::Header(line));
        }
        headers.insert(name, value.trim().to_owned());
    }
    Err(Malformed::NoHeaderEnd)
}

/// Whether a text can be the name of a header (RFC 9110, 5.6.2).
fn is_token(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_plain)
}

/// `HTTP/1.1 204 No Content`, headers, and a body that may be absent.
fn response(content: &[u8]) -> Result<RawResponse, Malformed> {
    let end = content
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(content.len(), |end| end + 1);
    let (line, rest) = content.split_at(end);
    let line = text(line.trim_ascii());
    let status = line
        .strip_prefix("HTTP/")
        .and_then(|line| line.split_ascii_whitespace().nth(1))
        .and_then(|status| status.parse::<u16>().ok())
        .ok_or(Malformed::StatusLine(line))?;
    let (headers, body) = headers(rest)?;
    let body = body.trim_ascii_end().to_vec();
    Ok(RawResponse::from_bytes(
        StatusCode::from(status),
        headers,
        body,
    ))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
