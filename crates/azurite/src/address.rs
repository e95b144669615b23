//! An Azurite that runs already: its addresses, checked before requests are sent to them.

use crate::{Endpoints, Error, sas::ACCOUNT, source::Environment};

const QUEUE: &str = "EDW_AZURITE_QUEUE_URL";
const TABLE: &str = "EDW_AZURITE_TABLE_URL";

/// Why no address was used, for the error about all sources.
pub(crate) const NOT_GIVEN: &str = "no EDW_AZURITE_QUEUE_URL and EDW_AZURITE_TABLE_URL given";

/// The given addresses, or `None` if there are none. One without the other is an error, not a reason to use Docker.
pub(crate) fn given(environment: &Environment) -> Result<Option<Endpoints>, Error> {
    let (queue, table) = match (&environment.queue_url, &environment.table_url) {
        (None, None) => return Ok(None),
        (Some(queue), Some(table)) => (queue, table),
        (Some(_), None) => return Err(only_one(QUEUE, TABLE)),
        (None, Some(_)) => return Err(only_one(TABLE, QUEUE)),
    };
    let queue = checked(QUEUE, queue)?;
    let table = checked(TABLE, table)?;
    let blob = match &environment.blob_url {
        Some(blob) => checked("EDW_AZURITE_BLOB_URL", blob)?,
        None => format!("http://127.0.0.1:10000/{ACCOUNT}"),
    };
    Ok(Some(Endpoints { queue, table, blob }))
}

fn only_one(given: &str, missing: &str) -> Error {
    Error::MalformedAddress(format!(
        "{given} is set and {missing} is not; set both, or neither to let one be started"
    ))
}

fn checked(name: &str, url: &str) -> Result<String, Error> {
    let wrong = |what: &str| {
        Error::MalformedAddress(format!(
            "{name} is {url:?}: {what}; it must look like http://127.0.0.1:10001/{ACCOUNT}"
        ))
    };
    let parsed = reqwest::Url::parse(url).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
        return Err(wrong("not an HTTP address"));
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return Err(wrong("it carries a query, and the SAS is signed here"));
    }
    if parsed.path().trim_matches('/') != ACCOUNT {
        return Err(wrong("its path is not the account whose key is published"));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(queue: Option<&str>, table: Option<&str>) -> Environment {
        Environment {
            queue_url: queue.map(Into::into),
            table_url: table.map(Into::into),
            ..Environment::default()
        }
    }

    fn error(queue: Option<&str>, table: Option<&str>) -> String {
        given(&environment(queue, table)).unwrap_err().to_string()
    }

    const GOOD: &str = "http://127.0.0.1:10001/devstoreaccount1";

    #[test]
    fn no_address_is_no_error() {
        assert!(given(&environment(None, None)).unwrap().is_none());
    }

    #[test]
    fn both_addresses_are_taken_without_their_last_slash() {
        let endpoints = given(&environment(Some(&format!("{GOOD}/")), Some(GOOD)))
            .unwrap()
            .unwrap();
        assert_eq!(endpoints.queue, GOOD);
        assert_eq!(endpoints.table, GOOD);
    }

    #[test]
    fn one_address_without_the_other_names_the_missing_one() {
        assert!(error(Some(GOOD), None).contains("EDW_AZURITE_TABLE_URL is not"));
        assert!(error(None, Some(GOOD)).contains("EDW_AZURITE_QUEUE_URL is not"));
    }

    #[test]
    fn malformed_addresses_are_told_what_is_wrong() {
        assert!(error(Some("127.0.0.1:10001"), Some(GOOD)).contains("must look like"));
        assert!(
            error(Some("ftp://x/devstoreaccount1"), Some(GOOD)).contains("not an HTTP address")
        );
        assert!(
            error(Some(GOOD), Some("http://127.0.0.1:10002/other"))
                .contains("EDW_AZURITE_TABLE_URL")
        );
        assert!(
            error(
                Some(GOOD),
                Some("http://127.0.0.1:10002/devstoreaccount1?sv=x")
            )
            .contains("carries a query")
        );
    }
}
