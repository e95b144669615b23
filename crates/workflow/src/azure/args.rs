//! Flags and environment variables that select the storage; first those with the sample's names.

use std::str::FromStr;

use clap::Args;

use super::credential::CredentialChoice;
use super::endpoint;
use super::given::bare;
use super::{InvalidName, QueueName, Secret, TableName};

/// Which account, and how to sign in.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Storage")]
pub struct AccountArgs {
    /// Name of the storage account; not needed if the endpoints are given
    #[arg(long, env = "AZURE_STORAGE_ACCOUNT_NAME", hide_env_values = true, value_parser = parse_account)]
    pub account: Option<String>,
    /// Endpoint suffix of the Azure cloud that has the account
    #[arg(
        long,
        env = "AZURE_STORAGE_ENDPOINT_SUFFIX",
        hide_env_values = true,
        default_value = "core.windows.net",
        value_parser = parse_suffix
    )]
    pub endpoint_suffix: String,
    /// How to sign in
    #[arg(
        long,
        env = "EDW_CREDENTIAL",
        hide_env_values = true,
        value_enum,
        default_value_t
    )]
    pub credential: CredentialChoice,
    // `Credential::choose` checks its form, because clap would repeat the value in an error.
    /// Shared access signature (SAS). Better set the variable: other users of the machine can read command lines
    #[arg(long, env = "AZURE_STORAGE_SAS_TOKEN", hide_env_values = true)]
    pub sas: Option<Secret>,
    /// Connection string that holds a SAS (`SharedAccessSignature=`), or that of Azurite's development account; any other account
    /// key is refused
    #[arg(long, env = "AZURE_STORAGE_CONNECTION_STRING", hide_env_values = true)]
    pub connection_string: Option<Secret>,
}

/// Which queue.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Storage")]
pub struct QueueArgs {
    /// Name of the queue
    #[arg(long, env = "AZURE_QUEUE_NAME", hide_env_values = true, value_parser = parse_name::<QueueName>)]
    pub queue: QueueName,
    /// URL of the queue service, for Azurite or a private link, such as <http://127.0.0.1:10001/devstoreaccount1> [default: made
    /// from the account's name and the endpoint suffix]
    #[arg(long, env = "AZURE_QUEUE_ENDPOINT", hide_env_values = true, value_parser = parse_endpoint)]
    pub queue_endpoint: Option<reqwest::Url>,
}

/// Which table.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Storage")]
pub struct TableArgs {
    /// Name of the table
    #[arg(long, env = "AZURE_TABLE_NAME", hide_env_values = true, value_parser = parse_name::<TableName>)]
    pub table: TableName,
    /// URL of the table service, for Azurite or a private link, such as <http://127.0.0.1:10002/devstoreaccount1> [default: made
    /// from the account's name and the endpoint suffix]
    #[arg(long, env = "AZURE_TABLE_ENDPOINT", hide_env_values = true, value_parser = parse_endpoint)]
    pub table_endpoint: Option<reqwest::Url>,
}

/// Account, queue and table.
#[derive(Debug, Clone, Args)]
pub struct StorageArgs {
    /// Which account.
    #[command(flatten)]
    pub account: AccountArgs,
    /// Which queue.
    #[command(flatten)]
    pub queue: QueueArgs,
    /// Which table.
    #[command(flatten)]
    pub table: TableArgs,
}

/// Parses a name, without quotes around it.
fn parse_name<N: FromStr<Err = InvalidName>>(text: &str) -> Result<N, InvalidName> {
    bare(text).parse()
}

pub(super) fn parse_account(text: &str) -> Result<String, String> {
    let text = bare(text);
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    if (3..=24).contains(&text.len()) && text.bytes().all(plain) {
        Ok(text.to_owned())
    } else {
        Err("a storage account name is 3 to 24 lower-case letters and digits".to_owned())
    }
}

/// A suffix that is no host name would make a URL of another host, or of none.
pub(super) fn parse_suffix(text: &str) -> Result<String, String> {
    let text = bare(text);
    let plain = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if !text.split('.').all(plain) {
        return Err("expected a host name such as core.windows.net, without a scheme".to_owned());
    }
    match endpoint::without_service(text) {
        Some(suffix) => Err(format!(
            "it begins with a service, which each endpoint adds; give {suffix}"
        )),
        None => Ok(text.to_owned()),
    }
}

pub(super) fn parse_endpoint(text: &str) -> Result<reqwest::Url, String> {
    let text = bare(text);
    let example = "expected a URL such as https://myaccount.queue.core.windows.net";
    if !text.contains("://") {
        return Err(format!(
            "it has no scheme; begin it with https://, or with http:// for an emulator; {example}"
        ));
    }
    let url: reqwest::Url = text
        .parse()
        .map_err(|error| format!("{error}; {example}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(format!("scheme is not http or https; {example}"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("an endpoint has no query; pass a SAS in AZURE_STORAGE_SAS_TOKEN".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an endpoint has no user name or password".to_owned());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_endpoints_say_what_is_expected() {
        for text in [
            "",
            "127.0.0.1:10001",
            "localhost:10001/devstoreaccount1",
            "queue.core.windows.net",
            "ftp://h/",
            "http://",
            "http://h/?sig=1",
            "http://u:p@h/",
        ] {
            let error = parse_endpoint(text).unwrap_err();
            let has_no_scheme = error.starts_with("it has no scheme; begin it with https://");
            assert_eq!(has_no_scheme, !text.contains("://"), "{text:?}: {error}");
            assert!(
                error.contains("expected") || error.contains("an endpoint has no"),
                "{error}"
            );
        }
        assert!(parse_endpoint("http://127.0.0.1:10001/devstoreaccount1").is_ok());
    }

    #[test]
    fn quotes_around_a_setting_are_no_part_of_it() {
        assert_eq!(parse_account("\"mine\"\r").as_deref(), Ok("mine"));
        assert_eq!(
            parse_suffix("'core.windows.net'").as_deref(),
            Ok("core.windows.net")
        );
        let url = parse_endpoint("\"http://azurite:10001/a\"").unwrap();
        assert_eq!(url.as_str(), "http://azurite:10001/a");
        let queue = parse_name::<QueueName>("'work'\r\n").unwrap();
        assert_eq!(queue.as_str(), "work");
        assert!(parse_name::<TableName>("\"a-b\"").is_err());
    }

    #[test]
    fn suffixes_are_host_names() {
        for text in ["core.windows.net", "core.chinacloudapi.cn", "localhost"] {
            assert_eq!(parse_suffix(text).as_deref(), Ok(text));
        }
        for text in ["", ".", "a b", "core.windows.net/x", "core..net", "h:80"] {
            assert!(parse_suffix(text).is_err(), "{text:?}");
        }
        // "Storage account overview": https://<account>.queue.core.windows.net, of which the suffix is core.windows.net.
        for text in ["queue.core.windows.net", "blob.core.chinacloudapi.cn"] {
            let error = parse_suffix(text).unwrap_err();
            assert!(
                error.ends_with(&text[text.find("core").unwrap()..]),
                "{error}"
            );
        }
    }

    #[test]
    fn account_names_follow_azures_rule() {
        assert!(parse_account("devstoreaccount1").is_ok());
        for text in ["", "ab", "Account", "a-b-c", &"a".repeat(25)] {
            assert!(parse_account(text).is_err(), "{text:?}");
        }
    }
}
