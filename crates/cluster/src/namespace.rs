//! The namespace of a run: created with an expiry time, and removed completely.

use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::api::{DeleteParams, ListParams, ObjectMeta, PostParams};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Api, Client, ResourceExt as _};
use tokio::time::{sleep, timeout};

use crate::error::Error;
use crate::objects::FIELD_MANAGER;

/// The label of all namespaces of runs.
pub const MANAGED: (&str, &str) = ("app.kubernetes.io/managed-by", FIELD_MANAGER);

/// The label with the run's id.
const RUN: &str = "edw/run";

/// The annotation with the time after which the namespace is no longer needed.
pub(crate) const EXPIRES: &str = "edw/expires";

/// Pause before a broken watch of a namespace begins again.
const AGAIN: Duration = Duration::from_secs(1);

/// The time `life` from now.
pub(crate) fn expiry(life: Duration) -> Timestamp {
    let life = SignedDuration::try_from(life).unwrap_or(SignedDuration::MAX);
    let expires = Timestamp::now().saturating_add(life);
    expires.unwrap_or(Timestamp::MAX)
}

/// A namespace of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its name.
    pub name: String,
    /// The run.
    pub run: String,
    /// Whether it has expired. `false` if the time is unreadable.
    pub is_expired: bool,
    /// Its expiry time, as written.
    pub expires: String,
}

/// Creates the namespace `name` of `run`, which expires after `life`. It refuses pods that need more than the restricted
/// profile.
pub async fn make(client: &Client, name: &str, run: &str, life: Duration) -> Result<(), Error> {
    let expires = expiry(life);
    let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let namespace = Namespace {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            labels: Some(
                [
                    MANAGED,
                    (RUN, run),
                    ("pod-security.kubernetes.io/enforce", "restricted"),
                    ("pod-security.kubernetes.io/warn", "restricted"),
                ]
                .map(pair)
                .into(),
            ),
            annotations: Some([pair((EXPIRES, &expires.to_string()))].into()),
            ..ObjectMeta::default()
        },
        ..Namespace::default()
    };
    let params = PostParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PostParams::default()
    };
    let made = namespaces(client).create(&params, &namespace).await;
    made.map_err(|error| Error::of(format!("create the namespace {name}"), &error))?;
    Ok(())
}

/// Waits until the namespace `name` is being deleted, or is gone. If the watch breaks, the function starts it again.
pub async fn deletion(client: &Client, name: &str) {
    let is_deleted = |namespace: Option<&Namespace>| {
        namespace.is_none_or(|it| it.metadata.deletion_timestamp.is_some())
    };
    while let Err(error) = await_condition(namespaces(client), name, is_deleted).await {
        tracing::debug!("watch the namespace {name} again: {error}");
        sleep(AGAIN).await;
    }
}

/// Deletes the namespace `name`, and waits for at most `patience` until it is gone. No error if it does not exist.
pub async fn remove(client: &Client, name: &str, patience: Duration) -> Result<(), Error> {
    let api = namespaces(client);
    let doing = || format!("delete the namespace {name}");
    let uid = match api.get_opt(name).await {
        Ok(None) => return Ok(()),
        Ok(Some(namespace)) => namespace.uid().unwrap_or_default(),
        Err(error) => return Err(Error::of(doing(), &error)),
    };
    match api.delete(name, &DeleteParams::background()).await {
        Ok(_) => {}
        Err(kube::Error::Api(status)) if status.code == 404 => return Ok(()),
        // It is being deleted already.
        Err(kube::Error::Api(status)) if status.code == 409 => {}
        Err(error) => return Err(Error::of(doing(), &error)),
    }
    let gone = await_condition(api.clone(), name, conditions::is_deleted(&uid));
    match timeout(patience, gone).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Error::Refused {
            doing: doing(),
            said: error.to_string(),
            status: None,
        }),
        Err(_) => Err(Error::Late {
            what: format!("the namespace {name} is gone"),
            after: patience,
            why: holds(&api, name).await,
        }),
    }
}

/// What prevents the deletion: the namespace controller lists the remaining objects and finalizers in its conditions.
async fn holds(api: &Api<Namespace>, name: &str) -> String {
    let Ok(Some(namespace)) = api.get_opt(name).await else {
        return String::new();
    };
    let conditions = namespace.status.and_then(|status| status.conditions);
    let told = conditions.unwrap_or_default().into_iter();
    let told = told.filter(|condition| condition.status == "True");
    let told: Vec<String> = told.filter_map(|condition| condition.message).collect();
    told.join("; ")
}

/// The existing namespaces of runs.
pub async fn made(client: &Client) -> Result<Vec<Made>, Error> {
    let (label, value) = MANAGED;
    let ours = ListParams::default().labels(&format!("{label}={value}"));
    let list = namespaces(client).list(&ours).await;
    let list = list.map_err(|error| Error::of("list the namespaces of runs", &error))?;
    let now = Timestamp::now();
    Ok(list.items.iter().map(|it| read(it, now)).collect())
}

fn read(namespace: &Namespace, now: Timestamp) -> Made {
    let expires = namespace.annotations().get(EXPIRES);
    let expires = expires.cloned().unwrap_or_default();
    let date = expires.parse::<Timestamp>();
    Made {
        name: namespace.name_any(),
        run: namespace.labels().get(RUN).cloned().unwrap_or_default(),
        is_expired: date.is_ok_and(|date| date < now),
        expires,
    }
}

fn namespaces(client: &Client) -> Api<Namespace> {
    Api::all(client.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_whose_date_cannot_be_read_is_kept() {
        let now: Timestamp = "2026-11-28T12:00:00Z".parse().unwrap();
        let mut namespace = Namespace::default();
        namespace.metadata.name = Some("edw-1".to_owned());
        for (date, is_expired) in [
            ("2026-11-28T11:59:59Z", true),
            ("2026-11-28T12:00:01Z", false),
            ("tomorrow", false),
        ] {
            let annotations = [(EXPIRES.to_owned(), date.to_owned())];
            namespace.metadata.annotations = Some(annotations.into());
            assert_eq!(read(&namespace, now).is_expired, is_expired, "{date}");
        }
    }
}
