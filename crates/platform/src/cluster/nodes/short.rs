//! What node auto-provisioning says of machines that Azure does not give.
//!
//! Karpenter publishes a warning only if no other machine could help (`NewInsufficientCapacityError`). Every other refusal of
//! Azure (`NewCreateError`: no Spot capacity, most quotas) stands in the condition `Launched` of the `NodeClaim` alone, until
//! another machine is tried (kubernetes-sigs/karpenter, `nodeclaim/lifecycle/launch.go`). So both are watched.

use cluster::watching::{Change, WAITING, follow};
use k8s_openapi::api::core::v1::Event as Told;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind};
use kube::runtime::watcher;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use workflow::contract::Stamp;
use workflow::task;

use evidence::events::Event;

use super::Shared;

/// Starts both watches, which end with `stop`.
pub(super) fn watch(shared: &Shared, stop: &CancellationToken) -> [AbortOnDropHandle<()>; 4] {
    let client = || shared.seen.client.clone();
    let (told_event, hears_event) = mpsc::channel(WAITING);
    let warnings = watcher::Config::default().fields("type=Warning");
    let events: Api<Told> = Api::all(client());
    let (told_claim, hears_claim) = mpsc::channel(WAITING);
    let kind = GroupVersionKind::gvk("karpenter.sh", "v1", "NodeClaim");
    let claims: Api<DynamicObject> = Api::all_with(client(), &ApiResource::from_gvk(&kind));
    let all = watcher::Config::default();
    [
        task::spawn(follow(events, warnings, told_event, stop.clone())),
        task::spawn(see_warnings(shared.clone(), hears_event)),
        // A cluster without node auto-provisioning does not know the kind; then there is nothing to hear.
        task::spawn(follow(claims, all, told_claim, stop.clone())),
        task::spawn(see_claims(shared.clone(), hears_claim)),
    ]
}

/// Without these warnings the cause of a lack of machines is unknown; nothing else depends on them.
async fn see_warnings(shared: Shared, mut told: mpsc::Receiver<Change<Told>>) {
    let begun = Stamp::now();
    while let Some(change) = told.recv().await {
        let Change::Now(event) = change else { continue };
        let last = event
            .last_timestamp
            .as_ref()
            .map(|it| it.0.as_microsecond());
        let is_old = last.is_some_and(|last| last < begun.as_micros());
        if !is_old {
            shared.hear(&event.message.clone().unwrap_or_default());
        }
    }
}

async fn see_claims(shared: Shared, mut told: mpsc::Receiver<Change<DynamicObject>>) {
    while let Some(change) = told.recv().await {
        let Change::Now(claim) = change else { continue };
        if let Some(said) = not_launched(&claim) {
            shared.hear(&said);
        }
    }
}

/// Reason and message of a claim for which no machine was launched.
fn not_launched(claim: &DynamicObject) -> Option<String> {
    let conditions = claim.data["status"]["conditions"].as_array()?;
    let launched = conditions.iter().find(|it| it["type"] == "Launched")?;
    let part = |name: &str| launched[name].as_str().unwrap_or_default();
    (part("status") != "True").then(|| format!("{}: {}", part("reason"), part("message")))
}

impl Shared {
    /// Records what node auto-provisioning said, if it is that Azure has no machine to give.
    fn hear(&self, said: &str) {
        let Some(why) = aks::shortage(said) else {
            return;
        };
        let what = format!("{why}: {said}");
        let is_news = self.with(|stories, _| stories.short_of_machines(what.clone()));
        // Karpenter tries again every few seconds, each time with the same words.
        if is_news {
            let noted = self
                .seen
                .log
                .append(Stamp::now(), Event::Note { text: what });
            self.seen.note(noted.map_err(Into::into));
        }
    }
}
