//! Signs in and out, and negotiates the REST API version.

mod connected_app;

pub use connected_app::ConnectedApp;

use crate::call::{LastError, Path, Repeat, Request, Sent, Take, parse};
use crate::error::host;
use crate::session::can_be_sent;
use crate::{ApiVersion, Error, Session, TableauClient, TableauCredential, lenient};
use confidential::{REDACTED, Secrets, SecureUrl};
use jiff::Timestamp;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tableau::{SiteLuid, UserLuid};

/// How many redirects a sign-in follows. A wrong pod of Tableau Cloud causes one.
const REDIRECTS: u32 = 3;

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

/// What a server says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ServerInfo {
    /// The newest REST API version that the server knows.
    pub rest_api_version: ApiVersion,
    /// The product's version, such as `2026.2.0`.
    #[serde(default, deserialize_with = "lenient::part_or_default")]
    pub product_version: ProductVersion,
}

/// A product version of Tableau.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ProductVersion {
    /// The version, such as `2026.2.0`; empty if the answer has none.
    #[serde(default, deserialize_with = "lenient::text_or_empty")]
    pub value: String,
    /// The build number, such as `20262.26.0701.1234`.
    #[serde(default, deserialize_with = "lenient::text_or_empty")]
    pub build: String,
}

/// A server's answer, or the server to ask in its place.
enum Answer<T> {
    Here(T),
    Elsewhere(SecureUrl),
}

impl TableauClient {
    /// Signs in at the configured server or at the one it redirects to: on Tableau Cloud each site has its own pod,
    /// and other pods redirect. The `POST` is repeated by this code, because HTTP clients turn a redirected `POST`
    /// into a `GET`.
    pub(crate) async fn sign_in(
        &self,
        credential: &TableauCredential,
        last: &LastError,
    ) -> Result<Session, Error> {
        const OPERATION: &str = "sign in";
        let settings = self.settings();
        let mut server = settings.server.clone();
        for _ in 0..=REDIRECTS {
            let api_version = match settings.api_version {
                Some(pinned) => pinned,
                None => match self.server_info_at(&server, credential.secrets(), last).await? {
                    Answer::Here(info) => info.rest_api_version.min(ApiVersion::NEWEST),
                    Answer::Elsewhere(to) => {
                        server = to;
                        continue;
                    }
                },
            };
            let url = Path::Server("auth/signin").url(&server, api_version, None);
            let body = credential.sign_in_body(settings, Timestamp::now());
            let (body, secrets) = body.map_err(|reason| Error::Invalid { operation: OPERATION, reason })?;
            let request = Request {
                operation: OPERATION,
                method: &Method::POST,
                url: &url,
                token: None,
                body: Some(body.expose_secret()),
                secrets,
                body_secrets: Secrets::default(),
                repeat: Repeat::Harmless,
                timeout: None,
                gone: None,
                may_have_moved: false,
                last,
            };
            let SignedIn { credentials } = match self.send(&request, Take::Whole).await? {
                Sent::Elsewhere(to) => {
                    server = to;
                    continue;
                }
                sent => {
                    let (status, bytes) = sent.into_body();
                    parse(OPERATION, status, &bytes)?
                }
            };
            let SignedInCredentials { token, site, user } = credentials;
            // A token with such characters would be stored and sent with every call.
            if !can_be_sent(&token) || token.expose_secret().contains(REDACTED) {
                let source = "the session token has wrong characters, or repeats the credential".into();
                return Err(Error::Unreadable { operation: OPERATION, source });
            }
            // If this line appears often, processes are ending each other's sessions.
            tracing::info!(monotonic_counter.sign_ins = 1, "signed in to Tableau");
            let server = Some(server).filter(|server| *server != settings.server);
            let signed_in_at = Some(Timestamp::now());
            return Ok(Session { token, site: site.id, user: user.id, api_version, server, signed_in_at });
        }
        Err(Error::Redirected { operation: OPERATION, to: Some(host(&server)) })
    }

    /// Ends `session`. If the session has already ended, that is no error.
    pub(crate) async fn sign_out(&self, session: &Session) -> Result<(), Error> {
        let server = session.server.as_ref().unwrap_or(&self.settings().server);
        let request = Request {
            operation: "sign out",
            method: &Method::POST,
            url: &Path::Server("auth/signout").url(server, session.api_version, None),
            token: Some(&session.token),
            body: None,
            secrets: Secrets::new(session.secrets()),
            body_secrets: Secrets::default(),
            repeat: Repeat::Harmless,
            timeout: None,
            gone: None,
            may_have_moved: false,
            last: &LastError::default(),
        };
        match self.send(&request, Take::Whole).await {
            Err(error) if !error.is_session_over() => Err(error),
            _ => Ok(()),
        }
    }

    /// Returns what the server says about itself. Needs no session and no JWT scope. REST API 2.4+.
    ///
    /// # Errors
    /// [`Error`] when the server does not answer, or when the answer does not come from Tableau.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_server.htm#query_server_info>
    pub async fn server_info(&self) -> Result<ServerInfo, Error> {
        let last = LastError::default();
        self.bounded("ask for the server's version", &last, self.server_info_anywhere(&last)).await
    }

    async fn server_info_anywhere(&self, last: &LastError) -> Result<ServerInfo, Error> {
        let mut server = self.settings().server.clone();
        for _ in 0..=REDIRECTS {
            match self.server_info_at(&server, [], last).await? {
                Answer::Here(info) => return Ok(info),
                Answer::Elsewhere(to) => server = to,
            }
        }
        Err(Error::Redirected { operation: "ask for the server's version", to: Some(host(&server)) })
    }

    /// Returns the newest REST API version that the server knows, from [`TableauClient::server_info`].
    ///
    /// # Errors
    /// The same as for [`TableauClient::server_info`].
    pub async fn server_version(&self) -> Result<ApiVersion, Error> {
        Ok(self.server_info().await?.rest_api_version)
    }

    /// Sends no secret. `secrets` are those that the server knows from an earlier request and could repeat.
    async fn server_info_at(
        &self,
        server: &SecureUrl,
        secrets: impl IntoIterator<Item = SecretString>,
        last: &LastError,
    ) -> Result<Answer<ServerInfo>, Error> {
        const OPERATION: &str = "ask for the server's version";
        let request = Request {
            operation: OPERATION,
            method: &Method::GET,
            url: &Path::Server("serverinfo").url(server, ApiVersion::SERVER_INFO, None),
            token: None,
            body: None,
            secrets: Secrets::new(secrets),
            body_secrets: Secrets::default(),
            repeat: Repeat::Harmless,
            timeout: None,
            gone: None,
            may_have_moved: false,
            last,
        };
        match self.send(&request, Take::Whole).await? {
            Sent::Elsewhere(to) => Ok(Answer::Elsewhere(to)),
            sent => {
                let (status, bytes) = sent.into_body();
                let answer: ServerInfoAnswer = parse(OPERATION, status, &bytes)?;
                Ok(Answer::Here(answer.server_info))
            }
        }
    }
}
