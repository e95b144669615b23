//! Reads manifests for one object: errors in unrelated objects and documents are left out.

use std::collections::BTreeSet;

use autoscaler::manifest::{Parameter, Trigger};

use super::pod::{Container, JobTarget};
use super::{Document, ManifestError, Manifests, Reading};

/// Kinds that KEDA scales.
pub(super) const SCALED: [&str; 2] = ["ScaledObject", "ScaledJob"];

/// Kind and name of an object.
pub(super) type Object = (String, String);

impl Manifests {
    /// Reads each document, as [`Manifests::from_documents`] does, for the ScaledObject or ScaledJob `name`. An unreadable
    /// object is left out, unless it is this one, or this one refers to it. Also returns descriptions of what was left out.
    pub fn about(reading: Reading, name: &str) -> Result<(Self, Vec<String>), ManifestError> {
        let mut manifests = Self::default();
        let mut unread = Vec::new();
        for document in &reading.documents {
            if let Err(error) = manifests.add(document) {
                unread.push((object(document), error));
            }
        }
        let is_there = manifests.has_scaled(name);
        unread.extend(reading.broken.into_iter().map(|it| (it.object, it.error)));
        let referred = manifests.referred_to(name);
        let mut left_out = Vec::new();
        for ((kind, of), error) in unread {
            let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
            let is_scaled = SCALED.iter().any(|it| same(it, &kind));
            let is_named = is_scaled && of == name;
            // What it is cannot be told: it may be this object.
            let may_be = !is_there && (kind.is_empty() || is_scaled && of.is_empty());
            let is_referred = |(it, its): &Object| same(it, &kind) && *its == of;
            if is_named || may_be || referred.iter().any(is_referred) {
                return Err(error);
            }
            left_out.push(if kind.is_empty() || of.is_empty() {
                format!("a document is left out, since it is not {name}: failed to {error}")
            } else {
                format!(
                    "{kind}/{of}: is left out, since {name} does not name it: failed to {error}"
                )
            });
        }
        Ok((manifests, left_out))
    }

    /// Whether there is a ScaledObject or a ScaledJob `name`.
    fn has_scaled(&self, name: &str) -> bool {
        let mut objects = self.scaled_objects.iter();
        let mut jobs = self.scaled_jobs.iter();
        objects.any(|it| it.metadata.name == name) || jobs.any(|it| it.metadata.name == name)
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
        let variables = triggers
            .iter()
            .filter_map(|it| it.metadata.get("connectionFromEnv"));
        let secrets =
            variables.flat_map(|name| containers.iter().flat_map(|it| secrets_of(it, &name.0)));
        found.extend(secrets.map(|name| ("Secret".to_owned(), name)));
    }
}

/// The Secrets from which `container` has the variable `name`, or may have it.
fn secrets_of(container: &Container, name: &str) -> Vec<String> {
    if let Some(variable) = container.env.iter().find(|it| it.name == name) {
        let source = variable.value_from.as_ref();
        let secret = source.and_then(|it| it.get("secretKeyRef")?["name"].as_str());
        return secret.map(str::to_owned).into_iter().collect();
    }
    let all = container.env_from.iter();
    all.filter_map(|it| Some(it.secret_ref.as_ref()?.name.clone()))
        .collect()
}

/// The kind and name in a document.
fn object(document: &Document) -> Object {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let Document { value, .. } = document;
    (text(&value["kind"]), text(&value["metadata"]["name"]))
}

#[cfg(test)]
mod tests {
    use super::super::apart::parse_apart;
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
        Manifests::about(parse_apart("all.yaml", text), "a").map(|(manifests, left_out)| {
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

    /// A document that is no YAML matters if it is what the object refers to, or may be the object itself.
    #[test]
    fn a_document_that_is_no_yaml_matters_only_where_it_is_meant() {
        let a = scaled("a", "");
        let wrong = "---\nkind: Deployment\nmetadata:\n  name: NAME\nspec:\n\treplicas: 1\n";
        for (other, words) in [
            (
                wrong.replace("NAME", "other"),
                "Deployment/other: is left out, since a does not name it",
            ),
            (
                "---\na: b: c\n".to_owned(),
                "a document is left out, since it is not a",
            ),
        ] {
            let left_out = about(&format!("{a}{other}")).expect(&other);
            assert!(left_out[0].starts_with(words), "{left_out:?}");
            assert!(
                left_out[0].contains("failed to read all.yaml as YAML: line "),
                "{left_out:?}"
            );
        }
        let refused = |text: &str| {
            Manifests::about(parse_apart("all.yaml", text), "a")
                .unwrap_err()
                .to_string()
        };
        let needed = refused(&format!("{a}{}", wrong.replace("NAME", "app")));
        assert!(needed.contains("a tab indents this line"), "{needed}");
        let itself = refused(&format!(
            "{}{}",
            scaled("b", ""),
            a.replace("{name: a}", "{name: a}: x")
        ));
        assert!(
            itself.starts_with("read all.yaml as YAML: line "),
            "{itself}"
        );
        let unknown = refused(&format!("{}---\na: b: c\n", scaled("b", "")));
        assert!(
            unknown.starts_with("read all.yaml as YAML: line "),
            "{unknown}"
        );
    }

    /// Placeholders in Secrets (`data: {key: <your key>}`) are no base64, which the API server refuses (Go `encoding/json`, `[]byte`).
    #[test]
    fn a_secret_with_a_placeholder_matters_only_if_the_trigger_needs_it() {
        let from_env = scaled("a", "").replace(
            "authenticationRef: {name: auth}, metadata: {}",
            "metadata: {connectionFromEnv: C}",
        );
        let secret =
            "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {key: <your key>}\n";
        let deployment = |env: &str| {
            format!(
                "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: app}}\nspec:\n  selector: {{matchLabels: {{a: b}}}}\n  \
                 template:\n    metadata: {{labels: {{a: b}}}}\n    spec: {{containers: [{{name: main, image: app, {env}}}]}}\n"
            )
        };
        let authentication = "---\napiVersion: keda.sh/v1alpha1\nkind: TriggerAuthentication\nmetadata: {name: auth}\nspec: \
                              {secretTargetRef: [{parameter: connection, name: s, key: key}]}\n";
        let a = scaled("a", "");
        for other in [
            a.clone(),
            format!("{a}{}", authentication.replace("name: s,", "name: t,")),
            format!(
                "{from_env}{}",
                deployment(
                    "env: [{name: D, valueFrom: {secretKeyRef: {name: s, key: key}}}, {name: C, value: x}]"
                )
            ),
            format!(
                "{from_env}{}",
                deployment("env: [{name: C, value: x}], envFrom: [{secretRef: {name: s}}]")
            ),
        ] {
            let left_out = about(&format!("{other}{secret}")).expect(&other);
            assert!(
                left_out[0].starts_with("Secret/s: is left out"),
                "{left_out:?}"
            );
        }
        for needs in [
            format!("{a}{authentication}"),
            format!(
                "{from_env}{}",
                deployment("env: [{name: C, valueFrom: {secretKeyRef: {name: s, key: key}}}]")
            ),
            format!(
                "{from_env}{}",
                deployment("envFrom: [{secretRef: {name: s}}]")
            ),
        ] {
            let text = format!("{needs}{secret}");
            assert!(
                about(&text)
                    .unwrap_err()
                    .to_string()
                    .contains("data.key: is no base64"),
                "{text}"
            );
        }
    }
}
