//! The calls of `/refreshes` with a caller's key.

use crate::aws::Account;
use crate::http;
use crate::local;
use crate::network::Cause;
use crate::options::{LOCAL_AWS_PORT, TargetOptions};
use crate::program;
use crate::stack;
use confidential::SecureUrl;
use reqwest::{Method, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::env::var_os;
use std::time::Duration;
use url::Url;
use workflow::BoxError;

/// The variable with the key. A key on the command line is in the list of processes and in shell histories.
pub(super) const KEY: &str = "TABLEAU_WEBHOOKS_KEY";
/// The variable with the address of the stack's API.
const SERVER: &str = "TABLEAU_WEBHOOKS_URL";
/// The gateway ends a request after 30 seconds.
const TIMEOUT: Duration = Duration::from_secs(35);
/// The longest pause that `Retry-After` is heeded for.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// The stack's API, and the key of the caller.
pub(super) struct Service {
    base: SecureUrl,
    key: SecretString,
    http: reqwest::Client,
    /// The words with which another command line finds the same stack.
    pub(super) words: String,
}

/// An answer of the service.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Value,
    pub(super) retry_after: Option<Duration>,
}

/// No answer, or one that another try may change.
#[derive(Debug)]
pub(super) struct Silence {
    /// Why, for people.
    pub(super) why: String,
    pub(super) retry_after: Option<Duration>,
    /// Whether the request has surely not arrived, and another try will not either.
    pub(super) is_unreachable: bool,
}

pub(super) fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

impl Service {
    pub(super) async fn find(server: Option<&str>, target: &TargetOptions) -> Result<Self, BoxError> {
        let key = var_os(KEY).and_then(|key| key.into_string().ok()).unwrap_or_default();
        let key = key.trim();
        if key.is_empty() {
            return Err(format!(
                "set {KEY} to a key of the stack; `keys create` makes one. There is no option for it: others could read it"
            )
            .into());
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!("{KEY} holds no key: a key begins with {}", api_keys::KEY_START).into());
        }
        let of_variable = || {
            let is_said = target.local || target.endpoint_url.is_some();
            var_os(SERVER).filter(|url| !url.is_empty() && !is_said)
        };
        let given =
            server.map(str::to_owned).or_else(|| of_variable().map(|url| url.to_string_lossy().into_owned()));
        let (base, words) = match given {
            Some(text) => {
                let base = text.trim().parse::<SecureUrl>();
                let base =
                    base.map_err(|invalid| format!("the address in --server or {SERVER} {invalid}"))?;
                if base.as_url().query().is_some() || base.as_url().fragment().is_some() {
                    return Err(format!(
                        "the address in --server or {SERVER} ends with the host, or with the path before /refreshes"
                    )
                    .into());
                }
                let words = format!(" --server {}", base.as_url());
                (base, words)
            }
            None if target.local => {
                let api = local::find(target.endpoint_url.as_ref(), LOCAL_AWS_PORT)?.api;
                let endpoint = target.endpoint_url.as_ref().map(|url| format!(" --endpoint-url {url}"));
                (format!("http://{api}").parse()?, format!(" --local{}", endpoint.unwrap_or_default()))
            }
            None => {
                let account = Account::find(target).await?;
                let address = stack::api_address(&account, &target.stack).await?;
                let base = address.parse::<SecureUrl>().map_err(|invalid| {
                    format!("the output of the stack `{}` with its address {invalid}", target.stack)
                })?;
                (base, format!(" --stack {}", target.stack))
            }
        };
        let http = http::client(Some(&base))?;
        Ok(Self { base, key: key.to_owned().into(), http, words })
    }

    /// Where the service is, for people.
    pub(super) fn place(&self) -> String {
        self.base.as_url().origin().ascii_serialization()
    }

    fn address(&self, path: &str) -> Result<Url, BoxError> {
        Ok(format!("{}{path}", self.base.as_url().as_str().trim_end_matches('/')).parse()?)
    }

    /// Asks for a refresh. Repeated with the same `idempotency_key`, it is the same request.
    pub(super) async fn post(&self, body: &Value, idempotency_key: &str) -> Result<Answer, Silence> {
        let request = self.request(Method::POST, "/refreshes")?;
        let request = request.header("idempotency-key", idempotency_key);
        let request = request.header("content-type", "application/json");
        self.send(request.body(body.to_string())).await
    }

    pub(super) async fn look(&self, id: &str) -> Result<Answer, Silence> {
        self.send(self.request(Method::GET, &format!("/refreshes/{id}"))?).await
    }

    pub(super) async fn cancel(&self, id: &str) -> Result<Answer, Silence> {
        self.send(self.request(Method::DELETE, &format!("/refreshes/{id}"))?).await
    }

    fn request(&self, method: Method, path: &str) -> Result<reqwest::RequestBuilder, Silence> {
        let address = self.address(path).map_err(|error| Silence {
            why: error.to_string(),
            retry_after: None,
            is_unreachable: true,
        })?;
        Ok(self.http.request(method, address).bearer_auth(self.key.expose_secret()).timeout(TIMEOUT))
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, Silence> {
        let place = self.place();
        let response = request.send().await.map_err(|error| self.silence(&error))?;
        let (status, retry_after) = (response.status(), retry_after(&response));
        let text = http::text(response).await;
        let text = text.map_err(|what| Silence {
            why: format!("{place} answered {} {what}", status.as_u16()),
            retry_after,
            is_unreachable: false,
        })?;
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            let body: Value = serde_json::from_str(&text).unwrap_or_default();
            let said = body["detail"].as_str().map(|said| format!(": {said}")).unwrap_or_default();
            let why = format!("{place} answered {}{said}", status.as_u16());
            return Err(Silence { why, retry_after, is_unreachable: false });
        }
        match serde_json::from_str(&text) {
            Ok(body @ Value::Object(_)) => Ok(Answer { status, body, retry_after }),
            // A proxy, or no stack at all.
            _ => Err(Silence {
                why: format!("{place} answered {} with no JSON: is it a stack's address?", status.as_u16()),
                retry_after,
                is_unreachable: !status.is_success(),
            }),
        }
    }

    fn silence(&self, error: &reqwest::Error) -> Silence {
        let cause = Cause::of(error);
        let host = self.base.as_url().host_str().unwrap_or_default();
        let hint = match &cause {
            Cause::Refused if self.base.is_loopback() => {
                format!("; is the local stack up? `{}` starts it", program::start())
            }
            _ => String::new(),
        };
        Silence {
            why: format!("no answer from {}: {}{hint}", self.place(), cause.words(host)),
            retry_after: None,
            is_unreachable: matches!(cause, Cause::UnknownHost | Cause::Refused | Cause::Tls(_)),
        }
    }
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get("retry-after")?.to_str().ok()?.trim().parse::<u64>().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_PAUSE))
}
