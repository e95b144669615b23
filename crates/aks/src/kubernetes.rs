//! The cluster: the run's own kubeconfig, `kubectl` with it, and Entra's token for it.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::args::Common;
use crate::door::Door;
use crate::failure::{Exit, Failure};
use crate::names::Run;
use crate::refusal::Refusal;
use crate::stamp;

/// The application id for which tokens of every AKS cluster with Entra sign-in are issued (AKS, "kubelogin").
const AKS_SERVER: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";

/// The workload's namespace, as in `k8s/base`.
pub(crate) const NAMESPACE: &str = "aqs-demo";

/// The kubeconfig, in the run's directory: the user's own is never changed.
pub(crate) const KUBECONFIG: &str = "kubeconfig";

/// The field manager's name: a user who applies under another name gets a conflict.
const FIELD_MANAGER: &str = "edw-harness";

/// `kubectl` for one cluster. The context is always named: the current one is never used.
#[derive(Debug)]
pub(crate) struct Kubectl<'a> {
    door: &'a Door,
    kubeconfig: PathBuf,
    context: String,
}

impl<'a> Kubectl<'a> {
    pub(crate) fn of(door: &'a Door, run: &Run) -> Self {
        Self {
            kubeconfig: door.dir().join(KUBECONFIG),
            context: run.cluster(),
            door,
        }
    }

    /// Whether `up` has written a kubeconfig.
    pub(crate) fn is_there(&self) -> bool {
        self.kubeconfig.is_file()
    }

    /// Fetches the kubeconfig. Its user entry asks this program for a token, so that no other plugin is needed, and no token is
    /// used after its expiry.
    pub(crate) fn fetch(&self, run: &Run) -> Result<(), Failure> {
        let file = self.kubeconfig.display().to_string();
        let fetched = self.door.az(&[
            "aks",
            "get-credentials",
            "--resource-group",
            &run.group(),
            "--name",
            &run.cluster(),
            "--context",
            &self.context,
            "--file",
            &file,
            "--overwrite-existing",
        ]);
        fetched.map_err(|refusal| Failure::refused("fetch the cluster's address", &refusal))?;
        let program = std::env::current_exe().map_err(|error| {
            Failure::new(Exit::Missing, "find this program").said(error.to_string())
        })?;
        let program = format!("--exec-command={}", program.display());
        let out =
            std::path::absolute(self.door.dir()).unwrap_or_else(|_| self.door.dir().to_owned());
        let out = format!("--exec-arg=--out={}", out.display());
        let name = format!("{}-edw", self.context);
        let mut set = vec![
            "config",
            "set-credentials",
            &name,
            "--exec-api-version=client.authentication.k8s.io/v1beta1",
            &program,
        ];
        // In `harness aks`, the command follows a first word.
        if std::env::args().nth(1).as_deref() == Some("aks") {
            set.push("--exec-arg=aks");
        }
        set.extend(["--exec-arg=token", &out]);
        let user = format!("--user={name}");
        for args in [set, vec!["config", "set-context", &self.context, &user]] {
            self.run(&args, None)
                .map_err(|refusal| Failure::refused("write the kubeconfig", &refusal))?;
        }
        Ok(())
    }

    /// Runs `kubectl`, and returns its output.
    pub(crate) fn run(&self, args: &[&str], stdin: Option<&str>) -> Result<String, Refusal> {
        self.run_within(Duration::from_secs(120), args, stdin)
    }

    pub(crate) fn run_within(
        &self,
        limit: Duration,
        args: &[&str],
        stdin: Option<&str>,
    ) -> Result<String, Refusal> {
        let file = self.kubeconfig.display().to_string();
        let mut all = vec!["--kubeconfig", &file];
        if args.first() != Some(&"config") {
            all.extend(["--context", &self.context]);
        }
        all.extend(args);
        self.door.run("kubectl", &all, stdin, limit)
    }

    /// The object or list in the answer of `get`.
    pub(crate) fn get(&self, what: &[&str]) -> Result<Value, Refusal> {
        let mut args = vec!["get"];
        args.extend(what);
        args.extend(["--output", "json"]);
        let text = self.run(&args, None)?;
        serde_json::from_str(&text).map_err(|error| {
            Refusal::of(
                format!("kubectl get {}", what.join(" ")),
                format!("answer is no JSON: {error}"),
            )
        })
    }

    /// Applies a directory by server-side apply, with this program's field manager.
    pub(crate) fn apply(&self, overlay: &str) -> Result<String, Refusal> {
        self.run(
            &[
                "apply",
                "--server-side",
                "--field-manager",
                FIELD_MANAGER,
                "--kustomize",
                overlay,
            ],
            None,
        )
    }
}

/// Checks that the condition `kind` of an object is true; the error has its message.
pub(crate) fn condition(object: &Value, kind: &str) -> Result<(), String> {
    let conditions = object["status"]["conditions"].as_array();
    let Some(found) = conditions
        .into_iter()
        .flatten()
        .find(|condition| condition["type"] == kind)
    else {
        return Err(format!("has no condition {kind} yet"));
    };
    if found["status"] == "True" {
        return Ok(());
    }
    let part = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
    Err(format!(
        "{kind} is {}: {} {}",
        part("status"),
        part("reason"),
        part("message")
    )
    .trim_end()
    .to_owned())
}

/// Prints a token for the cluster in the form of a client-go credential plugin (`ExecCredential`).
pub(crate) fn token(args: &Common) -> Result<Exit, Failure> {
    let door = Door::open(args, args.out.clone())?;
    let answer = door
        .az(&["account", "get-access-token", "--resource", AKS_SERVER])
        .map_err(|refusal| Failure::refused("get a token for the cluster", &refusal))?;
    let token = answer["accessToken"].as_str();
    let token = token.ok_or_else(|| {
        Failure::new(
            Exit::NotReady,
            "there is no token for the cluster in what az answered",
        )
    })?;
    let mut status = json!({"token": token});
    let expires = answer["expires_on"]
        .as_i64()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    if let Some(expires) = expires {
        status["expirationTimestamp"] = stamp::text(expires).into();
    }
    let credential = json!({"apiVersion": "client.authentication.k8s.io/v1beta1", "kind": "ExecCredential", "status": status});
    crate::say(&credential.to_string());
    Ok(Exit::Success)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_is_not_true_says_why() {
        let object = json!({"status": {"conditions": [
            {"type": "Ready", "status": "False", "reason": "Failed", "message": "no scaler"},
            {"type": "Active", "status": "True"},
        ]}});
        assert_eq!(condition(&object, "Active"), Ok(()));
        assert_eq!(
            condition(&object, "Ready").unwrap_err(),
            "Ready is False: Failed no scaler"
        );
        assert_eq!(
            condition(&json!({}), "Ready").unwrap_err(),
            "has no condition Ready yet"
        );
    }
}
