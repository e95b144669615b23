//! Renders a directory: with kubectl, or by reading files if its kustomization only lists them.

mod said;

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Document, ManifestError, parse, text_of, typed};

/// The first version of kustomize with all features that the overlays use (`replacements`, `patches` with a target).
const OLDEST_KUSTOMIZE: u32 = 5;

/// A kubectl that can render.
#[derive(Debug, Clone, Copy)]
pub struct Kubectl(());

impl Kubectl {
    /// Finds kubectl in `PATH`. Starts it once, without connecting to a cluster.
    pub fn find() -> Result<Self, ManifestError> {
        let output = Command::new("kubectl")
            .args(["version", "--client", "--output=json"])
            .stdin(Stdio::null())
            .output()
            .map_err(|error| ManifestError::NoKubectl(error.to_string()))?;
        let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let version = said["kustomizeVersion"].as_str().unwrap_or("none");
        let major = version
            .trim_start_matches('v')
            .split('.')
            .next()
            .and_then(|major| major.parse::<u32>().ok());
        if major.is_some_and(|major| major >= OLDEST_KUSTOMIZE) {
            Ok(Self(()))
        } else {
            Err(ManifestError::NoKubectl(format!(
                "the one in PATH has kustomize {version}"
            )))
        }
    }

    /// Renders the kustomization in `dir`. Warnings of kubectl are no failure: deprecated fields work.
    pub fn render(self, dir: &Path) -> Result<Vec<Document>, ManifestError> {
        let output = output(self, dir)?;
        parse(
            &dir.display().to_string(),
            &String::from_utf8_lossy(&output.stdout),
        )
    }

    /// kubectl's warnings when it renders `dir`: this project's manifests must use nothing deprecated.
    #[cfg(test)]
    pub(super) fn warnings(self, dir: &Path) -> String {
        let output = output(self, dir).unwrap();
        String::from_utf8(output.stderr).unwrap()
    }
}

/// kubectl's output when it renders `dir`.
fn output(_found: Kubectl, dir: &Path) -> Result<Output, ManifestError> {
    let failed = |said: String| ManifestError::Render {
        dir: dir.to_owned(),
        said,
    };
    let lent = builtin::lend(dir).map_err(|error| failed(error.to_string()))?;
    let on_disk = lent.as_ref().map_or(dir, |(_, dir)| dir);
    let output = Command::new("kubectl")
        .arg("kustomize")
        .arg(on_disk)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(output);
    }
    let said = said::reason(&String::from_utf8_lossy(&output.stderr));
    // `refusal` finds charts in kustomizations; this one is in a generator in another file.
    if said.contains("--enable-helm") {
        let dir = dir.to_owned();
        return Err(ManifestError::Charts { dir });
    }
    Err(failed(said))
}

/// A kustomization that can be read without kubectl.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Plain {
    #[serde(default)]
    resources: Vec<PathBuf>,
    #[serde(default)]
    config_map_generator: Vec<Generator>,
}

/// The fields of [`Plain`]; a namespace changes nothing within one kustomization.
const PLAIN_FIELDS: [&str; 5] = [
    "apiVersion",
    "kind",
    "namespace",
    "resources",
    "configMapGenerator",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Generator {
    name: String,
    #[serde(default)]
    envs: Vec<PathBuf>,
}

/// The names of a kustomization (kustomize `api/konfig/general.go`, `RecognizedKustomizationFileNames`).
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Whether a file is a kustomization by its name.
pub(super) fn is_kustomization(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| NAMES.contains(&name)) && builtin::is_file(path)
}

/// The kustomization of a directory, if it has one.
pub(super) fn find(dir: &Path) -> Result<Option<PathBuf>, ManifestError> {
    let here = NAMES.iter().map(|name| dir.join(name));
    let mut here: Vec<PathBuf> = here.filter(|path| builtin::is_file(path)).collect();
    if here.len() > 1 {
        let names = here.iter().filter_map(|path| path.file_name()?.to_str());
        return Err(ManifestError::Kustomizations {
            path: dir.to_owned(),
            found: names.collect::<Vec<_>>().join(" and "),
        });
    }
    Ok(here.pop())
}

/// Whether a resource that is not a local file is remote (kustomize `api/internal/git/repospec.go`, `NewRepoSpecFromURL`; a URL
/// of a file: `api/internal/loader/fileloader.go`, `Load`).
fn is_remote(resource: &str) -> bool {
    let host = resource.split('/').next().unwrap_or_default();
    resource.contains("://")
        || resource.contains("::")
        || resource.contains("?ref=")
        || resource.contains(".git/")
        || resource.strip_suffix(".git").is_some()
        || resource.starts_with("git@")
        || ["github.com", "gitlab.com", "bitbucket.org", "dev.azure.com"].contains(&host)
}

/// Fields that render charts (kustomize `api/types/kustomization.go`).
const CHARTS: [&str; 2] = ["helmCharts", "helmChartInflationGenerator"];

/// Why neither this program nor kubectl can render the kustomization in `dir`: the kustomization, or a local one that it
/// includes, has a remote part or a chart, or includes itself. `takers` are the directories that include this one, and `asked`
/// is the one that was to be read. Skips unreadable files, whose error is reported when the whole kustomization is read.
fn refusal(dir: &Path, asked: &Path, takers: &mut Vec<PathBuf>) -> Option<ManifestError> {
    let path = find(dir).ok()??;
    let documents = parse(&path.display().to_string(), &text_of(&path).ok()?).ok()?;
    let value = &documents.first()?.value;
    if CHARTS.iter().any(|field| !value[*field].is_null()) {
        let dir = asked.to_owned();
        return Some(ManifestError::Charts { dir });
    }
    takers.push(place(dir));
    let parts = ["resources", "components", "bases"].into_iter();
    let parts = parts.filter_map(|field| value[field].as_array());
    let mut parts = parts.flatten().filter_map(Value::as_str);
    let found = parts.find_map(|part| {
        let here = dir.join(part);
        let is_own = is_kustomization(&here) && place(&here) == place(&path);
        // kustomize `api/internal/loader/fileloader.go`, `errIfArgEqualOrHigher`: a directory above one that includes it is
        // refused too.
        let takes_it = |taker: &PathBuf| taker.starts_with(place(&here));
        if is_own || (builtin::is_dir(&here) && takers.iter().any(takes_it)) {
            let (path, part) = (path.clone(), part.to_owned());
            return Some(ManifestError::Cycle { path, part });
        }
        if builtin::is_dir(&here) {
            return refusal(&here, asked, takers);
        }
        (is_remote(part) && !builtin::is_file(&here)).then(|| ManifestError::Remote {
            path: path.clone(),
            url: part.to_owned(),
            dir: asked.to_owned(),
        })
    });
    takers.pop();
    found
}

/// The canonical path, without links and `..`; for a path in the program, the path itself without `..`.
fn place(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| {
        let mut place = PathBuf::new();
        for part in path.components() {
            match part {
                Component::ParentDir => drop(place.pop()),
                Component::CurDir => {}
                other => place.push(other),
            }
        }
        place
    })
}

/// Reads the objects that the kustomization in `dir` lists, and the `ConfigMap`s that it generates from `envs`, without the
/// hash in their names. Refuses a kustomization with other features, such as patches, whose result only kubectl can compute.
pub fn read_plain(dir: &Path) -> Result<Vec<Document>, ManifestError> {
    if let Some(error) = refusal(dir, dir, &mut Vec::new()) {
        return Err(error);
    }
    let path = find(dir)?.unwrap_or_else(|| dir.join(NAMES[0]));
    let name = path.display().to_string();
    let value = parse(&name, &text_of(&path)?)?
        .into_iter()
        .next()
        .map(|document| document.value)
        .unwrap_or_default();
    let fields = value.as_object().into_iter().flat_map(|map| map.keys());
    for field in fields {
        if !PLAIN_FIELDS.contains(&field.as_str()) {
            return Err(ManifestError::NeedsKubectl {
                path,
                field: field.clone(),
            });
        }
    }
    let plain: Plain = typed(&value, "the kustomization", &name, "")?;
    let mut documents = Vec::new();
    for resource in &plain.resources {
        let file = dir.join(resource);
        if builtin::is_dir(&file) {
            documents.extend(read_plain(&file)?);
            continue;
        }
        documents.extend(parse(&file.display().to_string(), &text_of(&file)?)?);
    }
    for generator in &plain.config_map_generator {
        for env in &generator.envs {
            let file = dir.join(env);
            documents.push(Document {
                file: file.display().to_string(),
                value: json!({
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": {"name": generator.name},
                    "data": variables(&text_of(&file)?),
                }),
            });
        }
    }
    Ok(documents)
}

/// Parses `NAME=value` lines as kustomize does: `#` begins a comment only at the beginning of a line.
fn variables(text: &str) -> BTreeMap<&str, &str> {
    text.lines()
        .map(str::trim_start)
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .collect()
}
