//! Operations on the entities of a table.

use super::{
    TableClient,
    request::{self, RETURN_CONTENT, RETURN_NO_CONTENT},
};
use crate::{
    Stored,
    endpoint::QueryString,
    keys,
    models::{
        EntityPage, Metadata, TableClientDeleteEntityOptions, TableClientGetEntityOptions,
        TableClientInsertEntityOptions, TableClientQueryEntitiesOptions,
        TableClientUpdateEntityOptions, TableClientUpsertEntityOptions, UpdateMode, WriteResult,
    },
    ser::{self, PARTITION_KEY, ROW_KEY},
};
use azure_core::{
    Result,
    http::{Etag, Method, NoFormat, Pager, Request, Response, Url, headers::IF_MATCH},
    tracing,
};
use serde::{Serialize, de::DeserializeOwned};

/// `If-Match` of a write that accepts any version, but requires that the entity exists.
const ANY_VERSION: &str = "*";

impl TableClient {
    /// Inserts an entity. [`ErrorCode::EntityAlreadyExists`](crate::ErrorCode::EntityAlreadyExists) if one with its keys
    /// exists, which after a retry may be from an earlier try whose answer was lost.
    ///
    /// `entity` is a struct or map with the strings `PartitionKey` and `RowKey`; see the crate's documentation for the types.
    #[tracing::function("Storage.Tables.TableClient.insertEntity")]
    pub async fn insert_entity<T: Serialize + Sync + ?Sized>(
        &self,
        entity: &T,
        options: Option<TableClientInsertEntityOptions<'_>>,
    ) -> Result<Response<WriteResult, NoFormat>> {
        let options = options.unwrap_or_default();
        let context = options.method_options.context.to_borrowed();
        let mut json = Vec::with_capacity(ser::USUAL_SIZE_BYTES);
        ser::encode(entity, &mut json)?;
        let mut request = self.connection.request(
            self.endpoint.collection().clone(),
            Method::Post,
            Metadata::Minimal,
        );
        let preference = if options.return_content {
            RETURN_CONTENT
        } else {
            RETURN_NO_CONTENT
        };
        request::prefer(&mut request, preference);
        request::set_json(&mut request, json);
        Ok(self.connection.send(&context, request).await?.into())
    }

    /// Reads one entity. [`ErrorCode::ResourceNotFound`](crate::ErrorCode::ResourceNotFound) if it does not exist.
    #[tracing::function("Storage.Tables.TableClient.getEntity")]
    pub async fn get_entity<T: DeserializeOwned>(
        &self,
        partition_key: &str,
        row_key: &str,
        options: Option<TableClientGetEntityOptions<'_>>,
    ) -> Result<Response<Stored<T>>> {
        let options = options.unwrap_or_default();
        let context = options.method_options.context.to_borrowed();
        let mut query = QueryString::default();
        select(&mut query, options.select.as_deref());
        let url = self.entity_url(partition_key, row_key, &query)?;
        let request = self.connection.request(url, Method::Get, options.metadata);
        Ok(self.connection.send(&context, request).await?.into())
    }

    /// Reads the entities that meet a condition, page by page up to the last one.
    ///
    /// The pager is a stream of `T`; [`into_pages`](azure_core::http::ItemIterator::into_pages) makes one of whole pages, each
    /// an [`EntityPage`] with a `Vec<T>`. For versions and times of change, ask for `Stored<T>`.
    #[tracing::function("Storage.Tables.TableClient.queryEntities")]
    pub fn query_entities<T: DeserializeOwned + Send + 'static>(
        &self,
        options: Option<TableClientQueryEntitiesOptions<'_>>,
    ) -> Result<Pager<EntityPage<T>>> {
        let options = options.unwrap_or_default();
        let mut query = QueryString::default();
        if let Some(filter) = &options.filter {
            query.push("$filter", filter.as_str());
        }
        select(&mut query, options.select.as_deref());
        if let Some(top) = options.top {
            query.push("$top", &top.to_string());
        }
        let first = self.endpoint.query(&query)?;
        Ok(self
            .connection
            .pager(first, options.metadata, options.method_options))
    }

    /// Changes an existing entity: [`ErrorCode::ResourceNotFound`](crate::ErrorCode::ResourceNotFound) if it does not exist,
    /// [`ErrorCode::UpdateConditionNotSatisfied`](crate::ErrorCode::UpdateConditionNotSatisfied) if its version is not that of
    /// `if_match`.
    #[tracing::function("Storage.Tables.TableClient.updateEntity")]
    pub async fn update_entity<T: Serialize + Sync + ?Sized>(
        &self,
        entity: &T,
        mode: UpdateMode,
        options: Option<TableClientUpdateEntityOptions<'_>>,
    ) -> Result<Response<WriteResult, NoFormat>> {
        let options = options.unwrap_or_default();
        let context = options.method_options.context.to_borrowed();
        let mut request = self.write(entity, mode)?;
        if_match(&mut request, options.if_match);
        Ok(self.connection.send(&context, request).await?.into())
    }

    /// Changes an entity, or inserts it if it does not exist.
    #[tracing::function("Storage.Tables.TableClient.upsertEntity")]
    pub async fn upsert_entity<T: Serialize + Sync + ?Sized>(
        &self,
        entity: &T,
        mode: UpdateMode,
        options: Option<TableClientUpsertEntityOptions<'_>>,
    ) -> Result<Response<WriteResult, NoFormat>> {
        let options = options.unwrap_or_default();
        let context = options.method_options.context.to_borrowed();
        let request = self.write(entity, mode)?;
        Ok(self.connection.send(&context, request).await?.into())
    }

    /// Deletes an entity: [`ErrorCode::ResourceNotFound`](crate::ErrorCode::ResourceNotFound) if it does not exist,
    /// [`ErrorCode::UpdateConditionNotSatisfied`](crate::ErrorCode::UpdateConditionNotSatisfied) if its version is not that of
    /// `if_match`.
    #[tracing::function("Storage.Tables.TableClient.deleteEntity")]
    pub async fn delete_entity(
        &self,
        partition_key: &str,
        row_key: &str,
        options: Option<TableClientDeleteEntityOptions<'_>>,
    ) -> Result<Response<(), NoFormat>> {
        let options = options.unwrap_or_default();
        let context = options.method_options.context.to_borrowed();
        let url = self.entity_url(partition_key, row_key, &QueryString::default())?;
        let mut request = self.connection.request(url, Method::Delete, Metadata::None);
        if_match(&mut request, options.if_match);
        Ok(self.connection.send(&context, request).await?.into())
    }

    /// A PATCH or PUT of an entity without a condition: without further headers, an upsert.
    fn write<T: Serialize + ?Sized>(&self, entity: &T, mode: UpdateMode) -> Result<Request> {
        let mut json = Vec::with_capacity(ser::USUAL_SIZE_BYTES);
        let keys = ser::encode(entity, &mut json)?;
        let (partition, row) = (keys.partition(&json), keys.row(&json));
        let url = self
            .endpoint
            .entity(&partition, &row, &QueryString::default())?;
        let method = match mode {
            UpdateMode::Merge => Method::Patch,
            UpdateMode::Replace => Method::Put,
        };
        let mut request = self.connection.request(url, method, Metadata::None);
        request::set_json(&mut request, json);
        Ok(request)
    }

    fn entity_url(&self, partition_key: &str, row_key: &str, query: &QueryString) -> Result<Url> {
        keys::validate(PARTITION_KEY, partition_key)?;
        keys::validate(ROW_KEY, row_key)?;
        self.endpoint.entity(partition_key, row_key, query)
    }
}

fn if_match(request: &mut Request, etag: Option<Etag>) {
    let version = etag.map_or_else(|| ANY_VERSION.to_owned(), String::from);
    request.insert_header(IF_MATCH, version);
}

fn select(query: &mut QueryString, properties: Option<&[String]>) {
    if let Some(properties) = properties {
        query.push("$select", &properties.join(","));
    }
}
