//! Choice of the cluster: a context of the kubeconfig, which the user names and which is never guessed.

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

/// Clients of a cluster.
#[derive(Clone)]
pub struct Connected {
    /// Retries an answer of 429, 503 or 504, for up to some minutes.
    pub client: Client,
    /// Returns each refusal at once.
    pub told: Client,
    /// The name of the context.
    pub context: String,
}

/// Makes clients of the cluster with the context `wanted` in the kubeconfig (`KUBECONFIG`, else `~/.kube/config`). Sends no
/// request yet.
pub async fn connect(wanted: Option<&str>) -> Result<Connected, Error> {
    by(Kubeconfig::read(), wanted).await
}

/// As [`connect`], with the kubeconfig in `file`.
pub async fn connect_by(file: &Path, wanted: Option<&str>) -> Result<Connected, Error> {
    by(Kubeconfig::read_from(file), wanted).await
}

async fn by(
    read: Result<Kubeconfig, KubeconfigError>,
    wanted: Option<&str>,
) -> Result<Connected, Error> {
    let (config, context) = config(read, wanted).await?;
    let mut told = config.clone();
    told.default_retry = false;
    Ok(Connected {
        client: client(config, &context)?,
        told: client(told, &context)?,
        context,
    })
}

fn unusable(context: &str, said: &str) -> Error {
    // What rustls says of a client certificate without extensions, as `openssl x509 -req` makes it; kubectl takes it.
    let said = if said.contains("UnsupportedCertVersion") {
        "its client certificate is of X.509 version 1, which the harness cannot use; have it signed again as version 3 \
         (openssl x509 -req ... -extfile <(echo extendedKeyUsage=clientAuth)), or give the context a token"
    } else {
        said
    };
    Error::Refused {
        doing: format!("use the context {context}"),
        said: said.to_owned(),
        status: None,
    }
}

fn client(config: Config, context: &str) -> Result<Client, Error> {
    Client::try_from(config).map_err(|error| unusable(context, &said(&error)))
}

async fn config(
    read: Result<Kubeconfig, KubeconfigError>,
    wanted: Option<&str>,
) -> Result<(Config, String), Error> {
    let kubeconfig = read.map_err(|error| ContextError::Unreadable(error.to_string()))?;
    let context = choose(&kubeconfig, wanted)?;
    let options = KubeConfigOptions {
        context: Some(context.clone()),
        ..KubeConfigOptions::default()
    };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
    let config = config.map_err(|error| unusable(&context, &error.to_string()))?;
    if config.accept_invalid_certs {
        return Err(ContextError::Insecure(context).into());
    }
    Ok((config, context))
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

    #[tokio::test]
    async fn a_context_that_checks_no_certificate_is_refused() {
        let kubeconfig = |insecure: bool| {
            let text = format!(
                "
apiVersion: v1
kind: Config
clusters:
  - {{name: a, cluster: {{server: 'https://127.0.0.1:6443', insecure-skip-tls-verify: {insecure}}}}}
users:
  - {{name: b, user: {{}}}}
contexts:
  - {{name: dev, context: {{cluster: a, user: b}}}}
"
            );
            Kubeconfig::from_yaml(&text)
        };
        let refused = config(kubeconfig(true), Some("dev")).await.unwrap_err();
        let told = refused.to_string();
        assert!(told.contains("insecure-skip-tls-verify"), "{told}");
        let (_, name) = config(kubeconfig(false), Some("dev")).await.unwrap();
        assert_eq!(name, "dev");
    }

    #[test]
    fn a_client_certificate_of_version_1_is_told_as_such() {
        // The words of kube 5 with rustls, seen with a certificate that `openssl x509 -req` had signed without extensions.
        let said = "rustls tls error: invalid private key: invalid peer certificate: Other(OtherError(UnsupportedCertVersion))";
        let told = unusable("dev", said).to_string();
        assert!(told.contains("X.509 version 1"), "{told}");
        assert!(told.contains("extendedKeyUsage=clientAuth"), "{told}");
        let other = unusable("dev", "no key in the file").to_string();
        assert!(other.ends_with("no key in the file"), "{other}");
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
