//! One namespace of a Kubernetes cluster for one run: made, filled, watched, reached, and taken away. Knows Kubernetes, and nothing of
//! what runs in it or of how that is judged.
//!
//! - [`context`]: which cluster; [`preflight()`]: what it must have and allow.
//! - [`namespace`]: of the run, with its expiry; [`Objects`]: server-side apply of whatever an overlay holds.
//! - [`watching`]: changes of objects, whole also after a break; [`pods`]: what of a pod matters.
//! - [`nodes`]: those that were handed over, out of use and given back; [`drain`]: how pods are ended on one.
//! - [`logs`]: what containers say, while they live; [`Forward`]: the way to a port of a pod; [`evidence`]: what is written down
//!   before all of it goes.

pub mod context;
pub mod drain;
mod error;
pub mod evidence;
mod forward;
pub mod logs;
pub mod namespace;
pub mod nodes;
mod objects;
pub mod pods;
mod preflight;
pub mod watching;

pub use error::{ContextError, Error};
pub use forward::{Forward, is_ready, ready};
pub use nodes::NodeLabel;
pub use objects::{FIELD_MANAGER, Objects, label};
pub use preflight::{Found, Wants, preflight};
