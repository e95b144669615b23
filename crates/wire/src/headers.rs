//! Headers of a request: relevant ones, irrelevant ones, and those that are in no reference.

use hyper::Method;
use hyper::header::HeaderMap;

use super::Service;

/// Headers that do not change the meaning of a request: those of HTTP itself, of the storage services' reference, of their
/// SDKs, and of tracing.
const SILENT: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "authorization",
    "b3",
    "baggage",
    "cache-control",
    "connection",
    "content-id",
    "content-length",
    "content-md5",
    "cookie",
    "correlation-context",
    "dataserviceversion",
    "date",
    "dnt",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "maxdataserviceversion",
    "mime-version",
    "mindataserviceversion",
    "odata-maxversion",
    "odata-version",
    "origin",
    "pragma",
    "prefer",
    "priority",
    "proxy-connection",
    "referer",
    "request-context",
    "request-id",
    "sentry-trace",
    "te",
    "traceparent",
    "tracestate",
    "uber-trace-id",
    "user-agent",
    "via",
    "x-amzn-trace-id",
    "x-cloud-trace-context",
    "x-cosmos-internal-is-table",
    "x-ms-client-request-id",
    "x-ms-correlation-request-id",
    "x-ms-date",
    "x-ms-requestid",
    "x-ms-return-client-request-id",
    "x-ms-rest-version",
    "x-ms-useragent",
    "x-ms-version",
    "x-request-id",
    "x-requested-with",
];

/// Prefixes of further such headers.
const SILENT_FAMILIES: &[&str] = &[
    "access-control-request-",
    "sec-",
    "traceparent",
    "x-b3-",
    "x-datadog-",
    "x-forwarded-",
    "x-ms-meta-",
    "x-ms-client-",
];

/// The content type that each kind of body must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// A body of the queue service.
    Xml,
    /// An entity. Atom, which old versions of the table service accept, cannot be read here.
    Json,
    /// An entity group transaction.
    Multipart,
}

/// The relevant headers of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Headers {
    matches: bool,
    content_type: Option<String>,
    tunnelled: Option<String>,
    strange: Option<String>,
}

impl Headers {
    /// Reads a request's headers.
    pub(super) fn of(map: &HeaderMap) -> Self {
        let pairs = map.iter();
        Self::read(pairs.map(|(name, value)| (name.as_str(), value.to_str().ok())))
    }

    /// Reads pairs of a name and a value; `None` for a value that is not text.
    pub(super) fn read<'a>(pairs: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> Self {
        let mut headers = Self::default();
        for (name, value) in pairs {
            if let Err(strange) = headers.add(&name.to_ascii_lowercase(), value) {
                headers.strange.get_or_insert(strange);
            }
        }
        headers
    }

    fn add(&mut self, name: &str, value: Option<&str>) -> Result<(), String> {
        let silent = SILENT.contains(&name)
            || SILENT_FAMILIES
                .iter()
                .any(|family| name.starts_with(family));
        if silent {
            return Ok(());
        }
        let unreadable = || format!("the header {name}, which is no text");
        let value = value.ok_or_else(unreadable)?.trim();
        let twice = || Err(format!("the header {name} twice"));
        match name {
            "if-match" if self.matches => return twice(),
            "if-match" => self.matches = true,
            "content-type" if self.content_type.is_some() => return twice(),
            "content-type" => self.content_type = Some(value.to_owned()),
            "x-http-method" if self.tunnelled.is_some() => return twice(),
            "x-http-method" => self.tunnelled = Some(value.to_owned()),
            "content-encoding" if value.eq_ignore_ascii_case("identity") => {}
            "content-transfer-encoding" if value.eq_ignore_ascii_case("binary") => {}
            "transfer-encoding" if value.eq_ignore_ascii_case("chunked") => {}
            "content-encoding" | "content-transfer-encoding" | "transfer-encoding" => {
                return Err(format!("the header {name}: {value}"));
            }
            _ => return Err(format!("the header {name}")),
        }
        Ok(())
    }

    /// The effective method: a client that cannot send MERGE sends POST with `X-HTTP-Method` ("Merge Entity", of the table
    /// service). Azurite applies that header to any request.
    pub(super) fn method<'a>(&'a self, sent: &'a Method) -> &'a str {
        match self.tunnelled.as_deref() {
            Some(known @ ("GET" | "MERGE" | "PATCH" | "PUT" | "DELETE")) => known,
            _ => sent.as_str(),
        }
    }

    /// Whether there is an `If-Match` header.
    pub(super) const fn matches(&self) -> bool {
        self.matches
    }

    /// The first header that is in no reference.
    pub(super) fn strange(&self) -> Option<&str> {
        self.strange.as_deref()
    }

    /// Describes an `X-HTTP-Method` header where the reference has none.
    pub(super) fn stray_tunnel(&self, service: Service, sent: &Method) -> Option<String> {
        let tunnelled = self.tunnelled.as_ref()?;
        let known = matches!(tunnelled.as_str(), "MERGE" | "PATCH" | "PUT" | "DELETE");
        let proper = known && service == Service::Table && *sent == Method::POST;
        (!proper).then(|| format!("{sent} with X-HTTP-Method: {tunnelled}"))
    }

    /// The value of `Content-Type`.
    pub(super) fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// The problem with a body's content type; a body without one is read as the expected type.
    pub(super) fn of_other_type(&self, expected: Expected) -> Option<String> {
        let text = self.content_type.as_deref()?;
        let mut parts = text.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let fits = match expected {
            Expected::Xml => matches!(
                kind.as_str(),
                "application/xml" | "text/xml" | "application/x-www-form-urlencoded"
            ),
            Expected::Json => kind == "application/json",
            Expected::Multipart => kind == "multipart/mixed",
        };
        let charset = |part: &str| {
            let (name, value) = part.split_once('=')?;
            let utf_8 = value.trim_matches('"').eq_ignore_ascii_case("utf-8");
            (name.trim().eq_ignore_ascii_case("charset") && !utf_8).then_some(())
        };
        let odd_charset = parts.find_map(charset).is_some();
        (!fits || odd_charset).then(|| format!("the content type {text:?}"))
    }
}
