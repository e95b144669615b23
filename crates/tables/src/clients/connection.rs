//! The common part of both clients: their URL, and the way of a request to the network.

use super::{
    paging,
    request::{self, DatePolicy, RETURN_NO_CONTENT},
};
use crate::{
    endpoint::{Endpoint, sanitized},
    error, logging,
    models::{Metadata, TableClientCreateOptions, TableClientDeleteOptions},
};
use azure_core::{
    Result,
    credentials::TokenCredential,
    error::ErrorKind,
    http::{
        ClientOptions, Context, Method, NoFormat, Pager, Pipeline, PipelineSendOptions,
        RawResponse, Request, Response, Url,
        pager::{Page, PagerOptions},
        policies::{Policy, auth::BearerTokenAuthorizationPolicy},
    },
};
use std::sync::Arc;

/// The scope of tokens.
const SCOPE: &str = "https://storage.azure.com/.default";

/// A pipeline to an account's Table service.
#[derive(Clone)]
pub(super) struct Connection {
    url: Url,
    pipeline: Pipeline,
    version: String,
}

impl Connection {
    pub(super) fn new(
        url: Url,
        credential: Option<Arc<dyn TokenCredential>>,
        mut options: ClientOptions,
        version: String,
    ) -> Result<Self> {
        logging::apply_defaults(&mut options);
        let mut per_try: Vec<Arc<dyn Policy>> = Vec::new();
        if let Some(credential) = credential {
            if url.scheme() != "https" {
                return Err(azure_core::Error::with_message(
                    ErrorKind::Other,
                    format!(
                        "{} must use https: a token sent over http can be read on the way",
                        sanitized(&url)
                    ),
                ));
            }
            per_try.push(Arc::new(DatePolicy));
            per_try.push(Arc::new(BearerTokenAuthorizationPolicy::new(
                credential,
                vec![SCOPE],
            )));
        }
        let pipeline = Pipeline::new(
            option_env!("CARGO_PKG_NAME"),
            option_env!("CARGO_PKG_VERSION"),
            options,
            Vec::new(),
            per_try,
            None,
        );
        Ok(Self {
            url,
            pipeline,
            version,
        })
    }

    /// The service's URL as given, including a SAS.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Makes a request with the common headers.
    pub(super) fn request(&self, url: Url, method: Method, metadata: Metadata) -> Request {
        request::new(url, method, &self.version, metadata.accept())
    }

    /// Sends a request; an answer without success is an error with its OData code.
    pub(super) async fn send(
        &self,
        context: &Context<'_>,
        mut request: Request,
    ) -> Result<RawResponse> {
        // `azure_core`'s check does not read OData errors; this crate's does.
        let options = PipelineSendOptions {
            skip_checks: true,
            ..Default::default()
        };
        match self
            .pipeline
            .send(context, &mut request, Some(options))
            .await
        {
            Ok(response) => error::check(response),
            Err(error) => Err(error::redact(error, request.url())),
        }
    }

    /// A pager over the pages that start at `first`.
    pub(super) fn pager<P>(
        &self,
        first: Url,
        metadata: Metadata,
        options: PagerOptions<'_>,
    ) -> Pager<P>
    where
        Response<P>: Page + Send,
        P: 'static,
    {
        // Options that the pager can own.
        let options = PagerOptions {
            context: options.context.into_owned(),
            continuation: options.continuation,
        };
        paging::pager(self.clone(), first, metadata, options)
    }

    /// Creates a table of `account`; its name is valid.
    pub(super) async fn create_table(
        &self,
        account: &Endpoint,
        name: &str,
        options: Option<TableClientCreateOptions<'_>>,
    ) -> Result<Response<(), NoFormat>> {
        let context = options.unwrap_or_default().method_options.context;
        let url = account.resource("Tables")?;
        let mut request = self.request(url, Method::Post, Metadata::None);
        request::prefer(&mut request, RETURN_NO_CONTENT);
        // A valid table name needs no escapes.
        let json = format!(r#"{{"TableName":"{name}"}}"#);
        request::set_json(&mut request, json.into_bytes());
        Ok(self.send(&context, request).await?.into())
    }

    /// Deletes a table of `account`; its name is valid.
    pub(super) async fn delete_table(
        &self,
        account: &Endpoint,
        name: &str,
        options: Option<TableClientDeleteOptions<'_>>,
    ) -> Result<Response<(), NoFormat>> {
        let context = options.unwrap_or_default().method_options.context;
        let url = account.resource(&format!("Tables('{name}')"))?;
        let request = self.request(url, Method::Delete, Metadata::None);
        Ok(self.send(&context, request).await?.into())
    }
}
