//! Pushes the workload's images from this machine's Docker engine to the run's registry.

use std::time::Duration;

use crate::door::Door;
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::names::VERSION;
use crate::refusal::Kind;
use crate::wait::{Look, until};

const IMAGES: [&str; 3] = ["consumer", "producer", "wire"];

/// Time limit of a push: an image has at most 25 MiB.
const LIMIT: Duration = Duration::from_secs(300);

/// Pushes the images. The role for it may need ten minutes to become effective.
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
