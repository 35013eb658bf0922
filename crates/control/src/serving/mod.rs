//! Serving HTTP/1.1: who may connect, how long connections may take, and what every request and answer goes
//! through.
//!
//! ```text
//!  TcpListener ─► accept ─► connections (bounds) ─► tls ─► connection (hyper, watchdog by progress)
//!                                                              │ each request
//!                                                              ▼
//!     routes ◄─ front: origin (proxies), rates, sizes, hosts ──┘   answers ─► headers ─►
//! ```
//!
//! Sockets of this machine (the workers', the command line's) have no such bounds: who reaches them is the
//! user that runs this.

mod accept;
mod body;
mod connection;
mod connections;
mod expiry;
mod front;
mod headers;
mod hosts;
mod origin;
mod progress;
mod rates;
mod stream;
#[cfg(test)]
mod tests;
mod tls;

pub use accept::{Serving, local};
pub use connections::Connections;
pub use expiry::certificate_expiry;
pub use front::Front;
pub use hosts::Hosts;
pub use origin::Networks;
pub use progress::Timeouts;
pub use rates::{Limits, Rate, TIDY};
pub use tls::{Certificate, LOOK, TlsError};
