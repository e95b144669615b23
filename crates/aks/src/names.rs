//! Names of resources that follow from a run's name, and the reverse; and the tag of its images.

use std::fmt;
use std::str::FromStr;

/// Prefix of the names of all resource groups of this project; a sweep ignores all others.
pub(crate) const PREFIX: &str = "edw-aks-";

/// Suffix that `infra/main.bicep` adds to the group's name for the node group, which AKS creates.
pub(crate) const NODES: &str = "-nodes";

/// The tag with the run's name.
pub(crate) const RUN_TAG: &str = "run";

/// The tag with the expiry time.
pub(crate) const EXPIRY_TAG: &str = "DeleteAfter";

/// The tag of images from `ci/images/build` and in `k8s/base`.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The name of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run(String);

impl Run {
    /// The name of the resource group of everything except nodes.
    pub(crate) fn group(&self) -> String {
        format!("{PREFIX}{}", self.0)
    }

    /// The cluster's name, as in `infra/main.bicep`.
    pub(crate) fn cluster(&self) -> String {
        format!("edw-{}", self.0)
    }
}

impl FromStr for Run {
    type Err = String;

    /// Accepts a text that is valid as part of the names of a group, a cluster and an identity.
    fn from_str(text: &str) -> Result<Self, String> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let inner = !text.starts_with('-') && !text.ends_with('-') && !text.ends_with(NODES);
        if (3..=24).contains(&text.len()) && text.bytes().all(fits) && inner {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "{text:?} is not 3 to 24 lower-case letters, digits and dashes between them, or ends in {NODES}"
            ))
        }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_no_resource_could_be_named_after_is_refused() {
        for good in ["n1a", "20261128-0300", "abcdefghijklmnopqrstuvwx"] {
            assert_eq!(good.parse::<Run>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "ab",
            "-abc",
            "abc-",
            "Abc",
            "a_c",
            "a.c",
            "abcdefghijklmnopqrstuvwxy",
            "x-nodes",
        ] {
            assert!(bad.parse::<Run>().is_err(), "{bad}");
        }
    }
}
