//! Projects service account tokens into files, as the kubelet does, and replaces them before they expire.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::task::JoinSet;

use super::Signer;

/// The file's name under `/var/run/secrets/azure/tokens` (azure-workload-identity, `webhook/consts.go`).
const FILE: &str = "azure-identity-token";

/// Settings of a projected token volume, and the service account of its pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Projection {
    /// The cluster's issuer.
    pub issuer: String,
    /// The service account's namespace.
    pub namespace: String,
    /// The service account's name.
    pub service_account: String,
    /// The audience of the token.
    pub audience: String,
    /// Lifetime of each token. Kubernetes gives none less than 10 minutes.
    pub life: Duration,
    /// Age of the first token when it is projected.
    pub age: Duration,
    /// Whether the token is replaced at 80 % of its lifetime (kubelet, `token_manager.go`, `requiresRefresh`).
    pub is_renewed: bool,
}

/// Keeps the token files of pods, until it is dropped.
#[derive(Debug)]
pub struct Kubelet {
    signer: Arc<Signer>,
    volumes: TempDir,
    renewals: Arc<AtomicU64>,
    tasks: Mutex<JoinSet<anyhow::Result<()>>>,
}

impl Kubelet {
    /// Makes a kubelet whose tokens `signer` signs, and which keeps its volumes below `within`.
    pub fn new(signer: Arc<Signer>, within: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            signer,
            volumes: TempDir::with_prefix_in("volumes-", within)
                .context("make a directory for token files")?,
            renewals: Arc::default(),
            tasks: Mutex::default(),
        })
    }

    /// Projects the token of `pod` and keeps it fresh. Returns the file's path.
    pub fn project(&self, pod: &str, projection: Projection) -> anyhow::Result<PathBuf> {
        let volume = self.volumes.path().join(pod);
        fs::create_dir(&volume).with_context(|| format!("make the volume of {pod}"))?;
        let file = volume.join(FILE);
        write(
            &volume,
            0,
            &token(&self.signer, pod, &projection, projection.age)?,
        )?;
        if projection.is_renewed {
            let (signer, renewals) = (self.signer.clone(), self.renewals.clone());
            let pod = pod.to_owned();
            let every = projection.life.mul_f64(0.8);
            self.tasks().spawn(async move {
                for version in 1.. {
                    // The wait is the token's lifetime itself, so there is no condition to wait for.
                    tokio::time::sleep(every).await;
                    let token = token(&signer, &pod, &projection, Duration::ZERO)?;
                    write(&volume, version, &token)?;
                    renewals.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            });
        }
        Ok(file)
    }

    /// How many tokens were replaced so far.
    pub fn renewals(&self) -> u64 {
        self.renewals.load(Ordering::Relaxed)
    }

    /// Returns an error if a file was not replaced when it was due.
    pub fn check(&self) -> anyhow::Result<()> {
        while let Some(ended) = self.tasks().try_join_next() {
            ended?.context("replace a projected token")?;
        }
        Ok(())
    }

    fn tasks(&self) -> std::sync::MutexGuard<'_, JoinSet<anyhow::Result<()>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A service account token as the API server issues it, issued `age` ago.
fn token(
    signer: &Signer,
    pod: &str,
    projection: &Projection,
    age: Duration,
) -> anyhow::Result<String> {
    let issued = OffsetDateTime::now_utc() - age;
    let ends = issued + projection.life;
    let Projection {
        issuer,
        namespace,
        service_account,
        audience,
        ..
    } = projection;
    signer.sign(&json!({
        "iss": issuer,
        "sub": format!("system:serviceaccount:{namespace}:{service_account}"),
        "aud": [audience],
        "iat": issued.unix_timestamp(),
        "nbf": issued.unix_timestamp(),
        "exp": ends.unix_timestamp(),
        "kubernetes.io": {
            "namespace": namespace,
            "pod": {"name": pod},
            "serviceaccount": {"name": service_account},
        },
    }))
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
    use super::*;
    use crate::authority::exchange::unverified;

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
