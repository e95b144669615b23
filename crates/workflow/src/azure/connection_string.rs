//! Connection strings: those that hold a SAS, and Azurite's. One with an account's own key is refused.
//!
//! Rule source: "Configure Azure Storage connection strings".

use reqwest::Url;

use super::credential::CredentialError;
use super::{Secret, development};

/// What a connection string says.
#[derive(Debug, Clone)]
pub(super) struct ConnectionString {
    pub(super) sas: Secret,
    queue: Option<Url>,
    table: Option<Url>,
}

impl ConnectionString {
    /// Reads `text`, `name=value` pairs with semicolons between them. Errors never repeat it.
    pub(super) fn read(text: &Secret) -> Result<Self, CredentialError> {
        let text = text.expose();
        let value = |name: &str| {
            let mut pairs = text.split(';').filter_map(|pair| pair.split_once('='));
            let found = pairs.find(|(found, _)| found.trim().eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.trim())
        };
        let is_development = value("UseDevelopmentStorage") == Some("true");
        let sas = match (value("SharedAccessSignature"), value("AccountKey")) {
            (Some(sas), _) => Secret::new(sas),
            (None, None) if is_development => Secret::new(development::account_sas()),
            (None, Some(key)) if development::is_own(value("AccountName"), key) => {
                Secret::new(development::account_sas())
            }
            (None, Some(_)) => return Err(CredentialError::AccountKey),
            (None, None) => return Err(CredentialError::MalformedConnectionString),
        };
        let endpoint = |service: &str, port: u16| match value(&format!("{service}Endpoint")) {
            Some(url) => url
                .parse()
                .map(Some)
                .map_err(|_| CredentialError::MalformedConnectionString),
            None if is_development => Ok(development::endpoint(port).parse().ok()),
            None => Ok(value("AccountName").and_then(|account| {
                let suffix = value("EndpointSuffix").unwrap_or("core.windows.net");
                let service = service.to_ascii_lowercase();
                format!("https://{account}.{service}.{suffix}/")
                    .parse()
                    .ok()
            })),
        };
        Ok(Self {
            queue: endpoint("Queue", 10001)?,
            table: endpoint("Table", 10002)?,
            sas,
        })
    }

    /// The endpoint of `service`, `queue` or `table`, where it says one.
    pub(super) fn endpoint(&self, service: &str) -> Option<Url> {
        let url = match service {
            "queue" => &self.queue,
            _ => &self.table,
        };
        url.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ConnectionString, CredentialError> {
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
