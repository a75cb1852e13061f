//! Where a client really is: the peer's address, or what a trusted proxy says it is. Used for limits alone, never for permission.
//! Must never believe `X-Forwarded-For` from anybody but the configured proxies.

use std::net::IpAddr;

use ipnet::IpNet;

/// Finds the address of a client.
#[derive(Clone, Debug, Default)]
pub struct Clients {
    proxies: Vec<IpNet>,
}

impl Clients {
    /// With the networks of the proxies in front.
    #[must_use]
    pub fn behind(proxies: &[IpNet]) -> Self {
        Self { proxies: proxies.to_vec() }
    }

    /// The address of the client behind `peer`; `forwarded` are the `X-Forwarded-For` headers in order.
    ///
    /// Each proxy appends whom it heard from, so the list is read from its end, for as long as the one who wrote is trusted.
    #[must_use]
    pub fn address<'a>(&self, peer: IpAddr, forwarded: impl DoubleEndedIterator<Item = &'a str>) -> IpAddr {
        let mut known = peer.to_canonical();
        let hops = forwarded.rev().flat_map(|header| header.rsplit(','));
        for hop in hops {
            if !self.proxies.iter().any(|proxies| proxies.contains(&known)) {
                break;
            }
            let Some(address) = parse(hop) else { break };
            known = address;
        }
        known
    }
}

/// What counts as one client: an IPv4 address, or the /64 network that an IPv6 subscriber is given.
#[must_use]
pub fn network(address: IpAddr) -> u64 {
    match address.to_canonical() {
        // 2002::/16 with zeros behind is no network that anybody is given, so the two kinds do not meet.
        IpAddr::V4(v4) => 0x2002_0000_0000_0000 | u64::from(u32::from(v4)),
        IpAddr::V6(v6) => (u128::from(v6) >> 64) as u64,
    }
}

fn parse(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let address = hop.parse().or_else(|_| hop.parse().map(|socket: std::net::SocketAddr| socket.ip())).ok()?;
    Some(IpAddr::to_canonical(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(proxies: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let proxies: Vec<IpNet> = proxies.iter().map(|net| net.parse().unwrap()).collect();
        let clients = Clients::behind(&proxies);
        clients.address(peer.parse().unwrap(), forwarded.iter().copied()).to_string()
    }

    #[test]
    fn nobody_is_believed_without_trusted_proxies() {
        assert_eq!(seen(&[], "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(seen(&["10.0.0.0/8"], "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
    }

    #[test]
    fn the_nearest_untrusted_hop_is_the_client() {
        assert_eq!(seen(&["10.0.0.0/8"], "10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        // The client wrote the first one itself.
        assert_eq!(seen(&["10.0.0.0/8"], "10.0.0.1", &["1.2.3.4, 198.51.100.7, 10.9.9.9"]), "198.51.100.7");
        assert_eq!(seen(&["10.0.0.0/8"], "10.0.0.1", &["1.2.3.4", "198.51.100.7"]), "198.51.100.7");
        assert_eq!(seen(&["10.0.0.0/8"], "::ffff:10.0.0.1", &["198.51.100.7:1234"]), "198.51.100.7");
    }

    #[test]
    fn nonsense_ends_the_chain() {
        assert_eq!(seen(&["10.0.0.0/8"], "10.0.0.1", &["1.2.3.4, unknown"]), "10.0.0.1");
        assert_eq!(seen(&["10.0.0.0/8"], "10.0.0.1", &[""]), "10.0.0.1");
    }

    #[test]
    fn neighbours_in_one_ipv6_network_are_one_client() {
        let network_of = |text: &str| network(text.parse().unwrap());
        assert_eq!(network_of("2001:db8:1:2::1"), network_of("2001:db8:1:2:ffff::9"));
        assert_ne!(network_of("2001:db8:1:2::1"), network_of("2001:db8:1:3::1"));
        assert_ne!(network_of("192.0.2.1"), network_of("192.0.2.2"));
        assert_eq!(network_of("192.0.2.1"), network_of("::ffff:192.0.2.1"));
    }
}
