//! The client of an account's Table service.

use super::{DEFAULT_VERSION, TableClient, connection::Connection};
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
    http::{ClientOptions, NoFormat, Pager, Response, Url},
    tracing,
};
use std::{fmt, sync::Arc};

/// A client of the Table service of a storage account: lists, creates and deletes tables.
#[tracing::client]
#[derive(Clone)]
pub struct TableServiceClient {
    pub(super) endpoint: Endpoint,
    pub(super) connection: Connection,
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
            .field("url", &sanitized(self.connection.url()))
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
        Ok(Self {
            endpoint: Endpoint::new(&service_url)?,
            connection: Connection::new(
                service_url,
                credential,
                options.client_options.clone(),
                options.version,
            )?,
        })
    }

    /// The URL that the client was made with, including a SAS.
    pub fn url(&self) -> &Url {
        self.connection.url()
    }

    /// Makes a client of one table, which need not exist. It shares this client's pipeline.
    pub fn table_client(&self, table_name: &str) -> Result<TableClient> {
        Ok(TableClient {
            endpoint: TableEndpoint::new(self.endpoint.clone(), table_name)?,
            connection: self.connection.clone(),
            tracer: self.tracer.clone(),
        })
    }

    /// Creates a table. [`ErrorCode::TableAlreadyExists`](crate::ErrorCode::TableAlreadyExists) if it exists.
    #[tracing::function("Storage.Tables.TableServiceClient.createTable")]
    pub async fn create_table(
        &self,
        table_name: &str,
        options: Option<TableClientCreateOptions<'_>>,
    ) -> Result<Response<(), NoFormat>> {
        validate_table_name(table_name)?;
        self.connection
            .create_table(&self.endpoint, table_name, options)
            .await
    }

    /// Deletes a table and its content. The service needs some time for this, in which the name cannot be used.
    #[tracing::function("Storage.Tables.TableServiceClient.deleteTable")]
    pub async fn delete_table(
        &self,
        table_name: &str,
        options: Option<TableClientDeleteOptions<'_>>,
    ) -> Result<Response<(), NoFormat>> {
        validate_table_name(table_name)?;
        self.connection
            .delete_table(&self.endpoint, table_name, options)
            .await
    }

    /// Lists the tables of the account, page by page up to the last one.
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
        Ok(self
            .connection
            .pager(url, Metadata::None, options.method_options))
    }
}
