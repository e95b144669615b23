//! Makes settings from a manifest, and refuses, field by field, what KEDA and the API server refuse.

mod authentication;
mod behavior;
mod connection;
mod job;
mod kinds;
mod metadata;
mod modifiers;
mod texts;
mod trigger;

use std::time::Duration;

use super::manifest::{self, ScaledObject};
use super::{
    Annotations, Fallback, FallbackBehavior, Paused, Refusal, Refusals, RefusedBy, Settings,
    Surroundings,
};
pub(super) use connection::{NO_VARIABLE, is_variable};
pub(super) use trigger::{AZURE_QUEUE_KEYS, CRON_KEYS};

/// Kinds of Kubernetes itself that users scale or try to scale.
const KINDS: [&str; 7] = [
    "Deployment",
    "StatefulSet",
    "ReplicaSet",
    "DaemonSet",
    "Job",
    "CronJob",
    "Pod",
];

const INT32_MAX: i64 = i32::MAX as i64;
/// Longest name that fits a label (KEDA `scaledobject_webhook.go`, `verifyName`).
const MAX_NAME: usize = 63;

impl ScaledObject {
    /// Makes the settings of this manifest.
    ///
    /// Refuses what KEDA's webhook refuses and the manifest alone shows (KEDA `apis/keda/v1alpha1/scaledobject_webhook.go`),
    /// what the schemas of ScaledObject and HPA refuse (Kubernetes `pkg/apis/autoscaling/validation/validation.go`), and what
    /// this model does not cover. [`Settings::warnings`] reports settings that all of them accept and that are probably
    /// mistakes.
    ///
    /// Assumes that all objects to which the manifest refers exist and are right; [`ScaledObject::settings_in`] checks known
    /// ones.
    pub fn settings(&self) -> Result<Settings, Refusals> {
        self.settings_in(&Surroundings::default())
    }

    /// Makes the settings, using known facts about the cluster.
    pub fn settings_in(&self, around: &Surroundings) -> Result<Settings, Refusals> {
        let mut check = Check::of("ScaledObject");
        check.identity(self);
        check.metadata(&self.metadata);
        let defaults = Settings::default();
        let spec = &self.spec;
        let mut settings = Settings {
            polling_interval: check.seconds("spec.pollingInterval", spec.polling_interval, 1, 30),
            cooldown_period: check.seconds("spec.cooldownPeriod", spec.cooldown_period, 0, 300),
            initial_cooldown_period: check.seconds(
                "spec.initialCooldownPeriod",
                spec.initial_cooldown_period,
                0,
                0,
            ),
            fallback: spec.fallback.as_ref().map(|it| check.fallback(it, spec)),
            annotations: check.annotations(self),
            ..defaults
        };
        check.replicas(spec, &mut settings);
        check.triggers(spec, around, &mut settings);
        if let Some(advanced) = &spec.advanced {
            settings.behavior = check.advanced(advanced);
            let modifiers = advanced.scaling_modifiers.as_ref();
            settings.modifiers = modifiers.and_then(|it| check.modifiers(it, &settings));
        }
        check.done(settings)
    }
}

/// The value of KEDA's annotation `name`.
fn annotation<'a>(metadata: &'a manifest::Metadata, name: &str) -> Option<&'a String> {
    let key = format!("autoscaling.keda.sh/{name}");
    metadata.annotations.get(&key)
}

/// Whether an annotation is true (KEDA `getBoolAnnotation`: a value that is not a boolean counts as true).
fn is_set(metadata: &manifest::Metadata, name: &str) -> bool {
    annotation(metadata, name)
        .is_some_and(|text| !matches!(text.as_str(), "0" | "f" | "F" | "false" | "FALSE" | "False"))
}

/// Collects the errors in an object.
struct Check {
    /// The object's kind.
    object: &'static str,
    refusals: Vec<Refusal>,
}

impl Check {
    /// Makes an empty collection for an object of this kind.
    fn of(object: &'static str) -> Self {
        let refusals = Vec::new();
        Self { object, refusals }
    }

    /// Returns `settings` if there are no errors.
    fn done<T>(self, settings: T) -> Result<T, Refusals> {
        if self.refusals.is_empty() {
            Ok(settings)
        } else {
            Err(Refusals(self.refusals))
        }
    }

    fn refuse(&mut self, by: RefusedBy, field: impl Into<String>, reason: impl Into<String>) {
        self.refusals.push(Refusal {
            object: self.object,
            field: field.into(),
            reason: reason.into(),
            by,
        });
    }

    /// Returns `value` if it is in range; otherwise refuses it and returns `min`, so that the check can continue.
    fn number(&mut self, by: RefusedBy, field: &str, value: i64, min: i64, max: i64) -> u32 {
        let checked = u32::try_from(value)
            .ok()
            .filter(|_| (min..=max).contains(&value));
        checked.unwrap_or_else(|| {
            self.refuse(by, field, format!("is {value}, must be {min} to {max}"));
            u32::try_from(min).unwrap_or_default()
        })
    }

    fn seconds(&mut self, field: &str, value: Option<i64>, min: i64, default: i64) -> Duration {
        let value = value.unwrap_or(default);
        let seconds = self.number(RefusedBy::Schema, field, value, min, INT32_MAX);
        Duration::from_secs(seconds.into())
    }

    fn identity(&mut self, object: &ScaledObject) {
        let (version, kind) = (&object.api_version, &object.kind);
        if version != "keda.sh/v1alpha1" || kind != "ScaledObject" {
            let reason = format!("is {version} {kind}, must be keda.sh/v1alpha1 ScaledObject");
            self.refuse(RefusedBy::Schema, "kind", reason);
        }
        let hpa = |config: &manifest::Advanced| {
            config
                .horizontal_pod_autoscaler_config
                .as_ref()?
                .name
                .clone()
        };
        let name = &object.metadata.name;
        let named = object.spec.advanced.as_ref().and_then(hpa);
        let named = named.filter(|hpa| !hpa.is_empty());
        let hpa = named.clone().unwrap_or_else(|| format!("keda-hpa-{name}"));
        if let Some(hpa) = &named {
            self.hpa_name(hpa);
        }
        if name.len() > MAX_NAME || (named.is_none() && hpa.len() > MAX_NAME) {
            let reason = format!(
                "{name:?} makes an HPA called {hpa:?}: both must fit {MAX_NAME} characters"
            );
            self.refuse(RefusedBy::Keda, "metadata.name", reason);
        }
        self.target(&object.spec.scale_target_ref);
        if object.spec.scale_target_ref.name.is_empty() {
            let reason = "is missing: name the Deployment to scale";
            self.refuse(RefusedBy::Schema, "spec.scaleTargetRef.name", reason);
        }
    }

    /// Checks the HPA's name. KEDA `hpa.go`, `getHPAName`, uses it unchanged; KEDA refuses a name that is too long, and the API
    /// server an invalid one (Kubernetes `pkg/apis/autoscaling/validation/validation.go`,
    /// `ValidateHorizontalPodAutoscalerName`).
    fn hpa_name(&mut self, hpa: &str) {
        let field = "spec.advanced.horizontalPodAutoscalerConfig.name";
        if hpa.len() > MAX_NAME {
            let reason = format!("is longer than {MAX_NAME} characters");
            self.refuse(RefusedBy::Keda, field, reason);
        } else if !metadata::is_subdomain(hpa) {
            let reason = format!(
                "is {hpa:?}, must be small letters, digits, '-' and '.', with a letter or digit at both ends of each part (RFC 1123)"
            );
            self.refuse(RefusedBy::Hpa, field, reason);
        }
    }

    /// Checks the scale target. KEDA `scaledobject_controller.go`, `checkTargetResourceIsScalable`: an object without a scale
    /// subresource is not scaled. Kinds of other groups are unknown here.
    fn target(&mut self, target: &manifest::ScaleTargetRef) {
        let group = target.api_version.as_deref().unwrap_or_default();
        let (Some(kind), "" | "v1" | "apps/v1" | "batch/v1") = (target.kind.as_deref(), group)
        else {
            return;
        };
        let meant = KINDS.into_iter().find(|it| it.eq_ignore_ascii_case(kind));
        if let Some(meant) = meant.filter(|it| *it != kind) {
            let reason =
                format!("is {kind:?}, and kinds are told apart by their letters: write {meant}");
            return self.refuse(RefusedBy::Keda, "spec.scaleTargetRef.kind", reason);
        }
        let instead = match kind {
            "DaemonSet" => "it has a pod on each node; name a Deployment or a StatefulSet",
            "Job" | "CronJob" => "write a ScaledJob, or name a Deployment or a StatefulSet",
            "Pod" => "name a Deployment or a StatefulSet",
            _ => return,
        };
        let reason =
            format!("is {kind}, which has no scale subresource that KEDA could set: {instead}");
        self.refuse(RefusedBy::Keda, "spec.scaleTargetRef.kind", reason);
    }

    /// KEDA `scaledobject_types.go`, `CheckReplicaCountBoundsAreValid`: an explicit minimum of 0 counts as 1 there, so that
    /// `idleReplicaCount: 0` passes with `minReplicaCount: 0` and not without.
    fn replicas(&mut self, spec: &manifest::Spec, settings: &mut Settings) {
        let schema = RefusedBy::Schema;
        let bound = spec.min_replica_count.map_or(0, |min| min.max(1));
        settings.min_replica_count = spec.min_replica_count.map_or(0, |min| {
            self.number(schema, "spec.minReplicaCount", min, 0, INT32_MAX)
        });
        let max = spec.max_replica_count.unwrap_or(100);
        settings.max_replica_count = self.number(schema, "spec.maxReplicaCount", max, 1, INT32_MAX);
        if max >= 1 && bound > max {
            let reason =
                format!("is {bound}, must not be more than maxReplicaCount, which is {max}");
            self.refuse(RefusedBy::Keda, "spec.minReplicaCount", reason);
        }
        if let Some(idle) = spec.idle_replica_count {
            let field = "spec.idleReplicaCount";
            settings.idle_replica_count = Some(self.number(schema, field, idle, 0, INT32_MAX));
            if idle >= bound {
                let reason =
                    format!("is {idle}, must be less than minReplicaCount, which is {bound}");
                self.refuse(RefusedBy::Keda, field, reason);
            }
        }
    }

    /// KEDA `scaledobject_types.go`, `Fallback` and `CheckFallbackValid`; `scaledobject_webhook.go`, `verifyScaledObjects`.
    fn fallback(&mut self, fallback: &manifest::Fallback, spec: &manifest::Spec) -> Fallback {
        let schema = RefusedBy::Schema;
        let threshold = fallback.failure_threshold;
        let field = "spec.fallback.behavior";
        Fallback {
            failure_threshold: self.number(
                schema,
                "spec.fallback.failureThreshold",
                threshold,
                0,
                INT32_MAX,
            ),
            replicas: self.number(
                schema,
                "spec.fallback.replicas",
                fallback.replicas,
                0,
                INT32_MAX,
            ),
            behavior: match fallback.behavior.as_deref() {
                None | Some("static" | "") => FallbackBehavior::Static,
                Some("currentReplicas") => FallbackBehavior::CurrentReplicas,
                Some("currentReplicasIfHigher") => FallbackBehavior::CurrentReplicasIfHigher,
                Some("currentReplicasIfLower") => FallbackBehavior::CurrentReplicasIfLower,
                Some("scalingModifiers") if modifiers::has_formula(spec) => {
                    FallbackBehavior::ScalingModifiers
                }
                Some("scalingModifiers") => {
                    let reason = "is scalingModifiers, which needs scalingModifiers.formula";
                    self.refuse(RefusedBy::Keda, field, reason);
                    FallbackBehavior::Static
                }
                Some(other) => {
                    let reason = format!(
                        "is {other:?}, must be static, currentReplicas, currentReplicasIfHigher, currentReplicasIfLower or \
                         scalingModifiers"
                    );
                    self.refuse(schema, field, reason);
                    FallbackBehavior::Static
                }
            },
        }
    }

    /// KEDA `scaledobject_types.go`, `NeedToBePausedByAnnotation` (a count pauses whatever `paused` says) and
    /// `getBoolAnnotation` (what is no boolean counts as true).
    fn annotations(&mut self, object: &ScaledObject) -> Annotations {
        let set = |name| is_set(&object.metadata, name);
        let paused = match annotation(&object.metadata, "paused-replicas") {
            Some(text) => {
                let count = text
                    .parse::<i32>()
                    .ok()
                    .and_then(|it| u32::try_from(it).ok());
                if count.is_none() {
                    let field = "metadata.annotations.autoscaling.keda.sh/paused-replicas";
                    let reason = format!("is {text:?}, must be a number of replicas");
                    self.refuse(RefusedBy::Keda, field, reason);
                }
                Some(count.map_or(Paused::Here, Paused::At))
            }
            None => set("paused").then_some(Paused::Here),
        };
        Annotations {
            paused,
            paused_scale_in: set("paused-scale-in"),
            paused_scale_out: set("paused-scale-out"),
            force_activation: set("force-activation"),
        }
    }
}
