//! Paging: each page's headers tell where the next one starts.

use super::connection::Connection;
use crate::{
    endpoint::{QueryString, append_query},
    models::Metadata,
};
use azure_core::http::{
    ItemIterator, Method, Pager, RawResponse, Response, Url,
    headers::{HeaderName, Headers},
    pager::{Page, PagerContinuation, PagerOptions, PagerResult, PagerState},
};

/// Headers of a page, and the query parameters for their values in the next request.
const CONTINUATION: [(HeaderName, &str); 3] = [
    (
        HeaderName::from_static("x-ms-continuation-nextpartitionkey"),
        "NextPartitionKey",
    ),
    (
        HeaderName::from_static("x-ms-continuation-nextrowkey"),
        "NextRowKey",
    ),
    (
        HeaderName::from_static("x-ms-continuation-nexttablename"),
        "NextTableName",
    ),
];

/// Where the next page starts, as encoded query parameters; `None` after the last page.
///
/// The token is opaque to callers and holds no SAS, so it may be kept and used by another client.
fn continuation(headers: &Headers) -> Option<PagerContinuation> {
    let mut query = QueryString::default();
    for (header, parameter) in &CONTINUATION {
        // An empty value counts as none: the service sends one for a NextRowKey that it does not need.
        if let Some(value) = headers
            .get_optional_str(header)
            .filter(|value| !value.is_empty())
        {
            query.push(parameter, value);
        }
    }
    let token = query.as_str();
    (!token.is_empty()).then(|| PagerContinuation::Token(token.to_owned()))
}

/// A pager over the pages that start at `first`.
pub(super) fn pager<P>(
    connection: Connection,
    first: Url,
    metadata: Metadata,
    options: PagerOptions<'static>,
) -> Pager<P>
where
    Response<P>: Page + Send,
    P: 'static,
{
    ItemIterator::new(
        move |state: PagerState, options: PagerOptions<'static>| {
            let mut url = first.clone();
            if let PagerState::More(token) = &state {
                append_query(&mut url, token.as_ref());
            }
            let request = connection.request(url, Method::Get, metadata);
            let connection = connection.clone();
            Box::pin(async move {
                let raw: RawResponse = connection.send(&options.context, request).await?;
                let continuation = continuation(raw.headers());
                let response = raw.into();
                Ok(match continuation {
                    Some(continuation) => PagerResult::More {
                        response,
                        continuation,
                    },
                    None => PagerResult::Done { response },
                })
            })
        },
        Some(options),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(headers: &[(&'static str, &'static str)]) -> Option<String> {
        let mut all = Headers::new();
        for (name, value) in headers {
            all.insert(*name, *value);
        }
        continuation(&all).map(String::from)
    }

    #[test]
    fn continuation_headers_become_query_parameters() {
        assert_eq!(token(&[("x-other", "1")]), None);
        assert_eq!(
            token(&[
                ("x-ms-continuation-nextpartitionkey", "1!8!a b+/="),
                ("x-ms-continuation-nextrowkey", ""),
            ])
            .as_deref(),
            Some("NextPartitionKey=1%218%21a%20b%2B%2F%3D")
        );
        assert_eq!(
            token(&[
                ("x-ms-continuation-nextrowkey", "r"),
                ("x-ms-continuation-nextpartitionkey", "p"),
            ])
            .as_deref(),
            Some("NextPartitionKey=p&NextRowKey=r")
        );
        assert_eq!(
            token(&[("x-ms-continuation-nexttablename", "t")]).as_deref(),
            Some("NextTableName=t")
        );
    }
}
