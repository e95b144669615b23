//! Exit codes of a command that failed before it could judge anything; [`crate::outcome`] has the exit codes of verdicts.

use workflow::exit::{Exit, WrongInput};
use workflow::ports::StorageError;

/// The exit code for `error`, from the most specific cause in its chain.
pub fn exit_of(error: &anyhow::Error) -> Exit {
    if error.downcast_ref::<WrongInput>().is_some() {
        Exit::Usage
    } else if let Some(storage) = cause::<StorageError>(error) {
        Exit::of(storage)
    } else if let Some(emulator) = cause::<azurite::Error>(error) {
        if emulator.is_wrong_input() {
            Exit::Usage
        } else {
            Exit::StorageUnavailable
        }
    } else if let Some(cluster) = cause::<cluster::Error>(error) {
        of_cluster(cluster)
    } else if cause::<std::io::Error>(error).is_some() {
        Exit::LocalResource
    } else {
        Exit::Bug
    }
}

/// A cluster that does not answer was named wrongly, or is not up, which a run finds out before it begins.
fn of_cluster(error: &cluster::Error) -> Exit {
    match error {
        cluster::Error::Context(_) | cluster::Error::Refused { status: None, .. } => Exit::Usage,
        cluster::Error::Refused {
            status: Some(401 | 403),
            ..
        } => Exit::Denied,
        cluster::Error::Local { .. } => Exit::LocalResource,
        _ => Exit::Bug,
    }
}

/// The first cause of type `E`.
fn cause<E: std::error::Error + 'static>(error: &anyhow::Error) -> Option<&E> {
    error.chain().find_map(|cause| cause.downcast_ref())
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn a_disk_an_emulator_a_cluster_a_command_and_a_bug_have_codes_of_their_own() {
        let disk = || std::io::Error::from(std::io::ErrorKind::StorageFull);
        let full = Err::<(), _>(disk()).context("create the run directory");
        assert_eq!(exit_of(&full.unwrap_err()), Exit::LocalResource);

        let emulator = Err::<(), _>(azurite::Error::Start("no node".to_owned()));
        let emulator = emulator.context("start the local environment");
        assert_eq!(exit_of(&emulator.unwrap_err()), Exit::StorageUnavailable);

        for (status, code) in [(None, Exit::Usage), (Some(403), Exit::Denied)] {
            let refused = cluster::Error::Refused {
                doing: "list the nodes".to_owned(),
                said: "no".to_owned(),
                status,
            };
            let refused = Err::<(), _>(refused).context("ask the cluster");
            assert_eq!(exit_of(&refused.unwrap_err()), code);
        }

        let settings = Err::<(), _>(azurite::Error::UnknownSource("bogus".to_owned()));
        let settings = settings.context("start the local environment");
        assert_eq!(exit_of(&settings.unwrap_err()), Exit::Usage);

        let command = Err::<(), _>(disk()).context(WrongInput("select the scenarios"));
        let command = command.context("run the suite").unwrap_err();
        assert_eq!(exit_of(&command), Exit::Usage);
        assert_eq!(exit_of(&anyhow::anyhow!("no such case")), Exit::Bug);
    }
}
