//! A parsed request: account, resource, parameters, headers.
//!
//! The account is in the path (`/devstoreaccount1/queue`, as for the emulators), or in the host (`account.queue.localhost`, as
//! for the service). The suffix `-secondary` selects the read-only secondary.

use std::{borrow::Cow, net::IpAddr};

use bytes::Bytes;
use hyper::{HeaderMap, Method};
use percent_encoding::percent_decode_str;

use super::error::ServiceError;

/// A request as received, including its body.
#[derive(Debug, Clone)]
pub struct Request {
    /// HTTP method.
    pub method: Method,
    /// Path as it was sent, with percent escapes.
    pub path: String,
    /// Query as it was sent, without `?`.
    pub query: String,
    /// All headers.
    pub headers: HeaderMap,
    /// Names of metadata that were not sent in lower case, without `x-ms-meta-`: a queue keeps their case, which `headers`
    /// loses.
    pub metadata_names: Vec<String>,
    /// Body, whole.
    pub body: Bytes,
    /// Whether it came over TLS.
    pub secure: bool,
    /// The client's address, if it is known.
    pub peer: Option<IpAddr>,
}

/// A query parameter: its name in lower case, and its value, decoded.
type Parameter<'a> = (Cow<'a, str>, Cow<'a, str>);

/// A request with its parsed address.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(crate) request: &'a Request,
    pub(crate) secondary: bool,
    /// Segments of the path after the account, as they were sent.
    pub(crate) segments: Vec<&'a str>,
    /// Scheme, host and, in path style, account: the beginning of addresses in answers.
    pub(crate) base: String,
    parameters: Vec<Parameter<'a>>,
}

impl Request {
    /// The value of a header, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl<'a> Target<'a> {
    /// Finds the account in a request's address.
    ///
    /// # Errors
    /// 404 for an account other than `account`, 400 for a query that is not text.
    pub(crate) fn new(request: &'a Request, account: &str) -> Result<Self, ServiceError> {
        let path = request.path.strip_prefix('/').unwrap_or(&request.path);
        let host = request.header("host").unwrap_or_default();
        let in_host = host
            .split_once('.')
            .and_then(|(first, _)| of_account(first, account));
        let scheme = if request.secure { "https" } else { "http" };
        let (rest, secondary, base) = if let Some(secondary) = in_host {
            (path, secondary, format!("{scheme}://{host}"))
        } else {
            let (first, rest) = path.split_once('/').unwrap_or((path, ""));
            let decoded = percent_decode_str(first).decode_utf8_lossy();
            let secondary = of_account(&decoded, account);
            let secondary = secondary.ok_or_else(ServiceError::account_not_found)?;
            (rest, secondary, format!("{scheme}://{host}/{account}"))
        };
        Ok(Self {
            request,
            secondary,
            segments: rest
                .split('/')
                .filter(|segment| !segment.is_empty())
                .collect(),
            base,
            parameters: parameters(&request.query)?,
        })
    }

    /// A parameter's value. Names are case-insensitive; the first of several counts.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| &**value)
    }

    /// Whether a parameter occurs more than once.
    pub(crate) fn has_several(&self, name: &str) -> bool {
        let same = self.parameters.iter().filter(|(other, _)| other == name);
        same.count() > 1
    }

    /// All parameters, with names in lower case.
    pub(crate) fn parameters(&self) -> &[Parameter<'a>] {
        &self.parameters
    }

    /// The number in a parameter, which must be within a range.
    pub(crate) fn number(
        &self,
        name: &str,
        least: u64,
        most: u64,
    ) -> Result<Option<u64>, ServiceError> {
        let Some(text) = self.parameter(name) else {
            return Ok(None);
        };
        let number: i128 = text.parse().map_err(|_| {
            ServiceError::invalid_parameter(name, text, "the value is not a whole number")
        })?;
        match u64::try_from(number) {
            Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(ServiceError::parameter_out_of_range(
                name, text, least, most,
            )),
        }
    }

    pub(crate) fn method(&self) -> &Method {
        &self.request.method
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.request.header(name)
    }
}

/// Whether a name is the account's, and if so, whether it is the secondary's.
fn of_account(name: &str, account: &str) -> Option<bool> {
    match name.strip_prefix(account)? {
        "" => Some(false),
        "-secondary" => Some(true),
        _ => None,
    }
}

fn parameters(query: &str) -> Result<Vec<Parameter<'_>>, ServiceError> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let mut name = decoded(name)?;
            if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                name = Cow::Owned(name.to_ascii_lowercase());
            }
            Ok((name, decoded(value)?))
        })
        .collect()
}

/// Decodes percent escapes; a plus stands for a space.
pub(crate) fn decoded(text: &str) -> Result<Cow<'_, str>, ServiceError> {
    let malformed = |_| ServiceError::invalid_uri();
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        let plain = percent_decode_str(&spaced)
            .decode_utf8()
            .map_err(malformed)?;
        return Ok(Cow::Owned(plain.into_owned()));
    }
    percent_decode_str(text).decode_utf8().map_err(malformed)
}

/// Decodes a segment of a path, in which a plus is a plus.
pub(crate) fn decoded_segment(text: &str) -> Result<Cow<'_, str>, ServiceError> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map_err(|_| ServiceError::invalid_uri())
}
