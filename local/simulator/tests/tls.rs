//! The simulator of Tableau over TLS.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use simulator::{Fault, TableauSimulator};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

const SOON: Duration = Duration::from_secs(5);

/// A client that trusts these authorities only.
fn client(trusted: &[&str]) -> reqwest::Client {
    let mut roots = RootCertStore::empty();
    for pem in trusted {
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    #[expect(clippy::disallowed_methods, reason = "no function of ours is under test")]
    let builder = reqwest::Client::builder();
    builder.tls_backend_preconfigured(tls).no_proxy().timeout(SOON).build().unwrap()
}

async fn tls() -> TableauSimulator {
    TableauSimulator::sample().tls().start().await.unwrap()
}

fn info(of: &str) -> String {
    format!("{of}/api/3.29/serverinfo")
}

/// The words of an error and of all that caused it.
fn words(error: reqwest::Error) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}

#[tokio::test]
async fn a_client_that_trusts_the_authority_of_this_run_is_served_by_every_name_of_this_machine() {
    let tableau = tls().await;
    let client = client(&[tableau.authority().unwrap()]);
    let port = tableau.address().port();

    assert_eq!(tableau.url(), format!("https://127.0.0.1:{port}"));
    for host in ["127.0.0.1", "localhost"] {
        let answer = client.get(info(&format!("https://{host}:{port}"))).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{host}");
    }
}

#[tokio::test]
async fn a_client_refuses_the_certificate_of_another_run_or_for_another_name() {
    let tableau = tls().await;
    let other = tls().await;
    let url = info(&tableau.url());

    assert_ne!(tableau.authority(), other.authority());
    for trusted in [&[][..], &[other.authority().unwrap()]] {
        let refused = words(client(trusted).get(&url).send().await.unwrap_err());
        assert!(refused.contains("certificate"), "{refused}");
    }
    let other_address = "127.0.0.2:0".parse().unwrap();
    let there = TableauSimulator::sample().tls().address(other_address).start().await.unwrap();
    let trusting = client(&[there.authority().unwrap()]);
    let refused = words(trusting.get(info(&there.url())).send().await.unwrap_err());
    assert!(refused.contains("not valid for name"), "{refused}");
}

#[tokio::test]
async fn plain_http_gets_no_answer_from_a_server_over_tls() {
    let tableau = tls().await;

    let plain = client(&[]).get(info(&format!("http://{}", tableau.address()))).send().await;

    assert!(plain.is_err());
    assert_eq!(TableauSimulator::sample().start().await.unwrap().authority(), None);
}

#[tokio::test]
async fn a_client_that_says_nothing_keeps_no_other_waiting() {
    let tableau = tls().await;
    let silent = TcpStream::connect(tableau.address()).await.unwrap();
    let refusing = client(&[]);
    assert!(refusing.get(info(&tableau.url())).send().await.is_err());

    let began = Instant::now();
    let client = client(&[tableau.authority().unwrap()]);
    assert_eq!(client.get(info(&tableau.url())).send().await.unwrap().status(), 200);

    assert!(began.elapsed() < Duration::from_secs(2));
    drop(silent);
}

#[tokio::test]
async fn a_connection_is_reset_over_tls_too() {
    let tableau = tls().await;
    let client = client(&[tableau.authority().unwrap()]);
    tableau.fail_next("GET /serverinfo", 1, Fault::Reset);

    assert!(client.get(info(&tableau.url())).send().await.is_err());
    assert_eq!(client.get(info(&tableau.url())).send().await.unwrap().status(), 200);
    let address = tableau.url();
    drop(tableau);
    assert!(client.get(info(&address)).send().await.is_err(), "the port is closed");
}
