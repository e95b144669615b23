//! The account's address, parsed once so that a request's URL needs one allocation and one parse.
//!
//! Azurite addresses are path-style (`http://127.0.0.1:10002/devstoreaccount1`), Azure's are not; a SAS in the query is
//! kept on every request.

use crate::keys::{push_key, push_percent_encoded};
use azure_core::{
    error::ErrorKind,
    http::{DEFAULT_ALLOWED_QUERY_PARAMETERS, Sanitizer, Url},
};

/// The address of an account's Table service.
#[derive(Clone)]
pub(crate) struct Endpoint {
    /// Scheme, host, port and path, without a trailing slash.
    base: String,
    /// The query of the given URL, usually a SAS; may be empty.
    query: String,
}

impl Endpoint {
    pub(crate) fn new(url: &Url) -> azure_core::Result<Self> {
        if url.cannot_be_a_base() || url.host_str().is_none() {
            return Err(azure_core::Error::with_message(
                ErrorKind::Other,
                format!("{} is not a valid base URL", sanitized(url)),
            ));
        }
        let mut base = url.clone();
        base.set_query(None);
        base.set_fragment(None);
        Ok(Self {
            base: base.as_str().trim_end_matches('/').to_owned(),
            query: url.query().unwrap_or_default().to_owned(),
        })
    }

    /// The address without its query, so without a SAS.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The URL of `{base}/{path}`; `path` is already encoded.
    pub(crate) fn resource(&self, path: &str) -> azure_core::Result<Url> {
        let mut text = String::with_capacity(self.base.len() + path.len() + self.query.len() + 2);
        text.push_str(&self.base);
        text.push('/');
        text.push_str(path);
        self.finish(text)
    }

    /// Adds the account's query to a URL under construction and parses it.
    fn finish(&self, mut text: String) -> azure_core::Result<Url> {
        if !self.query.is_empty() {
            text.push(if text.contains('?') { '&' } else { '?' });
            text.push_str(&self.query);
        }
        Ok(Url::parse(&text)?)
    }
}

/// The URLs of one table.
#[derive(Clone)]
pub(crate) struct TableEndpoint {
    account: Endpoint,
    name: String,
    /// `{base}/{table}` with the SAS: inserts go here.
    collection: Url,
    /// `{base}/$batch` with the SAS.
    batch: Url,
    /// `{base}/{table}`, the start of an entity's URL.
    prefix: String,
}

impl TableEndpoint {
    pub(crate) fn new(account: Endpoint, name: &str) -> azure_core::Result<Self> {
        validate_table_name(name)?;
        Ok(Self {
            collection: account.resource(name)?,
            batch: account.resource("$batch")?,
            prefix: format!("{}/{name}", account.base()),
            name: name.to_owned(),
            account,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn account(&self) -> &Endpoint {
        &self.account
    }

    pub(crate) fn collection(&self) -> &Url {
        &self.collection
    }

    pub(crate) fn batch(&self) -> &Url {
        &self.batch
    }

    /// `{base}/{table}`: the address of a transaction's operations; the SAS is in the address of the batch.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The URL of one entity.
    pub(crate) fn entity(
        &self,
        partition: &str,
        row: &str,
        query: &QueryString,
    ) -> azure_core::Result<Url> {
        let mut text = String::with_capacity(
            self.prefix.len()
                + 2 * (partition.len() + row.len())
                + query.0.len()
                + self.account.query.len()
                + 32,
        );
        text.push_str(&self.prefix);
        push_entity_address(&mut text, partition, row);
        query.push_onto(&mut text);
        self.account.finish(text)
    }

    /// The URL of a query over the table's entities.
    pub(crate) fn query(&self, query: &QueryString) -> azure_core::Result<Url> {
        let mut text = format!("{}()", self.prefix);
        query.push_onto(&mut text);
        self.account.finish(text)
    }
}

/// Appends `(PartitionKey='...',RowKey='...')`.
pub(crate) fn push_entity_address(out: &mut String, partition: &str, row: &str) {
    out.push_str("(PartitionKey='");
    push_key(out, partition);
    out.push_str("',RowKey='");
    push_key(out, row);
    out.push_str("')");
}

/// Query parameters under construction; values are percent-encoded (a space is `%20`, never `+`).
#[derive(Clone, Default)]
pub(crate) struct QueryString(String);

impl QueryString {
    pub(crate) fn push(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(name);
        self.0.push('=');
        push_percent_encoded(&mut self.0, value);
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn push_onto(&self, url: &mut String) {
        if !self.0.is_empty() {
            url.push('?');
            url.push_str(&self.0);
        }
    }
}

/// Appends encoded parameters to a URL, which may already have some.
pub(crate) fn append_query(url: &mut Url, encoded: &str) {
    let query = match url.query() {
        Some(existing) if !existing.is_empty() => format!("{existing}&{encoded}"),
        _ => encoded.to_owned(),
    };
    url.set_query(Some(&query));
}

/// A URL for an error message, without a SAS's signature and other possibly secret parts.
pub(crate) fn sanitized(url: &Url) -> String {
    url.sanitize(&DEFAULT_ALLOWED_QUERY_PARAMETERS)
}

/// The service's rule: 3 to 63 ASCII letters and digits, not starting with a digit, and not `tables`.
pub(crate) fn validate_table_name(name: &str) -> azure_core::Result<()> {
    let well_formed = (3..=63).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric())
        && !name.as_bytes()[0].is_ascii_digit();
    if well_formed && !name.eq_ignore_ascii_case("tables") {
        return Ok(());
    }
    Err(azure_core::Error::with_message(
        ErrorKind::Other,
        format!(
            "{name:?} is not a table name: use 3 to 63 ASCII letters and digits, starting with a letter, \
             and not the reserved \"tables\""
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(url: &str) -> TableEndpoint {
        let url = Url::parse(url).unwrap();
        TableEndpoint::new(Endpoint::new(&url).unwrap(), "results").unwrap()
    }

    #[test]
    fn the_sas_is_on_every_url() {
        for base in [
            "http://127.0.0.1:10002/devstoreaccount1",
            "https://acc.table.core.windows.net",
        ] {
            let table = table(&format!("{base}/?sv=1&sig=a%2Bb%3D"));
            let mut query = QueryString::default();
            query.push("$filter", "A eq 'x y'");
            let none = QueryString::default();
            let sas = "sv=1&sig=a%2Bb%3D";
            assert_eq!(table.collection().as_str(), format!("{base}/results?{sas}"));
            assert_eq!(table.batch().as_str(), format!("{base}/$batch?{sas}"));
            assert_eq!(
                table.entity("p'", "r +", &none).unwrap().as_str(),
                format!("{base}/results(PartitionKey='p%27%27',RowKey='r%20%2B')?{sas}")
            );
            assert_eq!(
                table.query(&query).unwrap().as_str(),
                format!("{base}/results()?$filter=A%20eq%20%27x%20y%27&{sas}")
            );
        }
    }

    #[test]
    fn without_a_sas_no_question_mark_is_left() {
        let table = table("https://acc.table.core.windows.net/");
        assert_eq!(
            table.collection().as_str(),
            "https://acc.table.core.windows.net/results"
        );
        assert_eq!(table.prefix(), "https://acc.table.core.windows.net/results");
    }

    #[test]
    fn keys_of_dots_do_not_climb_the_path() {
        let url = table("http://h/a")
            .entity("..", "..", &QueryString::default())
            .unwrap();
        assert_eq!(url.path(), "/a/results(PartitionKey='..',RowKey='..')");
    }

    #[test]
    fn appended_parameters_follow_the_sas() {
        let mut url = Url::parse("http://h/a?sig=x").unwrap();
        append_query(&mut url, "NextRowKey=1%208");
        assert_eq!(url.as_str(), "http://h/a?sig=x&NextRowKey=1%208");
        let mut bare = Url::parse("http://h/a").unwrap();
        append_query(&mut bare, "a=b");
        assert_eq!(bare.as_str(), "http://h/a?a=b");
    }

    #[test]
    fn table_names_follow_the_service_rule() {
        for good in ["abc", "Results1", "a".repeat(63).as_str()] {
            assert!(validate_table_name(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "ab",
            "1abc",
            "a-b-c",
            "tables",
            "Tables",
            "été",
            "a".repeat(64).as_str(),
            "a/b",
            "abc?x",
        ] {
            let error = validate_table_name(bad).unwrap_err().to_string();
            assert!(error.contains("3 to 63"), "{error}");
        }
    }

    #[test]
    fn a_url_without_a_host_is_refused_and_its_query_is_not_shown() {
        let url = Url::parse("data:text/plain,hello?sig=secret").unwrap();
        let error = Endpoint::new(&url).err().unwrap().to_string();
        assert!(
            error.contains("not a valid base URL") && !error.contains("secret"),
            "{error}"
        );
    }
}
