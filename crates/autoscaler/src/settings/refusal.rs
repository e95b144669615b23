//! Why a manifest does not become settings, and what is doubtful about those it becomes.

use std::fmt;

use thiserror::Error;

/// Everything that is wrong with a manifest.
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

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{field}: {reason} ({})", self.who())]
pub struct Refusal {
    /// The kind of object that it is in, such as `ScaledJob`.
    pub object: &'static str,
    /// Where, as a path in the manifest.
    pub field: String,
    /// What is wrong, and what would be right.
    pub reason: String,
    /// Who would refuse it in a cluster.
    pub by: RefusedBy,
}

impl Refusal {
    /// Who refuses which object, in words.
    pub fn who(&self) -> String {
        self.by.told(self.object)
    }
}

/// Who refuses a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedBy {
    /// The API server, by the schema of KEDA's custom resource.
    Schema,
    /// KEDA's admission webhook, or the scaler when it reads its metadata: nothing would be scaled.
    Keda,
    /// The API server, when KEDA creates the HPA: the ScaledObject would be there, and nothing would be scaled.
    Hpa,
    /// The API server, when KEDA creates a Job: the ScaledJob would be there, and no Job ever.
    Job,
    /// Storage, when KEDA reads the queue: each read would fail, and nothing be scaled by it.
    Storage,
    /// Nobody: this model cannot say what would happen.
    Model,
}

impl RefusedBy {
    /// Who refuses an object of this kind, in words.
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

/// A setting that KEDA accepts and that loses time, strands messages or kills work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where, as a path in the manifest.
    pub field: String,
    /// What will happen.
    pub reason: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.reason)
    }
}
