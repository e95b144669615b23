//! One namespace of a Kubernetes cluster for one run: created, filled, watched, connected to, and removed. Knows Kubernetes,
//! and nothing about runs.
//!
//! - [`context`]: the choice of the cluster; [`preflight()`]: what it must have and allow.
//! - [`namespace`]: the run's namespace, with its expiry; [`Objects`]: server-side apply of any objects of an overlay.
//! - [`issuer()`]: who signs the tokens of its service accounts.
//! - [`watching`]: changes of objects, complete also after a break; [`pods`]: the relevant part of a pod.
//! - [`nodes`]: handed-over nodes, cordoned and uncordoned; [`drain`]: ends the pods on a node.
//! - [`logs`]: logs of containers, copied while they run; [`Forward`]: a forwarded port of a pod; [`evidence`]: the state of
//!   the namespace, saved before it is removed.

pub mod context;
pub mod drain;
mod error;
pub mod evidence;
mod forward;
mod issuer;
pub mod logs;
pub mod namespace;
pub mod nodes;
mod objects;
pub mod pods;
mod preflight;
mod ready;
pub mod watching;

pub use error::{ContextError, Error};
pub use forward::Forward;
pub use issuer::{Issuer, issuer};
pub use nodes::NodeLabel;
pub use objects::{FIELD_MANAGER, Objects, label};
pub use preflight::{Found, Wants, preflight};
pub use ready::{is_ready, ready, what_waits};
