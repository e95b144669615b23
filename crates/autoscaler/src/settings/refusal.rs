//! Reasons why a manifest is refused, and warnings about settings that are accepted.

use std::fmt;

use thiserror::Error;

/// All errors in a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct Refusals(pub Vec<Refusal>);

impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, refusal) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            refusal.fmt(f)?;
        }
        Ok(())
    }
}

/// One error in a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{field}: {reason} ({})", self.who())]
pub struct Refusal {
    /// The object's kind, such as `ScaledJob`.
    pub object: &'static str,
    /// The field, as a path in the manifest.
    pub field: String,
    /// What is wrong, and what would be right.
    pub reason: String,
    /// The component of a cluster that would refuse it.
    pub by: RefusedBy,
}

impl Refusal {
    /// The component that refuses the object, in words.
    pub fn who(&self) -> String {
        self.by.told(self.object)
    }
}

/// The component that refuses a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedBy {
    /// The API server, by the schema of KEDA's custom resource.
    Schema,
    /// KEDA's admission webhook, or the scaler when it reads its metadata: nothing would be scaled.
    Keda,
    /// The API server, when KEDA creates the HPA: the ScaledObject would exist, but nothing would be scaled.
    Hpa,
    /// The API server, when KEDA creates a Job: the ScaledJob would exist, but never a Job.
    Job,
    /// Storage, when KEDA reads the queue: each read would fail, and nothing would be scaled by it.
    Storage,
    /// No component: this model does not cover the setting.
    Model,
}

impl RefusedBy {
    /// The component that refuses an object of this kind, in words.
    fn told(self, object: &str) -> String {
        match self {
            Self::Schema => format!("the API server refuses the {object}"),
            Self::Keda => "KEDA refuses it".to_owned(),
            Self::Hpa => {
                "the API server refuses the HPA, so that KEDA never scales anything".to_owned()
            }
            Self::Job => "the API server refuses each Job that KEDA makes of it".to_owned(),
            Self::Storage => {
                "storage refuses each read, so that KEDA scales nothing by it".to_owned()
            }
            Self::Model => "the model does not cover it".to_owned(),
        }
    }
}

/// A warning about a setting that KEDA accepts and that loses time, strands messages or kills work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The field, as a path in the manifest.
    pub field: String,
    /// The consequence.
    pub reason: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.reason)
    }
}
