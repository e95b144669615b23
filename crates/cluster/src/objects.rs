//! Objects of any kind: applied as by `kubectl apply --server-side`, and deleted.

use std::collections::HashMap;
use std::fmt;

use kube::api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::{GroupVersionKind, TypeMeta};
use kube::discovery::{self, Scope};
use kube::{Api, Client};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::error::Error;

/// The field manager's name at the API server.
pub const FIELD_MANAGER: &str = "edw-harness";

/// Applies and deletes objects in one namespace.
pub struct Objects {
    client: Client,
    namespace: String,
    /// Kinds that the API server has already described.
    kinds: Mutex<HashMap<GroupVersionKind, (ApiResource, Scope)>>,
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "objects of the namespace {}", self.namespace)
    }
}

impl Objects {
    /// Makes it for `namespace`.
    pub fn new(client: Client, namespace: &str) -> Self {
        Self {
            client,
            namespace: namespace.to_owned(),
            kinds: Mutex::default(),
        }
    }

    /// Creates or changes the object in the cluster, so that it has the fields in `object`. The harness becomes the owner of
    /// these fields, even if another field manager owned them.
    pub async fn apply(&self, object: &Value) -> Result<(), Error> {
        let label = label(object);
        let api = self.api(object).await?;
        let name = name(object)?;
        let params = PatchParams::apply(FIELD_MANAGER).force();
        let applied = api.patch(name, &params, &Patch::Apply(object)).await;
        applied.map_err(|error| Error::of(format!("apply {label}"), &error))?;
        Ok(())
    }

    /// Deletes the object with the kind and name of `object`. No error if it does not exist.
    pub async fn delete(&self, object: &Value) -> Result<(), Error> {
        let label = label(object);
        let api = self.api(object).await?;
        match api.delete(name(object)?, &DeleteParams::background()).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(Error::of(format!("delete {label}"), &error)),
        }
    }

    /// The API of the object's kind.
    async fn api(&self, object: &Value) -> Result<Api<DynamicObject>, Error> {
        let (resource, scope) = self.kind(object).await?;
        if scope == Scope::Cluster {
            return Err(Error::Object {
                object: label(object),
                reason:
                    "it belongs to no namespace, and would outlive the run; take it out of the overlay"
                        .to_owned(),
            });
        }
        Ok(Api::namespaced_with(
            self.client.clone(),
            &self.namespace,
            &resource,
        ))
    }

    async fn kind(&self, object: &Value) -> Result<(ApiResource, Scope), Error> {
        let unknown = |reason: String| Error::Object {
            object: label(object),
            reason,
        };
        let types = TypeMeta {
            api_version: text(object, "apiVersion").to_owned(),
            kind: text(object, "kind").to_owned(),
        };
        let kind = GroupVersionKind::try_from(types)
            .map_err(|error| unknown(format!("read its apiVersion: {error}")))?;
        let mut kinds = self.kinds.lock().await;
        if let Some(known) = kinds.get(&kind) {
            return Ok(known.clone());
        }
        let found = discovery::pinned_kind(&self.client, &kind).await;
        let (resource, capabilities) = found.map_err(|error| {
            let said = crate::error::said(&error);
            unknown(format!("the cluster does not know its kind: {said}"))
        })?;
        let known = (resource, capabilities.scope);
        kinds.insert(kind, known.clone());
        Ok(known)
    }
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_default()
}

fn name(object: &Value) -> Result<&str, Error> {
    object["metadata"]["name"]
        .as_str()
        .ok_or_else(|| Error::Object {
            object: label(object),
            reason: "it has no name".to_owned(),
        })
}

/// Kind and name, in kubectl's form.
pub fn label(object: &Value) -> String {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    format!("{}/{name}", text(object, "kind"))
}
