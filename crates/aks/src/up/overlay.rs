//! Fills in `k8s/overlays/aks-spot` with the deployment's outputs, as its comments describe, and applies it.
//!
//! Fills in a copy in the run's directory, which users can read, and apply again by hand.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::args::UpArgs;
use crate::door::{Door, missing};
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::kubernetes::Kubectl;
use crate::refusal::Kind;
use crate::wait::{Look, until};

/// The placeholder of the registry in `k8s/overlays/aks/kustomization.yaml`.
const REGISTRY: &str = "yourregistry.azurecr.io";

/// Writes the copy, and returns the overlay to apply: aks-spot, with this run's limits.
pub(crate) fn write(
    args: &UpArgs,
    environment: &Environment,
    dir: &Path,
) -> Result<PathBuf, Failure> {
    let (from, to) = (args.root.join("k8s"), dir.join("k8s"));
    copy(&from, &to)?;
    let azure = format!(
        "AZURE_STORAGE_ACCOUNT_NAME={}\nWORKLOAD_MANAGED_IDENTITY_CLIENT_ID={}\n",
        environment.account_name, environment.client_id
    );
    put(&to.join("overlays/aks/azure.env"), &azure)?;
    let path = to.join("overlays/aks/kustomization.yaml");
    let text = fs::read_to_string(&path).map_err(|error| missing(&path, &error))?;
    if text.matches(REGISTRY).count() != 1 {
        return Err(Failure::new(
            Exit::Usage,
            format!(
                "{} names {REGISTRY} not exactly once",
                from.join("overlays/aks/kustomization.yaml").display()
            ),
        )
        .mend("leave that line as the repository has it: up fills in the registry"));
    }
    put(&path, &text.replace(REGISTRY, &environment.login_server))?;

    let overlay = to.join("overlays/run");
    fs::create_dir_all(&overlay).map_err(|error| missing(&overlay, &error))?;
    let mut text = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  - ../aks-spot\npatches:\n".to_owned();
    for (pool, cpu) in [
        ("edw-spot", args.spot_cpu),
        ("edw-on-demand", args.on_demand_cpu),
    ] {
        let _ = write!(
            text,
            "  - target:\n      kind: NodePool\n      name: {pool}\n    patch: |-\n      - op: replace\n        path: /spec/limits/cpu\n        value: \"{cpu}\"\n"
        );
    }
    put(&overlay.join("kustomization.yaml"), &text)?;
    Ok(overlay)
}

/// Applies the overlay. New add-ons may not answer yet, and the role on the cluster may need minutes to become effective.
pub(crate) fn apply(door: &Door, kubectl: &Kubectl<'_>, overlay: &Path) -> Result<(), Failure> {
    let overlay = overlay.display().to_string();
    until("overlay", door.minutes(12), || {
        match kubectl.apply(&overlay) {
            Ok(_) => Ok(Look::Done(())),
            Err(refusal)
                if refusal.passes()
                    || matches!(
                        refusal.kind,
                        Kind::Undefined | Kind::Forbidden | Kind::NotFound
                    ) =>
            {
                Ok(Look::Not(format!("{:?}", refusal.kind)))
            }
            Err(refusal) => Err(Failure::refused(format!("apply {overlay}"), &refusal)),
        }
    })
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to).map_err(|error| missing(to, &error))?;
    let entries = fs::read_dir(from)
        .map_err(|error| missing(from, &error).mend("name the repository's root with --root"))?;
    for entry in entries {
        let entry = entry.map_err(|error| missing(from, &error))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target)?;
        } else {
            fs::copy(&source, &target).map_err(|error| missing(&source, &error))?;
        }
    }
    Ok(())
}

fn put(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| missing(path, &error))
}
