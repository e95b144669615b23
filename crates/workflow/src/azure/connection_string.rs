//! Connection strings with a SAS, and that of Azurite. One with an account key is refused.
//!
//! Rule source: "Configure Azure Storage connection strings".

use std::borrow::Cow;

use reqwest::Url;

use super::args::{parse_account, parse_endpoint, parse_suffix};
use super::credential::CredentialError;
use super::given::{bare, no_ascii};
use super::{Secret, development};

mod accounts;
mod elsewhere;
mod pasted;

pub(super) use elsewhere::other_service;
pub(super) use pasted::of_variable;

/// The contents of a connection string.
#[derive(Debug, Clone)]
pub(super) struct ConnectionString {
    pub(super) sas: Secret,
    queue: Option<Url>,
    table: Option<Url>,
    /// The account that signs, where the text tells.
    account: Option<String>,
}

impl ConnectionString {
    /// Parses `text`: `name=value` pairs separated by semicolons. Errors never repeat it.
    pub(super) fn read(text: &Secret) -> Result<Self, CredentialError> {
        let text = pasted::own(text.expose());
        if let Some(service) = other_service(&text) {
            return Err(CredentialError::OtherService { service });
        }
        let pairs = Pairs(bare(&text));
        if pairs.0.starts_with('{') {
            let problem = elsewhere::no_connection_string(pairs.0);
            return Err(malformed(problem));
        }
        if let Some(problem) = pairs.unlike_ascii() {
            return Err(malformed(problem));
        }
        if let Some(problem) = pairs.twice() {
            return Err(malformed(problem));
        }
        let value = |name: &str| pairs.value(name);
        let is_development = pairs.is_development();
        // Beside a SAS, too: the key of an account must not be in the hands of a program that needs none.
        let own_key = value("AccountKey").map(|key| development::is_own(value("AccountName"), key));
        let sas = match (value("SharedAccessSignature"), own_key) {
            (_, Some(false)) => return Err(CredentialError::AccountKey),
            (Some(sas), _) => Secret::new(sas),
            (None, Some(true)) => Secret::new(development::account_sas()),
            (None, None) if is_development => Secret::new(development::account_sas()),
            (None, None) => {
                return Err(malformed(elsewhere::no_connection_string(pairs.0)));
            }
        };
        let queue = pairs.endpoint("Queue", 10001)?;
        let table = pairs.endpoint("Table", 10002)?;
        let account =
            accounts::of_all(&pairs, queue.as_ref(), table.as_ref()).map_err(malformed)?;
        Ok(Self {
            sas,
            queue,
            table,
            account,
        })
    }

    /// The account that signs, where the text tells.
    pub(super) fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// The endpoint of `service`, `queue` or `table`, if the string has one.
    pub(super) fn endpoint(&self, service: &str) -> Option<Url> {
        let url = match service {
            "queue" => &self.queue,
            _ => &self.table,
        };
        url.clone()
    }
}

fn malformed(problem: impl Into<Cow<'static, str>>) -> CredentialError {
    let problem = problem.into();
    CredentialError::MalformedConnectionString { problem }
}

/// The error for an endpoint that is not a valid URL.
const NO_URL: &str = "has an endpoint, an account or a proxy that makes no URL, which begins with https:// or http:// and has no \
                      query and no user name";

/// The error for an account name that no account can have; the rule is that of `AZURE_STORAGE_ACCOUNT_NAME`.
const NO_ACCOUNT: &str =
    "has an AccountName= that no account has: a name is 3 to 24 lower-case letters and digits";

/// The error for a protocol that storage does not speak ("Configure Azure Storage connection strings").
const NO_PROTOCOL: &str = "has a DefaultEndpointsProtocol= other than https and http; write DefaultEndpointsProtocol=https";

/// The error for a suffix that makes no host; the rule is that of `AZURE_STORAGE_ENDPOINT_SUFFIX`.
const NO_SUFFIX: &str = "has an EndpointSuffix= that ends no host of an account; write it without a scheme, a dot before it or a \
                         service, such as EndpointSuffix=core.windows.net";

/// Names of pairs, each with the error for a repeated name.
const TWICE: [(&str, &str); 8] = [
    (
        "DefaultEndpointsProtocol",
        "has DefaultEndpointsProtocol= twice; remove one",
    ),
    ("AccountName", "has AccountName= twice; remove one"),
    (
        "AccountKey",
        "has AccountKey= twice; remove both and sign in otherwise",
    ),
    ("EndpointSuffix", "has EndpointSuffix= twice; remove one"),
    ("QueueEndpoint", "has QueueEndpoint= twice; remove one"),
    ("TableEndpoint", "has TableEndpoint= twice; remove one"),
    (
        "SharedAccessSignature",
        "has SharedAccessSignature= twice; remove one",
    ),
    (
        "UseDevelopmentStorage",
        "has UseDevelopmentStorage= twice; remove one",
    ),
];

/// The text of a connection string.
struct Pairs<'a>(&'a str);

impl<'a> Pairs<'a> {
    /// The value of `name`, which is case-insensitive. Templates use an empty value for "not set".
    fn value(&self, name: &str) -> Option<&'a str> {
        let pairs = self.0.split(';').filter_map(|pair| pair.split_once('='));
        let mut given = pairs.filter(|(_, value)| !bare(value).is_empty());
        let found = given.find(|(found, _)| found.trim().eq_ignore_ascii_case(name));
        found.map(|(_, value)| bare(value))
    }

    /// The error for a repeated name, if there is one. Clients differ: the SDK for .NET refuses it (`Azure.Storage.Common`,
    /// `ParseStringIntoSettings`: "Duplicate setting"), those for Python and Go take the last value (`azure-storage-queue`,
    /// `parse_connection_str`; `azqueue`, `ParseConnectionString`), and so does KEDA.
    fn twice(&self) -> Option<&'static str> {
        let names = || {
            let pairs = self.0.split(';').filter_map(|pair| pair.split_once('='));
            pairs
                .filter(|(_, value)| !bare(value).is_empty())
                .map(|(name, _)| name.trim())
        };
        let is_twice =
            |known: &str| names().filter(|it| it.eq_ignore_ascii_case(known)).count() > 1;
        let found = TWICE.into_iter().find(|(known, _)| is_twice(known));
        found.map(|(_, problem)| problem)
    }

    /// The error for a character that is not what it looks like, in a name or a value: none of them takes another than those of ASCII.
    fn unlike_ascii(&self) -> Option<String> {
        let mut pairs = self
            .0
            .split(';')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.find_map(|(name, value)| no_ascii(bare(name)).or_else(|| no_ascii(bare(value))))
    }

    fn is_development(&self) -> bool {
        let value = self.value("UseDevelopmentStorage");
        value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The endpoint of `service`, which has port `port` on an emulator.
    fn endpoint(&self, service: &str, port: u16) -> Result<Option<Url>, CredentialError> {
        let no_url = || malformed(NO_URL);
        if let Some(url) = self.value(&format!("{service}Endpoint")) {
            return parse_endpoint(url).map(Some).map_err(|_| no_url());
        }
        if self.is_development() {
            let url = match self.value("DevelopmentStorageProxyUri") {
                Some(proxy) => development::endpoint_of(proxy, port).ok_or_else(no_url)?,
                None => development::endpoint(port),
            };
            return Ok(url.parse().ok());
        }
        let Some(account) = self.value("AccountName") else {
            return Ok(None);
        };
        let scheme = self.value("DefaultEndpointsProtocol").unwrap_or("https");
        let suffix = self.value("EndpointSuffix").unwrap_or("core.windows.net");
        let problem = if parse_account(account).is_err() {
            Some(NO_ACCOUNT)
        } else if !["https", "http"]
            .iter()
            .any(|it| scheme.eq_ignore_ascii_case(it))
        {
            Some(NO_PROTOCOL)
        } else {
            parse_suffix(suffix).err().map(|_| NO_SUFFIX)
        };
        if let Some(problem) = problem {
            return Err(malformed(problem));
        }
        let service = service.to_ascii_lowercase();
        let url = format!("{scheme}://{account}.{service}.{suffix}/");
        url.parse().map(Some).map_err(|_| no_url())
    }
}

#[cfg(test)]
mod field;

#[cfg(test)]
mod parts;

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn read(text: &str) -> Result<ConnectionString, CredentialError> {
        ConnectionString::read(&Secret::new(text))
    }

    #[test]
    fn a_sas_is_taken_with_its_endpoints() {
        let given = read(
            "QueueEndpoint=https://a.queue.core.windows.net/;SharedAccessSignature=sv=1&ss=q&sig=x%3D",
        )
        .unwrap();
        assert_eq!(given.sas.expose(), "sv=1&ss=q&sig=x%3D");
        let queue = given.endpoint("queue").unwrap();
        assert_eq!(queue.as_str(), "https://a.queue.core.windows.net/");
        assert_eq!(given.endpoint("table"), None);
    }

    #[test]
    fn the_development_account_becomes_a_sas() {
        let key = development::KEY;
        for text in [
            "UseDevelopmentStorage=true".to_owned(),
            format!(
                "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={key};\
                 QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;TableEndpoint=http://127.0.0.1:10002/devstoreaccount1"
            ),
        ] {
            let given = read(&text).unwrap();
            assert!(given.sas.expose().contains("&sig="), "{text}");
            assert!(!given.sas.expose().contains(key));
            let table = given.endpoint("table").unwrap();
            assert_eq!(table.as_str(), "http://127.0.0.1:10002/devstoreaccount1");
        }
    }

    /// `StorageConnectionString` of the SDK for .NET (`Azure.Storage.Common`, `GetDevelopmentStorageAccount`): only the proxy's
    /// scheme and host count, and the ports are those of the emulator.
    #[test]
    fn the_proxy_of_the_development_account_is_where_the_emulator_is() {
        for (proxy, queue) in [
            ("http://azurite", "http://azurite:10001/devstoreaccount1"),
            (
                "http://azurite:8888/x",
                "http://azurite:10001/devstoreaccount1",
            ),
            (
                "\"https://host.docker.internal\"",
                "https://host.docker.internal:10001/devstoreaccount1",
            ),
            ("http://[::1]", "http://[::1]:10001/devstoreaccount1"),
        ] {
            let text = format!("UseDevelopmentStorage=True;DevelopmentStorageProxyUri={proxy};");
            let given = read(&text).unwrap();
            assert_eq!(given.endpoint("queue").unwrap().as_str(), queue);
            let table = queue.replace("10001", "10002");
            assert_eq!(given.endpoint("table").unwrap().as_str(), table);
        }
        let nowhere = "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=azurite";
        assert!(read(nowhere).is_err());
    }

    #[test]
    fn quotes_and_empty_values_are_no_part_of_a_connection_string() {
        let sas = "QueueEndpoint=http://azurite:10001/a;SharedAccessSignature=sv=1&sig=x";
        for text in [
            format!("\"{sas}\""),
            format!("'{sas};'\r\n"),
            "QueueEndpoint=\"http://azurite:10001/a\";SharedAccessSignature='sv=1&sig=x'"
                .to_owned(),
            format!("AccountKey=;TableEndpoint=;{sas}"),
        ] {
            let given = read(&text).unwrap();
            assert_eq!(given.sas.expose(), "sv=1&sig=x", "{text}");
            let queue = given.endpoint("queue").unwrap();
            assert_eq!(queue.as_str(), "http://azurite:10001/a", "{text}");
            assert_eq!(given.endpoint("table"), None);
        }
    }

    /// Sources: `Azure.Storage.Common`, `ParseStringIntoSettings`; `azure-storage-queue` for Python, `parse_connection_str`.
    #[test]
    fn a_name_that_is_there_twice_is_refused_by_name() {
        let sas = "SharedAccessSignature=sv=1&sig=hunter2";
        for (text, name) in [
            (
                format!(
                    "QueueEndpoint=https://a.queue.test/;QueueEndpoint=https://hunter2.queue.test/;{sas}"
                ),
                "QueueEndpoint",
            ),
            (
                format!("{sas};AccountName=mine;accountname=hunter2"),
                "AccountName",
            ),
            (
                format!("AccountName=a;{sas};{sas}"),
                "SharedAccessSignature",
            ),
        ] {
            let error = read(&text).unwrap_err().to_string();
            assert!(
                error.contains(&format!("it has {name}= twice; remove one")),
                "{error}"
            );
            assert!(!error.contains("hunter2"), "{error}");
        }
        let empty = format!("TableEndpoint=;TableEndpoint=https://a.table.test/;{sas}");
        let table = read(&empty).unwrap().endpoint("table").unwrap();
        assert_eq!(table.as_str(), "https://a.table.test/");
    }

    #[test]
    fn the_protocol_and_the_suffix_of_an_account_count() {
        let given = read(
            "DefaultEndpointsProtocol=http;AccountName=mine;EndpointSuffix=queue.test;SharedAccessSignature=sv=1&sig=x",
        );
        let table = given.unwrap().endpoint("table").unwrap();
        assert_eq!(table.as_str(), "http://mine.table.queue.test/");
    }

    #[test]
    fn an_account_key_is_refused_and_never_repeated() {
        for text in [
            "AccountName=mine;AccountKey=aHVudGVyMg==;EndpointSuffix=core.windows.net",
            "AccountName=devstoreaccount1;AccountKey=aHVudGVyMg==",
            "accountname=mine;accountkey=aHVudGVyMg==",
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains("az role assignment create"), "{error}");
            assert!(!error.contains("aHVudGVyMg"), "{error}");
        }
    }

    #[test]
    fn anything_else_is_refused_and_never_repeated() {
        for text in [
            "hunter2",
            "AccountName=hunter2",
            "QueueEndpoint=hunter2;SharedAccessSignature=sv=1",
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
