//! Addresses that are refused, and addresses that look like them and are taken.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use async_trait::async_trait;
use forwarding::network::{Endpoint, Names, PublicNames, refused};
use reqwest::dns::Resolve;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use testkit::simulator::Recorder;

/// Hosts of URLs that are refused as they stand, before anything is looked up.
const REFUSED: [&str; 62] = [
    // D099: numbers that are addresses.
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.1",
    "0x7f.1",
    "017700000001",
    "127.0.0.1",
    "127.255.255.254",
    "0xa9fea9fe",
    "169.254.169.254",
    "169.254.170.2",
    // D100: IPv4 within IPv6.
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[::ffff:10.1.2.3]",
    "[::127.0.0.1]",
    "[::a9fe:a9fe]",
    // D101: translated and tunnelled.
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::a9fe:a9fe]",
    "[64:ff9b:1:a9fe:a9:fe00::]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
    "[::5efe:10.0.0.1]",
    "[fe80::5efe:c0a8:1]",
    "[2a00:1450:4001::5efe:7f00:1]",
    "[2a00:1450:4001:0:200:5efe:7f00:1]",
    "[::ffff:0:127.0.0.1]",
    // D102: neither private nor loopback by name.
    "0.0.0.0",
    "0.1.2.3",
    "[::]",
    "[::1]",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[100::1]",
    // D109: other digits and dots.
    "127。0。0。1",
    "①⑥⑨.254.169.254",
    "１２７.0.0.1",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "%31%32%37.0.0.1",
];

/// Names that are refused by name. What others lead to is checked when a connection is made.
const NAMES_REFUSED: [&str; 12] = [
    "localhost",
    // D108
    "localhost.",
    "localhost..",
    "127.0.0.1.",
    "127.0.0.1..",
    "svc.internal..",
    "svc.internal.",
    "metadata.google.internal",
    "a.localhost",
    "printer.local",
    "intranet",
    "example..com",
];

/// What looks like it and is public.
const TAKEN: [&str; 36] = [
    "8.8.8.8",
    "1.1.1.1",
    "134744072",
    "0x08080808",
    "9.255.255.255",
    "11.0.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "126.255.255.255",
    "128.0.0.1",
    "169.253.255.255",
    "169.255.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "192.0.1.1",
    "192.0.3.1",
    "192.167.255.255",
    "192.169.0.1",
    "198.17.255.255",
    "198.20.0.1",
    "198.51.99.1",
    "203.0.112.1",
    "223.255.255.255",
    "[::ffff:8.8.8.8]",
    "[64:ff9b::8.8.8.8]",
    "[2606:4700:4700::1111]",
    "[2001:4860:4860::8888]",
    "[2003::1]",
    "[2a00:1450:4001:5efe::1]",
    "localhost.example.com",
    "127.0.0.1.example.com",
    "internal.example.com",
    "10.example.com",
    "metadata.example.com",
    "local.example.com.",
    "münchen.example.com",
];

fn url(host: &str) -> String {
    format!("https://{host}/hook")
}

// D099, D100, D101, D102, D108, D109
#[test]
fn an_address_that_is_not_public_is_refused_however_it_is_written() {
    for host in REFUSED.iter().chain(&NAMES_REFUSED) {
        for url in [url(host), format!("https://{host}:8443/hook")] {
            assert!(Endpoint::parse(&url).is_err(), "{url}");
        }
    }
}

#[test]
fn a_public_address_that_looks_like_another_one_is_taken() {
    for host in TAKEN {
        let endpoint = Endpoint::parse(&url(host));
        assert!(endpoint.is_ok(), "{host}: {endpoint:?}");
    }
}

// D099
#[test]
fn a_user_name_before_the_host_hides_no_host() {
    for url in [
        "https://hooks.example.com@127.0.0.1/",
        "https://hooks.example.com:443@8.8.8.8/",
        "https://@a:b@example.com/",
        "https://hooks.example.com\\@127.0.0.1/",
        "https://hooks.example.com%40127.0.0.1/",
        "http://hooks.example.com/",
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        "//hooks.example.com/",
        "https:///hook",
    ] {
        // Of three slashes a browser reads two.
        let is_taken = Endpoint::parse(url).is_ok_and(|endpoint| endpoint.host() != "hook");
        assert!(!is_taken, "{url}");
    }
}

/// Answers each question with the next list of addresses.
#[derive(Debug, Default)]
struct Answers {
    lists: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

#[derive(Debug, Clone)]
struct Shared(Arc<Answers>);

#[async_trait]
impl Names for Shared {
    async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let at = self.0.asked.fetch_add(1, Ordering::SeqCst);
        let list = self.0.lists.get(at.min(self.0.lists.len().saturating_sub(1)));
        list.cloned().ok_or_else(|| io::Error::other("no such name"))
    }
}

fn names(lists: &[&[&str]]) -> Shared {
    let lists = lists.iter().map(|list| list.iter().map(|text| text.parse().unwrap()).collect()).collect();
    Shared(Arc::new(Answers { lists, asked: AtomicUsize::new(0) }))
}

async fn resolved(names: &Shared) -> Result<Vec<String>, String> {
    let resolver = PublicNames::new(names.clone());
    let found = resolver.resolve("hooks.example.com".parse().unwrap()).await;
    found
        .map(|found| found.map(|address| address.ip().to_string()).collect())
        .map_err(|error| error.to_string())
}

// D107
#[tokio::test]
async fn a_name_is_looked_up_once_and_the_connection_goes_to_what_was_checked() {
    let names = names(&[&["8.8.8.8", "2606:4700:4700::1111"], &["127.0.0.1"]]);
    assert_eq!(resolved(&names).await.unwrap(), ["8.8.8.8", "2606:4700:4700::1111"]);
    assert_eq!(names.0.asked.load(Ordering::SeqCst), 1, "no second look between check and connection");
    // The name has another address by now: the next connection is not made.
    let error = resolved(&names).await.unwrap_err();
    assert!(error.contains("not public (this machine)"), "{error}");
}

// D100, D107
#[tokio::test]
async fn one_address_that_is_not_public_is_enough_and_an_error_lets_nothing_through() {
    for list in [
        &["8.8.8.8", "10.0.0.1"][..],
        &["::ffff:127.0.0.1"],
        &["fd00:ec2::254"],
        &["64:ff9b::a9fe:a9fe"],
        &[],
    ] {
        assert!(resolved(&names(&[list])).await.is_err(), "{list:?}");
    }
    assert_eq!(resolved(&names(&[])).await.unwrap_err(), "no such name");
}

// D099 to D110
#[tokio::test]
async fn the_client_of_targets_reaches_no_address_of_this_machine() {
    let inside = Recorder::start().await.unwrap();
    let port = inside.url().rsplit(':').next().unwrap().to_owned();
    let names = names(&[&["127.0.0.1"]]);
    let http = forwarding::network::client(names.clone(), None).unwrap();
    for host in ["hooks.example.com", "localhost.example.com"] {
        let error = http.post(format!("http://{host}:{port}/")).send().await.unwrap_err();
        assert!(error.is_connect(), "{error:?}");
    }
    assert!(names.0.asked.load(Ordering::SeqCst) == 2 && inside.requests().is_empty());
}

#[test]
fn the_same_list_is_for_names_and_for_numbers() {
    for host in REFUSED {
        if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            assert!(refused(address).is_some(), "{host}");
        }
    }
    for host in TAKEN {
        if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            assert!(refused(address).is_none(), "{host}");
        }
    }
}
