//! Addresses that are not on the public Internet. Compared as numbers. No I/O.
//!
//! Sources: <https://www.iana.org/assignments/iana-ipv4-special-registry>,
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A block of IPv4 addresses: the first one, how many bits it has in common with the others, and what it is.
type Block4 = ([u8; 4], u32, &'static str);

const BLOCKS_4: [Block4; 21] = [
    ([0, 0, 0, 0], 8, "this network"),
    ([10, 0, 0, 0], 8, "private"),
    ([100, 64, 0, 0], 10, "shared by customers of a carrier"),
    ([127, 0, 0, 0], 8, "this machine"),
    ([168, 63, 129, 16], 32, "metadata of a cloud"),
    ([169, 254, 0, 0], 16, "link-local, with the metadata of clouds"),
    ([172, 16, 0, 0], 12, "private"),
    ([192, 0, 0, 0], 24, "protocol assignments"),
    ([192, 0, 2, 0], 24, "documentation"),
    ([192, 31, 196, 0], 24, "AS112"),
    ([192, 52, 193, 0], 24, "AMT"),
    ([192, 88, 99, 0], 24, "6to4 relays"),
    ([192, 168, 0, 0], 16, "private"),
    ([192, 175, 48, 0], 24, "AS112"),
    ([198, 18, 0, 0], 15, "benchmarks"),
    ([198, 51, 100, 0], 24, "documentation"),
    ([203, 0, 113, 0], 24, "documentation"),
    ([224, 0, 0, 0], 4, "multicast"),
    ([233, 252, 0, 0], 24, "documentation"),
    ([240, 0, 0, 0], 4, "reserved"),
    ([255, 255, 255, 255], 32, "broadcast"),
];

/// A block of IPv6 addresses.
type Block6 = ([u16; 8], u32, &'static str);

/// Blocks within the addresses that are given out (`2000::/3`), and outside of them those that deserve a name.
const BLOCKS_6: [Block6; 16] = [
    ([0, 0, 0, 0, 0, 0, 0, 0], 128, "unspecified"),
    ([0, 0, 0, 0, 0, 0, 0, 1], 128, "this machine"),
    ([0, 0, 0, 0, 0, 0, 0, 0], 96, "IPv4-compatible"),
    ([0, 0, 0, 0, 0xffff, 0, 0, 0], 96, "IPv4-translated"),
    ([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, "translation within a network"),
    ([0x100, 0, 0, 0, 0, 0, 0, 0], 64, "discarded"),
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, "Teredo"),
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, "protocol assignments"),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, "documentation"),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, "6to4"),
    ([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48, "AS112"),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, "documentation"),
    ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, "private"),
    ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, "link-local"),
    ([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, "site-local"),
    ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, "multicast"),
];

/// Why no request may go to an address; `None` for a public one.
pub fn refused(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => refused_4(address),
        IpAddr::V6(address) => refused_6(address),
    }
}

fn refused_4(address: Ipv4Addr) -> Option<&'static str> {
    let bits = address.to_bits();
    let is_in = |(first, length, _): &&Block4| {
        let shift = 32 - length;
        bits >> shift == Ipv4Addr::from(*first).to_bits() >> shift
    };
    BLOCKS_4.iter().find(is_in).map(|(_, _, what)| *what)
}

fn refused_6(address: Ipv6Addr) -> Option<&'static str> {
    // These two stand for an IPv4 address, which is where the packets go.
    if let Some(mapped) = address.to_ipv4_mapped() {
        return refused_4(mapped);
    }
    let segments = address.segments();
    if segments[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        let [.., a, b, c, d] = address.octets();
        return refused_4(Ipv4Addr::new(a, b, c, d));
    }
    let bits = address.to_bits();
    let is_in = |(first, length, _): &&Block6| {
        let shift = 128 - length;
        bits >> shift == Ipv6Addr::from(*first).to_bits() >> shift
    };
    if let Some((_, _, what)) = BLOCKS_6.iter().find(is_in) {
        return Some(what);
    }
    // The last half says that an IPv4 address follows, whatever network the first half is.
    if segments[4] & !0x0300 == 0 && segments[5] == 0x5efe {
        return Some("ISATAP");
    }
    (bits >> 125 != 1).then_some("not given out")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_edges_of_each_block_are_where_they_belong() {
        for (outside, inside, last, behind) in [
            ("9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"),
            ("100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"),
            ("126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"),
            ("169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"),
            ("172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"),
            ("191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"),
            ("192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"),
            ("198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"),
            ("2001:db7:ffff::", "2001:db8::", "2001:db8:ffff::ffff", "2001:db9::"),
            ("2000:ffff::", "2001::", "2001:1ff:ffff::", "2001:200::"),
            ("2001:ffff::1", "2002::", "2002:ffff::ffff", "2003::"),
            ("3ffe:ffff::", "3fff::", "3fff:fff:ffff::", "3fff:1000::"),
        ] {
            let refused = |text: &str| refused(text.parse().unwrap());
            assert_eq!((refused(outside), refused(behind)), (None, None), "{outside} {behind}");
            assert!(refused(inside).is_some() && refused(last).is_some(), "{inside} {last}");
        }
        assert!(refused("223.255.255.255".parse().unwrap()).is_none());
        assert!(refused("224.0.0.0".parse().unwrap()).is_some());
        assert!(refused("1.0.0.0".parse().unwrap()).is_none());
    }

    proptest! {
        // What the standard library knows of is refused, written as IPv4, mapped, and translated.
        #[test]
        fn a_private_address_is_refused_in_each_form(bits: u32) {
            let address = Ipv4Addr::from_bits(bits);
            let is_special = address.is_private() || address.is_loopback() || address.is_link_local()
                || address.is_multicast() || address.is_broadcast() || address.is_documentation()
                || address.is_unspecified();
            let [high, low] = [(bits >> 16) as u16, bits as u16];
            let mapped = address.to_ipv6_mapped();
            let translated = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low);
            let expected = refused(IpAddr::V4(address));
            prop_assert!(!is_special || expected.is_some(), "{address}");
            prop_assert_eq!(refused(IpAddr::V6(mapped)), expected);
            prop_assert_eq!(refused(IpAddr::V6(translated)), expected);
            for hidden in [
                Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, !high, !low),
                Ipv6Addr::new(0x2a00, 1, 2, 3, 0, 0x5efe, high, low),
                Ipv6Addr::new(0x2a00, 1, 2, 3, 0x200, 0x5efe, high, low),
            ] {
                prop_assert!(refused(IpAddr::V6(hidden)).is_some(), "{}", hidden);
            }
        }

        #[test]
        fn only_addresses_that_are_given_out_are_taken(bits: u128) {
            let address = Ipv6Addr::from_bits(bits);
            if refused(IpAddr::V6(address)).is_none() {
                let is_ipv4 = address.to_ipv4_mapped().is_some() || bits >> 32 == 0x64_ff9b << 64;
                prop_assert!(is_ipv4 || bits >> 125 == 1, "{}", address);
            }
        }
    }
}
