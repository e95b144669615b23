//! Which storage operation a request is, told by its method and URL as the REST reference of the queue and the table
//! service gives them.

use std::fmt;

use hyper::Method;
use serde::{Deserialize, Serialize};

/// An operation of the queue or the table service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Put Message.
    PutMessage,
    /// Get Messages.
    ReceiveMessages,
    /// Peek Messages.
    PeekMessages,
    /// Update Message: renews a lease, or hands a message back.
    UpdateMessage,
    /// Delete Message.
    DeleteMessage,
    /// Clear Messages.
    ClearMessages,
    /// Insert Entity.
    InsertEntity,
    /// Perform Entity Group Transactions.
    Transaction,
    /// Query Entities, for one row.
    GetEntity,
    /// Query Entities.
    QueryEntities,
    /// Update or Merge Entity: with `If-Match`, so that the row must be there.
    UpdateEntity,
    /// Insert Or Replace or Insert Or Merge Entity.
    UpsertEntity,
    /// Delete Entity.
    DeleteEntity,
    /// Anything else, such as creating a queue or a table.
    Other,
}

impl Operation {
    /// The operation as it is serialised.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PutMessage => "put-message",
            Self::ReceiveMessages => "receive-messages",
            Self::PeekMessages => "peek-messages",
            Self::UpdateMessage => "update-message",
            Self::DeleteMessage => "delete-message",
            Self::ClearMessages => "clear-messages",
            Self::InsertEntity => "insert-entity",
            Self::Transaction => "transaction",
            Self::GetEntity => "get-entity",
            Self::QueryEntities => "query-entities",
            Self::UpdateEntity => "update-entity",
            Self::UpsertEntity => "upsert-entity",
            Self::DeleteEntity => "delete-entity",
            Self::Other => "other",
        }
    }

    /// Whether it can store rows.
    pub const fn stores(self) -> bool {
        matches!(
            self,
            Self::InsertEntity | Self::Transaction | Self::UpdateEntity | Self::UpsertEntity
        )
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Which of the two services a request goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Azure Queue Storage.
    Queue,
    /// Azure Table Storage.
    Table,
}

/// A request, recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request<'a> {
    pub(super) operation: Operation,
    /// The queue or table; empty for a transaction, whose parts name it, and where there is none.
    pub(super) resource: &'a str,
    /// The queue's id of the message that the URL names.
    pub(super) message: Option<&'a str>,
    /// The pop receipt that the URL carries, percent-encoded.
    pub(super) receipt: Option<&'a str>,
    /// For how many seconds the request asks a message to be hidden.
    pub(super) hidden_s: Option<u32>,
    /// The keys that the URL names.
    pub(super) keys: Option<Keys>,
}

/// The keys of a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Keys {
    /// `PartitionKey`.
    pub partition: String,
    /// `RowKey`.
    pub row: String,
}

impl<'a> Request<'a> {
    /// `path` is without the base path of the endpoint; `matched` says whether there is an `If-Match` header.
    pub(super) fn of(
        service: Service,
        method: &Method,
        path: &'a str,
        query: Option<&'a str>,
        matched: bool,
    ) -> Self {
        let path = path.trim_start_matches('/');
        match service {
            Service::Queue => Self::of_queue(method, path, query.unwrap_or_default()),
            Service::Table => Self::of_table(method, path, matched),
        }
    }

    fn of_queue(method: &Method, path: &'a str, query: &'a str) -> Self {
        let parameter = |name: &str| {
            query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
        };
        let mut segments = path.splitn(3, '/');
        let resource = segments.next().unwrap_or_default();
        let (messages, id) = (segments.next() == Some("messages"), segments.next());
        let id = id.filter(|id| !id.is_empty());
        let peek = parameter("peekonly").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let operation = match (method.as_str(), messages, id) {
            ("POST", true, None) => Operation::PutMessage,
            ("GET", true, None) if peek => Operation::PeekMessages,
            ("GET", true, None) => Operation::ReceiveMessages,
            ("PUT", true, Some(_)) => Operation::UpdateMessage,
            ("DELETE", true, Some(_)) => Operation::DeleteMessage,
            ("DELETE", true, None) => Operation::ClearMessages,
            _ => Operation::Other,
        };
        Self {
            operation,
            resource,
            message: id,
            receipt: parameter("popreceipt"),
            hidden_s: parameter("visibilitytimeout").and_then(|seconds| seconds.parse().ok()),
            keys: None,
        }
    }

    pub(super) fn of_table(method: &Method, path: &'a str, matched: bool) -> Self {
        let (resource, keys) = match path.split_once('(') {
            Some((table, keys)) => (table, Keys::parse(keys)),
            None => (path, None),
        };
        let one = keys.is_some();
        let operation = match method.as_str() {
            _ if resource == "$batch" => Operation::Transaction,
            _ if resource == "Tables" || resource.is_empty() => Operation::Other,
            "POST" if !one => Operation::InsertEntity,
            "GET" if one => Operation::GetEntity,
            "GET" => Operation::QueryEntities,
            "PUT" | "MERGE" | "PATCH" if one && matched => Operation::UpdateEntity,
            "PUT" | "MERGE" | "PATCH" if one => Operation::UpsertEntity,
            "DELETE" if one => Operation::DeleteEntity,
            _ => Operation::Other,
        };
        Self {
            operation,
            resource: if operation == Operation::Transaction {
                ""
            } else {
                resource
            },
            message: None,
            receipt: None,
            hidden_s: None,
            keys,
        }
    }
}

impl Keys {
    /// From what follows the opening parenthesis: `PartitionKey='p',RowKey='r')`, percent-encoded, quotes doubled.
    fn parse(text: &str) -> Option<Self> {
        let text = percent_encoding::percent_decode_str(text)
            .decode_utf8()
            .ok()?;
        let (partition, rest) = quoted(text.strip_prefix("PartitionKey=")?)?;
        let (row, rest) = quoted(
            rest.strip_prefix(",")?
                .trim_start()
                .strip_prefix("RowKey=")?,
        )?;
        rest.starts_with(')').then_some(Self { partition, row })
    }
}

/// An OData string literal at the start of `text`, and what follows it.
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
mod tests {
    use super::*;

    fn queue<'a>(method: &str, path: &'a str, query: &'a str) -> Request<'a> {
        let method = method.parse().unwrap();
        Request::of(Service::Queue, &method, path, Some(query), false)
    }

    fn table<'a>(method: &str, path: &'a str, matched: bool) -> Request<'a> {
        let method = method.parse().unwrap();
        Request::of(Service::Table, &method, path, None, matched)
    }

    #[test]
    fn queue_operations_are_recognised() {
        for (method, path, query, operation) in [
            ("POST", "/work/messages", "sv=1", Operation::PutMessage),
            (
                "GET",
                "/work/messages",
                "numofmessages=32&visibilitytimeout=30",
                Operation::ReceiveMessages,
            ),
            (
                "GET",
                "/work/messages",
                "peekonly=true",
                Operation::PeekMessages,
            ),
            (
                "PUT",
                "/work/messages/m1",
                "popreceipt=a%3D&visibilitytimeout=0",
                Operation::UpdateMessage,
            ),
            (
                "DELETE",
                "/work/messages/m1",
                "popreceipt=a%3D",
                Operation::DeleteMessage,
            ),
            ("DELETE", "/work/messages", "", Operation::ClearMessages),
            ("PUT", "/work", "", Operation::Other),
            ("GET", "/work", "comp=metadata", Operation::Other),
        ] {
            let request = queue(method, path, query);
            assert_eq!(
                (request.operation, request.resource),
                (operation, "work"),
                "{method} {path}"
            );
        }
        let update = queue(
            "PUT",
            "/work/messages/m1",
            "popreceipt=a%3D&visibilitytimeout=0",
        );
        assert_eq!(
            (update.message, update.receipt, update.hidden_s),
            (Some("m1"), Some("a%3D"), Some(0))
        );
    }

    #[test]
    fn table_operations_are_recognised() {
        let row = "/T(PartitionKey='p',RowKey='r')";
        for (method, path, matched, operation) in [
            ("POST", "/T", false, Operation::InsertEntity),
            ("GET", row, false, Operation::GetEntity),
            ("GET", "/T()", false, Operation::QueryEntities),
            ("GET", "/T", false, Operation::QueryEntities),
            ("PUT", row, true, Operation::UpdateEntity),
            ("MERGE", row, true, Operation::UpdateEntity),
            ("PUT", row, false, Operation::UpsertEntity),
            ("PATCH", row, false, Operation::UpsertEntity),
            ("DELETE", row, true, Operation::DeleteEntity),
        ] {
            let request = table(method, path, matched);
            assert_eq!(
                (request.operation, request.resource),
                (operation, "T"),
                "{method} {path}"
            );
        }
        assert_eq!(
            table("POST", "/$batch", false).operation,
            Operation::Transaction
        );
        assert_eq!(table("POST", "/Tables", false).operation, Operation::Other);
    }

    #[test]
    fn keys_are_decoded() {
        let request = table(
            "GET",
            "/T(PartitionKey='it%27%27s%20a',RowKey='r-1')",
            false,
        );
        let keys = request.keys.unwrap();
        assert_eq!((&*keys.partition, &*keys.row), ("it's a", "r-1"));
        for broken in ["/T(PartitionKey='p'", "/T(RowKey='r')", "/T('x')"] {
            assert_eq!(table("GET", broken, false).keys, None, "{broken}");
        }
    }
}
