//! Addresses that belong together.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// All IP addresses that begin with the same bits: `10.0.0.0/8`, `2001:db8::/32`. An address without a slash is a network of one.
///
/// An IPv4 address that is written or comes as an IPv6 one (`::ffff:192.0.2.1`) is the IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    /// Canonical, and zero after `bits`.
    ip: IpAddr,
    bits: u8,
}

impl Network {
    /// The network of `ip` by its first `bits` bits; all of them, where it has no more.
    pub fn of(ip: IpAddr, bits: u8) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => {
                let bits = bits.min(32);
                let mask = u32::MAX.checked_shl(u32::from(32 - bits)).unwrap_or(0);
                Self { ip: Ipv4Addr::from_bits(ip.to_bits() & mask).into(), bits }
            }
            IpAddr::V6(ip) => {
                let bits = bits.min(128);
                let mask = u128::MAX.checked_shl(u32::from(128 - bits)).unwrap_or(0);
                Self { ip: Ipv6Addr::from_bits(ip.to_bits() & mask).into(), bits }
            }
        }
    }

    /// Whether `ip` is in it.
    pub fn contains(&self, ip: IpAddr) -> bool {
        Self::of(ip, self.bits) == *self
    }
}

/// Text that is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an IP address or network")]
pub struct NetworkError;

impl FromStr for Network {
    type Err = NetworkError;

    /// `IP` or `IP/BITS`, where no bit after those is set: whoever writes `10.0.0.1/8` means one of two things.
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (ip, bits) = text.split_once('/').map_or((text, None), |(ip, bits)| (ip, Some(bits)));
        let written: IpAddr = ip.parse().map_err(|_| NetworkError)?;
        let ip = written.to_canonical();
        // What the IPv6 way of writing an IPv4 address has before it.
        let before = if written == ip { 0 } else { 96 };
        let bits_max = if ip.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => bits_max,
            Some(bits) => {
                let is_number =
                    bits.bytes().all(|byte| byte.is_ascii_digit()) && (bits == "0" || !bits.starts_with('0'));
                let bits = bits.parse::<u8>().ok().filter(|_| is_number).and_then(|bits| bits.checked_sub(before));
                bits.filter(|bits| *bits <= bits_max).ok_or(NetworkError)?
            }
        };
        let network = Self::of(ip, bits);
        if network.ip == ip { Ok(network) } else { Err(NetworkError) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits_max = if self.ip.is_ipv4() { 32 } else { 128 };
        if self.bits == bits_max { self.ip.fmt(f) } else { write!(f, "{}/{}", self.ip, self.bits) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap_or_else(|_| panic!("{text}"))
    }

    #[test]
    fn what_is_inside_and_what_is_just_outside() {
        for (written, inside, outside) in [
            ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "11.0.0.0"]),
            ("192.0.2.7", ["192.0.2.7", "::ffff:192.0.2.7"], ["192.0.2.6", "192.0.2.8"]),
            ("192.0.2.6/31", ["192.0.2.6", "192.0.2.7"], ["192.0.2.5", "192.0.2.8"]),
            ("2001:db8::/64", ["2001:db8::", "2001:db8::ffff:0:0:1"], ["2001:db8:0:1::", "2001:db7:ffff:ffff::"]),
            ("::1", ["::1", "::1"], ["::", "127.0.0.1"]),
            ("::ffff:10.0.0.0/104", ["10.1.2.3", "::ffff:10.1.2.3"], ["11.0.0.0", "::a01:203"]),
            ("0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::1", "2001:db8::1"]),
            ("::/0", ["::", "2001:db8::1"], ["0.0.0.0", "::ffff:192.0.2.1"]),
        ] {
            let of = network(written);
            assert!(inside.iter().all(|ip| of.contains(ip.parse().unwrap())), "{written}");
            assert!(outside.iter().all(|ip| !of.contains(ip.parse().unwrap())), "{written}");
        }
    }

    #[test]
    fn it_is_written_as_it_is_read() {
        for text in ["10.0.0.0/8", "192.0.2.7", "0.0.0.0/0", "::1", "2001:db8::/48", "::/0"] {
            assert_eq!(network(text).to_string(), text);
        }
        assert_eq!(network("::ffff:10.0.0.0/104"), network("10.0.0.0/8"));
        assert_eq!(network("192.0.2.7/32"), network("192.0.2.7"));
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            "/8",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0.0/08",
            "10.0.0.0/8/8",
            "10.0.0/8",
            "::/129",
            "2001:db8::1/64",
            "::ffff:10.0.0.0/95",
            "[::1]",
            "localhost",
            "10.0.0.0/256",
            "::1%lo",
        ] {
            assert_eq!(text.parse::<Network>(), Err(NetworkError), "{text}");
        }
    }
}
