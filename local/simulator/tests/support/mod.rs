//! A plain HTTP client for the tests.
#![allow(dead_code, reason = "each test file uses some of it")]
#![expect(clippy::unwrap_used, reason = "helpers of tests are not known for such")]

use jiff::Timestamp;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use simulator::{Clock, SAMPLE_PAT, SAMPLE_SITE, TableauSimulator};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const SOON: Duration = Duration::from_secs(5);

pub(crate) fn client() -> reqwest::Client {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    #[expect(clippy::disallowed_methods, reason = "no function of ours is under test")]
    let builder = reqwest::Client::builder();
    builder.tls_backend_preconfigured(tls).no_proxy().timeout(SOON).build().unwrap()
}

pub(crate) fn manual_clock() -> Clock {
    Clock::manual("2026-03-02T06:14:44.512Z".parse::<Timestamp>().unwrap())
}

/// What came back: status and JSON, `null` for what is no JSON.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) json: Value,
}

impl Answer {
    /// The code of a Tableau error; empty for anything else.
    pub(crate) fn code(&self) -> &str {
        self.json["error"]["code"].as_str().unwrap_or_default()
    }
}

/// A caller of the REST API.
pub(crate) struct Caller {
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
    pub(crate) site: String,
    pub(crate) token: String,
}

impl Caller {
    /// Not signed in.
    pub(crate) fn stranger(tableau: &TableauSimulator) -> Self {
        Self { http: client(), base: tableau.url(), site: SAMPLE_SITE.to_owned(), token: String::new() }
    }

    /// Signed in as the administrator.
    pub(crate) async fn administrator(tableau: &TableauSimulator) -> Self {
        let mut caller = Self::stranger(tableau);
        let answer = caller.sign_in(SAMPLE_PAT.0, SAMPLE_PAT.1, "marketing").await;
        caller.token = answer.json["credentials"]["token"].as_str().unwrap().to_owned();
        caller
    }

    /// Signed in with user name and password.
    pub(crate) async fn user(tableau: &TableauSimulator, name: &str) -> Self {
        let mut caller = Self::stranger(tableau);
        let password = format!("{name}'s password");
        let name = format!("{name}@example.com");
        let site = json!({ "contentUrl": "marketing" });
        let body = json!({ "credentials": { "name": name, "password": password, "site": site } });
        let answer = caller.call(Method::POST, "/api/3.29/auth/signin", &body.to_string()).await;
        caller.token = answer.json["credentials"]["token"].as_str().unwrap().to_owned();
        caller
    }

    pub(crate) async fn sign_in(&self, pat: &str, secret: &str, site: &str) -> Answer {
        let site = json!({ "contentUrl": site });
        let body = json!({
            "credentials": { "personalAccessTokenName": pat, "personalAccessTokenSecret": secret, "site": site }
        });
        self.call(Method::POST, "/api/3.29/auth/signin", &body.to_string()).await
    }

    /// `GET` below the site, in 3.29.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, &format!("/api/3.29/sites/{}{path}", self.site), "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, &format!("/api/3.29/sites/{}{path}", self.site), &body.to_string()).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::PUT, &format!("/api/3.29/sites/{}{path}", self.site), &body.to_string()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, &format!("/api/3.29/sites/{}{path}", self.site), "").await
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: &str) -> Answer {
        let response = self.send(method, path, body).await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        Answer { status, json: serde_json::from_str(&text).unwrap_or_default() }
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: &str) -> reqwest::Result<Response> {
        let mut request = self.http.request(method, format!("{}{path}", self.base)).body(body.to_owned());
        if !self.token.is_empty() {
            request = request.header("x-tableau-auth", &self.token);
        }
        request.header("accept", "application/json").send().await
    }
}
