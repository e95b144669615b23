//! Options of the client methods, and their results.

use crate::{Filter, de::EntitySeed};
use async_trait::async_trait;
use azure_core::{
    fmt::SafeDebug,
    http::{
        ClientMethodOptions, Etag, NoFormat, Response,
        headers::ETAG,
        pager::{Page, PagerOptions},
    },
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use std::marker::PhantomData;

macro_rules! method_options {
    ($($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $field_doc:literal])* $field:ident: $type:ty,)* })*) => {
        $($(#[doc = $doc])*
        #[derive(Clone, Default, SafeDebug)]
        pub struct $name<'a> {
            $($(#[doc = $field_doc])* pub $field: $type,)*
            /// Allows customization of the method call.
            pub method_options: ClientMethodOptions<'a>,
        })*
    };
}

method_options! {
    /// Options of `create_table` and `create`.
    TableClientCreateOptions {}
    /// Options of `delete_table` and `delete`.
    TableClientDeleteOptions {}
    /// Options of `exists`.
    TableClientExistsOptions {}
    /// Options of `insert_entity`.
    TableClientInsertEntityOptions {
        /// Asks the service to send the entity back as stored: `response.body().json::<Stored<T>>()` reads it. The
        /// default is an answer without content, which costs less.
        return_content: bool,
    }
    /// Options of `get_entity`.
    TableClientGetEntityOptions {
        /// Only these properties; all if `None`.
        select: Option<Vec<String>>,
        /// Which annotations to send along.
        metadata: Metadata,
    }
    /// Options of `update_entity`.
    TableClientUpdateEntityOptions {
        /// The required version; any version if `None`.
        if_match: Option<Etag>,
    }
    /// Options of `upsert_entity`.
    TableClientUpsertEntityOptions {}
    /// Options of `delete_entity`.
    TableClientDeleteEntityOptions {
        /// The required version; any version if `None`.
        if_match: Option<Etag>,
    }
    /// Options of `submit_transaction`.
    TableClientSubmitTransactionOptions {}
}

/// Options of `query_entities`.
#[derive(Clone, Default, SafeDebug)]
pub struct TableClientQueryEntitiesOptions<'a> {
    /// Only entities that meet this condition; all if `None`.
    pub filter: Option<Filter>,
    /// Only these properties; all if `None`. A [`Stored`](crate::Stored) needs `Timestamp` among them to know the version when
    /// metadata is off.
    pub select: Option<Vec<String>>,
    /// The most entities in one page, 1 to 1,000; the service's 1,000 if `None`. It does not end the query: pages follow to
    /// the last one. For the first `n` entities, `take(n)` from the pager.
    pub top: Option<u32>,
    /// Which annotations to send along.
    pub metadata: Metadata,
    /// Allows customization of the paging, such as where to start.
    pub method_options: PagerOptions<'a>,
}

/// Options of `list_tables`.
#[derive(Clone, Default, SafeDebug)]
pub struct TableServiceClientListTablesOptions<'a> {
    /// Only tables that meet this condition, on the property `TableName`; all if `None`.
    pub filter: Option<Filter>,
    /// The most tables in one page, 1 to 1,000; the service's 1,000 if `None`. Pages follow to the last one.
    pub top: Option<u32>,
    /// Allows customization of the paging, such as where to start.
    pub method_options: PagerOptions<'a>,
}

/// Which OData annotations the service sends with entities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Metadata {
    /// The types that JSON cannot express, and the `ETag`. Works for every type.
    #[default]
    Minimal,
    /// None. The answer is smaller. For structs with a fixed type for every property; an [`Entity`](crate::Entity) would read
    /// types without their own JSON form as strings.
    None,
}

impl Metadata {
    pub(crate) const fn accept(self) -> &'static str {
        match self {
            Self::Minimal => "application/json;odata=minimalmetadata",
            Self::None => "application/json;odata=nometadata",
        }
    }
}

/// How a write treats the other properties of an existing entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateMode {
    /// Properties that the write does not name are kept.
    Merge,
    /// Properties that the write does not name are removed.
    Replace,
}

/// The answer to a write of one entity; [`WriteResultHeaders`] reads it.
#[derive(Clone, Default, SafeDebug)]
#[non_exhaustive]
pub struct WriteResult;

/// Provides access to the headers of the answer to a write.
pub trait WriteResultHeaders: private::Sealed {
    /// The new version of the entity.
    fn etag(&self) -> Option<Etag>;
}

impl WriteResultHeaders for Response<WriteResult, NoFormat> {
    fn etag(&self) -> Option<Etag> {
        self.headers().get_optional_str(&ETAG).map(Etag::from)
    }
}

mod private {
    use super::{NoFormat, Response, WriteResult};

    pub trait Sealed {}

    impl Sealed for Response<WriteResult, NoFormat> {}
}

/// One page of a query: its entities, deserialised into `T`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EntityPage<T> {
    /// The entities, in the order of their keys.
    pub value: Vec<T>,
}

/// The entities of a page, each read by this crate's decoder.
struct Entities<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entities<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for List<T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of entities")
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut list: A,
            ) -> Result<Vec<T>, A::Error> {
                let mut entities = Vec::new();
                while let Some(entity) = list.next_element_seed(EntitySeed(PhantomData))? {
                    entities.push(entity);
                }
                Ok(entities)
            }
        }
        deserializer.deserialize_seq(List(PhantomData)).map(Self)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for EntityPage<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(bound = "T: Deserialize<'de>")]
        struct Body<T> {
            value: Entities<T>,
        }
        let Body { value } = Body::deserialize(deserializer)?;
        Ok(Self { value: value.0 })
    }
}

#[async_trait]
impl<T: DeserializeOwned + Send> Page for EntityPage<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    async fn into_items(self) -> azure_core::Result<Self::IntoIter> {
        Ok(self.value.into_iter())
    }
}

/// A table in the list of tables.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TableItem {
    /// The name.
    #[serde(rename = "TableName")]
    pub name: String,
}

/// One page of the list of tables.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct TablePage {
    /// The tables, in the order of their names.
    pub value: Vec<TableItem>,
}

#[async_trait]
impl Page for TablePage {
    type Item = TableItem;
    type IntoIter = std::vec::IntoIter<TableItem>;

    async fn into_items(self) -> azure_core::Result<Self::IntoIter> {
        Ok(self.value.into_iter())
    }
}
