//! Entity group transactions: parses the parts of a request strictly ("Performing entity group transactions"). Data outside of
//! a part, or in a part of another form, are not understood.

use contract::workload::Lens;
use hyper::Method;

use super::headers::{Expected, Headers};
use super::request::{Request, Target};
use super::{RowChange, Service, bodies};

/// The table and the rows of a transaction.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    pub(super) table: String,
    pub(super) rows: Vec<RowChange>,
    /// The first thing in it that is in no reference.
    pub(super) strange: Option<String>,
    /// Number of operations so far, including those whose row is unreadable: storage blames an operation by its index.
    operations: usize,
}

impl Transaction {
    /// Reads `body`; `base` is the path of the service's endpoint.
    pub(super) fn of(lens: &Lens, base: &str, headers: &Headers, body: &[u8]) -> Self {
        let mut transaction = Self::default();
        transaction.note(headers.of_other_type(Expected::Multipart));
        let read = match (headers.content_type().and_then(boundary), text(body)) {
            (Some(boundary), Ok(text)) => transaction.read_batch(lens, base, &boundary, text),
            (None, Ok(_)) => Err("a transaction without a boundary".to_owned()),
            (_, Err(strange)) => Err(strange),
        };
        transaction.note(read.err());
        transaction
    }

    /// Records the first thing that is not understood.
    fn note(&mut self, strange: Option<String>) {
        if let Some(strange) = strange {
            self.strange.get_or_insert(strange);
        }
    }

    /// Reads a batch: each part is a change set, or a single query.
    fn read_batch(
        &mut self,
        lens: &Lens,
        base: &str,
        outer: &str,
        text: &str,
    ) -> Result<(), String> {
        for part in parts(text, outer)? {
            let (head, body) = split_head(part).ok_or("a part without an empty line")?;
            let headers = Headers::read(pairs(head)?.into_iter());
            self.note(headers.strange().map(str::to_owned));
            match headers.content_type() {
                Some(kind) if kind.to_ascii_lowercase().starts_with("multipart/mixed") => {
                    let inner = boundary(kind).ok_or("a set of changes without a boundary")?;
                    for part in parts(body, &inner)? {
                        self.read_operation(lens, base, part);
                    }
                }
                _ => self.read_operation(lens, base, part),
            }
        }
        Ok(())
    }

    fn read_operation(&mut self, lens: &Lens, base: &str, part: &str) {
        let place = self.operations;
        self.operations += 1;
        match operation(base, part) {
            Ok(operation) => {
                let table = &operation.request.resource;
                if !self.table.is_empty() && !self.table.eq_ignore_ascii_case(table) {
                    self.note(Some("a transaction over two tables".to_owned()));
                }
                table.clone_into(&mut self.table);
                self.note(operation.request.strange.clone());
                let part = Some(place);
                match operation.row(lens) {
                    Ok(row) => self.rows.extend(row.map(|row| RowChange { part, ..row })),
                    Err(strange) => self.note(Some(strange)),
                }
            }
            Err(strange) => self.note(Some(strange)),
        }
    }
}

/// One operation of a transaction.
struct Part<'a> {
    request: Request,
    headers: Headers,
    json: &'a str,
}

impl Part<'_> {
    fn row(self, lens: &Lens) -> Result<Option<RowChange>, String> {
        bodies::row(lens, &self.request, &self.headers, self.json.as_bytes())
    }
}

/// Parses one part: its headers, then an HTTP request.
fn operation<'a>(base: &str, part: &'a str) -> Result<Part<'a>, String> {
    let (outer, request) = split_head(part).ok_or("a part without an empty line")?;
    let outer = Headers::read(pairs(outer)?.into_iter());
    let is_request = |kind: &str| kind.eq_ignore_ascii_case("application/http");
    if !outer.content_type().is_none_or(is_request) {
        return Err("a part that is no HTTP request".to_owned());
    }
    if let Some(strange) = outer.strange() {
        return Err(strange.to_owned());
    }
    let (head, json) = split_head(request).unwrap_or((request, ""));
    let (line, head) = head.split_once('\n').unwrap_or((head, ""));
    let (method, url) = request_line(line.trim_end()).ok_or("a part without a request line")?;
    let headers = Headers::read(pairs(head)?.into_iter());
    let (path, query) = url
        .split_once('?')
        .map_or((url, None), |(path, query)| (path, Some(query)));
    let path = path
        .split_once("://")
        .and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]))
        .unwrap_or(path);
    let target = Target {
        service: Service::Table,
        base,
        method: &method,
        path,
        query,
    };
    Ok(Part {
        request: Request::of(target, &headers),
        headers,
        json: json.trim(),
    })
}

fn text(body: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(body).map_err(|_| "a transaction that is not UTF-8".to_owned())
}

/// The boundary in a content type.
fn boundary(content_type: &str) -> Option<String> {
    let mut parameters = content_type.split(';').skip(1);
    parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (name.trim().eq_ignore_ascii_case("boundary") && !value.is_empty())
            .then(|| value.to_owned())
    })
}

/// The parts between the boundaries (RFC 2046, 5.1.1). Text before the first or after the last boundary is an error.
fn parts<'a>(text: &'a str, boundary: &str) -> Result<Vec<&'a str>, String> {
    let delimiter = format!("--{boundary}");
    let (mut parts, mut start, mut ended, mut at) = (Vec::new(), None, false, 0);
    for line in text.split_inclusive('\n') {
        let (begins, bare) = (at, line.trim_end());
        at += line.len();
        if bare == delimiter || bare.strip_suffix("--") == Some(&delimiter) {
            if let Some(start) = start {
                parts.push(&text[start..begins]);
            }
            ended = bare != delimiter;
            start = (!ended).then_some(at);
        } else if (start.is_none() || ended) && !bare.is_empty() {
            return Err("a transaction with text outside of its parts".to_owned());
        }
    }
    if ended && start.is_none() {
        Ok(parts)
    } else {
        Err("a transaction without an end".to_owned())
    }
}

/// Splits at the first empty line. A part may begin with an empty line, which then ends no headers.
fn split_head(part: &str) -> Option<(&str, &str)> {
    if let Some(rest) = part
        .strip_prefix("\r\n")
        .or_else(|| part.strip_prefix('\n'))
    {
        return Some(("", rest));
    }
    let crlf = part.find("\r\n\r\n").map(|at| (at, 4));
    let lf = part.find("\n\n").map(|at| (at, 2));
    let (at, length) = match (crlf, lf) {
        (Some(crlf), Some(lf)) => crlf.min(lf),
        (one, other) => one.or(other)?,
    };
    Some((&part[..at], &part[at + length..]))
}

fn pairs(head: &str) -> Result<Vec<(&str, Option<&str>)>, String> {
    let lines = head.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let (name, value) = line.split_once(':').ok_or("a header without a colon")?;
            Ok((name.trim(), Some(value)))
        })
        .collect()
}

fn request_line(line: &str) -> Option<(Method, &str)> {
    let (method, rest) = line.split_once(' ')?;
    let (url, version) = rest.rsplit_once(' ')?;
    let known = version.starts_with("HTTP/1") && !url.is_empty();
    known.then_some((method.parse().ok()?, url))
}

#[cfg(test)]
mod tests;
