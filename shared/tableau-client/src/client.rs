//! Calls: session, version, retries, errors.

use crate::session::Broker;
use crate::{ApiVersion, Error, Session, SessionStore, TableauCredential};
use reqwest::{Method, Response, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tableau::{SiteLuid, UserLuid};
use url::Url;
use workflow::CredentialSource;

/// The longest answer that is read: a page of 1,000 elements is well below.
const ANSWER_LIMIT: usize = 16 * 1024 * 1024;
/// How often a call is tried, the first time included.
const TRIES: u32 = 3;
/// How often a call replaces a session that is over. Once is enough where all share a store.
const REPLACEMENTS: u32 = 3;
/// The longest wait between two tries. What asks for more is an error, for the caller's queue to wait out.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

/// Which server and site.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server's address, such as `https://10ay.online.tableau.com`. On Tableau Cloud the pod's own.
    pub server: Url,
    /// The site's content URL: what stands behind `/site/` in the browser. Empty for a server's default site.
    pub site: String,
    /// Use this version instead of the newest that server and client both know.
    pub api_version: Option<ApiVersion>,
}

/// Settings that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSettings {
    /// The server's address is not one.
    #[error("the Tableau server's address must be https:// and a host, with nothing after it")]
    Server,
    /// The version is not one.
    #[error("the Tableau API version must be two numbers with a dot between, such as 3.24")]
    Version,
}

impl Settings {
    /// A site, by its content URL, of the server at an address. An empty `api_version` stands for the newest that
    /// both sides know.
    ///
    /// # Errors
    /// [`InvalidSettings`] when the address is anything but `https://` and a host (on loopback, `http://` will do: a
    /// token must not cross a network in clear text), or the version is none.
    pub fn new(server: &str, site: &str, api_version: &str) -> Result<Self, InvalidSettings> {
        let server = Url::parse(server).map_err(|_| InvalidSettings::Server)?;
        let loopback = matches!(server.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        let encrypted = server.scheme() == "https" || (server.scheme() == "http" && loopback);
        let bare = server.path() == "/" && server.username().is_empty() && server.password().is_none();
        if !encrypted || !bare || server.host_str().is_none() {
            return Err(InvalidSettings::Server);
        }
        let api_version = match api_version {
            "" => None,
            version => Some(version.parse().map_err(|_| InvalidSettings::Version)?),
        };
        Ok(Self { server, site: site.to_owned(), api_version })
    }
}

/// A client of one site, signed in as needed.
pub struct TableauClient {
    http: reqwest::Client,
    settings: Settings,
    credentials: Arc<dyn CredentialSource<TableauCredential>>,
    broker: Broker,
}

impl fmt::Debug for TableauClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableauClient").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Where a call goes, below `/api`.
pub(crate) enum Path<'a> {
    /// Below `/api/{version}/sites/{site}/`.
    Site(&'a str),
    /// Below `/api/exp/sites/{site}/`: experimental methods have no version.
    Experimental(&'a str),
}

#[derive(Deserialize)]
struct SignedIn {
    credentials: SignedInCredentials,
}

#[derive(Deserialize)]
struct SignedInCredentials {
    token: SecretString,
    site: Identified<SiteLuid>,
    user: Identified<UserLuid>,
}

#[derive(Deserialize)]
struct Identified<T> {
    id: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServerInfoAnswer {
    server_info: ServerInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServerInfo {
    rest_api_version: ApiVersion,
}

#[derive(Deserialize)]
struct ErrorAnswer {
    error: ErrorBody,
}

#[derive(Deserialize)]
struct ErrorBody {
    #[serde(default)]
    code: Value,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    detail: String,
}

impl TableauClient {
    /// A client that shares its session through `sessions`. Nothing is sent before the first call.
    pub fn new(
        http: reqwest::Client,
        settings: Settings,
        credentials: Arc<dyn CredentialSource<TableauCredential>>,
        sessions: Arc<dyn SessionStore>,
    ) -> Self {
        Self { http, settings, credentials, broker: Broker::new(sessions) }
    }

    /// Fetches a resource.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: Path<'_>,
        query: &[(&str, &str)],
    ) -> Result<T, Error> {
        let answer = self.call(operation, Method::GET, &path, query, None).await;
        answer.and_then(|bytes| parse(operation, &bytes)).inspect_err(Error::count)
    }

    /// Sends `body`. Only for calls that may be repeated without harm.
    pub(crate) async fn post(
        &self,
        operation: &'static str,
        path: Path<'_>,
        query: &[(&str, &str)],
        body: &Value,
    ) -> Result<(), Error> {
        let answer = self.call(operation, Method::POST, &path, query, Some(body)).await;
        answer.map(|_| ()).inspect_err(Error::count)
    }

    /// One call in a session. A session that is over is replaced, unnoticed by the caller.
    async fn call(
        &self,
        operation: &'static str,
        method: Method,
        path: &Path<'_>,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Vec<u8>, Error> {
        let credential = self.credentials.current().await?;
        let key =
            format!("{}#{}#{}", self.settings.server.authority(), credential.name(), self.settings.site);
        let mut over = None;
        let mut replaced = 0;
        loop {
            let shared = self.broker.session(&key, over.as_ref(), || self.sign_in(&credential)).await?;
            let session = &shared.session;
            let version = self.settings.api_version.unwrap_or(session.api_version);
            let path = match path {
                Path::Site(rest) => format!("api/{version}/sites/{}/{rest}", session.site),
                Path::Experimental(rest) => format!("api/exp/sites/{}/{rest}", session.site),
            };
            let answer = self.send(operation, &method, &path, query, Some(&session.token), body).await;
            match answer {
                Err(error) if error.is_session_over() && replaced < REPLACEMENTS => {
                    if replaced > 0 {
                        // Someone who does not share our store signs in over us: stay out of step with him.
                        tokio::time::sleep(back_off(replaced)).await;
                    }
                    replaced += 1;
                    over = Some(shared);
                }
                other => return other,
            }
        }
    }

    /// Signs in; a refused credential is read again once, in case it was rotated.
    async fn sign_in(&self, credential: &Arc<TableauCredential>) -> Result<Session, Error> {
        let api_version = match self.settings.api_version {
            Some(pinned) => pinned,
            None => self.server_version().await?.min(ApiVersion::NEWEST),
        };
        match self.sign_in_with(credential, api_version).await {
            Err(error) if error.is_credential_refused() => {
                match self.credentials.replacement(credential).await? {
                    Some(renewed) => self.sign_in_with(&renewed, api_version).await,
                    None => Err(error),
                }
            }
            other => other,
        }
    }

    async fn sign_in_with(
        &self,
        credential: &TableauCredential,
        version: ApiVersion,
    ) -> Result<Session, Error> {
        const OPERATION: &str = "sign in";
        let body = credential.sign_in_body(&self.settings.site);
        let path = format!("api/{version}/auth/signin");
        let bytes = self.send(OPERATION, &Method::POST, &path, &[], None, Some(&body)).await?;
        let SignedIn { credentials } = parse(OPERATION, &bytes)?;
        let SignedInCredentials { token, site, user } = credentials;
        // Whoever sees many of these has processes that sign in over each other.
        tracing::info!(monotonic_counter.sign_ins = 1, "signed in to Tableau");
        Ok(Session { token, site: site.id, user: user.id, api_version: version })
    }

    /// The newest REST API version that the server knows. Needs no session. REST API 2.4+.
    ///
    /// # Errors
    /// [`Error`] when the server does not answer, or not as Tableau does.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_server.htm#query_server_info>
    pub async fn server_version(&self) -> Result<ApiVersion, Error> {
        const OPERATION: &str = "ask for the server's version";
        let path = format!("api/{}/serverinfo", ApiVersion::SERVER_INFO);
        let bytes = self.send(OPERATION, &Method::GET, &path, &[], None, None).await?;
        let answer: ServerInfoAnswer = parse(OPERATION, &bytes)?;
        Ok(answer.server_info.rest_api_version)
    }

    /// Sends one request, up to three times while Tableau is in trouble for a moment.
    async fn send(
        &self,
        operation: &'static str,
        method: &Method,
        path: &str,
        query: &[(&str, &str)],
        token: Option<&SecretString>,
        body: Option<&Value>,
    ) -> Result<Vec<u8>, Error> {
        let mut url = self.settings.server.clone();
        url.set_path(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut tried = 1;
        loop {
            let error = match self.send_once(operation, method, &url, token, body).await {
                Err(error) if error.is_transient() && !error.is_session_over() => error,
                other => return other,
            };
            let wait = error.retry_after().unwrap_or_else(|| back_off(tried));
            if tried == TRIES || wait > LONGEST_WAIT {
                return Err(error);
            }
            tokio::time::sleep(wait).await;
            tried += 1;
        }
    }

    async fn send_once(
        &self,
        operation: &'static str,
        method: &Method,
        url: &Url,
        token: Option<&SecretString>,
        body: Option<&Value>,
    ) -> Result<Vec<u8>, Error> {
        let mut request =
            self.http.request(method.clone(), url.clone()).header(header::ACCEPT, "application/json");
        if let Some(token) = token {
            request = request.header("X-Tableau-Auth", token.expose_secret());
        }
        if let Some(body) = body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let unreachable = |e: reqwest::Error| Error::Unreachable { operation, source: e.without_url() };
        let response = request.send().await.map_err(unreachable)?;
        let (status, retry_after) = (response.status(), retry_after(&response));
        if status.is_redirection() {
            return Err(Error::Redirected { operation });
        }
        let bytes = read(operation, response).await?;
        if status.is_success() { Ok(bytes) } else { Err(refused(operation, status, retry_after, &bytes)) }
    }
}

/// Full jitter over 250 ms, 500 ms, …
fn back_off(tried: u32) -> Duration {
    let ceiling = 250u64 << tried.min(6).saturating_sub(1);
    Duration::from_millis(fastrand::u64(ceiling / 4..=ceiling))
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

async fn read(operation: &'static str, mut response: Response) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) =
        response.chunk().await.map_err(|e| Error::Unreachable { operation, source: e.without_url() })?
    {
        if bytes.len() + chunk.len() > ANSWER_LIMIT {
            return Err(Error::TooLarge { operation, limit_bytes: ANSWER_LIMIT });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn parse<T: DeserializeOwned>(operation: &'static str, bytes: &[u8]) -> Result<T, Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        // serde's own words repeat the value it did not like, and that may be a session token.
        let (path, problem) = (error.path().to_string(), error.inner().classify());
        Error::Unreadable { operation, source: format!("at `{path}`: {problem:?} error").into() }
    })
}

/// An error answer. Proxies and Tableau's own 5xx answer with HTML, which has no code.
fn refused(
    operation: &'static str,
    status: StatusCode,
    retry_after: Option<Duration>,
    bytes: &[u8],
) -> Error {
    let status = status.as_u16();
    let Ok(ErrorAnswer { error }) = serde_json::from_slice(bytes) else {
        let (code, summary, detail) = (String::new(), String::new(), String::new());
        return Error::Refused { operation, status, code, summary, detail, retry_after };
    };
    let code = match error.code {
        Value::String(code) => code,
        Value::Number(code) => code.to_string(),
        _ => String::new(),
    };
    let short = |text: String| text.chars().filter(|c| !c.is_control()).take(300).collect();
    let (summary, detail) = (short(error.summary), short(error.detail));
    Error::Refused { operation, status, code, summary, detail, retry_after }
}
