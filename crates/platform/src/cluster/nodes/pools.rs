//! Takes Spot capacity away on AKS: nobody can make Azure sell out, but a Spot pool of node auto-provisioning whose limit is 0 gets
//! no machine either, and Karpenter makes on-demand nodes instead.
//!
//! The limit from before stands in an annotation of the pool until it is put back, so that a run that was killed leaves nothing
//! that the next one cannot mend.

use anyhow::Context as _;
use cluster::Error;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};

use super::seen::CAPACITY_TYPE;

/// The annotation with the limit from before, as JSON: `null` if there was none.
const BEFORE: &str = "edw/limits-before";

/// The pools of node auto-provisioning.
pub(super) struct Pools(Api<DynamicObject>);

impl Pools {
    pub(super) fn of(client: &kube::Client) -> Self {
        let kind = GroupVersionKind::gvk("karpenter.sh", "v1", "NodePool");
        Self(Api::all_with(client.clone(), &ApiResource::from_gvk(&kind)))
    }

    /// Keeps the Spot pools from making further nodes. Nodes that stand stay.
    pub(super) async fn withhold_spot(&self) -> anyhow::Result<()> {
        let all = self.all().await?;
        let spot: Vec<_> = all.iter().filter(|pool| is_spot(pool)).collect();
        anyhow::ensure!(
            !spot.is_empty(),
            "take Spot machines away: there is no NodePool of Spot machines alone ({CAPACITY_TYPE} In [spot])"
        );
        for pool in spot {
            if pool.annotations().contains_key(BEFORE) {
                continue;
            }
            let before = &pool.data["spec"]["limits"]["cpu"];
            let change = json!({
                "metadata": {"annotations": {BEFORE: before.to_string()}},
                "spec": {"limits": {"cpu": "0"}},
            });
            self.change(pool, change).await?;
        }
        Ok(())
    }

    /// Puts the limits back, also those of a run that was killed. A cluster without node auto-provisioning has none.
    pub(super) async fn release(&self) -> anyhow::Result<()> {
        for pool in self.all().await? {
            let Some(before) = pool.annotations().get(BEFORE) else {
                continue;
            };
            let before: Value = serde_json::from_str(before).with_context(|| {
                format!(
                    "put the limit of NodePool {} back: its annotation {BEFORE} is no JSON",
                    pool.name_any()
                )
            })?;
            // In a merge patch, null removes.
            let change = json!({
                "metadata": {"annotations": {BEFORE: null}},
                "spec": {"limits": {"cpu": before}},
            });
            self.change(&pool, change).await?;
        }
        Ok(())
    }

    async fn all(&self) -> anyhow::Result<Vec<DynamicObject>> {
        match self.0.list(&ListParams::default()).await {
            Ok(all) => Ok(all.items),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(Vec::new()),
            Err(error) => Err(Error::of("list the NodePools", &error).into()),
        }
    }

    async fn change(&self, pool: &DynamicObject, change: Value) -> anyhow::Result<()> {
        let name = pool.name_any();
        let patched = self
            .0
            .patch(&name, &PatchParams::default(), &Patch::Merge(change))
            .await;
        patched
            .map_err(|error| Error::of(format!("change the limits of NodePool {name}"), &error))?;
        Ok(())
    }
}

/// Whether the pool makes Spot machines alone.
fn is_spot(pool: &DynamicObject) -> bool {
    let requirements = &pool.data["spec"]["template"]["spec"]["requirements"];
    let mut all = requirements.as_array().into_iter().flatten();
    all.any(|it| {
        it["key"] == CAPACITY_TYPE && it["operator"] == "In" && it["values"] == json!(["spot"])
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use bytes::Bytes;
    use http_body_util::Full;
    use hyper::{Request, Response};
    use kube::client::Body;
    use tower_test::mock;

    use super::*;

    fn pool(name: &str, capacity: &str, cpu: &str) -> Value {
        json!({
            "metadata": {"name": name},
            "spec": {
                "limits": {"cpu": cpu},
                "template": {"spec": {"requirements": [
                    {"key": CAPACITY_TYPE, "operator": "In", "values": [capacity]},
                ]}},
            },
        })
    }

    /// Merges `change` into `object`: a JSON merge patch (RFC 7396).
    fn merge(object: &mut Value, change: &Value) {
        for (name, value) in change.as_object().unwrap() {
            match value {
                Value::Null => drop(object.as_object_mut().unwrap().remove(name)),
                Value::Object(_) => {
                    if !object[name].is_object() {
                        object[name] = json!({});
                    }
                    merge(&mut object[name], value);
                }
                other => object[name] = other.clone(),
            }
        }
    }

    /// An API server that has these pools.
    #[expect(clippy::disallowed_methods, reason = "it ends with the test")]
    fn server(pools: Vec<Value>) -> (Pools, Arc<Mutex<Vec<Value>>>) {
        let (service, mut handle) = mock::pair::<Request<Body>, Response<Full<Bytes>>>();
        let kept = Arc::new(Mutex::new(pools));
        let pools = kept.clone();
        tokio::spawn(async move {
            while let Some((request, send)) = handle.next_request().await {
                let path = request.uri().path().to_owned();
                let answer = if request.method() == "PATCH" {
                    let change = request.into_body().collect_bytes().await.unwrap();
                    let change: Value = serde_json::from_slice(&change).unwrap();
                    let mut pools = pools.lock().unwrap();
                    let name = path.rsplit('/').next().unwrap();
                    let mut named = pools.iter_mut().filter(|it| it["metadata"]["name"] == name);
                    let pool = named.next().unwrap();
                    merge(pool, &change);
                    pool.clone()
                } else {
                    json!({"metadata": {}, "items": pools.lock().unwrap().clone()})
                };
                send.send_response(Response::new(Full::new(Bytes::from(answer.to_string()))));
            }
        });
        (Pools::of(&kube::Client::new(service, "default")), kept)
    }

    #[tokio::test]
    async fn spot_pools_get_a_limit_of_nothing_and_theirs_back() {
        let before = vec![
            pool("edw-spot", "spot", "16"),
            pool("edw-on-demand", "on-demand", "8"),
        ];
        let (pools, kept) = server(before.clone());
        let limits = || {
            let kept = kept.lock().unwrap();
            let limits = kept.iter().map(|it| it["spec"]["limits"]["cpu"].clone());
            limits.collect::<Vec<_>>()
        };
        pools.withhold_spot().await.unwrap();
        assert_eq!(limits(), ["0", "8"]);
        // Of another run, after this one was killed.
        pools.withhold_spot().await.unwrap();
        pools.release().await.unwrap();
        assert_eq!(limits(), ["16", "8"]);
        let annotation = kept.lock().unwrap()[0]["metadata"]["annotations"].clone();
        assert_eq!(annotation, json!({}));
        pools.release().await.unwrap();
    }

    #[tokio::test]
    async fn a_pool_that_had_no_limit_has_none_afterwards() {
        let mut unlimited = pool("edw-spot", "spot", "16");
        unlimited["spec"]["limits"] = json!({"memory": "64Gi"});
        let (pools, kept) = server(vec![unlimited]);
        pools.withhold_spot().await.unwrap();
        pools.release().await.unwrap();
        let limits = kept.lock().unwrap()[0]["spec"]["limits"].clone();
        assert_eq!(limits, json!({"memory": "64Gi"}));
    }

    #[tokio::test]
    async fn without_a_spot_pool_nothing_can_be_taken_away() {
        let (pools, _) = server(vec![pool("edw-on-demand", "on-demand", "8")]);
        let error = pools.withhold_spot().await.unwrap_err();
        assert!(
            format!("{error:#}").contains("no NodePool of Spot machines"),
            "{error:#}"
        );
    }
}
