//! Projects service account tokens into files, as the kubelet does, and replaces them before they expire.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use authority::{Projection, Signer};
use tempfile::TempDir;
use tokio::task::JoinSet;

/// The file's name under `/var/run/secrets/azure/tokens` (azure-workload-identity, `webhook/consts.go`).
const FILE: &str = "azure-identity-token";

/// Keeps the token files of pods, until it is dropped.
#[derive(Debug)]
pub(super) struct Kubelet {
    signer: Arc<Signer>,
    volumes: TempDir,
    renewals: Arc<AtomicU64>,
    tasks: Mutex<JoinSet<anyhow::Result<()>>>,
}

impl Kubelet {
    /// Makes a kubelet whose tokens `signer` signs, and which keeps its volumes below `within`.
    pub(super) fn new(signer: Arc<Signer>, within: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            signer,
            volumes: TempDir::with_prefix_in("volumes-", within)
                .context("make a directory for token files")?,
            renewals: Arc::default(),
            tasks: Mutex::default(),
        })
    }

    /// Projects the token of `pod` and keeps it fresh. Returns the file's path.
    pub(super) fn project(&self, pod: &str, projection: Projection) -> anyhow::Result<PathBuf> {
        let volume = self.volumes.path().join(pod);
        fs::create_dir(&volume).with_context(|| format!("make the volume of {pod}"))?;
        let file = volume.join(FILE);
        let first = projection.token(&self.signer, pod, projection.age)?;
        write(&volume, 0, &first)?;
        if projection.is_renewed {
            let (signer, renewals) = (self.signer.clone(), self.renewals.clone());
            let pod = pod.to_owned();
            let every = projection.life.mul_f64(0.8);
            self.tasks().spawn(async move {
                for version in 1.. {
                    // The wait is the token's lifetime itself, so there is no condition to wait for.
                    tokio::time::sleep(every).await;
                    let token = projection.token(&signer, &pod, Duration::ZERO)?;
                    write(&volume, version, &token)?;
                    renewals.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            });
        }
        Ok(file)
    }

    /// How many tokens were replaced so far.
    pub(super) fn renewals(&self) -> u64 {
        self.renewals.load(Ordering::Relaxed)
    }

    /// Returns an error if a file was not replaced when it was due.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        while let Some(ended) = self.tasks().try_join_next() {
            ended?.context("replace a projected token")?;
        }
        Ok(())
    }

    fn tasks(&self) -> std::sync::MutexGuard<'_, JoinSet<anyhow::Result<()>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Replaces the contents of `volume` in one step, as the kubelet's `AtomicWriter` does (`pkg/volume/util/atomic_writer.go`):
/// writes a new directory, renames a new link to it over `..data`, and removes the old directory. Readers see the whole old
/// token or the whole new one.
fn write(volume: &Path, version: u64, token: &str) -> anyhow::Result<()> {
    let written = || {
        let old = fs::read_link(volume.join("..data")).ok();
        let directory = format!("..{version}");
        fs::create_dir(volume.join(&directory))?;
        fs::write(volume.join(&directory).join(FILE), token)?;
        symlink(&directory, volume.join("..data_tmp"))?;
        fs::rename(volume.join("..data_tmp"), volume.join("..data"))?;
        match old {
            None => symlink(Path::new("..data").join(FILE), volume.join(FILE)),
            Some(old) => fs::remove_dir_all(volume.join(old)),
        }
    };
    written().with_context(|| format!("write a token to {}", volume.display()))
}

#[cfg(test)]
mod tests {
    use authority::unverified;

    use super::*;

    #[tokio::test]
    async fn a_reader_sees_whole_tokens_while_they_are_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let signer = Arc::new(Signer::new("k").unwrap());
        let kubelet = Kubelet::new(signer, dir.path()).unwrap();
        let projection = Projection {
            issuer: "https://i/".to_owned(),
            namespace: "ns".to_owned(),
            service_account: "sa".to_owned(),
            audience: "api://x".to_owned(),
            life: Duration::from_millis(25),
            age: Duration::ZERO,
            is_renewed: true,
        };
        let file = kubelet.project("pod-1", projection).unwrap();
        while kubelet.renewals() < 5 {
            let token = fs::read_to_string(&file).unwrap();
            assert_eq!(unverified(&token).unwrap().pod(), "pod-1");
            tokio::task::yield_now().await;
        }
        kubelet.check().unwrap();
        let kept = fs::read_dir(file.parent().unwrap()).unwrap().count();
        assert!(kept <= 5, "old tokens go: {kept}");
    }
}
