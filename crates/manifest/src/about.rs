//! Reads manifests for one object: errors in unrelated objects are left out.

use std::collections::BTreeSet;

use autoscaler::manifest::{Parameter, Trigger};

use super::pod::{Container, JobTarget};
use super::{Document, ManifestError, Manifests};

/// Kinds that KEDA scales.
const SCALED: [&str; 2] = ["ScaledObject", "ScaledJob"];

/// Kind and name of an object.
type Object = (String, String);

impl Manifests {
    /// Reads each document, as [`Manifests::from_documents`] does, for the ScaledObject or ScaledJob `name`. An unreadable
    /// object is left out, unless it is this one, or this one refers to it. Also returns descriptions of what was left out.
    pub fn about(documents: &[Document], name: &str) -> Result<(Self, Vec<String>), ManifestError> {
        let mut manifests = Self::default();
        let mut unread = Vec::new();
        for document in documents {
            if let Err(error) = manifests.add(document) {
                unread.push((object(document), error));
            }
        }
        let referred = manifests.referred_to(name);
        let mut left_out = Vec::new();
        for ((kind, of), error) in unread {
            let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
            let is_named = of == name && SCALED.iter().any(|it| same(it, &kind));
            let is_referred = |(it, its): &Object| same(it, &kind) && *its == of;
            if is_named || referred.iter().any(is_referred) {
                return Err(error);
            }
            left_out.push(format!(
                "{kind}/{of}: is left out, since {name} does not name it: failed to {error}"
            ));
        }
        Ok((manifests, left_out))
    }

    /// The objects to which the ScaledObject or ScaledJob `name` refers, directly or indirectly.
    fn referred_to(&self, name: &str) -> BTreeSet<Object> {
        let mut found = BTreeSet::new();
        for scaled in self
            .scaled_objects
            .iter()
            .filter(|it| it.metadata.name == name)
        {
            let target = scaled.spec.scale_target_ref.name.clone();
            found.insert((scaled.target_kind().to_owned(), target));
            let target = self.target(scaled);
            let containers = target.map(|it| &*it.spec.template.spec.containers);
            self.add_referred(
                &scaled.spec.triggers,
                containers.unwrap_or_default(),
                &mut found,
            );
        }
        for scaled in self
            .scaled_jobs
            .iter()
            .filter(|it| it.metadata.name == name)
        {
            let containers = self.job_target(scaled).map(JobTarget::containers);
            self.add_referred(
                &scaled.spec.triggers,
                containers.unwrap_or_default(),
                &mut found,
            );
        }
        found
    }

    fn add_referred(
        &self,
        triggers: &[Trigger],
        containers: &[Container],
        found: &mut BTreeSet<Object>,
    ) {
        let config_map = |name: &str| ("ConfigMap".to_owned(), name.to_owned());
        let references = triggers
            .iter()
            .filter_map(|it| it.authentication_ref.as_ref());
        for reference in references {
            let kind = reference.kind.as_deref().unwrap_or("TriggerAuthentication");
            let read = self.authentications.iter();
            let read = read.filter(|it| it.kind == kind && it.metadata.name == reference.name);
            let entries = read.flat_map(|it| &it.spec.config_map_target_ref);
            let named = |entry: &Parameter| entry.name.as_deref().map(config_map);
            found.extend(entries.filter_map(named));
            let read = self.authentications.iter();
            let read = read.filter(|it| it.kind == kind && it.metadata.name == reference.name);
            let entries = read.flat_map(|it| &it.spec.secret_target_ref);
            let secrets = entries.filter_map(|it| it.name.clone());
            found.extend(secrets.map(|name| ("Secret".to_owned(), name)));
            found.insert((kind.to_owned(), reference.name.clone()));
        }
        let maps = containers.iter().flat_map(|it| &it.env_from);
        let maps = maps.filter_map(|it| it.config_map_ref.as_ref());
        found.extend(maps.map(|it| config_map(&it.name)));
    }
}

/// The kind and name in a document.
fn object(document: &Document) -> Object {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let Document { value, .. } = document;
    (text(&value["kind"]), text(&value["metadata"]["name"]))
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    const WRONG: &str = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: NAME}\nspec: {replicas: many}\n";

    fn scaled(name: &str, spec: &str) -> String {
        format!(
            "---\napiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {{name: {name}}}\nspec: {{scaleTargetRef: {{name: app}}, \
             triggers: [{{type: azure-queue, authenticationRef: {{name: auth}}, metadata: {{}}}}]{spec}}}\n"
        )
    }

    fn about(text: &str) -> Result<Vec<String>, ManifestError> {
        let documents = parse("all.yaml", text).unwrap();
        Manifests::about(&documents, "a").map(|(manifests, left_out)| {
            assert_eq!(manifests.scaled_objects.len(), 1);
            left_out
        })
    }

    #[test]
    fn what_is_wrong_elsewhere_does_not_matter() {
        let a = scaled("a", "");
        assert_eq!(about(&a).unwrap(), [""; 0]);
        for other in [
            scaled("b", ", maxReplicaCuont: 3"),
            WRONG.replace("NAME", "other"),
            WRONG
                .replace("NAME", "other")
                .replace("Deployment", "deployment"),
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {a: 1}\n".to_owned(),
        ] {
            let left_out = about(&format!("{a}{other}")).expect(&other);
            assert_eq!(left_out.len(), 1, "{other}");
            assert!(left_out[0].contains("a does not name it"), "{left_out:?}");
            let documents = parse("all.yaml", &format!("{a}{other}")).unwrap();
            assert!(Manifests::from_documents(&documents).is_err(), "{other}");
        }
    }

    #[test]
    fn what_it_is_and_what_it_refers_to_matters() {
        let a = scaled("a", "");
        let authentication = "---\napiVersion: keda.sh/v1alpha1\nkind: TriggerAuthentication\nmetadata: {name: auth}\nspec: ";
        let deployment = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\nspec:\n  selector: {matchLabels: {a: b}}\n  \
                          template:\n    metadata: {labels: {a: b}}\n    spec: {containers: [{name: main, image: app, envFrom: \
                          [{configMapRef: {name: m}}]}]}\n";
        let map = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {a: 1}\n";
        for text in [
            scaled("a", ", maxReplicaCuont: 3"),
            a.clone() + &WRONG.replace("NAME", "app"),
            format!("{a}{authentication}{{podIdentiy: {{}}}}\n"),
            format!("{a}{deployment}{map}"),
            format!(
                "{a}{authentication}{{configMapTargetRef: [{{parameter: connection, name: m, key: k}}]}}\n{map}"
            ),
        ] {
            assert!(about(&text).is_err(), "{text}");
        }
    }
}
