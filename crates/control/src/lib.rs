//! The control plane: the API, what is wanted of every tenant, and the reconciler that makes it so.
//!
//! Start reading at [`run`]; [`plane::ControlPlane`] holds the parts together. A lifecycle request
//! goes `http::admin::worker` → [`lifecycle`] (writes what is wanted) → [`reconcile`] (makes it so) →
//! [`runtime::Runtime`], and comes back as a change of the tenant's [`fleet::Snapshot`].

mod admission;
mod audit;
pub mod backup;
mod brand;
pub mod config;
mod dashboard;
pub mod database;
mod deletion;
mod doctor;
mod events;
pub mod fleet;
mod grant;
mod heavy;
mod http;
mod launch;
mod lifecycle;
mod metrics;
mod migration;
mod naming;
mod observed;
mod pairing;
mod people;
mod places;
mod plane;
pub mod problem;
mod qr;
mod reconcile;
mod recorder;
mod runtimes;
mod sending;
mod server;
mod serving;
mod stale;
mod startup;
mod token;
mod usage;

pub use server::run;
pub use serving::certificate_expiry;
pub use startup::StartError;

/// The OpenAPI document of the HTTP API, as `docs/openapi.json` has it.
///
/// # Errors
/// None that could happen: the document is made of texts.
pub fn openapi() -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(&http::openapi::document())? + "\n")
}
