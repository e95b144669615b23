//! A connection string with what it was copied with: the JSON that a command prints, or the line of a file that sets a variable.

use std::borrow::Cow;

use serde_json::Value;

use crate::azure::given::bare;

/// What pairs of connection strings are called, those of storage and of services that are mistaken for it: a name before one of these is
/// a variable's.
const NAMES: [&str; 16] = [
    "AccountEndpoint",
    "AccountKey",
    "AccountName",
    "BlobEndpoint",
    "DefaultEndpointsProtocol",
    "Endpoint",
    "EndpointSuffix",
    "FileEndpoint",
    "HostName",
    "InstrumentationKey",
    "QueueEndpoint",
    "Server",
    "SharedAccessSignature",
    "TableEndpoint",
    "UseDevelopmentStorage",
    "DevelopmentStorageProxyUri",
];

/// The connection string in `text`.
pub(super) fn own(text: &str) -> Cow<'_, str> {
    match of_json(bare(text)) {
        Some(value) => Cow::Owned(of_line(&value).to_owned()),
        None => Cow::Borrowed(of_line(text)),
    }
}

/// The value of JSON as `az storage account show-connection-string` prints it: `{"connectionString": "..."}`.
fn of_json(text: &str) -> Option<String> {
    if !text.starts_with('{') {
        return None;
    }
    let Value::Object(mut object) = serde_json::from_str(text).ok()? else {
        return None;
    };
    match object.remove("connectionString") {
        Some(Value::String(value)) => Some(value),
        _ => None,
    }
}

/// The value of a line `NAME=value`, also with what shells have before it, or of YAML, `NAME: value`.
fn of_line(text: &str) -> &str {
    let line = bare(text);
    let of_yaml = line.split_once(": ").and_then(value_of);
    let value = of_yaml.or_else(|| line.split_once('=').and_then(value_of));
    value.unwrap_or(line)
}

/// The value of what was split into a name and a value, if the name is a variable's and the value a connection string.
fn value_of<'a>(split: (&str, &'a str)) -> Option<&'a str> {
    let is_pair = |name: &str| NAMES.iter().any(|known| known.eq_ignore_ascii_case(name));
    named(split, is_pair).map(|(_, value)| value)
}

/// The name of the variable with which `text` begins, if its value begins with a name for which `is_pair` holds.
pub(in crate::azure) fn of_variable(text: &str, is_pair: fn(&str) -> bool) -> Option<&str> {
    let named = |split| named(split, is_pair).map(|(name, _)| name);
    let of_yaml = text.split_once(": ").and_then(named);
    of_yaml.or_else(|| text.split_once('=').and_then(named))
}

/// The name of a variable and its value, of what was split into them.
fn named<'a, 'b>(
    (before, value): (&'b str, &'a str),
    is_pair: impl Fn(&str) -> bool,
) -> Option<(&'b str, &'a str)> {
    let name = before.split_whitespace().last().unwrap_or_default();
    let name = name.trim_start_matches("$env:");
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let value = bare(value);
    let pair = value.trim_start_matches('?').split_once('=');
    let first = pair.map_or("", |(first, _)| first.trim());
    (is_name && !is_pair(name) && is_pair(first)).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `az storage account show-connection-string` of the Azure CLI prints JSON unless it is told `-o tsv`; "export" is of POSIX, `set`
    /// of cmd.exe, `$env:` of PowerShell (`about_Environment_Variables`).
    #[test]
    fn json_and_lines_that_set_a_variable_give_their_value() {
        let string = "AccountName=mine;SharedAccessSignature=sv=1&ss=q&sig=a%3D";
        for text in [
            string.to_owned(),
            format!("{{\"connectionString\": \"{string}\"}}"),
            format!(
                "{{\n  \"connectionString\": \"{}\"\n}}\n",
                string.replace('&', "\\u0026")
            ),
            format!("AZURE_STORAGE_CONNECTION_STRING={string}"),
            format!("AZURE_STORAGE_CONNECTION_STRING=\"{string}\"\n"),
            format!("export AZURE_STORAGE_CONNECTION_STRING='{string}'"),
            format!("export AZURE_STORAGE_CONNECTION_STRING=\"{string}\""),
            format!("set AzureWebJobsStorage={string}\r\n"),
            format!("$env:AZURE_STORAGE_CONNECTION_STRING = \"{string}\""),
            format!("AZURE_STORAGE_CONNECTION_STRING: '{string}'"),
            format!("- connectionString: {string}"),
            format!("\"export CONNECTION={string}\""),
        ] {
            assert_eq!(own(&text), string, "{text}");
        }
    }

    #[test]
    fn anything_else_is_left_as_it_is() {
        for text in [
            "",
            "UseDevelopmentStorage=true",
            "AccountKey=AccountName=;AccountName=mine",
            "SharedAccessSignature=sv=1&sig=a",
            "A=b",
            "{}",
            "{\"value\": 1}",
            "{\"connectionString\": 1}",
            "{\"connectionString\": \"AccountName",
        ] {
            assert_eq!(own(text), text);
        }
    }
}
