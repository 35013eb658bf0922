//! Who is at the other end of a connection.

use std::net::IpAddr;

/// The other end of the connection that a request came on. Absent on the workers' Unix socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address.
    pub address: IpAddr,
    /// Whether what is said is encrypted on its way.
    pub tls: bool,
}
