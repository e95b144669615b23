//! Connection strings, as KEDA's client parses them, and names of variables with connection strings. Errors never repeat a text
//! that may be a secret.

use super::super::RefusedBy;

/// The keys that the client knows (Azure SDK for Go `sdk/storage/azqueue/internal/shared/shared.go`, `ParseConnectionString`);
/// it ignores others.
const NAMES: [&str; 6] = [
    "AccountKey",
    "AccountName",
    "DefaultEndpointsProtocol",
    "EndpointSuffix",
    "QueueEndpoint",
    "SharedAccessSignature",
];

/// Signs of a placeholder that is filled in later, or that replaces a removed secret.
const PLACEHOLDERS: [&str; 6] = ["${", "$(", "#{", "{{", "<", "***"];

/// Prefix of a value that Azure Container Apps take from a secret.
const SECRET_OF_CONTAINER_APPS: &str = "secretref:";

/// Why KEDA's client cannot use `text` as a connection string, and which component refuses it; the text completes "is C, whose
/// value".
///
/// Source: Azure SDK for Go `sdk/storage/azqueue/internal/shared/shared.go`, `ParseConnectionString`, and `service_client.go`,
/// `NewServiceClientFromConnectionString`, which signs nothing where the name or the key is empty.
pub(super) fn problem(text: &str) -> Option<(RefusedBy, String)> {
    if is_placeholder(text) {
        return None;
    }
    let keda = |reason: String| Some((RefusedBy::Keda, reason));
    let parts: Vec<&str> = text.trim_end_matches(';').split(';').collect();
    if parts
        .iter()
        .any(|part| part.trim_start().starts_with("UseDevelopmentStorage="))
    {
        let reason = "is UseDevelopmentStorage, which KEDA's client does not know: write AccountName, AccountKey and \
                      QueueEndpoint";
        return keda(reason.to_owned());
    }
    let mut pairs = Vec::new();
    for (n, part) in (1..).zip(&parts) {
        let Some(pair) = part.split_once('=') else {
            return keda(no_pair(text, n, parts.len()));
        };
        pairs.push(pair);
    }
    // Of repeated keys the last one counts.
    let value = |name: &str| pairs.iter().rfind(|(key, _)| *key == name).map(|it| it.1);
    let account = value("AccountName");
    if account.is_none() && value("QueueEndpoint").is_none() {
        return keda(lacks("AccountName or QueueEndpoint", &pairs));
    }
    let key = value("AccountKey").filter(|_| account.is_some());
    if key.is_none() && value("SharedAccessSignature").is_none() {
        let reason = if account.is_none() && value("AccountKey").is_some() {
            lacks("AccountName, which AccountKey needs", &pairs)
        } else {
            lacks("AccountKey or SharedAccessSignature", &pairs)
        };
        return keda(reason);
    }
    let empty = [("AccountName", account), ("AccountKey", key)];
    let (name, _) = empty.into_iter().find(|(_, it)| *it == Some(""))?;
    let reason = format!("is a connection string whose {name} is empty: write it");
    Some((RefusedBy::Storage, reason))
}

/// Whether a variable can have this name (Kubernetes `apimachinery/pkg/util/validation/validation.go`, `IsRelaxedEnvVarName`; older
/// versions take fewer).
pub(in super::super) fn is_variable(name: &str) -> bool {
    name.bytes()
        .all(|byte| (b' '..=b'~').contains(&byte) && byte != b'=')
}

/// The reason for refusing an invalid name of a variable.
pub(in super::super) const NO_VARIABLE: &str = "cannot be the name of a variable, which has no = in it and no letters but ASCII's: name \
     the variable of the container that holds the connection string; a connection string is a secret, and belongs into a Secret";

fn is_placeholder(text: &str) -> bool {
    PLACEHOLDERS.iter().any(|mark| text.contains(mark))
        || text.starts_with('$')
        || (text.starts_with("__") && text.ends_with("__"))
}

/// The error for part `n` of `count`, which is no key-value pair.
fn no_pair(text: &str, n: usize, count: usize) -> String {
    if text.starts_with(SECRET_OF_CONTAINER_APPS) {
        return format!(
            "begins with {SECRET_OF_CONTAINER_APPS}, as in Azure Container Apps, and KEDA takes it for the connection string itself: name \
             a Secret by secretTargetRef of a TriggerAuthentication, with the parameter connection"
        );
    }
    let name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte);
    if count == 1 && text.bytes().all(name) {
        return format!(
            "is {text:?}, which is no connection string: a variable's name goes into connectionFromEnv, and a Secret's into \
             secretTargetRef of a TriggerAuthentication"
        );
    }
    format!(
        "is no connection string: part {n} of the {count} between ; has no =; write AccountName=...;AccountKey=...;EndpointSuffix=\
         core.windows.net"
    )
}

/// The error for a connection string that lacks a key, maybe because it is misspelt.
fn lacks(what: &str, pairs: &[(&str, &str)]) -> String {
    let nearly = |(key, _): &(&str, &str)| {
        let meant = NAMES
            .iter()
            .find(|name| name.eq_ignore_ascii_case(key.trim()));
        Some(((*key).to_owned(), *meant.filter(|name| *name != key)?))
    };
    match pairs.iter().find_map(nearly) {
        Some((key, meant)) => format!(
            "is a connection string without {what}: KEDA's client does not know {key:?}, since names have their case and no space \
             around them; write {meant}"
        ),
        None => format!("is a connection string without {what}: write it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: Azure SDK for Go `sdk/storage/azqueue/internal/shared/shared.go`, `ParseConnectionString`.
    #[test]
    fn a_connection_string_is_what_the_client_of_keda_takes() {
        for text in [
            "AccountName=a;AccountKey=b",
            "AccountName=a;AccountKey=b==;;;",
            "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=b;EndpointSuffix=core.windows.net",
            "QueueEndpoint=https://a.queue.core.windows.net/;SharedAccessSignature=sv=1&sig=x",
            "AccountName=a;SharedAccessSignature=sv=1&sig=x",
            "AccountName=a;AccountKey=b;Whatever=c",
            "${CONNECTION}",
            "$(CONNECTION)",
            "$CONNECTION",
            "#{Connection}#",
            "__CONNECTION__",
            "<connection string>",
            "AccountName=a;AccountKey=***",
        ] {
            assert_eq!(problem(text), None, "{text}");
        }
        for (text, part) in [
            (
                "AzureWebJobsStorage",
                "a variable's name goes into connectionFromEnv",
            ),
            ("secretref:queue-connection", "Azure Container Apps"),
            ("my connection", "part 1 of the 1"),
            ("AccountName=a;AccountKey", "part 2 of the 2"),
            ("AccountName=a;;AccountKey=b", "part 2 of the 3"),
            ("AccountName=a;..", "part 2 of the 2"),
            ("AccountKey=b", "without AccountName or QueueEndpoint"),
            (
                "EndpointSuffix=core.windows.net",
                "without AccountName or QueueEndpoint",
            ),
            ("AccountName=a", "without AccountKey or"),
            (
                "QueueEndpoint=https://a;AccountKey=b",
                "without AccountName, which",
            ),
            ("accountname=a;accountkey=b", "write AccountName"),
            ("AccountName=a; AccountKey=b", "write AccountKey"),
            ("UseDevelopmentStorage=true", "UseDevelopmentStorage"),
            ("=", "without AccountName"),
        ] {
            let (by, reason) = problem(text).expect(text);
            assert_eq!(by, RefusedBy::Keda, "{text}");
            assert!(reason.contains(part), "{text}: {reason}");
        }
        for text in ["AccountName=a;AccountKey=", "AccountName=;AccountKey=b"] {
            assert_eq!(problem(text).expect(text).0, RefusedBy::Storage, "{text}");
        }
    }

    #[test]
    fn no_part_that_may_be_a_secret_is_repeated() {
        for text in [
            "AccountName=a;hunter2",
            "hunter2+/",
            "AccountName=a;Accountkey=hunter2",
            "accountname=hunter2;x",
        ] {
            let (_, reason) = problem(text).expect(text);
            assert!(!reason.contains("hunter2"), "{reason}");
        }
    }
}
