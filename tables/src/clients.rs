//! Clients of the Table service: one for an account, one for a table of it.

mod entities;
mod paging;
mod request;
mod service;
mod table;
#[cfg(test)]
mod tests;

pub use service::{TableServiceClient, TableServiceClientOptions};
pub use table::{TableClient, TableClientOptions};

use crate::{endpoint::sanitized, logging};
use azure_core::{
    credentials::TokenCredential,
    error::ErrorKind,
    http::{
        ClientOptions, Pipeline, Url,
        policies::{Policy, auth::BearerTokenAuthorizationPolicy},
    },
};
use std::sync::Arc;

/// The first version of the service that takes Microsoft Entra tokens for tables.
const DEFAULT_VERSION: &str = "2020-12-06";

/// What a token must be for.
const SCOPE: &str = "https://storage.azure.com/.default";

/// The way of a request from a client to the wire.
fn pipeline(
    url: &Url,
    credential: Option<Arc<dyn TokenCredential>>,
    mut options: ClientOptions,
) -> azure_core::Result<Pipeline> {
    logging::apply_defaults(&mut options);
    let mut per_try: Vec<Arc<dyn Policy>> = Vec::new();
    if let Some(credential) = credential {
        if url.scheme() != "https" {
            return Err(azure_core::Error::with_message(
                ErrorKind::Other,
                format!(
                    "{} must use https: a token sent over http can be read on the way",
                    sanitized(url)
                ),
            ));
        }
        per_try.push(Arc::new(request::DatePolicy));
        per_try.push(Arc::new(BearerTokenAuthorizationPolicy::new(
            credential,
            vec![SCOPE],
        )));
    }
    Ok(Pipeline::new(
        option_env!("CARGO_PKG_NAME"),
        option_env!("CARGO_PKG_VERSION"),
        options,
        Vec::new(),
        per_try,
        None,
    ))
}
