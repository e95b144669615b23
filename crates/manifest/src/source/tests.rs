//! Tests of reading files in the forms that users have.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;

const OBJECT: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: größe\n";

fn directory(files: &[(&str, &str)]) -> TempDir {
    let dir = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

fn names(path: &Path) -> Vec<String> {
    let documents = read(path).unwrap();
    let name = |it: &Document| it.value["metadata"]["name"].as_str().unwrap().to_owned();
    documents.iter().map(name).collect()
}

fn refusal(path: &Path) -> String {
    format!("{:#}", anyhow::Error::from(read(path).unwrap_err()))
}

/// `PowerShell`'s `>` writes UTF-16 with a byte order mark, spreadsheets and old editors UTF-8 with one.
#[test]
fn every_unicode_encoding_is_read() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a.yaml");
    let little = OBJECT.encode_utf16().flat_map(u16::to_le_bytes);
    let big = OBJECT.encode_utf16().flat_map(u16::to_be_bytes);
    let (little, big): (Vec<u8>, Vec<u8>) = (little.collect(), big.collect());
    for bytes in [
        OBJECT.as_bytes().to_vec(),
        [&[0xef, 0xbb, 0xbf], OBJECT.as_bytes()].concat(),
        [&[0xff, 0xfe], little.as_slice()].concat(),
        [&[0xfe, 0xff], big.as_slice()].concat(),
        little,
        big,
    ] {
        fs::write(&path, bytes).unwrap();
        assert_eq!(names(&path), ["größe"]);
    }
    fs::write(&path, b"kind: \xe4\xf6").unwrap();
    assert!(refusal(&path).contains("neither UTF-8 nor UTF-16"));
}

/// Source: kustomize `api/konfig/general.go`, `RecognizedKustomizationFileNames`; `kusttarget.go`, `LoadKustFile`.
#[test]
fn a_kustomization_has_three_names_and_is_alone() {
    let kustomization = "resources:\n  - a.yaml\n";
    for name in ["kustomization.yaml", "kustomization.yml", "Kustomization"] {
        // The other file is not listed.
        let dir = directory(&[
            (name, kustomization),
            ("a.yaml", OBJECT),
            ("b.yaml", OBJECT),
        ]);
        assert_eq!(names(dir.path()), ["größe"], "{name}");
        assert_eq!(names(&dir.path().join(name)), ["größe"], "{name} itself");
    }
    let dir = directory(&[("kustomization.yml", ""), ("Kustomization", "")]);
    assert!(refusal(dir.path()).contains("kustomization.yml and Kustomization"));
}

/// Source: Kubernetes `cli-runtime/pkg/resource/builder.go`, `FileExtensions`.
#[test]
fn a_directory_without_a_kustomization_is_read_as_kubectl_applies_it() {
    let json = r#"{"kind": "ConfigMap", "metadata": {"name": "c"}}"#;
    let other = "kind: ConfigMap\nmetadata: {name: b}\n";
    let dir = directory(&[
        ("b.yml", other),
        ("a.yaml", OBJECT),
        ("c.json", json),
        ("d.txt", "{"),
    ]);
    assert_eq!(names(dir.path()), ["größe", "b", "c"]);
    let empty = directory(&[("d.txt", "{")]);
    assert!(refusal(empty.path()).contains("find a kustomization, or files that end in"));
}

#[test]
fn what_helm_makes_manifests_of_is_to_be_rendered_first() {
    let chart = directory(&[("Chart.yaml", "name: a\n"), ("values.yaml", "a: 1\n")]);
    let text = refusal(chart.path());
    assert!(text.contains("chart of Helm"), "{text}");
    assert!(text.contains("| harness simulate -"), "{text}");
    for template in [
        "{{- if .Values.keda }}\nkind: ScaledObject\n{{- end }}\n",
        "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: \"{{ .Release.Name }}\"}\n",
    ] {
        let dir = directory(&[("a.yaml", template)]);
        let text = refusal(&dir.path().join("a.yaml"));
        assert!(text.contains("template of Helm"), "{text}");
    }
    let placeholder = "kind: ScaledJob\nspec: {image: {{DOCKER-IMAGE}}}\n";
    let dir = directory(&[("a.yaml", placeholder)]);
    let text = refusal(&dir.path().join("a.yaml"));
    let filled = "its line 2 has the placeholder {{DOCKER-IMAGE}}; write a value there first";
    assert!(text.ends_with(filled), "{text}");
    // It may be part of other objects: alerts have such texts.
    let alert = "kind: PrometheusRule\nmetadata: {name: \"{{ $labels.pod }}\"}\n";
    let dir = directory(&[("a.yaml", alert), ("b.tgz", "")]);
    read(&dir.path().join("a.yaml")).unwrap();
    assert!(refusal(&dir.path().join("b.tgz")).contains("it is packed"));
}

/// A browser copies such spaces from a page with a manifest.
#[test]
fn a_space_that_is_none_to_yaml_is_named() {
    let copied = "kind: ScaledObject\nspec:\n\u{a0} pollingInterval: 10 \u{a0}# Optional. Default: 30 seconds\n";
    let dir = directory(&[("a.yaml", copied)]);
    let text = refusal(&dir.path().join("a.yaml"));
    assert!(
        text.contains(
            "its line 3 has U+00A0 (no-break space), which cannot be seen and is no space to YAML"
        ),
        "{text}"
    );
}

#[test]
fn a_key_that_is_there_twice_is_named_with_its_line() {
    let dir = directory(&[("a.yaml", "kind: A\nspec:\n  replicas: 1\n  replicas: 2\n")]);
    let text = refusal(&dir.path().join("a.yaml"));
    assert!(
        text.ends_with(
            "line 4: the key replicas is there a second time; only one can count, remove the other"
        ),
        "{text}"
    );
}

/// kubectl converts YAML to JSON (`sigs.k8s.io/yaml`, `yamlToJSON`), with Go's rules for numbers.
#[test]
fn numbers_are_what_go_reads() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a.yaml");
    for (text, number) in [
        ("15", "15"),
        ("15.0", "15"),
        ("1.5e1", "15"),
        ("1e1", "10"),
        ("-3.0", "-3"),
        ("010", "8"),
        ("0o17", "15"),
        ("0x0f", "15"),
        ("1_500", "1500"),
        ("+15", "15"),
        ("2.5", "2.5"),
        ("\"15.0\"", "\"15.0\""),
    ] {
        fs::write(&path, format!("kind: A\nspec:\n  n: {text}\n")).unwrap();
        let documents = read(&path).unwrap();
        assert_eq!(
            documents[0].value["spec"]["n"].to_string(),
            number,
            "{text}"
        );
    }
}

#[test]
fn what_git_left_in_place_of_a_manifest_is_named() {
    for (text, said) in [
        (
            "kind: A\n<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> b\n",
            "line 2: a conflict of git begins here",
        ),
        (
            "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n",
            "git lfs pull",
        ),
    ] {
        let dir = directory(&[("a.yaml", text)]);
        let refused = refusal(&dir.path().join("a.yaml"));
        assert!(refused.contains(said), "{refused}");
    }
}

/// kustomize `api/krusty`, `fileloader.go` and `git/repospec.go`: a resource that is not a local file is a URL or a repository,
/// and is fetched.
#[test]
fn what_a_kustomization_fetches_is_named_with_the_way_around() {
    for (resource, is_remote) in [
        ("https://example.com/a.yaml", true),
        ("https://github.com/example/shop//deploy?ref=v1", true),
        ("github.com/example/shop//deploy?ref=v1", true),
        ("git@github.com:example/shop.git//deploy", true),
        ("ssh://git@example.com/shop.git", true),
        ("git::https://example.com/shop", true),
        ("example.com/shop.git", true),
        ("example.com/shop//deploy?ref=main", true),
        ("a.yaml", false),
    ] {
        for more in ["", "patches:\n- path: p.yaml\n"] {
            let kustomization = format!("resources:\n- {resource}\n{more}");
            let dir = directory(&[("kustomization.yaml", &kustomization), ("a.yaml", OBJECT)]);
            let path = dir.path().display();
            match super::super::read_plain(dir.path()) {
                Err(error @ ManifestError::Remote { .. }) => {
                    assert!(is_remote, "{resource}");
                    let told = error.to_string();
                    assert!(
                        told.contains(&format!("{resource:?} is elsewhere")),
                        "{told}"
                    );
                    let way =
                        format!("kubectl kustomize {path} > all.yaml, and then give all.yaml");
                    assert!(told.ends_with(&way), "{told}");
                }
                _ => assert!(!is_remote, "{resource}"),
            }
        }
    }
    // In a local directory, and in other fields that are fetched.
    let dir = directory(&[("kustomization.yaml", "resources:\n- base\npatches: []\n")]);
    fs::create_dir(dir.path().join("base")).unwrap();
    let remote = "components:\n- https://example.com/a\n";
    fs::write(dir.path().join("base/kustomization.yaml"), remote).unwrap();
    assert!(refusal(dir.path()).contains("\"https://example.com/a\" is elsewhere"));
}

/// Source: kustomize `api/internal/loader/fileloader.go`, `errIfArgEqualOrHigher` ("cycle detected"); of a file, `accumulateResources`.
#[test]
fn a_kustomization_that_takes_itself_is_a_cycle() {
    for part in [".", "..", "../top", "below", "kustomization.yaml"] {
        for more in ["", "namePrefix: x-\n"] {
            let dir = TempDir::new().unwrap();
            let top = dir.path().join("top");
            fs::create_dir_all(top.join("below")).unwrap();
            let own = format!("resources:\n- a.yaml\n- {part}\n{more}");
            fs::write(top.join("kustomization.yaml"), own).unwrap();
            fs::write(top.join("a.yaml"), OBJECT).unwrap();
            fs::write(top.join("below/kustomization.yaml"), "bases: [..]\n").unwrap();
            let told = refusal(&top);
            assert!(told.contains("cycle detected"), "{part}: {told}");
            assert!(!told.contains("/../"), "{part}: {told}");
        }
    }
    // A directory that two others include is no cycle.
    let dir = directory(&[("kustomization.yaml", "resources: [a, b]\n")]);
    for (name, resources) in [
        ("a", "../c"),
        ("b", "../d"),
        ("c", "a.yaml"),
        ("d", "a.yaml"),
    ] {
        let below = dir.path().join(name);
        fs::create_dir(&below).unwrap();
        let own = format!("resources: [{resources}]\n");
        fs::write(below.join("kustomization.yaml"), own).unwrap();
        fs::write(below.join("a.yaml"), OBJECT).unwrap();
    }
    assert_eq!(names(dir.path()), ["größe", "größe"]);
}

/// Source: kustomize `api/types/kustomization.go`, `HelmCharts`; kubectl: "must specify --enable-helm".
#[test]
fn charts_of_a_kustomization_are_told_with_the_command_that_renders_them() {
    let charts = "helmCharts: [{name: shop, repo: \"https://example.com\"}]\n";
    let dir = directory(&[("kustomization.yaml", "namePrefix: x-\nresources: [base]\n")]);
    fs::create_dir(dir.path().join("base")).unwrap();
    fs::write(dir.path().join("base/kustomization.yaml"), charts).unwrap();
    let path = dir.path().display();
    let way = format!("run kubectl kustomize --enable-helm {path} | harness simulate -");
    assert!(
        refusal(dir.path()).ends_with(&way),
        "{}",
        refusal(dir.path())
    );
}

/// Source: kustomize `api/types/kustomization.go`, `CheckDeprecatedFields`: it warns on standard error, and renders.
#[test]
fn deprecated_fields_of_a_kustomization_work() {
    let test = "deprecated_fields_of_a_kustomization_work";
    if crate::tests::kubectl(test).is_none() {
        return;
    }
    let dir = directory(&[
        (
            "kustomization.yaml",
            "resources: [a.yaml]\npatchesStrategicMerge: [p.yaml]\ncommonLabels: {team: shop}\n",
        ),
        ("a.yaml", OBJECT),
        (
            "p.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: größe}\ndata: {a: b}\n",
        ),
    ]);
    let documents = read(dir.path()).unwrap();
    let value = &documents[0].value;
    assert_eq!(
        (&value["data"]["a"], &value["metadata"]["labels"]["team"]),
        (&"b".into(), &"shop".into())
    );
    // The error has only the reason, without the warning and the log prefix.
    fs::remove_file(dir.path().join("p.yaml")).unwrap();
    let told = refusal(dir.path());
    assert!(told.contains("no such file or directory"), "{told}");
    assert!(
        !told.contains("run.go") && !told.contains("deprecated"),
        "{told}"
    );
}
