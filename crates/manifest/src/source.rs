//! Reads a path into objects: a file, standard input, a directory of files, or a kustomization.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use workflow::contract::text::decode;

use super::apart::{Reading, parse_apart};
use super::kustomize::{self, Kubectl};
use super::{Document, ManifestError, read_plain};

/// The path for standard input, and its name in errors.
const STANDARD_INPUT: (&str, &str) = ("-", "standard input");
/// Extensions of the files that `kubectl apply -f DIRECTORY` reads (Kubernetes `cli-runtime/pkg/resource/builder.go`,
/// `FileExtensions`).
const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];
/// Extensions of archives, such as those of `helm package`.
const PACKED: [&str; 4] = ["gz", "tgz", "tar", "zip"];

/// Reads the objects of a file, of standard input (`-`), or of a directory: its kustomization, rendered by kubectl if
/// [`read_plain`] cannot, or else its files.
pub fn read(path: &Path) -> Result<Vec<Document>, ManifestError> {
    read_apart(path)?.whole()
}

/// As [`read`], with documents that are no YAML apart from the others. A kustomization is rendered as a whole, or not at all.
pub fn read_apart(path: &Path) -> Result<Reading, ManifestError> {
    if builtin::is_dir(path) {
        return directory(path);
    }
    if kustomize::is_kustomization(path) {
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
        return kustomization(dir.unwrap_or(Path::new(".")));
    }
    let reading = parse_apart(&named(path), &text_of(path)?);
    if reading.documents.is_empty() {
        let documents = reading.whole()?;
        return Ok(Reading {
            documents,
            ..Reading::default()
        });
    }
    Ok(reading)
}

fn directory(dir: &Path) -> Result<Reading, ManifestError> {
    if kustomize::find(dir)?.is_some() {
        return kustomization(dir);
    }
    if builtin::is_file(&dir.join("Chart.yaml")) {
        let path = dir.to_owned();
        return Err(ManifestError::Chart { path });
    }
    let failed = |source| ManifestError::Read {
        path: dir.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for builtin::Entry { path, .. } in builtin::read_dir(dir).map_err(failed)? {
        if has_extension(&path, &EXTENSIONS) && builtin::is_file(&path) {
            files.push(path);
        }
    }
    if files.is_empty() {
        let path = dir.to_owned();
        return Err(ManifestError::Nothing { path });
    }
    files.sort();
    let mut reading = Reading::default();
    for file in files {
        reading.extend(parse_apart(&named(&file), &text_of(&file)?));
    }
    Ok(reading)
}

fn kustomization(dir: &Path) -> Result<Reading, ManifestError> {
    let documents = match read_plain(dir) {
        Err(ManifestError::NeedsKubectl { .. }) => Kubectl::find()?.render(dir),
        plain => plain,
    }?;
    Ok(Reading {
        documents,
        ..Reading::default()
    })
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let extension = path.extension().and_then(|it| it.to_str());
    extension.is_some_and(|it| extensions.contains(&it))
}

/// The name of a path in sentences.
pub fn named(path: &Path) -> String {
    if path.as_os_str() == STANDARD_INPUT.0 {
        return STANDARD_INPUT.1.to_owned();
    }
    path.display().to_string()
}

/// The text of a file, or of standard input (`-`), in UTF-8 or, as PowerShell's `>` writes it, in UTF-16.
pub fn text_of(path: &Path) -> Result<String, ManifestError> {
    let path = PathBuf::from(path);
    if has_extension(&path, &PACKED) {
        return Err(ManifestError::Packed { path });
    }
    let read = if path.as_os_str() == STANDARD_INPUT.0 {
        let mut bytes = Vec::new();
        let all = std::io::stdin().lock().read_to_end(&mut bytes);
        all.map(|_| bytes)
    } else {
        builtin::read(&path).map(std::borrow::Cow::into_owned)
    };
    match read {
        Ok(bytes) => decode(&bytes).ok_or(ManifestError::Encoding { path }),
        Err(source) => Err(ManifestError::Read { path, source }),
    }
}

#[cfg(test)]
mod tests;
