//! Reasons why manifests cannot be read.

use std::io;
use std::path::PathBuf;

use crate::letters::and_misleading;

/// Error of reading manifests.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// A file or directory cannot be read.
    #[error("read {path}")]
    Read {
        /// The path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The encoding of a file is unknown.
    #[error("read {path} as text: it is neither UTF-8 nor UTF-16; save it as UTF-8")]
    Encoding {
        /// The path.
        path: PathBuf,
    },
    /// The file is an archive.
    #[error(
        "read {path}: it is packed; unpack it, or render the chart in it: helm template {path} | harness simulate -"
    )]
    Packed {
        /// The path.
        path: PathBuf,
    },
    /// The file is the source of a Helm chart.
    #[error(
        "read {file}: it is a template of Helm, and what it says depends on values; render its chart first: helm template CHART | \
         harness simulate -"
    )]
    Template {
        /// The file.
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
    /// The file is a template of another tool, or for manual editing.
    #[error(
        "read {file}: its line {line} has the placeholder {placeholder}; write a value there first"
    )]
    Placeholder {
        /// The file.
        file: String,
        /// The first line with a placeholder.
        line: usize,
        /// The placeholder.
        placeholder: String,
    },
    /// The text is not YAML, because of a character that looks like a space or is invisible.
    #[error(
        "read {file} as YAML: its line {line} has U+{code:04X} ({name}), which cannot be seen and is no space to YAML; write spaces \
         in its place, on other lines too"
    )]
    Hidden {
        /// The file.
        file: String,
        /// The first such line.
        line: usize,
        /// The character's code point.
        code: u32,
        /// The character's name.
        name: &'static str,
    },
    /// git has left a conflict or a pointer in place of a manifest.
    #[error("read {file}: line {line}: {left}")]
    Unfinished {
        /// The file.
        file: String,
        /// The line.
        line: usize,
        /// What git has left, and what to do.
        left: &'static str,
    },
    /// A kind is written in the wrong case.
    #[error(
        "read {found} of {file}: there is no such kind, and names of kinds have their case; write \"kind: {expected}\""
    )]
    Kind {
        /// The written kind.
        found: String,
        /// The file, or overlay.
        file: String,
        /// The right kind.
        expected: &'static str,
    },
    /// The directory is a Helm chart.
    #[error(
        "read {path}: it is a chart of Helm; render it first: helm template {path} | harness simulate -"
    )]
    Chart {
        /// The directory.
        path: PathBuf,
    },
    /// A directory has nothing to read.
    #[error("find a kustomization, or files that end in .yaml, .yml or .json, in {path}")]
    Nothing {
        /// The directory.
        path: PathBuf,
    },
    /// A directory has several kustomizations (kustomize `api/internal/target/kusttarget.go`, `LoadKustFile`: "Found multiple
    /// kustomization files").
    #[error("choose a kustomization of {path}, which has {found}: kustomize takes one only")]
    Kustomizations {
        /// The directory.
        path: PathBuf,
        /// The kustomizations.
        found: String,
    },
    /// The text is not YAML.
    #[error("read {file} as YAML: line {line}: {problem}")]
    Yaml {
        /// The file, or overlay.
        file: String,
        /// The line, from 1.
        line: u64,
        /// The problem, and what to do.
        problem: String,
    },
    /// The fields of an object do not have the types of its kind.
    #[error(
        "read {object} of {file}: {field}: {problem}; compare it with the reference of its kind"
    )]
    Shape {
        /// Kind and name.
        object: String,
        /// The file, or overlay.
        file: String,
        /// The field, as a path.
        field: String,
        /// The problem.
        problem: ShapeError,
    },
    /// An object has unknown fields at its top level or in its `metadata`.
    #[error("read {object} of {file}: {told} (the API server refuses it: strict decoding error)")]
    Fields {
        /// Kind and name.
        object: String,
        /// The file, or overlay.
        file: String,
        /// Each field, with the place where it belongs.
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
    /// The version of a kind is unknown to this program.
    #[error("read {kind} of {file}: its apiVersion is {found:?}; write {expected:?}")]
    Version {
        /// The kind.
        kind: String,
        /// The file, or overlay.
        file: String,
        /// The written version.
        found: String,
        /// The known versions.
        expected: &'static str,
    },
    /// A kustomization needs more than reading files.
    #[error(
        "read {path} without kubectl, since it has the field {field:?}; render it with kubectl"
    )]
    NeedsKubectl {
        /// The kustomization.
        path: PathBuf,
        /// The first field that needs kubectl.
        field: String,
    },
    /// A part of a kustomization is remote.
    #[error(
        "read {path}: its resource {url:?} is elsewhere, and this program fetches none; render it first: kubectl kustomize {dir} > \
         all.yaml, and then give all.yaml"
    )]
    Remote {
        /// The kustomization.
        path: PathBuf,
        /// The URL, as written.
        url: String,
        /// The directory that was to be read.
        dir: PathBuf,
    },
    /// A kustomization includes itself, directly or indirectly.
    #[error(
        "read {path}: it takes {part:?}, which is itself, or a kustomization that takes it, so that there is no end to it (kustomize: \
         cycle detected); take that line out"
    )]
    Cycle {
        /// The kustomization whose part closes the cycle.
        path: PathBuf,
        /// That part, as written.
        part: String,
    },
    /// A kustomization renders charts.
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
    /// kubectl reports an error.
    #[error("render {dir} with kubectl: {said}")]
    Render {
        /// The overlay.
        dir: PathBuf,
        /// kubectl's message.
        said: String,
    },
}

impl ManifestError {
    /// Counts `lines` more before the line that the error names.
    pub(crate) fn move_by(&mut self, lines: usize) {
        match self {
            Self::Yaml { line, .. } if *line > 0 => {
                *line = line.saturating_add(u64::try_from(lines).unwrap_or(u64::MAX));
            }
            Self::Placeholder { line, .. }
            | Self::Hidden { line, .. }
            | Self::Unfinished { line, .. } => *line = line.saturating_add(lines),
            _ => {}
        }
    }
}

/// A type error of a field, for people who write manifests: without the type names of this program.
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
        Self::of_serde(&said)
    }

    /// What does not fit, from the words of the parser, with the character of a name or a value that is not what it looks like.
    fn of_serde(said: &str) -> Self {
        let words = workflow::contract::json::misfit(said);
        let told = and_misleading(&words);
        Self(words + &told)
    }

    /// What does not fit, in words that are no parser's.
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }
}

impl From<&serde_json::Error> for ShapeError {
    fn from(error: &serde_json::Error) -> Self {
        Self::of_serde(&error.to_string())
    }
}
