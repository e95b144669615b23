//! The client of one table; operations on its entities are in `entities.rs`.

use super::{DEFAULT_VERSION, connection::Connection};
use crate::{
    ErrorCode, Transaction, TransactionOutcome,
    endpoint::{Endpoint, QueryString, TableEndpoint, sanitized},
    models::{
        Metadata, TableClientCreateOptions, TableClientDeleteOptions, TableClientExistsOptions,
        TableClientSubmitTransactionOptions,
    },
    transaction,
};
use azure_core::{
    Result,
    credentials::TokenCredential,
    fmt::SafeDebug,
    http::{ClientOptions, Method, NoFormat, Response, Url, headers::CONTENT_TYPE},
    tracing,
};
use std::{fmt, sync::Arc};

/// A client of one table of a storage account.
///
/// It is cheap to clone, and to make from a [`TableServiceClient`](crate::TableServiceClient).
#[tracing::client]
#[derive(Clone)]
pub struct TableClient {
    pub(super) endpoint: TableEndpoint,
    pub(super) connection: Connection,
}

/// Options used when creating a [`TableClient`].
#[derive(Clone, SafeDebug)]
pub struct TableClientOptions {
    /// Allows customization of the client: retries, transport, policies of your own.
    pub client_options: ClientOptions,
    /// The version of the service to ask for.
    pub version: String,
}

impl Default for TableClientOptions {
    fn default() -> Self {
        Self {
            client_options: ClientOptions::default(),
            version: DEFAULT_VERSION.to_owned(),
        }
    }
}

impl fmt::Debug for TableClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableClient")
            .field("url", &sanitized(self.connection.url()))
            .field("table", &self.endpoint.name())
            .finish_non_exhaustive()
    }
}

impl TableClient {
    /// Creates a client from the URL of an account's Table service and the name of a table.
    ///
    /// # Arguments
    ///
    /// * `service_url` - For example `https://myaccount.table.core.windows.net/`, or Azurite's
    ///   `http://127.0.0.1:10002/devstoreaccount1`; with a SAS as its query if there is no credential.
    /// * `table_name` - 3 to 63 ASCII letters and digits, starting with a letter. The table need not exist.
    /// * `credential` - Provides Microsoft Entra tokens. It needs an `https` URL.
    /// * `options` - Optional configuration of the client.
    #[tracing::new("Storage.Tables.Table")]
    pub fn new(
        service_url: Url,
        table_name: &str,
        credential: Option<Arc<dyn TokenCredential>>,
        options: Option<TableClientOptions>,
    ) -> Result<Self> {
        let options = options.unwrap_or_default();
        Ok(Self {
            endpoint: TableEndpoint::new(Endpoint::new(&service_url)?, table_name)?,
            connection: Connection::new(
                service_url,
                credential,
                options.client_options.clone(),
                options.version,
            )?,
        })
    }

    /// The URL of the account's Table service that the client was made with, including a SAS.
    pub fn url(&self) -> &Url {
        self.connection.url()
    }

    /// The name of the table.
    pub fn table_name(&self) -> &str {
        self.endpoint.name()
    }

    /// Creates the table. [`ErrorCode::TableAlreadyExists`] if it exists.
    #[tracing::function("Storage.Tables.TableClient.create")]
    pub async fn create(
        &self,
        options: Option<TableClientCreateOptions<'_>>,
    ) -> Result<Response<(), NoFormat>> {
        let (account, name) = (self.endpoint.account(), self.table_name());
        self.connection.create_table(account, name, options).await
    }

    /// Creates the table unless it exists; returns true if it was created.
    pub async fn create_if_not_exists(
        &self,
        options: Option<TableClientCreateOptions<'_>>,
    ) -> Result<bool> {
        match self.create(options).await {
            Ok(_) => Ok(true),
            Err(error) if ErrorCode::of(&error) == Some(ErrorCode::TableAlreadyExists) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes the table and its content. The service needs some time for this, in which the name cannot be used.
    #[tracing::function("Storage.Tables.TableClient.delete")]
    pub async fn delete(
        &self,
        options: Option<TableClientDeleteOptions<'_>>,
    ) -> Result<Response<(), NoFormat>> {
        let (account, name) = (self.endpoint.account(), self.table_name());
        self.connection.delete_table(account, name, options).await
    }

    /// Whether the table exists.
    ///
    /// It requests one entity, so permission to read the table is enough; listing the tables would need permission on the
    /// account. An answer that is neither yes nor no is an error.
    #[tracing::function("Storage.Tables.TableClient.exists")]
    pub async fn exists(&self, options: Option<TableClientExistsOptions<'_>>) -> Result<bool> {
        let options = options.unwrap_or_default();
        let context = options.method_options.context.to_borrowed();
        let mut query = QueryString::default();
        query.push("$top", "1");
        query.push("$select", crate::ser::PARTITION_KEY);
        let url = self.endpoint.query(&query)?;
        let request = self.connection.request(url, Method::Get, Metadata::None);
        match self.connection.send(&context, request).await {
            Ok(_) => Ok(true),
            // A 404 that is not from the service, such as from a proxy, proves nothing.
            Err(error)
                if matches!(
                    ErrorCode::of(&error),
                    Some(ErrorCode::TableNotFound | ErrorCode::ResourceNotFound)
                ) =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Makes an empty transaction on this table.
    pub fn transaction(&self) -> Transaction {
        Transaction::new(self.endpoint.prefix())
    }

    /// Sends a transaction: all of its operations are carried out, or none.
    ///
    /// If one fails the error holds a [`TransactionError`](crate::TransactionError) that names it:
    /// `error.downcast_ref::<TransactionError>()`. An empty transaction is an error that sends nothing, and so is one made by
    /// the client of another table.
    #[tracing::function("Storage.Tables.TableClient.submitTransaction")]
    pub async fn submit_transaction(
        &self,
        transaction: Transaction,
        options: Option<TableClientSubmitTransactionOptions<'_>>,
    ) -> Result<TransactionOutcome> {
        let options = options.unwrap_or_default();
        let context = options.method_options.context.to_borrowed();
        let batch = transaction.finish(self.endpoint.prefix())?;
        let url = self.endpoint.batch().clone();
        let mut request = self.connection.request(url, Method::Post, Metadata::None);
        request.insert_header(CONTENT_TYPE, batch.content_type);
        request.set_body(batch.body);
        let response = self.connection.send(&context, request).await?;
        transaction::read_outcome(&response, &batch.operations)
    }
}
