//! Tells clients apart behind a proxy, and functions from clients.
//!
//! None of this is in API Gateway: it faces its clients itself, and IAM guards `@connections`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::HeaderMap;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::headers::text;

/// Which addresses are more than clients.
#[derive(Debug, Clone)]
pub struct Access {
    /// Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub proxies: Vec<IpNet>,
    /// Who may use `@connections` and change faults; requests that came through a proxy never may.
    pub functions: Vec<IpNet>,
}

impl Default for Access {
    /// No proxy, and functions on this machine.
    fn default() -> Self {
        let loopback_4 = Ipv4Net::new_assert(Ipv4Addr::LOCALHOST, 8).trunc();
        Self { proxies: Vec::new(), functions: vec![loopback_4.into(), Ipv6Net::from(Ipv6Addr::LOCALHOST).into()] }
    }
}

/// Where a request comes from, as its events report it.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    pub address: IpAddr,
    /// Whether the client speaks TLS, to a proxy.
    pub secure: bool,
}

impl Access {
    /// The client behind a connection from `peer`. Each proxy appends the address it was called from, so the list is read
    /// from its end: the client is the first address there that is not a proxy's. Anybody may have written what comes
    /// before it, and nothing is read past an entry that is not an address.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Client {
        if !holds(&self.proxies, peer) {
            return Client { address: peer, secure: false };
        }
        let lines: Vec<_> =
            headers.get_all("x-forwarded-for").iter().map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
        let mut address = peer;
        for entry in lines.iter().flat_map(|line| line.split(',')).rev() {
            let Ok(before) = entry.trim().parse() else { break };
            address = before;
            if !holds(&self.proxies, address) {
                break;
            }
        }
        let secure = text(headers, "x-forwarded-proto").eq_ignore_ascii_case("https");
        Client { address, secure }
    }

    /// Whether a request may use what is meant for functions.
    pub fn is_function(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        holds(&self.functions, peer) && !headers.contains_key("x-forwarded-for") && !headers.contains_key("forwarded")
    }
}

fn holds(networks: &[IpNet], address: IpAddr) -> bool {
    // A listener on `::` sees the addresses of IPv4 clients as IPv6 ones.
    networks.iter().any(|network| network.contains(&address.to_canonical()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        list.iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value"))).collect()
    }

    fn access(proxies: &[&str]) -> Access {
        Access { proxies: proxies.iter().map(|net| net.parse().expect("a network")).collect(), ..Access::default() }
    }

    #[test]
    fn only_a_proxy_is_believed_and_only_about_the_address_it_was_called_from() {
        let peer: IpAddr = "127.0.0.1".parse().expect("an address");
        let forged = headers(&[("x-forwarded-for", "6.6.6.6, 203.0.113.9"), ("x-forwarded-proto", "https")]);
        for (proxies, expected, secure) in [
            (&[][..], "127.0.0.1", false),
            (&["127.0.0.1/32"], "203.0.113.9", true),
            (&["127.0.0.0/8", "203.0.113.0/24"], "6.6.6.6", true),
        ] {
            let client = access(proxies).client(peer, &forged);
            assert_eq!((client.address.to_string().as_str(), client.secure), (expected, secure), "{proxies:?}");
        }
        for hidden in ["6.6.6.6, x, 203.0.113.9", "6.6.6.6, , 203.0.113.9"] {
            let forged = headers(&[("x-forwarded-for", hidden)]);
            assert_eq!(access(&["127.0.0.1/32"]).client(peer, &forged).address.to_string(), "203.0.113.9");
        }
        let nonsense = headers(&[("x-forwarded-for", "unknown")]);
        assert_eq!(access(&["127.0.0.1/32"]).client(peer, &nonsense).address, peer);
        let mapped: IpAddr = "::ffff:127.0.0.1".parse().expect("an address");
        assert_eq!(access(&["127.0.0.1/32"]).client(mapped, &forged).address.to_string(), "203.0.113.9");
    }

    #[test]
    fn what_came_through_a_proxy_is_never_a_function() {
        let access = Access::default();
        let [here, elsewhere] = ["127.0.0.1", "10.0.0.7"].map(|address| address.parse().expect("an address"));
        assert!(access.is_function(here, &HeaderMap::new()));
        assert!(!access.is_function(elsewhere, &HeaderMap::new()));
        assert!(!access.is_function(here, &headers(&[("x-forwarded-for", "127.0.0.1")])));
    }
}
