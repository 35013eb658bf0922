//! Wire types of Tenantry's HTTP surface, shared by the control plane, the command line, the worker
//! and the tests, and the typed clients that speak them.
//!
//! - [`people`], [`access`]: who there is, and what each may do;
//! - [`tenant`], [`worker`], [`session`], [`records`]: what the admin and portal routes say;
//! - [`fleet`]: the whole fleet at a glance, and what changes of it;
//! - [`live`]: one tenant as it lives: state, curves, conversations;
//! - [`pair_link`]: links with which a tenant's WhatsApp is connected by somebody without an account;
//! - [`brand`]: how the operator appears to tenants;
//! - [`system`]: the installation itself: what it is made of, its doctor, its backups;
//! - [`audit`]: the audit log;
//! - [`events`]: the event log;
//! - [`messages`]: messages that are sent from outside;
//! - [`pacing`]: how a bot paces itself;
//! - [`rules`]: reply rules, as the routes say them;
//! - [`link`]: what a worker and the control plane say to each other;
//! - [`problem`]: how every error is told (RFC 9457);
//! - [`client`]: the typed clients, over TCP or a Unix socket.

pub mod access;
pub mod audit;
pub mod brand;
pub mod client;
pub mod events;
pub mod fleet;
pub mod link;
pub mod live;
pub mod messages;
pub mod pacing;
pub mod pair_link;
pub mod people;
pub mod phone;
pub mod problem;
pub mod records;
pub mod rules;
pub mod session;
pub mod system;
pub mod tenant;
pub mod worker;

pub use phone::{Phone, PhoneError};
pub use problem::{FieldError, Problem};
pub use tenant::TenantId;
