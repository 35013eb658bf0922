//! The commands, one module each.

pub mod audit;
pub mod config;
pub mod doctor;
pub mod events;
pub mod health;
pub mod logs;
pub mod message;
pub mod migrate;
pub mod monit;
pub mod pacing;
pub mod pair;
pub mod process;
pub mod qr;
pub mod records;
pub mod rules;
pub mod send;
pub mod server;
pub mod session;
pub mod status;
pub mod supervisor;
pub mod tenant;
pub mod tenants;
pub mod worker;
