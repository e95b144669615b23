//! Multipart bodies of transactions: RFC 2046, 5.1, as "OData batch requests" use it. Line ends may be LF alone, since clients
//! differ; everything else must match exactly.

use crate::http::error::ServiceError;

/// Names in lower case, and values.
type Headers<'a> = Vec<(String, &'a str)>;

/// One part: its headers, and what follows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub(super) headers: Headers<'a>,
    pub(super) body: &'a [u8],
}

/// A request within a part of type `application/http`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InnerRequest<'a> {
    pub(super) method: &'a str,
    pub(super) url: &'a str,
    pub(super) headers: Headers<'a>,
    pub(super) body: &'a [u8],
}

fn find<'a>(headers: &[(String, &'a str)], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(other, _)| other == name);
    found.map(|(_, value)| *value)
}

impl Part<'_> {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

impl<'a> InnerRequest<'a> {
    pub(super) fn header(&self, name: &str) -> Option<&'a str> {
        find(&self.headers, name)
    }
}

fn malformed(what: &str) -> ServiceError {
    ServiceError::invalid_input(format!("The batch request is malformed: {what}."))
}

/// The boundary in a content type of `multipart/mixed`.
pub(super) fn boundary(content_type: &str) -> Result<&str, ServiceError> {
    let mut parts = content_type.split(';');
    let kind = parts.next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("multipart/mixed") {
        return Err(malformed("its content type is not multipart/mixed"));
    }
    let boundary = parts.find_map(|part| {
        let (name, value) = part.trim().split_once('=')?;
        name.eq_ignore_ascii_case("boundary")
            .then(|| value.trim().trim_matches('"'))
    });
    let boundary = boundary.filter(|boundary| (1..=200).contains(&boundary.len()));
    boundary.ok_or_else(|| malformed("its content type has no boundary"))
}

/// Splits a body at a boundary.
pub(super) fn parts<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<Part<'a>>, ServiceError> {
    let mut parts = Vec::new();
    let mut start = None;
    let mut at = 0;
    while at < body.len() {
        let (line, next) = line(body, at);
        let delimiter = line.strip_prefix(b"--");
        let rest = delimiter.and_then(|line| line.strip_prefix(boundary.as_bytes()));
        if let Some(rest) =
            rest.filter(|rest| rest.trim_ascii().is_empty() || rest.trim_ascii() == b"--")
        {
            if let Some(start) = start {
                parts.push(part(without_line_end(&body[start..at]))?);
            }
            if !rest.trim_ascii().is_empty() {
                return Ok(parts);
            }
            start = Some(next);
        }
        at = next;
    }
    Err(malformed("its last boundary is missing"))
}

/// The line at `at` without its end, and the start of the next one.
fn line(body: &[u8], at: usize) -> (&[u8], usize) {
    match body[at..].iter().position(|byte| *byte == b'\n') {
        Some(length) => {
            let line = &body[at..at + length];
            (line.strip_suffix(b"\r").unwrap_or(line), at + length + 1)
        }
        None => (&body[at..], body.len()),
    }
}

/// The body without its last line end, which belongs to the boundary.
fn without_line_end(body: &[u8]) -> &[u8] {
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    body.strip_suffix(b"\r").unwrap_or(body)
}

fn part(body: &[u8]) -> Result<Part<'_>, ServiceError> {
    let (headers, body) = headers(body, 0)?;
    Ok(Part { headers, body })
}

/// Headers up to an empty line, with names in lower case, and the rest.
fn headers(body: &[u8], from: usize) -> Result<(Headers<'_>, &[u8]), ServiceError> {
    let mut headers = Vec::new();
    let mut at = from;
    while at < body.len() {
        let (line, next) = line(body, at);
        at = next;
        if line.is_empty() {
            break;
        }
        let line = std::str::from_utf8(line).map_err(|_| malformed("a header is not text"))?;
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| malformed("a header has no colon"))?;
        headers.push((name.trim().to_ascii_lowercase(), value.trim()));
    }
    Ok((headers, &body[at..]))
}

/// Parses the request in a part.
pub(super) fn inner(body: &[u8]) -> Result<InnerRequest<'_>, ServiceError> {
    let mut at = 0;
    // Some clients send empty lines here.
    let (first, next) = loop {
        if at >= body.len() {
            return Err(malformed("a part has no request"));
        }
        let (line, next) = line(body, at);
        if !line.trim_ascii().is_empty() {
            break (line, next);
        }
        at = next;
    };
    let first = std::str::from_utf8(first).map_err(|_| malformed("a request is not text"))?;
    let first = first.trim();
    let (method, rest) = first
        .split_once(' ')
        .ok_or_else(|| malformed("a request has no address"))?;
    let (url, version) = rest.rsplit_once(' ').unwrap_or((rest, ""));
    let url = if version.starts_with("HTTP/") {
        url
    } else {
        rest
    };
    let (headers, rest) = headers(body, next)?;
    Ok(InnerRequest {
        method,
        url: url.trim(),
        headers,
        body: rest.trim_ascii(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nPOST http://h/a/t HTTP/1.1\r\nPrefer: return-no-content\r\n\r\n{\"A\":1}\r\n--c--\r\n--b--\r\n";

    #[test]
    fn a_request_within_a_changeset_within_a_batch_is_found_with_either_line_end() {
        for body in [BODY.to_owned(), BODY.replace("\r\n", "\n")] {
            let outer = parts(body.as_bytes(), "b").unwrap();
            let content_type = outer[0].header("content-type").unwrap();
            let within = parts(outer[0].body, boundary(content_type).unwrap()).unwrap();
            assert_eq!(within.len(), 1);
            let request = inner(within[0].body).unwrap();
            assert_eq!((request.method, request.url), ("POST", "http://h/a/t"));
            assert_eq!(request.header("prefer"), Some("return-no-content"));
            assert_eq!(request.body, b"{\"A\":1}");
        }
    }

    #[test]
    fn malformed_bodies_are_refused() {
        for body in ["", "--b", "--b\r\n\r\n", "--b\r\nno colon\r\n--b--"] {
            assert!(parts(body.as_bytes(), "b").is_err(), "{body}");
        }
        for kind in [
            "",
            "text/plain",
            "multipart/mixed",
            "multipart/mixed; boundary=",
        ] {
            assert!(boundary(kind).is_err(), "{kind}");
        }
        for body in ["", "POST", "\r\n\r\n", "POST /a HTTP/1.1\r\nbad"] {
            assert!(inner(body.as_bytes()).is_err(), "{body}");
        }
    }
}
