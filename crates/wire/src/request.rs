//! Recognises the operation of a request by its method, its URL and its headers, according to the REST reference of the queue
//! and the table service ("Operations on Messages", "Operations on Queues", "Table service REST API").
//!
//! A form that the reference does not have is reported as *not understood*, by name: only storage decides its effect, so its
//! changes are unknown here.

use std::borrow::Cow;

use hyper::Method;

use super::headers::Headers;
use super::{Keys, Operation, Service};

/// A recognised request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) operation: Operation,
    /// The queue or table; empty for a transaction, whose parts name the table, and for requests without either.
    pub(super) resource: String,
    /// The message id in the URL.
    pub(super) message: Option<String>,
    /// The decoded pop receipt in the URL.
    pub(super) receipt: Option<String>,
    /// The requested visibility timeout, in seconds.
    pub(super) hidden_s: Option<u32>,
    /// The requested time to live of a message, in seconds; `None`: not given, or unlimited.
    pub(super) lives_s: Option<u64>,
    /// The entity's keys in the URL.
    pub(super) keys: Option<Keys>,
    /// The first thing in it that is in no reference.
    pub(super) strange: Option<String>,
}

/// The method and the URL of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) service: Service,
    /// The path of the service's endpoint.
    pub(super) base: &'a str,
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
}

/// The part of a request that is in no reference, in words.
type Strange = String;

impl Request {
    /// Recognises the request to `target` with `headers`.
    pub(super) fn of(target: Target<'_>, headers: &Headers) -> Self {
        let mut request = Self {
            operation: Operation::Other,
            resource: String::new(),
            message: None,
            receipt: None,
            hidden_s: None,
            lives_s: None,
            keys: None,
            strange: None,
        };
        let understood = request.read(target, headers);
        request.strange = headers
            .strange()
            .map(str::to_owned)
            .or_else(|| headers.stray_tunnel(target.service, target.method))
            .or(understood.err());
        request
    }

    fn read(&mut self, target: Target<'_>, headers: &Headers) -> Result<(), Strange> {
        let method = headers.method(target.method);
        let query = Query::of(target.query.unwrap_or_default())?;
        let path = below(target.base, target.path)?;
        match target.service {
            Service::Queue => self.read_queue(method, &path, &query),
            Service::Table => self.read_table(method, &path, &query, headers),
        }
    }

    fn read_queue(&mut self, method: &str, path: &str, query: &Query) -> Result<(), Strange> {
        let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        if let Some(queue) = segments.first() {
            (*queue).clone_into(&mut self.resource);
        }
        self.message = segments.get(2).map(|id| (*id).to_owned());
        self.receipt = query.get("popreceipt").map(str::to_owned);
        self.hidden_s = query
            .get("visibilitytimeout")
            .and_then(|text| text.parse().ok());
        // -1 means unlimited ("Put Message").
        let lives = query.get("messagettl").filter(|text| *text != "-1");
        self.lives_s = lives.and_then(|text| text.parse().ok());
        let (comp, restype) = (query.get("comp"), query.get("restype"));
        let plain = comp.is_none() && restype.is_none();
        self.operation = match (method, &segments[..]) {
            ("OPTIONS", _) => Operation::Other,
            ("GET", []) if comp == Some("list") && restype.is_none() => Operation::Other,
            ("PUT", []) if restype == Some("service") => Operation::ChangeQueue,
            ("GET" | "POST", []) if restype == Some("service") => Operation::Other,
            ("PUT", [_]) if plain => Operation::CreateQueue,
            ("DELETE", [_]) if plain => Operation::DeleteQueue,
            ("GET" | "HEAD" | "PUT", [_])
                if matches!(comp, Some("metadata" | "acl")) && restype.is_none() =>
            {
                if method == "PUT" {
                    Operation::ChangeQueue
                } else {
                    Operation::Other
                }
            }
            ("POST", [_, "messages"]) if plain => Operation::PutMessage,
            ("GET", [_, "messages"]) if plain => match query.get("peekonly") {
                Some("true") => Operation::PeekMessages,
                None | Some("false") => Operation::ReceiveMessages,
                Some(other) => return Err(format!("the parameter peekonly={other:?}")),
            },
            ("DELETE", [_, "messages"]) if plain => Operation::ClearMessages,
            ("PUT", [_, "messages", _]) if plain => Operation::UpdateMessage,
            ("DELETE", [_, "messages", _]) if plain => Operation::DeleteMessage,
            _ => return Err(format!("{method} on a path of this form")),
        };
        match query.get("visibilitytimeout") {
            Some(text) if self.hidden_s.is_none() => {
                Err(format!("the parameter visibilitytimeout={text:?}"))
            }
            _ => match lives {
                Some(text) if self.lives_s.is_none() => {
                    Err(format!("the parameter messagettl={text:?}"))
                }
                _ => Ok(()),
            },
        }
    }

    fn read_table(
        &mut self,
        method: &str,
        path: &str,
        query: &Query,
        headers: &Headers,
    ) -> Result<(), Strange> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let (table, keys) = match path.split_once('(') {
            Some((table, keys)) => (table, Some(keys)),
            None => (path, None),
        };
        let (comp, restype) = (query.get("comp"), query.get("restype"));
        let plain = comp.is_none() && restype.is_none();
        let form = || format!("{method} on a path of this form");
        if method == "OPTIONS" {
            return Ok(());
        }
        match (table, keys) {
            ("", None) if restype == Some("service") => {
                if method == "PUT" {
                    self.operation = Operation::ChangeTable;
                }
                return Ok(());
            }
            ("$batch", None) if method == "POST" && plain => {
                self.operation = Operation::Transaction;
                return Ok(());
            }
            ("Tables", _) if plain => return self.read_tables(method, keys).ok_or_else(form),
            _ => {}
        }
        if table.is_empty() || !table.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err("a table of this name".to_owned());
        }
        table.clone_into(&mut self.resource);
        if comp == Some("acl") && keys.is_none() && matches!(method, "GET" | "PUT") {
            if method == "PUT" {
                self.operation = Operation::ChangeTable;
            }
            return Ok(());
        }
        if !plain {
            return Err(form());
        }
        let matched = headers.matches();
        self.operation = match (method, keys) {
            ("POST", None) => Operation::InsertEntity,
            ("GET", None | Some(")")) => Operation::QueryEntities,
            (_, Some(")")) => return Err(format!("{method} on a table with empty parentheses")),
            (_, Some(keys)) => {
                self.keys = Some(keys_of(keys).ok_or("row keys of this form")?);
                match method {
                    "GET" => Operation::GetEntity,
                    "PUT" | "MERGE" | "PATCH" if matched => Operation::UpdateEntity,
                    "PUT" | "MERGE" | "PATCH" => Operation::UpsertEntity,
                    "DELETE" => Operation::DeleteEntity,
                    _ => return Err(form()),
                }
            }
            _ => return Err(form()),
        };
        Ok(())
    }

    /// Operations on the list of tables.
    fn read_tables(&mut self, method: &str, keys: Option<&str>) -> Option<()> {
        match (method, keys) {
            ("GET", None | Some(")")) => Some(()),
            // The body names the table.
            ("POST", None | Some(")")) => {
                self.operation = Operation::CreateTable;
                Some(())
            }
            ("GET" | "DELETE", Some(keys)) => {
                let (table, rest) = quoted(keys)?;
                if method == "DELETE" {
                    self.operation = Operation::DeleteTable;
                }
                self.resource = table;
                (rest == ")").then_some(())
            }
            _ => None,
        }
    }
}

/// The decoded path below `base`, without its leading slash.
fn below(base: &str, path: &str) -> Result<String, Strange> {
    if path.to_ascii_lowercase().contains("%2f") {
        // Services differ in whether an encoded slash separates two segments.
        return Err("an encoded slash in the path".to_owned());
    }
    let decoded = decoded(path).ok_or("a path that is not UTF-8")?;
    let below = decoded.strip_prefix(base.trim_end_matches('/'));
    let below = match below {
        Some("") => "",
        Some(rest) if rest.starts_with('/') => &rest[1..],
        _ => return Err("a path outside of the account".to_owned()),
    };
    let inner = below.strip_suffix('/').unwrap_or(below);
    let odd = |part: &str| matches!(part, "" | "." | "..");
    if !inner.is_empty() && inner.split('/').any(odd) {
        return Err("an empty or a dotted segment in the path".to_owned());
    }
    Ok(below.to_owned())
}

fn decoded(text: &str) -> Option<Cow<'_, str>> {
    percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .ok()
}

/// The query parameters in the reference that matter for a request.
const PARAMETERS: &[&str] = &[
    "comp",
    "include",
    "marker",
    "maxresults",
    "messagettl",
    "numofmessages",
    "peekonly",
    "popreceipt",
    "prefix",
    "restype",
    "timeout",
    "visibilitytimeout",
    "NextPartitionKey",
    "NextRowKey",
    "NextTableName",
    "$filter",
    "$format",
    "$select",
    "$top",
    // Parameters of a SAS ("Create a service SAS", "Create an account SAS", "Create a user delegation SAS").
    "api-version",
    "epk",
    "erk",
    "saoid",
    "scid",
    "sduoid",
    "se",
    "si",
    "sig",
    "sip",
    "ske",
    "skdutid",
    "skoid",
    "sks",
    "skt",
    "sktid",
    "skv",
    "sp",
    "spk",
    "spr",
    "sr",
    "srk",
    "srt",
    "ss",
    "st",
    "suoid",
    "sv",
    "tn",
];

/// The query parameters of a URL.
struct Query(Vec<(String, String)>);

impl Query {
    fn of(query: &str) -> Result<Self, Strange> {
        let mut known = Vec::<(String, String)>::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name).ok_or("a parameter that is not UTF-8")?;
            // Names are case-sensitive here; services differ in whether they are.
            if !PARAMETERS.contains(&&*name) {
                return Err(format!("the parameter {name:?}"));
            }
            if known.iter().any(|(other, _)| *other == name) {
                return Err(format!("the parameter {name} twice"));
            }
            let value = decoded(value).ok_or("a parameter that is not UTF-8")?;
            known.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(known))
    }

    fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        pairs.find_map(|(other, value)| (other == name).then_some(value.as_str()))
    }
}

/// Parses the keys of a row from the decoded text after the opening parenthesis: `PartitionKey='p',RowKey='r')`, with quotes
/// doubled. Only in this order: OData would accept the other one too, and Azurite reads the first key as `PartitionKey`.
fn keys_of(text: &str) -> Option<Keys> {
    let (partition, rest) = quoted(text.strip_prefix("PartitionKey=")?)?;
    let rest = rest.strip_prefix(',')?.trim_start();
    let (row, rest) = quoted(rest.strip_prefix("RowKey=")?)?;
    (rest == ")").then_some(Keys { partition, row })
}

/// Parses an OData string literal at the start of `text`, and returns it with the rest.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix('\'')?;
    let mut value = String::new();
    loop {
        let (part, after) = rest.split_once('\'')?;
        value.push_str(part);
        match after.strip_prefix('\'') {
            Some(more) => {
                value.push('\'');
                rest = more;
            }
            None => return Some((value, after)),
        }
    }
}

#[cfg(test)]
mod tests;
