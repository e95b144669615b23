//! Settings by which a run is scaled: the ScaledObject and the Deployment of the manifests, with a scenario's changes.

use std::path::{Path, PathBuf};

use autoscaler::{Refusals, ScaledObject, Settings};
use evidence::pace::Pace;
use manifest::{Document, ManifestError, ShapeError, read_plain};
use serde_json::Value;

use super::Pod;

/// Paths, within `spec`, to which short field names of the queue's trigger refer.
const TRIGGER: [&str; 4] = [
    "queueLength",
    "activationQueueLength",
    "queueLengthStrategy",
    "useCachedMetrics",
];

/// Settings that decide the number of consumers.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaling {
    /// The directory of the manifests.
    pub from: PathBuf,
    /// The settings of the ScaledObject, in a cluster's own time.
    pub settings: Settings,
    /// The scenario's changes to them: field and value.
    pub changes: Vec<(String, String)>,
    /// How many times faster than in a cluster everything happens.
    pub pace: Pace,
    /// The consumer's configuration in the Deployment.
    pub pod: Pod,
}

/// Reason why manifests give no usable scaling settings.
#[derive(Debug, thiserror::Error)]
pub enum ScalingError {
    /// The manifests cannot be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The manifests do not have exactly one object of this kind.
    #[error("find the {kind} in {}: there are {found}, give a directory that has one", dir.display())]
    Count {
        /// The kind.
        kind: &'static str,
        /// The directory of the manifests.
        dir: PathBuf,
        /// How many objects of this kind it has.
        found: usize,
    },
    /// The ScaledObject's shape is none that KEDA accepts.
    #[error("read the ScaledObject of {}: {field}: {problem}", dir.display())]
    Shape {
        /// The directory of the manifests.
        dir: PathBuf,
        /// The field that is wrong.
        field: String,
        /// What is wrong with it.
        problem: ShapeError,
    },
    /// A cluster would refuse the ScaledObject.
    #[error("use the ScaledObject of {}: {refusals}", dir.display())]
    Refused {
        /// The directory of the manifests.
        dir: PathBuf,
        /// What is wrong.
        refusals: Refusals,
    },
    /// The ScaledObject has triggers other than the one queue of a run.
    #[error(
        "use the ScaledObject of {}: a run has one queue, and this one has other triggers or a formula; `harness simulate` knows them",
        dir.display()
    )]
    Others {
        /// The directory of the manifests.
        dir: PathBuf,
    },
    /// A scenario changes a field that a ScaledObject cannot have.
    #[error("change {field:?} of the ScaledObject: {reason}")]
    Change {
        /// The field.
        field: String,
        /// What is wrong.
        reason: String,
    },
}

impl Scaling {
    /// Reads the kustomization in `dir`, at `pace`, and applies `changes`, whose durations are in a cluster's own time. A
    /// change names its field by the path in `spec`, such as `cooldownPeriod` or `advanced.horizontalPodAutoscalerConfig`, or,
    /// for metadata of the trigger, by the name alone; the value `none` removes the field.
    pub fn read(
        dir: &Path,
        changes: &[(String, String)],
        pace: Pace,
    ) -> Result<Self, ScalingError> {
        Self::of(&read_plain(dir)?, dir, changes, pace)
    }

    /// As [`Scaling::read`], for `documents` that come from `dir`.
    pub fn of(
        documents: &[Document],
        dir: &Path,
        changes: &[(String, String)],
        pace: Pace,
    ) -> Result<Self, ScalingError> {
        let mut object = only(documents, "ScaledObject", dir)?.value.clone();
        for (field, value) in changes {
            change(&mut object, field, value).map_err(|reason| ScalingError::Change {
                field: field.clone(),
                reason,
            })?;
        }
        let object = serde_path_to_error::deserialize(object);
        let object: ScaledObject = object.map_err(|error| ScalingError::Shape {
            dir: dir.to_owned(),
            field: error.path().to_string(),
            problem: ShapeError::from(error.inner()),
        })?;
        let settings = object
            .settings()
            .map_err(|refusals| ScalingError::Refused {
                dir: dir.to_owned(),
                refusals,
            })?;
        if !settings.others.is_empty() || settings.modifiers.is_some() {
            return Err(ScalingError::Others {
                dir: dir.to_owned(),
            });
        }
        Ok(Self {
            from: dir.to_owned(),
            settings,
            changes: changes.to_vec(),
            pace,
            pod: Pod::of(documents, dir)?,
        })
    }

    /// Applies the scenario's changes to a ScaledObject.
    pub fn change(&self, object: &mut Value) -> Result<(), ScalingError> {
        for (field, value) in &self.changes {
            change(object, field, value).map_err(|reason| ScalingError::Change {
                field: field.clone(),
                reason,
            })?;
        }
        Ok(())
    }

    /// The settings in effect, at the run's pace.
    pub fn effective(&self) -> Settings {
        self.settings.faster(self.pace.times())
    }

    /// A description in one line, for reports.
    pub fn described(&self) -> String {
        let changes = self.changes.iter();
        let changes: Vec<_> = changes
            .map(|(field, value)| format!("{field} {value}"))
            .collect();
        let changes = match &changes[..] {
            [] => String::new(),
            changes => format!(", but with {}", changes.join(", ")),
        };
        format!("model of KEDA and the HPA, settings of k8s{changes}")
    }
}

fn only<'a>(
    documents: &'a [Document],
    kind: &'static str,
    dir: &Path,
) -> Result<&'a Document, ScalingError> {
    let mut of_kind = documents.iter().filter(|it| it.value["kind"] == kind);
    match (of_kind.next(), of_kind.next()) {
        (Some(document), None) => Ok(document),
        _ => Err(count(documents, kind, dir)),
    }
}

pub(super) fn count(documents: &[Document], kind: &'static str, dir: &Path) -> ScalingError {
    let of_kind = documents.iter().filter(|it| it.value["kind"] == kind);
    ScalingError::Count {
        kind,
        dir: dir.to_owned(),
        found: of_kind.count(),
    }
}

/// Sets or removes one field. A numeric text becomes a number, except in a trigger's metadata, which is always text.
fn change(object: &mut Value, field: &str, value: &str) -> Result<(), String> {
    let (path, value) = if TRIGGER.contains(&field) {
        let path = ["spec", "triggers", "0", "metadata", field];
        (path.to_vec(), Value::from(value))
    } else {
        let number = value.parse::<i64>().map(Value::from);
        let value = number.unwrap_or_else(|_| Value::from(value));
        (
            std::iter::once("spec").chain(field.split('.')).collect(),
            value,
        )
    };
    let (last, above) = path.split_last().ok_or("it has no name")?;
    let mut place = object;
    for part in above {
        let next = match part.parse::<usize>() {
            Ok(index) => place.get_mut(index),
            Err(_) => place.get_mut(*part),
        };
        place = next.ok_or_else(|| format!("there is no {part:?} in {}", path.join(".")))?;
    }
    let fields = place
        .as_object_mut()
        .ok_or_else(|| format!("{} holds no fields", above.join(".")))?;
    if value == "none" {
        let removed = fields.remove(*last);
        return removed.map(drop).ok_or_else(|| "it is not set".to_owned());
    }
    fields.insert((*last).to_owned(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn base() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../k8s/base")
    }

    fn changed(changes: &[(&str, &str)]) -> Result<Scaling, ScalingError> {
        let changes = changes
            .iter()
            .map(|(field, value)| ((*field).to_owned(), (*value).to_owned()));
        Scaling::read(&base(), &changes.collect::<Vec<_>>(), Pace::PRODUCTION)
    }

    #[test]
    fn the_base_says_how_it_is_scaled() {
        let scaling = changed(&[]).unwrap();
        assert_eq!(scaling.settings.max_replica_count, 15);
        assert_eq!(scaling.settings.activation_queue_length, 0);
    }

    #[test]
    fn at_a_pace_its_clocks_are_faster_and_its_numbers_the_same() {
        let scaling = Scaling::read(&base(), &[], Pace::new(10).unwrap()).unwrap();
        assert_eq!(scaling.settings.cooldown_period.as_secs(), 300);
        let effective = scaling.effective();
        assert_eq!(effective.cooldown_period.as_secs(), 30);
        assert_eq!(effective.controller.sync_period.as_millis(), 1_500);
        assert_eq!(effective.max_replica_count, 15);
    }

    #[test]
    fn a_scenario_changes_what_it_names() {
        let scaling = changed(&[
            ("cooldownPeriod", "10"),
            ("activationQueueLength", "20"),
            ("advanced", "none"),
        ])
        .unwrap();
        assert_eq!(scaling.settings.cooldown_period, Duration::from_secs(10));
        assert_eq!(scaling.settings.activation_queue_length, 20);
        assert_eq!(scaling.settings.behavior, None);
        let told = "but with cooldownPeriod 10, activationQueueLength 20, advanced none";
        assert!(
            scaling.described().contains(told),
            "{}",
            scaling.described()
        );
    }

    #[test]
    fn a_change_that_makes_no_sense_is_refused_by_name() {
        for (field, value, text) in [
            (
                "colour",
                "red",
                "spec.colour: unknown field colour; there are ",
            ),
            ("advanced.nothing.more", "1", "there is no \"nothing\""),
            ("fallback", "none", "it is not set"),
            ("maxReplicaCount", "-1", "maxReplicaCount"),
            (
                "pollingInterval",
                "soon",
                "spec.pollingInterval: is \"soon\", must be a whole number",
            ),
            (
                "triggers",
                "many",
                "spec.triggers: is \"many\", must be a list",
            ),
        ] {
            let error = anyhow::Error::from(changed(&[(field, value)]).unwrap_err());
            assert!(format!("{error:#}").contains(text), "{error:#}");
        }
    }
}
