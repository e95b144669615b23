//! Relations that no schema checks: each broken one is a [`Problem`] with its own name.

mod lifecycle;
mod placement;
mod scaling;
mod security;
mod settings;
mod surroundings;

use std::fmt;

use autoscaler::manifest::{JobSpec, Spec};

use super::pod::{Container, Deployment};
use super::{Item, Manifests};
use settings::Settings;

/// A broken relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The relation's name, such as `cooldown-not-longer-than-polling`.
    pub name: &'static str,
    /// The file, or the rendered overlay.
    pub file: String,
    /// Kind and name of the object.
    pub object: String,
    /// The field in the object.
    pub field: String,
    /// What is wrong, and what to do.
    pub advice: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            file,
            object,
            field,
            advice,
        } = self;
        write!(f, "{file}: {object} {field}: {advice} ({name})")
    }
}

impl<T> Item<T> {
    fn problem(
        &self,
        name: &'static str,
        field: impl Into<String>,
        advice: impl Into<String>,
    ) -> Problem {
        Problem {
            name,
            file: self.file.clone(),
            object: self.object(),
            field: field.into(),
            advice: advice.into(),
        }
    }
}

/// A scaled Deployment, with the objects that belong to it.
struct Workload<'a> {
    manifests: &'a Manifests,
    scaled: &'a Item<Spec>,
    deployment: &'a Item<Deployment>,
    container: &'a Container,
    settings: Settings,
}

impl Workload<'_> {
    /// The path of a field in the container.
    fn container_field(&self, field: &str) -> String {
        format!(
            "spec.template.spec.containers[{}].{field}",
            self.container.name
        )
    }
}

/// All problems in `manifests`, in no particular order.
pub fn check(manifests: &Manifests) -> Vec<Problem> {
    let mut problems = Vec::new();
    security::check_namespaces(manifests, &mut problems);
    for deployment in &manifests.deployments {
        security::check(deployment, &mut problems);
        surroundings::check_selectors(deployment, manifests, &mut problems);
    }
    if manifests.scaled_objects.is_empty() {
        problems.push(Problem {
            name: "nothing-scaled",
            file: manifests
                .deployments
                .first()
                .map_or_else(|| "the manifests".to_owned(), |item| item.file.clone()),
            object: "ScaledObject".to_owned(),
            field: "kind".to_owned(),
            advice: "there is none; add the one that scales the consumers".to_owned(),
        });
    }
    for scaled in &manifests.scaled_objects {
        let settings = scaling::check(scaled, manifests, &mut problems);
        check_workload(scaled, settings.as_ref(), manifests, &mut problems);
    }
    problems
}

/// The problems of a ScaledJob with the authentications that it names.
pub fn check_job(scaled: &Item<JobSpec>, manifests: &Manifests) -> Vec<Problem> {
    let mut problems = Vec::new();
    scaling::authentication(scaled, &scaled.spec.triggers, manifests, &mut problems);
    problems
}

fn check_workload(
    scaled: &Item<Spec>,
    scaling: Option<&autoscaler::Settings>,
    manifests: &Manifests,
    problems: &mut Vec<Problem>,
) {
    let target = &scaled.spec.scale_target_ref;
    let deployment = manifests.target(scaled);
    let Some((deployment, container)) =
        deployment.and_then(|item| Some((item, item.spec.template.spec.containers.first()?)))
    else {
        problems.push(scaled.problem(
            "scale-target-unknown",
            "spec.scaleTargetRef",
            format!(
                "there is no {}/{} here; name the Deployment of the consumers",
                scaled.target_kind(),
                target.name
            ),
        ));
        return;
    };
    let workload = Workload {
        manifests,
        scaled,
        deployment,
        container,
        settings: settings::read(deployment, container, manifests, problems),
    };
    scaling::check_workload(&workload, scaling, problems);
    lifecycle::check(&workload, problems);
    placement::check(&workload, problems);
    surroundings::check(&workload, problems);
}
