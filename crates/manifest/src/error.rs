//! Why manifests cannot be read.

use std::io;
use std::path::PathBuf;

/// Manifests could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// A file or directory.
    #[error("read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file whose encoding is not recognised.
    #[error("read {path} as text: it is neither UTF-8 nor UTF-16; save it as UTF-8")]
    Encoding {
        /// Which.
        path: PathBuf,
    },
    /// An archive.
    #[error(
        "read {path}: it is packed; unpack it, or render the chart in it: helm template {path} | harness simulate -"
    )]
    Packed {
        /// Which.
        path: PathBuf,
    },
    /// The source of a Helm chart.
    #[error(
        "read {file}: it is a template of Helm, and what it says depends on values; render its chart first: helm template CHART | \
         harness simulate -"
    )]
    Template {
        /// Which file.
        file: String,
    },
    /// What Helm has written besides manifests.
    #[error(
        "read {file}: {told}; write the manifests alone: helm template CHART | harness simulate -"
    )]
    OfHelm {
        /// Which file.
        file: String,
        /// What it is.
        told: &'static str,
    },
    /// A template that something else than Helm fills in, or somebody.
    #[error(
        "read {file}: its line {line} has the placeholder {placeholder}; write a value there first"
    )]
    Placeholder {
        /// Which file.
        file: String,
        /// The first such line.
        line: usize,
        /// As it is written.
        placeholder: String,
    },
    /// Text that is not YAML for a character that looks like a space, or like nothing.
    #[error(
        "read {file} as YAML: its line {line} has U+{code:04X} ({name}), which cannot be seen and is no space to YAML; write spaces \
         in its place, on other lines too"
    )]
    Hidden {
        /// Which file.
        file: String,
        /// The first such line.
        line: usize,
        /// Its number in Unicode.
        code: u32,
        /// What it is called.
        name: &'static str,
    },
    /// What git has left in place of a manifest.
    #[error("read {file}: line {line}: {left}")]
    Unfinished {
        /// Which file.
        file: String,
        /// The line.
        line: usize,
        /// What it is, and what to do.
        left: &'static str,
    },
    /// A kind that is written in another case than the API server knows it.
    #[error(
        "read {found} of {file}: there is no such kind, and names of kinds have their case; write \"kind: {expected}\""
    )]
    Kind {
        /// As it is written.
        found: String,
        /// Which file, or overlay.
        file: String,
        /// As it is meant.
        expected: &'static str,
    },
    /// A Helm chart.
    #[error(
        "read {path}: it is a chart of Helm; render it first: helm template {path} | harness simulate -"
    )]
    Chart {
        /// Its directory.
        path: PathBuf,
    },
    /// A directory with nothing to read.
    #[error("find a kustomization, or files that end in .yaml, .yml or .json, in {path}")]
    Nothing {
        /// The directory.
        path: PathBuf,
    },
    /// A directory whose kustomization is not the only one (kustomize `api/internal/target/kusttarget.go`,
    /// `LoadKustFile`: "Found multiple kustomization files").
    #[error("choose a kustomization of {path}, which has {found}: kustomize takes one only")]
    Kustomizations {
        /// The directory.
        path: PathBuf,
        /// What is there.
        found: String,
    },
    /// Text that is not YAML.
    #[error("read {file} as YAML: line {line}: {problem}")]
    Yaml {
        /// Which file, or overlay.
        file: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// An object whose fields are not what its kind has.
    #[error(
        "read {object} of {file}: {field}: {problem}; compare it with the reference of its kind"
    )]
    Shape {
        /// Kind and name.
        object: String,
        /// Which file, or overlay.
        file: String,
        /// Where in the object.
        field: String,
        /// What does not fit.
        problem: ShapeError,
    },
    /// An object with fields that its kind does not have, at its top or in its `metadata`.
    #[error("read {object} of {file}: {told} (the API server refuses it: strict decoding error)")]
    Fields {
        /// Kind and name.
        object: String,
        /// Which file, or overlay.
        file: String,
        /// Each field, and where it belongs.
        told: String,
    },
    /// An object that the API server refuses for values in it.
    #[error("read {object} of {file}: {told} (the API server refuses it)")]
    Refused {
        /// Kind and name.
        object: String,
        /// Which file, or overlay.
        file: String,
        /// Each field, and what is wrong with it.
        told: String,
    },
    /// A version of a kind that this program does not know.
    #[error("read {kind} of {file}: its apiVersion is {found:?}; write {expected:?}")]
    Version {
        /// The kind.
        kind: String,
        /// Which file, or overlay.
        file: String,
        /// What it says.
        found: String,
        /// What is known.
        expected: &'static str,
    },
    /// A kustomization that takes more than reading files.
    #[error(
        "read {path} without kubectl, since it has the field {field:?}; render it with kubectl"
    )]
    NeedsKubectl {
        /// The kustomization.
        path: PathBuf,
        /// The first such field.
        field: String,
    },
    /// A kustomization of which a part is fetched.
    #[error(
        "read {path}: its resource {url:?} is elsewhere, and this program fetches none; render it first: kubectl kustomize {dir} > \
         all.yaml, and then give all.yaml"
    )]
    Remote {
        /// The kustomization.
        path: PathBuf,
        /// What it fetches, as it is written.
        url: String,
        /// The directory that was to be read.
        dir: PathBuf,
    },
    /// A kustomization that has itself among its resources, also by way of others.
    #[error(
        "read {path}: it takes {part:?}, which is itself, or a kustomization that takes it, so that there is no end to it (kustomize: \
         cycle detected); take that line out"
    )]
    Cycle {
        /// The kustomization whose part closes the circle.
        path: PathBuf,
        /// That part, as it is written.
        part: String,
    },
    /// A kustomization that has charts rendered.
    #[error(
        "read {dir}: it has charts rendered, which kubectl does only with helm and where it is told to; run kubectl kustomize \
         --enable-helm {dir} | harness simulate -"
    )]
    Charts {
        /// The directory that was to be read.
        dir: PathBuf,
    },
    /// There is no kubectl that can render.
    #[error("find kubectl 1.27 or later, whose kustomize is version 5 or later: {0}")]
    NoKubectl(String),
    /// kubectl refused.
    #[error("render {dir} with kubectl: {said}")]
    Render {
        /// The overlay.
        dir: PathBuf,
        /// What kubectl said.
        said: String,
    },
}

/// What does not fit about a field, for people who write manifests: without the names that types have in this program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ShapeError(String);

impl ShapeError {
    /// What does not fit the types of Kubernetes, which errors name as that API does.
    pub(crate) fn of_kubernetes(error: &serde_json::Error) -> Self {
        let said = error.to_string();
        let said = match said.rsplit_once(", expected ") {
            Some((found, "Quantity")) => format!("{found}, expected a quantity such as 500m"),
            Some((found, "IntOrString")) => format!("{found}, expected a whole number or a text"),
            Some((found, name)) if name.starts_with(|it: char| it.is_ascii_uppercase()) => {
                format!("{found}, expected struct {name}")
            }
            _ => said,
        };
        Self(workflow::contract::json::misfit(&said))
    }

    /// What does not fit, in words that are no parser's.
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }
}

impl From<&serde_json::Error> for ShapeError {
    fn from(error: &serde_json::Error) -> Self {
        Self(workflow::contract::json::misfit(&error.to_string()))
    }
}
