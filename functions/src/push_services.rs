//! Push services: browsers name them, so they could be anything. What may be posted to, and the client that does it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};

/// How long one post may take: less than all of a message together, so that one that does not answer does not keep others away.
const POST_LIMIT: Duration = Duration::from_secs(1);

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// The address of a push service, if it is one that may be posted to: encrypted, at the usual port, with the name of a public host.
/// For tests also this machine, without encryption.
///
/// # Errors
/// Why not, as a sentence without its subject.
pub fn endpoint(text: &str, allows_http: bool) -> Result<Url, &'static str> {
    let url: Url = text.parse().map_err(|_| "must be a URL")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not have a user");
    }
    if allows_http && url.scheme() == "http" && url.host_str().is_some_and(is_this_machine) {
        return Ok(url);
    }
    if url.scheme() != "https" {
        return Err("must be an https URL");
    }
    if url.port().is_some() {
        return Err("must not have a port");
    }
    if url.domain().is_some_and(is_public_name) { Ok(url) } else { Err("must have the name of a public host") }
}

fn is_this_machine(host: &str) -> bool {
    ["localhost", "127.0.0.1", "[::1]"].contains(&host)
}

fn is_public_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    let last = name.rsplit('.').next().unwrap_or_default();
    name.contains('.') && !["localhost", "local", "internal", "localdomain"].contains(&last)
}

/// A client that goes where it is told and nowhere else. It keeps no connection: after Lambda has frozen a function, nobody knows
/// whether the other end is still there.
///
/// # Errors
/// If the system's certificates cannot be read.
pub fn client(allows_http: bool) -> Result<Client, reqwest::Error> {
    let client = Client::builder().no_proxy().redirect(Policy::none()).pool_max_idle_per_host(0).timeout(POST_LIMIT);
    if allows_http { client.build() } else { client.https_only(true).dns_resolver(PublicHosts).build() }
}

/// Knows public addresses only: a public name may lead into our own network.
struct PublicHosts;

impl Resolve for PublicHosts {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<_> = found.filter(|address| is_public(address.ip())).collect();
            let public: Addrs = Box::new(public.into_iter());
            Ok::<Addrs, AnyError>(public)
        })
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(address) => is_public_v4(address),
            // What is handed out to the public so far.
            None => address.segments()[0] & 0xe000 == 0x2000,
        },
    }
}

/// The IPv4 address that is part of one of IPv6: mapped (RFC 4291, section 2.5.5.2) or translated (RFC 6052, section 2.1).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let bytes = address.octets();
    let is_translated = bytes[..12] == [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];
    let translated = is_translated.then(|| Ipv4Addr::new(bytes[12], bytes[13], bytes[14], bytes[15]));
    address.to_ipv4_mapped().or(translated)
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    // 100.64.0.0/10 is between a provider and its customers (RFC 6598), 192.0.0.0/24 is special (RFC 6890).
    let is_shared = first == 100 && second & 0xc0 == 64;
    let is_special = first == 0 || address.octets()[..3] == [192, 0, 0] || first >= 224;
    !(is_shared
        || is_special
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_encrypted_port_of_a_public_name_may_be_posted_to() {
        let good = "https://updates.push.services.mozilla.com/wpush/v2/gAAAAA?x=1";
        assert_eq!(endpoint(good, false).map(String::from).as_deref(), Ok(good));
        for bad in [
            "",
            "push.example.com/x",
            "http://push.example.com/x",
            "ftp://push.example.com/x",
            "https://user@push.example.com/x",
            "https://user:password@push.example.com/x",
            "https://:password@push.example.com/x",
            "https://push.example.com:8443/x",
            "https://127.0.0.1/x",
            "https://0x7f.1/x",
            "https://2130706433/x",
            "https://[::1]/x",
            "https://[2606:4700::1111]/x",
            "https://localhost/x",
            "https://localhost./x",
            "https://a.localhost/x",
            "https://printer.local/x",
            "https://database.internal/x",
            "https://metadata/x",
            "https:///x",
        ] {
            assert!(endpoint(bad, false).is_err(), "{bad}");
        }
    }

    #[test]
    fn tests_may_post_to_this_machine_and_to_no_other() {
        assert!(endpoint("http://127.0.0.1:4000/x", true).is_ok() && endpoint("http://[::1]:4000/x", true).is_ok());
        assert!(endpoint("http://localhost:4000/x", true).is_ok());
        for bad in ["http://10.0.0.1/x", "http://push.example.com/x", "https://127.0.0.1/x", "http://a@127.0.0.1/x"] {
            assert!(endpoint(bad, true).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_public_name_does_not_lead_into_our_own_network() {
        for public in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]
        {
            assert!(is_public(public.parse().expect("an address")), "{public}");
        }
        for private in [
            "0.0.0.0",
            "10.61.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fd00:ec2::254",
            "fe80::1",
            "::ffff:127.0.0.1",
            "64:ff9b::a00:1",
        ] {
            assert!(!is_public(private.parse().expect("an address")), "{private}");
        }
    }
}
