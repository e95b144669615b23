//! Tests that the contained files are those of the repository, and are read and exported unchanged.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file below `directory`, as a relative path.
fn all(directory: &Path) -> BTreeSet<PathBuf> {
    fn add(directory: &Path, root: &Path, files: &mut BTreeSet<PathBuf>) {
        for entry in read_dir(directory).unwrap() {
            if entry.is_dir {
                add(&entry.path, root, files);
            } else {
                files.insert(entry.path.strip_prefix(root).unwrap().to_owned());
            }
        }
    }
    let mut files = BTreeSet::new();
    add(directory, directory, &mut files);
    files
}

#[test]
fn every_feature_manifest_and_guide_of_the_repository_is_carried() {
    for part in ["docs", "features", "k8s"] {
        let (carried, there) = (path(part), repository().join(part));
        let mut files = all(&there);
        files.retain(|file| part != "docs" || !file.starts_with("field"));
        assert!(files.len() > 5, "{files:?}");
        assert_eq!(all(&carried), files, "{part}");
        for file in files {
            let content = read(&carried.join(&file)).unwrap();
            assert!(
                content == read(&there.join(&file)).unwrap(),
                "{}",
                file.display()
            );
        }
    }
    let prices = fs::read(repository().join("docs/prices.yaml")).unwrap();
    assert!(read(&path("prices.yaml")).unwrap() == prices);
}

/// The image of the program is built from what `.dockerignore` leaves.
#[test]
fn an_image_is_built_from_every_file_that_is_carried() {
    let ignored = fs::read_to_string(repository().join(".dockerignore")).unwrap();
    for part in ["docs", "features", "k8s"] {
        let is_left_out = ignored.lines().any(|line| line.trim_matches('/') == part);
        assert!(!is_left_out, "{part}");
    }
}

#[test]
fn a_path_of_the_program_is_followed_upwards_as_on_a_disk() {
    let base = path("k8s/overlays/local").join("../../base");
    assert!(is_dir(&base) && !is_file(&base));
    assert!(is_file(&base.join("deployment.yaml")));
    assert!(is_file(&base.join("./deployment.yaml")));
    assert!(!is_file(&base.join("deployment")));
    assert!(!is_dir(&path("k8s/bas")));
}

#[test]
fn what_is_not_carried_is_told_with_what_is() {
    for error in [
        read(&path("nothing")).unwrap_err(),
        read_dir(&path("nothing")).unwrap_err(),
    ] {
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(
            error
                .to_string()
                .contains("docs, features, k8s, prices.yaml"),
            "{error}"
        );
    }
}

#[test]
fn an_export_never_overwrites_what_was_edited_unless_told_to() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("a b/ü");
    let first = export(&to, &["features".to_owned()], false).unwrap();
    assert_eq!(first.written.len(), all(&path("features")).len());
    let again = export(&to, &["features".to_owned()], false).unwrap();
    assert_eq!((again.written.len(), again.same), (0, first.written.len()));

    let edited = to.join("features/latency.feature");
    fs::write(&edited, "mine").unwrap();
    let both = ["features".to_owned(), "k8s".to_owned()];
    let error = export(&to, &both, false).unwrap_err().to_string();
    assert!(
        error.contains("latency.feature") && error.contains("--overwrite"),
        "{error}"
    );
    assert_eq!(fs::read_to_string(&edited).unwrap(), "mine");
    assert!(
        !to.join("k8s").exists(),
        "a refused export must write nothing"
    );

    let written = export(&to, &both, true).unwrap().written;
    assert!(written.contains(&edited) && to.join("k8s/base/deployment.yaml").is_file());
    assert_ne!(fs::read_to_string(&edited).unwrap(), "mine");
}

#[test]
fn what_stands_in_the_way_and_is_no_edited_file_is_told_as_that() {
    let dir = tempfile::tempdir().unwrap();
    let features = ["features".to_owned()];
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let occupied = dir.path().join("occupied");
    fs::create_dir_all(occupied.join("features/latency.feature")).unwrap();
    for to in [file, occupied] {
        let error = export(&to, &features, true).unwrap_err();
        assert!(matches!(error, ExportError::Write { .. }), "{error}");
        assert!(error.to_string().contains("give a directory"), "{error}");
    }
    let left = fs::read_dir(dir.path().join("occupied/features")).unwrap();
    assert_eq!(left.count(), 1, "a refused export must write nothing");
}

#[test]
fn a_part_that_there_is_not_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let error = export(dir.path(), &["infra".to_owned()], false).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("docs, features, k8s, prices.yaml"),
        "{error}"
    );
}

#[test]
fn a_lent_directory_is_gone_after_its_use() {
    let (dir, lent) = lend(&path("k8s/overlays/local")).unwrap().unwrap();
    assert!(lent.join("kustomization.yaml").is_file() && lent.join("../../base").is_dir());
    drop(dir);
    assert!(!lent.exists());
    assert!(lend(Path::new("k8s")).unwrap().is_none());
}
