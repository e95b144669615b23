//! What can go wrong with a cluster, in words that say what to do.

use std::time::Duration;

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No context was named, or there is none of that name.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The API server refused it, or could not be asked.
    #[error("{doing}: {said}")]
    Refused {
        /// What was to be done.
        doing: String,
        /// What the API server said.
        said: String,
        /// The HTTP status; `None`: there was no answer.
        status: Option<u16>,
    },
    /// It did not happen in time.
    #[error("wait until {what}: not within {after:?}{}", because(.why))]
    Late {
        /// What was waited for.
        what: String,
        /// For how long.
        after: Duration,
        /// What is known of the reason; empty: nothing.
        why: String,
    },
    /// An object cannot be used as it is.
    #[error("use {object}: {reason}")]
    Object {
        /// Kind and name.
        object: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file or a socket of this machine.
    #[error("{doing}: {source}")]
    Local {
        /// What was to be done.
        doing: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

fn because(why: &str) -> String {
    if why.is_empty() {
        return String::new();
    }
    format!("; {why}")
}

/// Why no cluster was chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// There is no kubeconfig that can be read.
    #[error("read the kubeconfig: {0}; set KUBECONFIG to its file")]
    Unreadable(String),
    /// None was named. It is never guessed: what the current context is depends on what was done last in some other terminal.
    #[error("choose a cluster: name its context, --context NAME{}", told(.current.as_deref(), .known))]
    NotNamed {
        /// What kubectl would use.
        current: Option<String>,
        /// Those that there are.
        known: Vec<String>,
    },
    /// There is none of this name.
    #[error("find the context {name:?}{}", told(None, .known))]
    Unknown {
        /// The name.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// It does not check whom it speaks to, and what is sent there holds secrets.
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
    /// From an error of the client while `doing` something.
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

    /// Whether the API server has no such object.
    pub const fn is_absent(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                status: Some(404),
                ..
            }
        )
    }
}

/// What the API server said, without the client's own frame around it.
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

/// An error and its causes; each that says something new.
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
