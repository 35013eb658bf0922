//! Messages from outside, on the control plane's side.
//!
//! ```text
//! POST /v1/…/messages ─► request (checked) ─► store: queued ─► command stream ─► worker: accepted
//!                                                  ▲  again on each new stream        │
//!                                                  └─ until the worker has it ◄───────┤
//!                              sent, delivered, read, failed ◄── events of the worker ┘
//! ```
//!
//! What was answered with 202 is in the store; whatever dies, the worker is told of it until it has
//! written it down under the same id, and so sends it once.

pub mod recipient;
pub mod request;
pub mod upkeep;
pub mod uploads;
