//! How many connections there are, in total and from each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use super::origin::block;

/// The counts of open connections and their bounds.
#[derive(Debug)]
pub struct Connections {
    most: usize,
    most_per_address: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
    refused: u64,
}

/// Which bound was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// The one of all connections.
    Total,
    /// The one of an address.
    Address,
}

/// The place of one connection, given back when dropped.
#[derive(Debug)]
pub struct Place {
    connections: Arc<Connections>,
    counted: Option<IpAddr>,
}

impl Connections {
    /// No connections, and at most so many.
    #[must_use]
    pub fn new(most: usize, most_per_address: usize) -> Arc<Self> {
        Arc::new(Self { most, most_per_address, open: Mutex::default() })
    }

    /// Takes a place for a connection, counted for its `address` where that is not one that speaks for
    /// many (a proxy) or for this machine. IPv6 addresses count by the network of a customer, a /64.
    ///
    /// # Errors
    /// The bound that was met.
    pub fn enter(self: &Arc<Self>, address: IpAddr, counts: bool) -> Result<Place, Full> {
        let counted = counts.then(|| block(address));
        let mut open = self.open.lock();
        if open.total >= self.most {
            open.refused += 1;
            return Err(Full::Total);
        }
        if let Some(address) = counted {
            let of_address = open.by_address.entry(address).or_default();
            if *of_address >= self.most_per_address {
                open.refused += 1;
                return Err(Full::Address);
            }
            *of_address += 1;
        }
        open.total += 1;
        Ok(Place { connections: Arc::clone(self), counted })
    }

    /// How many were refused since this was last asked.
    pub fn take_refused(&self) -> u64 {
        std::mem::take(&mut self.open.lock().refused)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.connections.open.lock();
        open.total -= 1;
        if let Some(address) = self.counted
            && let Some(of_address) = open.by_address.get_mut(&address)
        {
            *of_address -= 1;
            if *of_address == 0 {
                open.by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{Connections, Full};

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_its_own_bound_and_all_have_one() {
        let connections = Connections::new(4, 2);
        let one = connections.enter(address("192.0.2.1"), true).unwrap();
        let _two = connections.enter(address("192.0.2.1"), true).unwrap();
        assert_eq!(connections.enter(address("192.0.2.1"), true).unwrap_err(), Full::Address);
        drop(one);
        let _three = connections.enter(address("192.0.2.1"), true).unwrap();
        let _four = connections.enter(address("192.0.2.9"), false).unwrap();
        let _five = connections.enter(address("192.0.2.9"), false).unwrap();
        assert_eq!(connections.enter(address("192.0.2.2"), true).unwrap_err(), Full::Total);
        assert_eq!(connections.open.lock().total, 4);
        assert_eq!(connections.take_refused(), 2);
        assert_eq!(connections.take_refused(), 0);
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let connections = Connections::new(9, 1);
        let one = connections.enter(address("2001:db8::1"), true).unwrap();
        assert!(connections.enter(address("2001:db8::2"), true).is_err());
        assert!(connections.enter(address("2001:db8:0:1::2"), true).is_ok());
        drop(one);
        assert!(connections.open.lock().by_address.is_empty(), "nothing is kept of who has gone");
    }
}
