//! The npm package: installed once per version and cache directory, by the first process that needs it.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{Error, VERSION, cache::cache_dir};

/// Entry script of the package within an installation.
const ENTRY: &str = "node_modules/azurite/dist/src/azurite.js";

/// The error if no directory is known that outlives this process.
const NO_CACHE: &str =
    "there is no home directory to keep the npm package in; set EDW_CACHE to a directory";

/// The entry script, after installing the package if necessary. The first installation takes 40 s and 365 MB.
pub(crate) async fn entry() -> Result<PathBuf, Error> {
    let cache = cache_dir().ok_or_else(|| Error::Start(NO_CACHE.to_owned()))?;
    #[expect(clippy::disallowed_methods, reason = "it is awaited at once")]
    let installed = tokio::task::spawn_blocking(move || ensure_installed(&cache, VERSION)).await;
    installed.expect("an installation must not panic")
}

/// Installs into `<cache>/azurite-<version>/`. The directory appears completely or not at all, and test binaries that start
/// together install it once: the others wait for the lock.
fn ensure_installed(cache: &Path, version: &str) -> Result<PathBuf, Error> {
    let home = cache.join(format!("azurite-{version}"));
    let entry = home.join(ENTRY);
    if entry.is_file() {
        return Ok(entry);
    }
    fs::create_dir_all(cache).map_err(io_error(
        "keep the npm package (EDW_CACHE names another directory) in",
        cache,
    ))?;
    let lock_path = cache.join(format!("azurite-{version}.lock"));
    let lock = File::create(&lock_path).map_err(io_error("create", &lock_path))?;
    lock.lock().map_err(io_error("lock", &lock_path))?;
    if entry.is_file() {
        return Ok(entry);
    }
    tracing::info!(version, directory = %home.display(), "installing Azurite from npm, once for this directory");
    let partial = tempfile::Builder::new()
        .prefix(&format!("azurite-{version}.partial-"))
        .tempdir_in(cache)
        .map_err(io_error("create a directory in", cache))?;
    npm_install(partial.path(), &cache.join("npm-cache"), version)?;
    if !partial.path().join(ENTRY).is_file() {
        return Err(Error::Start(format!(
            "the npm package azurite@{version} has no {ENTRY}"
        )));
    }
    let partial = partial.keep();
    fs::rename(&partial, &home).map_err(io_error("move the installation to", &home))?;
    Ok(entry)
}

fn npm_install(directory: &Path, cache: &Path, version: &str) -> Result<(), Error> {
    let output = Command::new("npm")
        .args([
            "install",
            "--no-audit",
            "--no-fund",
            "--no-save",
            "--omit=dev",
            "--loglevel=error",
            "--prefix",
        ])
        .arg(directory)
        .arg("--cache")
        .arg(cache)
        .arg(format!("azurite@{version}"))
        .current_dir(directory)
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(Error::Start(format!(
                "`npm install azurite@{version}` failed ({}): {}",
                output.status,
                said.trim()
            )))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::Start(
            "npm is not on PATH (install Node.js 20 or later)".to_owned(),
        )),
        Err(error) => Err(Error::Start(format!("run npm: {error}"))),
    }
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_path_buf();
    move |source| Error::Io {
        action,
        path,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_does_not_exist_leaves_no_installation_and_says_what_npm_said() {
        let cache = tempfile::tempdir_in(cache_dir().unwrap()).unwrap();
        let error = ensure_installed(cache.path(), "0.0.0-none")
            .unwrap_err()
            .to_string();
        assert!(error.contains("azurite@0.0.0-none"), "{error}");
        let left: Vec<_> = fs::read_dir(cache.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert!(
            left.iter()
                .all(|name| name == "npm-cache" || name == "azurite-0.0.0-none.lock"),
            "{left:?}"
        );
    }

    #[test]
    fn an_installation_that_is_there_is_taken_as_it_is() {
        let cache = tempfile::tempdir().unwrap();
        let entry = cache.path().join("azurite-1.2.3").join(ENTRY);
        fs::create_dir_all(entry.parent().unwrap()).unwrap();
        fs::write(&entry, "").unwrap();
        assert_eq!(ensure_installed(cache.path(), "1.2.3").unwrap(), entry);
    }
}
