//! `no_proxy`: hosts that are reached without a proxy. Pure.

use std::net::IpAddr;

/// Whether one entry of `list` (commas or blanks between them) names the host: `*`, a name with
/// all that end in `.name`, an address, or a network such as `10.0.0.0/8`; each may have a port.
pub(super) fn bypasses(list: &str, host: &str, port: u16) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    list.split([',', ' ', '\t'])
        .filter(|entry| !entry.is_empty())
        .any(|entry| {
            let (name, at) = split_port(entry);
            at.is_none_or(|at| at == port) && names(name, &host)
        })
}

fn names(entry: &str, host: &str) -> bool {
    if entry == "*" {
        return true;
    }
    if let Ok(ip) = host.parse::<IpAddr>() {
        return match entry.split_once('/') {
            Some((network, bits)) => matches!(
                (network.parse(), bits.parse()),
                (Ok(network), Ok(bits)) if holds(network, bits, ip)
            ),
            None => entry.parse() == Ok(ip),
        };
    }
    let entry = entry
        .trim_start_matches('*')
        .trim_matches('.')
        .to_ascii_lowercase();
    !entry.is_empty()
        && host
            .strip_suffix(&entry)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// `name:80`, `[::1]:80`, `[::1]`; what has more colons without brackets is an address.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    if let Some(rest) = entry.strip_prefix('[') {
        let (address, after) = rest.split_once(']').unwrap_or((rest, ""));
        return (
            address,
            after.strip_prefix(':').and_then(|port| port.parse().ok()),
        );
    }
    match entry.split_once(':') {
        Some((name, port)) => match port.parse() {
            Ok(port) => (name, Some(port)),
            Err(_) => (entry, None),
        },
        None => (entry, None),
    }
}

/// Whether the first `bits` of both addresses are the same.
fn holds(network: IpAddr, bits: u32, ip: IpAddr) -> bool {
    match (network, ip) {
        (IpAddr::V4(network), IpAddr::V4(ip)) => {
            let differ = network.to_bits() ^ ip.to_bits();
            bits <= 32 && differ.leading_zeros() >= bits
        }
        (IpAddr::V6(network), IpAddr::V6(ip)) => {
            let differ = network.to_bits() ^ ip.to_bits();
            bits <= 128 && differ.leading_zeros() >= bits
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_name_hosts() {
        for (list, host) in [
            ("*", "anything"),
            ("example.com", "example.com"),
            ("example.com", "a.b.Example.COM."),
            (".example.com", "example.com"),
            ("*.example.com", "a.example.com"),
            ("x,  example.com:80", "example.com"),
            ("10.1.2.3", "10.1.2.3"),
            ("10.0.0.0/8", "10.255.0.1"),
            ("0.0.0.0/0", "1.2.3.4"),
            ("fe80::/10", "febf::1"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            assert!(bypasses(list, host, 80), "{list} {host}");
        }
        for (list, host) in [
            ("", "h"),
            (".", "h"),
            ("example.com", "badexample.com"),
            ("example.com:81", "example.com"),
            ("com.example", "example.com"),
            ("10.0.0.0/8", "11.0.0.1"),
            ("10.0.0.0/33", "10.0.0.0"),
            ("10.0.0.0/x", "10.0.0.0"),
            ("0.0.0.0/0", "::1"),
            ("2.3", "1.1.2.3"),
            ("1.2.3.4", "1.2.3.40"),
        ] {
            assert!(!bypasses(list, host, 80), "{list} {host}");
        }
    }
}
