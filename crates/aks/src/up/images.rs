//! The images of the workload, from this machine's Docker engine to the registry of the run.

use std::time::Duration;

use crate::door::Door;
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::refusal::Kind;
use crate::wait::{Look, until};

/// As `ci/images/build` tags them, and `k8s/base` names them.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

const IMAGES: [&str; 3] = ["consumer", "producer", "wire"];

/// An image is 25 MiB at most.
const LIMIT: Duration = Duration::from_secs(300);

/// Pushes the images. The role for it may take ten minutes to count.
pub(crate) fn push(door: &Door, environment: &Environment) -> Result<(), Failure> {
    for image in IMAGES {
        let local = format!("edw/{image}:{VERSION}");
        let there = door.run(
            "docker",
            &["image", "inspect", "--format", "{{.Id}}", &local],
            None,
            LIMIT,
        );
        there.map_err(|refusal| match refusal.kind {
            Kind::NoProgram => Failure::refused("push images", &refusal),
            _ => Failure::new(Exit::Missing, format!("there is no image {local}"))
                .said(refusal.to_string())
                .mend("ci/images/build consumer producer wire"),
        })?;
    }
    until("registry", door.minutes(12), || {
        match door.az(&["acr", "login", "--name", &environment.registry_name]) {
            Ok(_) => Ok(Look::Done(())),
            Err(refusal) if refusal.passes() || refusal.kind == Kind::Forbidden => Ok(Look::Not(
                "signing in is refused: the role AcrPush does not count yet".to_owned(),
            )),
            Err(refusal) => Err(Failure::refused("sign in to the registry", &refusal)),
        }
    })?;
    for image in IMAGES {
        let local = format!("edw/{image}:{VERSION}");
        let remote = format!("{}/{local}", environment.login_server);
        let refused = |refusal| Failure::refused(format!("push {remote}"), &refusal);
        door.run("docker", &["tag", &local, &remote], None, LIMIT)
            .map_err(refused)?;
        until("push", door.minutes(12), || {
            match door.run("docker", &["push", "--quiet", &remote], None, LIMIT) {
                Ok(_) => Ok(Look::Done(())),
                Err(refusal) if refusal.passes() || refusal.kind == Kind::Forbidden => Ok(
                    Look::Not("pushing is refused: the role AcrPush does not count yet".to_owned()),
                ),
                Err(refusal) => Err(refused(refusal)),
            }
        })?;
    }
    Ok(())
}
