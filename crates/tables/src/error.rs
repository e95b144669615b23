//! Errors of the service, with their OData code.
//!
//! Everything is an [`azure_core::Error`], as with the official crates: an answer that is not a success has the kind
//! [`ErrorKind::HttpResponse`] with the code in it. [`ErrorCode::of`] reads it back as an enum.

mod code;
mod redact;
#[cfg(test)]
mod tests;

pub use code::ErrorCode;
pub(crate) use redact::redact;

use azure_core::{
    Error,
    error::ErrorKind,
    http::{RawResponse, headers::ERROR_CODE},
};
use serde::Deserialize;

/// Passes a success on, and converts any other answer into an error with the service's message.
///
/// `azure_core`'s own check expects `{"error": ...}` and would miss the code in `{"odata.error": ...}`.
pub(crate) fn check(response: RawResponse) -> azure_core::Result<RawResponse> {
    if response.status().is_success() {
        return Ok(response);
    }
    let report = Report::of(&response);
    Err(report.into_error(response))
}

/// The service's report of a failure.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
}

impl Report {
    /// The code in the header takes precedence; the body is JSON, or XML if the request did not reach the table.
    pub(crate) fn of(response: &RawResponse) -> Self {
        let body = Self::parse(response.body());
        let header = response.headers().get_optional_str(&ERROR_CODE);
        Self {
            code: header.map(str::to_owned).or(body.code),
            message: body.message,
        }
    }

    /// Reads `{"odata.error":{"code":..,"message":{"value":..}}}`, `{"error":{..}}`, or the XML forms.
    fn parse(body: &[u8]) -> Self {
        if let Ok(parsed) = serde_json::from_slice::<Body>(body) {
            let Detail { code, message } = parsed.error;
            return Self {
                code: code.filter(|code| !code.is_empty()),
                message: message.map(Message::into_text),
            };
        }
        let text = String::from_utf8_lossy(body);
        Self {
            code: element(&text, "code"),
            message: element(&text, "message"),
        }
    }

    /// `<code>: <first line of the message>`, or the part of it that exists.
    pub(crate) fn text(&self) -> Option<String> {
        let message = self.message.as_deref().and_then(|text| text.lines().next());
        match (&self.code, message) {
            (Some(code), Some(message)) => Some(format!("{code}: {message}")),
            (Some(code), None) => Some(code.clone()),
            (None, message) => message.map(str::to_owned),
        }
    }

    fn into_error(self, response: RawResponse) -> Error {
        let status = response.status();
        let text = match self.text() {
            Some(text) => format!("{status} {text}"),
            None => status.to_string(),
        };
        let kind = ErrorKind::HttpResponse {
            status,
            error_code: self.code,
            raw_response: Some(Box::new(response)),
        };
        Error::with_message(kind, text)
    }
}

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "odata.error", alias = "error")]
    error: Detail,
}

#[derive(Deserialize)]
struct Detail {
    code: Option<String>,
    message: Option<Message>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Message {
    Localised { value: String },
    Plain(String),
}

impl Message {
    fn into_text(self) -> String {
        match self {
            Self::Localised { value } => value,
            Self::Plain(text) => text,
        }
    }
}

/// The text of the first `<name>`, `<m:name>` or capitalised element of that name.
fn element(xml: &str, name: &str) -> Option<String> {
    let mut rest = xml;
    while let Some((_, tag)) = rest.split_once('<') {
        let (tag, content) = tag.split_once('>')?;
        let full_name = tag.split_ascii_whitespace().next().unwrap_or_default();
        let local_name = full_name.rsplit(':').next().unwrap_or_default();
        if local_name.eq_ignore_ascii_case(name) && !tag.ends_with('/') {
            let text = content.split('<').next().unwrap_or_default().trim();
            return (!text.is_empty()).then(|| text.to_owned());
        }
        rest = content;
    }
    None
}
