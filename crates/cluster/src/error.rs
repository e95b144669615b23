//! Errors of a cluster, in words that say what to do.

use std::time::Duration;

/// Reason why an operation failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No context was named, or it does not exist.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The API server refused the operation, or did not answer.
    #[error("{doing}: {said}")]
    Refused {
        /// The operation.
        doing: String,
        /// The API server's message.
        said: String,
        /// The HTTP status; `None`: there was no answer.
        status: Option<u16>,
    },
    /// A wait exceeded its time limit.
    #[error("wait until {what}: not within {after:?}{}", because(.why))]
    Late {
        /// The condition.
        what: String,
        /// The time limit.
        after: Duration,
        /// The known reason; empty if there is none.
        why: String,
    },
    /// An object cannot be used.
    #[error("use {object}: {reason}")]
    Object {
        /// Kind and name.
        object: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An operation on a file or a socket of this machine failed.
    #[error("{doing}: {source}")]
    Local {
        /// The operation.
        doing: String,
        /// The system's error.
        source: std::io::Error,
    },
}

fn because(why: &str) -> String {
    if why.is_empty() {
        return String::new();
    }
    format!("; {why}")
}

/// Reason why no cluster was chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// There is no readable kubeconfig.
    #[error("read the kubeconfig: {0}; set KUBECONFIG to its file")]
    Unreadable(String),
    /// No context was named. It is never guessed, because another terminal may have changed the current context.
    #[error("choose a cluster: name its context, --context NAME{}", told(.current.as_deref(), .known))]
    NotNamed {
        /// The current context, which kubectl would use.
        current: Option<String>,
        /// The existing contexts.
        known: Vec<String>,
    },
    /// There is no context with this name.
    #[error("find the context {name:?}{}", told(None, .known))]
    Unknown {
        /// The name.
        name: String,
        /// The existing contexts.
        known: Vec<String>,
    },
    /// The context does not verify the API server's certificate, although secrets are sent to that server.
    #[error(
        "use the context {0:?}: it does not check the API server's certificate (insecure-skip-tls-verify), and the harness sends \
         secrets there; give its cluster certificate-authority-data, or certificate-authority, in the kubeconfig"
    )]
    Insecure(String),
}

fn told(current: Option<&str>, known: &[String]) -> String {
    let current = current.map(|name| format!("; kubectl would use {name}"));
    let known = match known {
        [] => "; the kubeconfig has none".to_owned(),
        known => format!("; the kubeconfig has {}", known.join(", ")),
    };
    current.unwrap_or_default() + &known
}

impl Error {
    /// Makes an error from the client's error while `doing` something.
    pub fn of(doing: impl Into<String>, error: &kube::Error) -> Self {
        let status = match error {
            kube::Error::Api(status) => Some(status.code),
            _ => None,
        };
        Self::Refused {
            doing: doing.into(),
            said: said(error),
            status,
        }
    }
}

/// The API server's message, without the client's own text around it.
pub(crate) fn said(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if status.message.is_empty() => {
            format!("{} {}", status.code, status.reason)
        }
        kube::Error::Api(status) => status.message.clone(),
        kube::Error::Service(source) => chain(&**source),
        kube::Error::HyperError(source) => chain(source),
        other => other.to_string(),
    }
}

/// An error and its causes, without repetitions.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_names_no_context_is_told_which_there_are() {
        let error = ContextError::NotNamed {
            current: Some("prod".to_owned()),
            known: vec!["kind-edw".to_owned(), "prod".to_owned()],
        };
        assert_eq!(
            error.to_string(),
            "choose a cluster: name its context, --context NAME; kubectl would use prod; the kubeconfig has kind-edw, prod"
        );
    }

    #[test]
    fn what_is_late_says_what_holds_it() {
        let error = Error::Late {
            what: "the namespace edw-1 is gone".to_owned(),
            after: Duration::from_secs(60),
            why: "pods have the finalizer x.y/z".to_owned(),
        };
        assert_eq!(
            error.to_string(),
            "wait until the namespace edw-1 is gone: not within 60s; pods have the finalizer x.y/z"
        );
    }
}
