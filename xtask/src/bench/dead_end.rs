//! An address at which nobody answers.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use anyhow::{Context as _, Result};
use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket};

/// A loopback port that refuses every connection. It is held, so nobody else can come to listen
/// there meanwhile.
pub struct DeadEnd {
    address: SocketAddr,
    /// Bound, but not listening.
    _socket: OwnedFd,
}

impl DeadEnd {
    pub fn reserve() -> Result<Self> {
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
        bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
        let address = SocketAddr::try_from(getsockname(&socket)?)
            .context("a bound socket has no internet address")?;
        Ok(Self { address, _socket: socket })
    }

    /// Where nobody answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::net::{TcpListener, TcpStream};

    use super::DeadEnd;

    #[test]
    fn nobody_answers_and_nobody_else_can_take_the_port() {
        let end = DeadEnd::reserve().unwrap();
        let refused = TcpStream::connect(end.address()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        let taken = TcpListener::bind(end.address()).unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::AddrInUse);
    }
}
