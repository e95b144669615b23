//! An answer, reduced to the parts that must be equal on both sides.

use reqwest::Response;
use serde_json::Value as Json;

/// Headers whose values must be equal.
const EQUAL: [&str; 4] = [
    "x-ms-error-code",
    "x-ms-approximate-messages-count",
    "preference-applied",
    "content-type",
];

/// Headers that must exist on both sides or on neither.
const PRESENT: [&str; 5] = [
    "etag",
    "x-ms-popreceipt",
    "x-ms-time-next-visible",
    "x-ms-continuation-nextpartitionkey",
    "x-ms-continuation-nexttablename",
];

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let text = |value: &reqwest::header::HeaderValue| {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        };
        let headers = response.headers().iter();
        let headers = headers.map(|(name, value)| (name.as_str().to_owned(), text(value)));
        Self {
            status: response.status().as_u16(),
            headers: headers.collect(),
            body: response.text().await.unwrap(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn code(&self) -> &str {
        self.header("x-ms-error-code").unwrap_or_default()
    }

    /// Texts of all elements of that name in an XML body.
    pub(crate) fn elements(&self, name: &str) -> Vec<&str> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let parts = self.body.split(open.as_str()).skip(1);
        parts
            .map(|part| part.split(close.as_str()).next().unwrap_or_default())
            .collect()
    }

    /// The parts of the answer that a client sees, without those that always differ.
    pub(crate) fn seen(&self) -> Vec<String> {
        let mut seen = vec![format!("status {}", self.status)];
        for name in EQUAL {
            let value = self.header(name).unwrap_or("none");
            // For errors, only whether it is JSON or XML counts; Azurite sets no type for some empty answers.
            if name != "content-type" || (self.status < 300 && !self.body.is_empty()) {
                seen.push(format!("{name} {}", kind(value)));
            }
        }
        for name in PRESENT {
            seen.push(format!("{name} {}", self.header(name).is_some()));
        }
        let mut metadata: Vec<String> = self
            .headers
            .iter()
            .filter(|(name, _)| name.starts_with("x-ms-meta-"))
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        metadata.sort();
        seen.extend(metadata);
        seen.extend(self.content());
        seen
    }

    fn content(&self) -> Vec<String> {
        if self.status >= 300 || self.body.is_empty() {
            return Vec::new();
        }
        if let Ok(json) = serde_json::from_str::<Json>(&self.body) {
            return vec![stable(json).to_string()];
        }
        if self.body.starts_with("--") {
            return multipart(&self.body);
        }
        let mut content = Vec::new();
        for name in [
            "Name",
            "Prefix",
            "DequeueCount",
            "Id",
            "Permission",
            "AllowedOrigins",
        ] {
            let texts = self.elements(name);
            if !texts.is_empty() {
                content.push(format!("{name} {texts:?}"));
            }
        }
        // Messages that become visible within a millisecond may be in a different order.
        let mut texts: Vec<String> = self
            .elements("MessageText")
            .into_iter()
            .map(unescaped)
            .collect();
        texts.sort();
        content.push(format!("MessageText {texts:?}"));
        content
    }
}

/// A content type without parameters, except for the level of JSON metadata.
fn kind(value: &str) -> String {
    let parts = value.split(';').map(str::trim);
    let kept = parts
        .enumerate()
        .filter(|(index, part)| *index == 0 || part.starts_with("odata="));
    kept.map(|(_, part)| part).collect::<Vec<_>>().join(";")
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#xD;", "\r")
        .replace("&#13;", "\r")
        .replace("&amp;", "&")
}

/// JSON without times, versions and hosts.
fn stable(json: Json) -> Json {
    match json {
        Json::Object(members) => Json::Object(
            members
                .into_iter()
                .filter(|(name, _)| {
                    !matches!(
                        name.as_str(),
                        "Timestamp"
                            | "odata.etag"
                            | "odata.metadata"
                            | "odata.id"
                            | "odata.editLink"
                    )
                })
                .map(|(name, value)| (name, stable(value)))
                .collect(),
        ),
        Json::Array(items) => Json::Array(items.into_iter().map(stable).collect()),
        // 1e10 and 10000000000.0 are the same number.
        Json::Number(number) => Json::String(number.as_f64().unwrap_or_default().to_string()),
        other => other,
    }
}

/// The status of each answer within a batch, with the code of an error.
fn multipart(body: &str) -> Vec<String> {
    let lines = body.lines().map(str::trim);
    let mut seen = Vec::new();
    for line in lines {
        if let Some(status) = line.strip_prefix("HTTP/1.1 ") {
            seen.push(format!(
                "inner {}",
                status.split(' ').next().unwrap_or_default()
            ));
        } else if line.starts_with('{')
            && let Ok(json) = serde_json::from_str::<Json>(line)
            && let Some(error) = json.get("odata.error")
        {
            let value = error["message"]["value"].as_str().unwrap_or_default();
            let index = value.split(':').next().unwrap_or_default();
            seen.push(format!("inner {} of operation {index}", error["code"]));
        }
    }
    seen
}
