//! The control plane: the API, what is wanted of every tenant, and the reconciler that makes it so.
//!
//! Start reading at [`run`]; [`plane::ControlPlane`] holds the parts together. A lifecycle request
//! goes `http::admin::worker` → [`lifecycle`] (writes what is wanted) → [`reconcile`] (makes it so) →
//! [`runtime::Runtime`], and comes back as a change of the tenant's [`fleet::Snapshot`].

mod admission;
mod audit;
pub mod config;
mod deletion;
mod events;
pub mod fleet;
mod http;
mod launch;
mod lifecycle;
mod metrics;
mod migration;
mod naming;
mod pairing;
mod plane;
pub mod problem;
mod qr;
mod reconcile;
mod recorder;
mod runtimes;
mod sending;
mod server;
mod stale;
mod startup;
mod token;
mod usage;

pub use server::run;
pub use startup::StartError;
