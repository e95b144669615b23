//! `metadata`: the API server's checks for every custom resource (Kubernetes `apimachinery/pkg/api/validation/objectmeta.go`,
//! `ValidateObjectMetaAccessor`, which `apiextensions-apiserver` calls with `NameIsDNSSubdomain`).

use super::super::RefusedBy;
use super::super::manifest::Metadata;
use super::Check;

/// Kubernetes `apimachinery/pkg/util/validation/validation.go`, `DNS1123SubdomainMaxLength`.
const MAX_SUBDOMAIN: usize = 253;
/// `DNS1123LabelMaxLength`, `LabelValueMaxLength` and `qualifiedNameMaxLength` there.
const MAX_LABEL: usize = 63;

impl Check {
    /// Refuses invalid names, labels and annotation keys.
    pub(super) fn metadata(&mut self, metadata: &Metadata) {
        let name = &metadata.name;
        if name.is_empty() {
            let reason = "is missing: `kubectl apply` finds an object by it";
            self.refuse(RefusedBy::Schema, "metadata.name", reason);
        } else if !is_subdomain(name) {
            self.refuse(
                RefusedBy::Schema,
                "metadata.name",
                format!(
                    "is {name:?}, must be small letters, digits, '-' and '.', with a letter or digit at both ends of each part \
                     (RFC 1123), such as {:?}",
                    proposed(name)
                ),
            );
        }
        let namespace = metadata.namespace.as_deref();
        if let Some(namespace) = namespace.filter(|it| !it.is_empty() && !is_label(it)) {
            let reason = format!(
                "is {namespace:?}, must be small letters, digits and '-', with a letter or digit at both ends (RFC 1123)"
            );
            self.refuse(RefusedBy::Schema, "metadata.namespace", reason);
        }
        for (key, value) in &metadata.labels {
            let field = format!("metadata.labels.{key}");
            if !is_qualified(key) {
                self.refuse(RefusedBy::Schema, field, KEY);
            } else if !value.is_empty() && !is_word(value) {
                let reason = format!(
                    "is {value:?}, must be at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends"
                );
                self.refuse(RefusedBy::Schema, field, reason);
            }
        }
        for key in metadata.annotations.keys() {
            // `ValidateAnnotations` converts keys to lower case first.
            if !is_qualified(&key.to_ascii_lowercase()) {
                let field = format!("metadata.annotations.{key}");
                self.refuse(RefusedBy::Schema, field, KEY);
            }
        }
    }
}

/// The reason for refusing a key.
const KEY: &str = "is no key: write [<domain>/]<name>, with a name of at most 63 letters, digits, '-', '_' and '.', a letter or \
                   digit at both ends";

/// `IsDNS1123Subdomain`.
pub(super) fn is_subdomain(text: &str) -> bool {
    text.len() <= MAX_SUBDOMAIN && text.split('.').all(is_part)
}

/// `IsDNS1123Label`.
pub(super) fn is_label(text: &str) -> bool {
    text.len() <= MAX_LABEL && is_part(text)
}

fn is_part(text: &str) -> bool {
    let small = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    has_ends(text, small) && text.bytes().all(|byte| small(byte) || byte == b'-')
}

/// `IsQualifiedName`.
fn is_qualified(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, name)) => is_subdomain(prefix) && is_word(name),
        None => is_word(key),
    }
}

/// Whether a text is valid as the value of a label, or as the name part of a key.
fn is_word(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric();
    let inner = |byte: u8| plain(byte) || b"-_.".contains(&byte);
    text.len() <= MAX_LABEL && has_ends(text, plain) && text.bytes().all(inner)
}

/// Whether `is` holds for the first and the last byte.
fn has_ends(text: &str, is: impl Fn(u8) -> bool) -> bool {
    let ends = [text.bytes().next(), text.bytes().next_back()];
    ends.into_iter().all(|end| end.is_some_and(&is))
}

/// A proposal for a valid name.
fn proposed(name: &str) -> String {
    let small = |letter: char| match letter.to_ascii_lowercase() {
        letter @ ('a'..='z' | '0'..='9') => letter,
        _ => '-',
    };
    let name: String = name.chars().map(small).take(MAX_LABEL).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "orders" } else { name }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(metadata: &Metadata) -> Vec<String> {
        let mut check = Check::of("ScaledObject");
        check.metadata(metadata);
        check.refusals.into_iter().map(|it| it.field).collect()
    }

    fn named(name: &str) -> Metadata {
        Metadata {
            name: name.to_owned(),
            ..Metadata::default()
        }
    }

    #[test]
    fn names_are_those_of_rfc_1123() {
        for name in ["a", "so-1", "orders.v2", "0", &"a".repeat(253)] {
            assert_eq!(refused(&named(name)), [""; 0], "{name}");
        }
        for name in [
            "",
            "SO_1",
            "so_1",
            "So",
            "-a",
            "a-",
            ".a",
            "a.",
            "a..b",
            "a.-b",
            "a b",
            "größe",
            "a/b",
            &"a".repeat(254),
        ] {
            assert_eq!(refused(&named(name)), ["metadata.name"], "{name}");
        }
        assert_eq!(proposed("SO_1"), "so-1");
        assert_eq!(proposed("__"), "orders");
    }

    #[test]
    fn namespaces_labels_and_annotations_are_those_that_objects_have() {
        let mut metadata = named("a");
        metadata.namespace = Some("edw.1".to_owned());
        for (key, value) in [
            ("app", "Orders_1.x"),
            ("app.kubernetes.io/part-of", ""),
            ("bad key", "x"),
            ("/x", "x"),
            ("a/b/c", "x"),
            ("Team.example.com/x", "x"),
            ("team", "a b"),
            ("owner", "-x"),
        ] {
            metadata.labels.insert(key.to_owned(), value.to_owned());
        }
        for key in ["Example.com/Note", "note", "my note"] {
            let text = "whatever it says: \u{1f600}".to_owned();
            metadata.annotations.insert(key.to_owned(), text);
        }
        assert_eq!(
            refused(&metadata),
            [
                "metadata.namespace",
                "metadata.labels./x",
                "metadata.labels.Team.example.com/x",
                "metadata.labels.a/b/c",
                "metadata.labels.bad key",
                "metadata.labels.owner",
                "metadata.labels.team",
                "metadata.annotations.my note",
            ]
        );
        assert!(is_label("edw") && !is_label(&"a".repeat(64)));
    }
}
