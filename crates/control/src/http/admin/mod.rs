//! The operators' routes.

pub mod pacing;
pub mod pairing;
pub mod rules;
pub mod session;
pub mod tenants;
pub mod worker;
