//! The commands, one module each.

pub mod backup;
pub mod config;
pub mod db;
pub mod doctor;
pub mod health;
pub mod key;
pub mod logs;
pub mod message;
pub mod migrate;
pub mod monit;
pub mod pacing;
pub mod pair;
pub mod process;
mod progress;
pub mod qr;
pub mod records;
pub mod restore;
pub mod rules;
pub mod send;
pub mod server;
pub mod session;
pub mod status;
pub mod supervisor;
pub mod tenant;
pub mod tenants;
pub mod user;
pub mod worker;
