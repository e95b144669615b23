//! Which cluster: a context of the kubeconfig, named by who runs it and never guessed.

use std::path::Path;

use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};

use crate::error::{ContextError, Error, said};

/// The context that `wanted` names.
pub fn choose(kubeconfig: &Kubeconfig, wanted: Option<&str>) -> Result<String, ContextError> {
    let known: Vec<String> = kubeconfig
        .contexts
        .iter()
        .map(|it| it.name.clone())
        .collect();
    match wanted {
        Some(name) if known.iter().any(|it| it == name) => Ok(name.to_owned()),
        Some(name) => Err(ContextError::Unknown {
            name: name.to_owned(),
            known,
        }),
        None => Err(ContextError::NotNamed {
            current: kubeconfig.current_context.clone(),
            known,
        }),
    }
}

/// A client of the cluster whose context `wanted` names in the kubeconfig (`KUBECONFIG`, else `~/.kube/config`), and that name.
/// Nothing is asked of the cluster yet.
pub async fn connect(wanted: Option<&str>) -> Result<(Client, String), Error> {
    by(Kubeconfig::read(), wanted).await
}

/// The same by the kubeconfig in `file`.
pub async fn connect_by(file: &Path, wanted: Option<&str>) -> Result<(Client, String), Error> {
    by(Kubeconfig::read_from(file), wanted).await
}

async fn by(
    read: Result<Kubeconfig, KubeconfigError>,
    wanted: Option<&str>,
) -> Result<(Client, String), Error> {
    let kubeconfig = read.map_err(|error| ContextError::Unreadable(error.to_string()))?;
    let context = choose(&kubeconfig, wanted)?;
    let options = KubeConfigOptions {
        context: Some(context.clone()),
        ..KubeConfigOptions::default()
    };
    let unusable = |said: String| Error::Refused {
        doing: format!("use the context {context}"),
        said,
        status: None,
    };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
    let config = config.map_err(|error| unusable(error.to_string()))?;
    let client = Client::try_from(config).map_err(|error| unusable(said(&error)))?;
    Ok((client, context))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kubeconfig() -> Kubeconfig {
        let text = "
apiVersion: v1
kind: Config
contexts:
  - {name: kind-edw, context: {cluster: a, user: b}}
  - {name: prod, context: {cluster: c, user: d}}
current-context: prod
";
        Kubeconfig::from_yaml(text).unwrap()
    }

    #[test]
    fn the_current_context_is_not_taken_for_granted() {
        let refused = choose(&kubeconfig(), None).unwrap_err();
        assert!(
            refused.to_string().contains("kubectl would use prod"),
            "{refused}"
        );
    }

    #[test]
    fn a_context_is_known_or_refused() {
        assert_eq!(
            choose(&kubeconfig(), Some("kind-edw")),
            Ok("kind-edw".to_owned())
        );
        let refused = choose(&kubeconfig(), Some("kind")).unwrap_err();
        let text = "find the context \"kind\"; the kubeconfig has kind-edw, prod";
        assert_eq!(refused.to_string(), text);
    }
}
