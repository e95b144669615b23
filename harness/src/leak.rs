//! Looks through the files and command lines of a run for secrets. What is one is judged by [`judge::secrets`].

use std::path::Path;

use anyhow::Context as _;
use judge::secrets::{Leak, Secrets};

use crate::run::Run;

/// Looks through everything that `run` has written down until now, and through the command lines of its processes. Its reports so
/// far are written first, so that they are looked through as well.
pub async fn of_run(run: &Run) -> anyhow::Result<Vec<Leak>> {
    let dir = run.dir().path();
    crate::report::write(dir)?;
    let secrets = Secrets::of(&run.secrets().await?);
    let mut leaks = look_below(&secrets, dir)?;
    for (name, line) in run.exposed().await? {
        leaks.extend(secrets.look(&format!("the command line of {name}"), &line));
    }
    Ok(leaks)
}

/// Looks through every file below `directory`.
fn look_below(secrets: &Secrets, directory: &Path) -> anyhow::Result<Vec<Leak>> {
    let mut leaks = Vec::new();
    let entries = std::fs::read_dir(directory);
    for entry in entries.with_context(|| format!("look through {}", directory.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            leaks.extend(look_below(secrets, &path)?);
        } else {
            let text = std::fs::read(&path);
            let text = text.with_context(|| format!("look through {}", path.display()))?;
            leaks.extend(secrets.look(&path.display().to_string(), &text));
        }
    }
    Ok(leaks)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL3N0b3JhZ2UifQ.c2lnbmF0dXJlLW9mLXRoZS1ydW4tMTIzNDU";

    #[test]
    fn files_are_looked_through_at_any_depth() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("logs").join("more");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(deep.join("a.log"), TOKEN).unwrap();
        std::fs::write(dir.path().join("b.json"), "{}").unwrap();
        let leaks = look_below(&Secrets::of(&[]), dir.path()).unwrap();
        assert_eq!(leaks.len(), 1);
        assert!(leaks[0].place.ends_with("a.log, line 1"), "{}", leaks[0]);
        assert!(look_below(&Secrets::of(&[]), &dir.path().join("no")).is_err());
    }
}
