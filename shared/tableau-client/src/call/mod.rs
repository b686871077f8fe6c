//! One call of the REST API: its path, its session, and how often it is tried.

mod answer;
mod send;
mod wait;

use answer::shown;
pub(crate) use answer::{foreign, parse};
pub(crate) use send::{LastError, Repeat, Request, Sent, Take};

use crate::session::Shared;
use crate::{ApiVersion, Error, Session, TableauClient, TableauCredential};
use confidential::Secrets;
use reqwest::{Method, Response};
use send::Gone;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tableau::SiteLuid;
use url::Url;

/// How often one call replaces a session that has ended. Once is enough if all clients share a session store.
const REPLACEMENTS: u32 = 3;

/// The path of a call, below `/api`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Path<'a> {
    /// Below `/api/{version}/sites/{site}/`; empty for the site itself.
    Site(&'a str),
    /// Below `/api/exp/sites/{site}/`: experimental methods have no version.
    Experimental(&'a str),
    /// Below `/api/{version}/`.
    Server(&'a str),
    /// Below `/api/`: for methods that are not part of the REST API.
    Api(&'a str),
}

impl Path<'_> {
    /// The address of this path at `server`. Paths below a site contain the site's LUID.
    pub(crate) fn url(self, server: &Url, version: ApiVersion, site: Option<&SiteLuid>) -> Url {
        let site = site.map_or("", SiteLuid::as_str);
        let path = match self {
            Path::Site(rest) => format!("api/{version}/sites/{site}/{rest}"),
            Path::Experimental(rest) => format!("api/exp/sites/{site}/{rest}"),
            Path::Server(rest) => format!("api/{version}/{rest}"),
            Path::Api(rest) => format!("api/{rest}"),
        };
        let mut url = server.clone();
        url.set_path(path.trim_end_matches('/'));
        url
    }
}

/// A call of Tableau before it is sent. Its body may contain a webhook's URL, and with that a token.
pub(crate) struct Call<'a> {
    pub(crate) operation: &'static str,
    method: Method,
    path: Path<'a>,
    query: Vec<(String, String)>,
    body: Option<String>,
    repeat: Repeat,
    timeout: Option<Duration>,
    gone: Option<Gone>,
    scope: Option<&'static str>,
    secrets: Secrets,
}

impl<'a> Call<'a> {
    fn new(operation: &'static str, method: Method, path: Path<'a>) -> Self {
        Self {
            operation,
            method,
            path,
            query: Vec::new(),
            body: None,
            repeat: Repeat::Harmless,
            timeout: None,
            gone: None,
            scope: None,
            secrets: Secrets::default(),
        }
    }

    pub(crate) fn get(operation: &'static str, path: Path<'a>) -> Self {
        Self::new(operation, Method::GET, path)
    }

    pub(crate) fn put(operation: &'static str, path: Path<'a>, body: &Value) -> Self {
        Self { body: Some(body.to_string()), ..Self::new(operation, Method::PUT, path) }
    }

    /// A `POST` that may be repeated without harm.
    pub(crate) fn post(operation: &'static str, path: Path<'a>, body: &Value) -> Self {
        Self { body: Some(body.to_string()), ..Self::new(operation, Method::POST, path) }
    }

    /// A `POST` that creates something and must not create it twice.
    pub(crate) fn create(operation: &'static str, path: Path<'a>, body: &Value) -> Self {
        Self { repeat: Repeat::IfRefused, ..Self::post(operation, path, body) }
    }

    pub(crate) fn delete(operation: &'static str, path: Path<'a>) -> Self {
        Self::new(operation, Method::DELETE, path)
    }

    /// Sets the code with which Tableau says that the object to delete does not exist. If the answer to an earlier
    /// try was lost, that code means success.
    pub(crate) fn gone_with(mut self, code: &'static str) -> Self {
        self.gone = Some(Gone::new(code));
        self
    }

    pub(crate) fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Sets the JWT scope that the call needs, for the error of a connected app that lacks it.
    pub(crate) fn scope(mut self, scope: &'static str) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Adds the secrets in the body, which no error may repeat.
    pub(crate) fn with_secrets(self, secrets: Secrets) -> Self {
        Self { secrets, ..self }
    }

    /// Sets how long one try may take, in place of the HTTP client's own timeout.
    pub(crate) fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Whether an error means that the session has ended. Outside the REST API errors have no codes, so there a 401
    /// without a code means that.
    fn says_session_over(&self, error: &Error) -> bool {
        let plain = matches!(error, Error::Foreign { status: 401, .. });
        error.is_session_over() || (plain && matches!(self.path, Path::Api(_)))
    }

    /// Whether an error says that the site is on another server now.
    fn says_moved(&self, error: &Error) -> bool {
        let no_such_site =
            matches!(self.path, Path::Site(_) | Path::Experimental(_)) && error.code() == Some("404000");
        no_such_site || matches!(error, Error::Redirected { .. })
    }

    fn url(&self, server: &Url, version: ApiVersion, site: &SiteLuid) -> Url {
        let mut url = self.path.url(server, version, Some(site));
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        url
    }
}

impl TableauClient {
    /// Makes a call and parses the answer.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, Error> {
        let (status, bytes) = self.call(&call, Take::Whole).await?.into_body();
        parse(call.operation, status, &bytes)
    }

    /// Makes a call and ignores the answer, unless it holds an error: Tableau refuses to cancel some runs of flows with status 200.
    pub(crate) async fn run(&self, call: Call<'_>) -> Result<(), Error> {
        let (_, bytes) = self.call(&call, Take::Whole).await?.into_body();
        answer::refused_within(call.operation, &bytes).map_or(Ok(()), Err)
    }

    /// Makes a call and returns the answer unread.
    pub(crate) async fn open(&self, call: Call<'_>) -> Result<Option<Response>, Error> {
        Ok(self.call(&call, Take::Open).await?.into_response())
    }

    /// Boxed, so that the futures of callers stay small.
    fn call<'a>(
        &'a self,
        call: &'a Call<'a>,
        take: Take,
    ) -> Pin<Box<dyn Future<Output = Result<Sent, Error>> + Send + 'a>> {
        Box::pin(async move {
            let last = LastError::default();
            self.bounded(call.operation, &last, self.in_session(call, take, &last)).await
        })
    }

    /// Stops a call at the client's deadline, and counts failures.
    pub(crate) async fn bounded<T>(
        &self,
        operation: &'static str,
        last: &LastError,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let ended = match self.deadline() {
            None => work.await,
            Some(deadline) => {
                let out_of_time = || Err(Error::OutOfTime { operation, source: None });
                tokio::time::timeout_at(deadline, work).await.unwrap_or_else(|_| out_of_time())
            }
        };
        ended.map_err(|error| last.explain(error)).inspect_err(Error::count)
    }

    /// Makes one call in the shared session. A session that has ended is replaced without the caller noticing.
    async fn in_session(&self, call: &Call<'_>, take: Take, last: &LastError) -> Result<Sent, Error> {
        let mut credential = self.credential().await?;
        let mut over = None;
        let mut replaced = 0;
        let mut moved = false;
        loop {
            let opened = AtomicBool::new(false);
            let shared = self.shared_session(&mut credential, over.as_ref(), &opened, last).await?;
            let session = &shared.session;
            let server = session.server.as_ref().unwrap_or(&self.settings().server);
            let secrets = self.secrets_of(&credential, session);
            let request = Request {
                operation: call.operation,
                method: &call.method,
                url: &call.url(server, self.version_in(session), &session.site),
                token: Some(&session.token),
                body: call.body.as_deref(),
                secrets,
                body_secrets: call.secrets.clone(),
                repeat: call.repeat,
                timeout: call.timeout,
                gone: call.gone.as_ref(),
                may_have_moved: session.server.is_some() && !moved && !opened.load(Ordering::Relaxed),
                last,
            };
            match self.send(&request, take).await {
                // Tableau moves sites between servers, and a session is valid only at the server where it was opened.
                // The configured server knows where the site is now. A session of another server, which may no longer
                // exist, is replaced too.
                Err(error)
                    if !moved
                        && !opened.load(Ordering::Relaxed)
                        && (call.says_moved(&error)
                            || (request.may_have_moved && error.is_server_gone())) =>
                {
                    moved = true;
                    over = Some(shared);
                }
                // A session that was just opened for this call ends at once only if another program signs in with the
                // same token. If that is impossible, or happens twice, a further session would be refused as well.
                Err(error)
                    if call.says_session_over(&error)
                        && opened.load(Ordering::Relaxed)
                        && (replaced > 0 || !credential.allows_one_session()) =>
                {
                    let stolen = credential.allows_one_session();
                    let source = Box::new(error);
                    let (operation, scope) = (call.operation, call.scope);
                    return Err(Error::SessionRefused { operation, stolen, scope, source });
                }
                Err(error) if call.says_session_over(&error) && replaced < REPLACEMENTS => {
                    if replaced > 0 {
                        // A program that does not share this session store ends our sessions. Waiting a random time
                        // prevents both programs from signing in alternately.
                        tokio::time::sleep(wait::back_off(replaced)).await;
                    }
                    replaced += 1;
                    over = Some(shared);
                }
                other => return other,
            }
        }
    }

    /// Returns the shared session, but not the ended session `over`. If Tableau refuses the credential, the secret is
    /// read once more, in case it was rotated. `opened` is set if this call signed in.
    async fn shared_session(
        &self,
        credential: &mut Arc<TableauCredential>,
        over: Option<&Shared>,
        opened: &AtomicBool,
        last: &LastError,
    ) -> Result<Shared, Error> {
        match self.session_with(credential, over, opened, last).await {
            Err(error) if error.is_credential_refused() => {
                *credential = self.replacement(credential).await?.ok_or(error)?;
                self.session_with(credential, over, opened, last).await
            }
            other => other,
        }
    }

    async fn session_with(
        &self,
        credential: &Arc<TableauCredential>,
        over: Option<&Shared>,
        opened: &AtomicBool,
        last: &LastError,
    ) -> Result<Shared, Error> {
        let key = self.session_key(credential);
        let open = || {
            opened.store(true, Ordering::Relaxed);
            self.sign_in(credential, last)
        };
        let session = self.broker().session(&key, credential.fingerprint(&key), over, open).await;
        session.map_err(|error| match error {
            // Another process stored this reason, perhaps an older version that removed fewer secrets.
            Error::CredentialRefused { until, retry_after, reason } => {
                let secrets = Secrets::new(credential.secrets());
                let reason = shown(&secrets.redact_text(&reason));
                Error::CredentialRefused { until, retry_after, reason }
            }
            other => other,
        })
    }

    /// The REST API version of the session. Signs in if there is no session.
    pub async fn session_version(&self) -> Result<ApiVersion, Error> {
        Ok(self.version_in(&self.current_session("find the version of the REST API").await?))
    }

    /// How many sessions and refusals the session store has recorded for this credential; `None` if it has none. The number grows by one
    /// with each sign-in of any program that shares the store. Does not sign in.
    ///
    /// # Errors
    /// When the credential cannot be read, or the session store does not answer.
    pub async fn sign_ins_so_far(&self) -> Result<Option<u64>, Error> {
        let credential = self.credential().await?;
        let version = self.broker().version(&self.session_key(&credential)).await?;
        Ok((version > 0).then_some(version))
    }

    /// Returns the shared session. Boxed, as calls are.
    fn current_session(
        &self,
        operation: &'static str,
    ) -> Pin<Box<dyn Future<Output = Result<Session, Error>> + Send + '_>> {
        Box::pin(async move {
            let last = LastError::default();
            let session = async {
                let mut credential = self.credential().await?;
                let opened = AtomicBool::default();
                Ok(self.shared_session(&mut credential, None, &opened, &last).await?.session)
            };
            self.bounded(operation, &last, session).await
        })
    }

    /// Replaces the shared session with a new one, unless this call opens the first. The others who share it go on with the new one.
    /// For content that was published a moment ago, which older sessions may not know (`bryanthowell-tableau/tableau_tools#39`).
    ///
    /// # Errors
    /// [`Error`] when signing in fails.
    pub async fn renew_session(&self) -> Result<(), Error> {
        let last = LastError::default();
        let renewed = async {
            let mut credential = self.credential().await?;
            let opened = AtomicBool::default();
            let shared = self.shared_session(&mut credential, None, &opened, &last).await?;
            if !opened.load(Ordering::Relaxed) {
                self.shared_session(&mut credential, Some(&shared), &opened, &last).await?;
            }
            Ok(())
        };
        self.bounded("renew the session", &last, Box::pin(renewed)).await
    }

    /// The LUID of the site that the session is for. Signs in if there is no session. Events of another site are
    /// about objects that this client cannot see.
    ///
    /// # Errors
    /// [`Error`] when there is no session and signing in fails.
    pub async fn session_site(&self) -> Result<SiteLuid, Error> {
        Ok(self.current_session("find the site of the session").await?.site)
    }

    /// The REST API version to use. A version that the settings pin counts, even if the shared session was opened by
    /// a process with another setting.
    fn version_in(&self, session: &Session) -> ApiVersion {
        self.settings().api_version.unwrap_or(session.api_version)
    }
}
