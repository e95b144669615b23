//! The files that the program contains, so that it needs no repository: features, manifests, example prices, guides.
//!
//! A path that begins with `builtin:`, such as `builtin:k8s/base`, names a contained file or directory. The functions here read
//! such paths, and pass every other path to `std::fs`, so a caller can use both. [`export()`] writes the files to a disk, where
//! users can edit them.

mod export;

pub use export::{ExportError, Exported, export, lend};

use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};
use std::{fs, io};

/// The prefix of paths of contained files.
pub const SCHEME: &str = "builtin:";

/// Every file with its name and content, sorted by name.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// A file or a directory in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path.
    pub path: PathBuf,
    /// Whether it is a directory; `false` for a link to one.
    pub is_dir: bool,
}

/// The path of a contained file or directory: `path("features")` is `builtin:features`.
pub fn path(name: &str) -> PathBuf {
    PathBuf::from(format!("{SCHEME}{name}"))
}

/// The names of the top-level files and directories.
pub fn parts() -> Vec<&'static str> {
    let tops = FILES.iter().map(|(name, _)| name.split('/').next());
    let mut tops: Vec<_> = tops.flatten().collect();
    tops.dedup();
    tops
}

/// Whether a file exists.
pub fn is_file(path: &Path) -> bool {
    match name_of(path) {
        None => path.is_file(),
        Some(name) => content(&name).is_some(),
    }
}

/// Whether a directory exists.
pub fn is_dir(path: &Path) -> bool {
    match name_of(path) {
        None => path.is_dir(),
        Some(name) => below(&name).next().is_some(),
    }
}

/// The content of a file.
pub fn read(path: &Path) -> io::Result<Cow<'static, [u8]>> {
    match name_of(path) {
        None => fs::read(path).map(Cow::Owned),
        Some(name) => content(&name).map(Cow::Borrowed).ok_or_else(not_carried),
    }
}

/// The entries of a directory, in any order.
pub fn read_dir(path: &Path) -> io::Result<Vec<Entry>> {
    let Some(name) = name_of(path) else {
        let entries = fs::read_dir(path)?.map(|entry| {
            let entry = entry?;
            Ok(Entry {
                path: entry.path(),
                is_dir: entry.file_type()?.is_dir(),
            })
        });
        return entries.collect();
    };
    let mut entries: Vec<Entry> = Vec::new();
    for (rest, _) in below(&name) {
        let (first, is_dir) = match rest.split_once('/') {
            Some((first, _)) => (first, true),
            None => (rest, false),
        };
        let path = path.join(first);
        if entries.last().is_none_or(|last| last.path != path) {
            entries.push(Entry { path, is_dir });
        }
    }
    if entries.is_empty() {
        return Err(not_carried());
    }
    Ok(entries)
}

fn not_carried() -> io::Error {
    let carried = parts().join(", ");
    let text =
        format!("the program carries no such file; it has {carried} (`export` writes them out)");
    io::Error::new(io::ErrorKind::NotFound, text)
}

/// The name of a path in the program, without `.` and `..`; `None` for a path on the disk.
fn name_of(path: &Path) -> Option<String> {
    let text = path.to_str()?.strip_prefix(SCHEME)?;
    let mut name: Vec<&str> = Vec::new();
    for part in Path::new(text).components() {
        match part {
            Component::Normal(part) => name.push(part.to_str()?),
            Component::ParentDir => drop(name.pop()),
            _ => {}
        }
    }
    Some(name.join("/"))
}

fn content(name: &str) -> Option<&'static [u8]> {
    let found = FILES.binary_search_by_key(&name, |(name, _)| name).ok()?;
    Some(FILES[found].1)
}

/// Every file below a directory: the rest of its name, and its content. All files for an empty name.
fn below(name: &str) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    FILES.iter().filter_map(move |(file, content)| {
        let rest = match name {
            "" => file,
            name => file.strip_prefix(name)?.strip_prefix('/')?,
        };
        Some((rest, *content))
    })
}

#[cfg(test)]
mod tests;
