//! Keeps the SAS out of errors.

use azure_core::{Error, http::Url};
use std::error::Error as _;

/// Replaces an error that contains the query of `url` by one without it, with the same kind and words.
///
/// The HTTP client of `azure_core` puts the whole URL of a failed request into its error, both into the text and into the
/// `Debug` output; from there a SAS would get into logs.
pub(crate) fn redact(error: Error, url: &Url) -> Error {
    let Some(query) = url.query().filter(|query| !query.is_empty()) else {
        return error;
    };
    if !format!("{error:?}").contains(query) && !chain(&error).contains(query) {
        return error;
    }
    let text = chain(&error).replace(query, "REDACTED");
    Error::with_message(error.kind().clone(), text)
}

/// The error and its sources, from the outermost.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use azure_core::error::ErrorKind;
    use std::io;

    #[test]
    fn an_error_that_shows_the_query_loses_it_and_keeps_its_kind_and_words() {
        let url = Url::parse("http://h/t?sv=1&sig=secret").unwrap();
        let source = io::Error::other(format!("refused at {url}"));
        let error = redact(
            Error::with_error(ErrorKind::Connection, source, "failed to send"),
            &url,
        );
        assert_eq!(
            error.to_string(),
            "failed to send: refused at http://h/t?REDACTED"
        );
        assert_eq!(*error.kind(), ErrorKind::Connection);
        assert!(!format!("{error:?}").contains("secret"));
    }

    #[test]
    fn an_error_without_the_query_stays_as_it_is() {
        let source = || io::Error::other("refused");
        for url in ["http://h/t?sig=secret", "http://h/t", "http://h/t?"] {
            let url = Url::parse(url).unwrap();
            let error = redact(Error::new(ErrorKind::Io, source()), &url);
            assert!(error.downcast_ref::<io::Error>().is_some());
        }
    }
}
