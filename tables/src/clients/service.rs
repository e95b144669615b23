//! The client of an account's Table service.

use super::{
    DEFAULT_VERSION, TableClient, paging, pipeline,
    request::{self, RETURN_NO_CONTENT},
};
use crate::{
    endpoint::{
        Endpoint, QueryString, TableEndpoint, append_query, sanitized, validate_table_name,
    },
    models::{
        Metadata, TableClientCreateOptions, TableClientDeleteOptions, TablePage,
        TableServiceClientListTablesOptions,
    },
};
use azure_core::{
    Result,
    credentials::TokenCredential,
    fmt::SafeDebug,
    http::{
        ClientOptions, Context, Method, NoFormat, Pager, Pipeline, Response, Url,
        pager::PagerOptions,
    },
    tracing,
};
use std::{fmt, sync::Arc};

/// A client of the Table service of a storage account: lists, creates and deletes tables.
#[tracing::client]
#[derive(Clone)]
pub struct TableServiceClient {
    pub(super) url: Url,
    pub(super) endpoint: Endpoint,
    pub(super) pipeline: Pipeline,
    pub(super) version: String,
}

/// Options used when creating a [`TableServiceClient`].
#[derive(Clone, SafeDebug)]
pub struct TableServiceClientOptions {
    /// Allows customization of the client: retries, transport, policies of your own.
    pub client_options: ClientOptions,
    /// The version of the service to ask for.
    pub version: String,
}

impl Default for TableServiceClientOptions {
    fn default() -> Self {
        Self {
            client_options: ClientOptions::default(),
            version: DEFAULT_VERSION.to_owned(),
        }
    }
}

impl fmt::Debug for TableServiceClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableServiceClient")
            .field("url", &sanitized(&self.url))
            .finish_non_exhaustive()
    }
}

impl TableServiceClient {
    /// Creates a client from the URL of an account's Table service.
    ///
    /// # Arguments
    ///
    /// * `service_url` - For example `https://myaccount.table.core.windows.net/`, or Azurite's
    ///   `http://127.0.0.1:10002/devstoreaccount1`; with a SAS as its query if there is no credential.
    /// * `credential` - Provides Microsoft Entra tokens. It needs an `https` URL.
    /// * `options` - Optional configuration of the client.
    #[tracing::new("Storage.Tables.Service")]
    pub fn new(
        service_url: Url,
        credential: Option<Arc<dyn TokenCredential>>,
        options: Option<TableServiceClientOptions>,
    ) -> Result<Self> {
        let options = options.unwrap_or_default();
        let endpoint = Endpoint::new(&service_url)?;
        let pipeline = pipeline(&service_url, credential, options.client_options.clone())?;
        Ok(Self {
            url: service_url,
            endpoint,
            pipeline,
            version: options.version,
        })
    }

    /// The URL that the client was made with, including a SAS.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// A client of one table, which need not exist. It shares the pipeline of this one.
    pub fn table_client(&self, table_name: &str) -> Result<TableClient> {
        Ok(TableClient {
            url: self.url.clone(),
            endpoint: TableEndpoint::new(self.endpoint.clone(), table_name)?,
            pipeline: self.pipeline.clone(),
            version: self.version.clone(),
            tracer: self.tracer.clone(),
        })
    }

    /// Creates a table. [`ErrorCode::TableAlreadyExists`](crate::ErrorCode::TableAlreadyExists) if there is one.
    #[tracing::function("Storage.Tables.TableServiceClient.createTable")]
    pub async fn create_table(
        &self,
        table_name: &str,
        options: Option<TableClientCreateOptions<'_>>,
    ) -> Result<Response<(), NoFormat>> {
        let options = options.unwrap_or_default();
        validate_table_name(table_name)?;
        let context = options.method_options.context.to_borrowed();
        create(
            &self.endpoint,
            &self.pipeline,
            &self.version,
            table_name,
            &context,
        )
        .await
    }

    /// Deletes a table and all in it. The service needs some time for it, in which the name cannot be used.
    #[tracing::function("Storage.Tables.TableServiceClient.deleteTable")]
    pub async fn delete_table(
        &self,
        table_name: &str,
        options: Option<TableClientDeleteOptions<'_>>,
    ) -> Result<Response<(), NoFormat>> {
        let options = options.unwrap_or_default();
        validate_table_name(table_name)?;
        let context = options.method_options.context.to_borrowed();
        delete(
            &self.endpoint,
            &self.pipeline,
            &self.version,
            table_name,
            &context,
        )
        .await
    }

    /// Lists the tables of the account, page by page to the last one.
    #[tracing::function("Storage.Tables.TableServiceClient.listTables")]
    pub fn list_tables(
        &self,
        options: Option<TableServiceClientListTablesOptions<'_>>,
    ) -> Result<Pager<TablePage>> {
        let options = options.unwrap_or_default();
        let mut query = QueryString::default();
        if let Some(filter) = &options.filter {
            query.push("$filter", filter.as_str());
        }
        if let Some(top) = options.top {
            query.push("$top", &top.to_string());
        }
        let mut url = self.endpoint.resource("Tables")?;
        if !query.as_str().is_empty() {
            append_query(&mut url, query.as_str());
        }
        Ok(paging::pager(
            self.pipeline.clone(),
            self.version.clone(),
            url,
            Metadata::None,
            owned(options.method_options),
        ))
    }
}

/// Options that a pager can keep.
pub(super) fn owned(options: PagerOptions<'_>) -> PagerOptions<'static> {
    PagerOptions {
        context: options.context.into_owned(),
        continuation: options.continuation,
    }
}

pub(super) async fn create(
    endpoint: &Endpoint,
    pipeline: &Pipeline,
    version: &str,
    table_name: &str,
    context: &Context<'_>,
) -> Result<Response<(), NoFormat>> {
    let url = endpoint.resource("Tables")?;
    let mut request = request::new(url, Method::Post, version, Metadata::None.accept());
    request::prefer(&mut request, RETURN_NO_CONTENT);
    // A valid table name needs no escapes.
    request::set_json(
        &mut request,
        format!(r#"{{"TableName":"{table_name}"}}"#).into_bytes(),
    );
    Ok(request::send(pipeline, context, request).await?.into())
}

pub(super) async fn delete(
    endpoint: &Endpoint,
    pipeline: &Pipeline,
    version: &str,
    table_name: &str,
    context: &Context<'_>,
) -> Result<Response<(), NoFormat>> {
    let url = endpoint.resource(&format!("Tables('{table_name}')"))?;
    let request = request::new(url, Method::Delete, version, Metadata::None.accept());
    Ok(request::send(pipeline, context, request).await?.into())
}
