//! Uploads files to document libraries.

use super::GraphAddresses;
use super::answer::{Answer, BEGIN, FIND_LIBRARY, NAME, unreachable};
use super::credential::GraphCredential;
use super::session::{Sent, Session};
use super::sessions::Sessions;
use super::tokens::{Token, Tokens};
use crate::{Error, Pieces, Problem, Refused, Uploaded};
use confidential::{Secrets, SecureUrl};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::Documents;
use tokio::time::Instant;
use workflow::CredentialSource;

/// How Microsoft asks programs to name themselves, so that their requests are preferred to those of unnamed ones.
///
/// Source: <https://learn.microsoft.com/sharepoint/dev/general-development/how-to-avoid-getting-throttled-or-blocked-in-sharepoint-online>
const AGENT: &str = concat!("NONISV|tableau-webhooks|publish-pdf/", env!("CARGO_PKG_VERSION"));
/// How often the same piece is tried.
const TRIES: u32 = 4;
/// How often an upload begins anew because its session is gone.
const RESTARTS: u32 = 2;
/// The longest wait inside an attempt. A longer one is for the queue.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// The wait before the second try of a piece. It doubles with each try.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// What happens to a file that has the name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// The new file replaces it.
    Replace,
    /// The new file gets a number.
    Rename,
    /// It stays.
    Keep,
}

impl Existing {
    fn behaviour(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Rename => "rename",
            Self::Keep => "fail",
        }
    }
}

/// Where a file goes.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    /// The document library; `None` is the one of the secret.
    pub drive: Option<&'a str>,
    /// The names of the folders and of the file.
    pub path: &'a [String],
    /// What happens to a file that has the name already.
    pub existing: Existing,
}

/// SharePoint, as an application sees it.
pub struct SharePoint {
    http: reqwest::Client,
    addresses: GraphAddresses,
    credentials: Arc<dyn CredentialSource<GraphCredential>>,
    tokens: Tokens,
    sessions: Sessions,
    /// How many characters of a path stand before the folders, for each library.
    libraries: Mutex<HashMap<String, usize>>,
}

impl fmt::Debug for SharePoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharePoint").finish_non_exhaustive()
    }
}

impl SharePoint {
    /// SharePoint with this credential. `documents` keeps the addresses of upload sessions, sealed, under the name of `workflow`.
    pub fn new(
        http: reqwest::Client,
        addresses: GraphAddresses,
        credentials: Arc<dyn CredentialSource<GraphCredential>>,
        documents: Documents,
        workflow: &'static str,
    ) -> Self {
        let sessions = Sessions::new(documents, workflow);
        Self {
            http,
            addresses,
            credentials,
            tokens: Tokens::default(),
            sessions,
            libraries: Mutex::default(),
        }
    }

    /// The library that files go to: the rule's, or the secret's.
    ///
    /// # Errors
    /// [`Error::NoDrive`] when neither names one. It lists the libraries of the site, if the secret names the site.
    pub async fn drive(&self, of_rule: Option<&str>) -> Result<String, Error> {
        let credential = self.credentials.current().await?;
        match of_rule.or(credential.drive.as_deref()) {
            Some(drive) => Ok(drive.to_owned()),
            None => Err(Error::NoDrive(self.listed(&credential).await)),
        }
    }

    /// How many characters of a file's path stand before its folders: those of the site and of the library.
    ///
    /// # Errors
    /// [`Error::Refused`] with [`Problem::NoPlace`] when there is no such library. It lists those of the site, if the secret names the
    /// site.
    pub async fn path_before(&self, drive: &str) -> Result<usize, Error> {
        if let Some(known) = self.libraries.lock().unwrap_or_else(PoisonError::into_inner).get(drive) {
            return Ok(*known);
        }
        let credential = self.credentials.current().await?;
        let answer =
            self.call(&credential, FIND_LIBRARY, Method::GET, self.addresses.drive(drive), None).await?;
        if !answer.is_success() {
            return Err(self.with_libraries(answer.refused(FIND_LIBRARY, false), &credential).await);
        }
        let url = answer.text("webUrl").and_then(|url| url.parse::<url::Url>().ok());
        let path = url
            .map(|url| percent_decode_str(url.path()).decode_utf8_lossy().into_owned())
            .unwrap_or_default();
        let length = path.trim_end_matches('/').encode_utf16().count();
        self.libraries.lock().unwrap_or_else(PoisonError::into_inner).insert(drive.to_owned(), length);
        Ok(length)
    }

    /// Uploads a file, until `until`. Ends what an earlier attempt has left open, and leaves nothing open.
    ///
    /// The answer to the last piece, with the id of the file, is the proof that it is there. Size and checksum are none: SharePoint
    /// writes its own data into PDF and Office files (`abraunegg/onedrive#3032`, `rclone/rclone#9767`).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn upload(
        &self,
        place: &Place<'_>,
        pieces: &Pieces<'_>,
        until: Instant,
    ) -> Result<Uploaded, Error> {
        let credential = self.credentials.current().await?;
        let drive = self.drive(place.drive).await?;
        let key = self.sessions.key(&drive, place.path);
        if let Some(left) = self.sessions.left_open(&key, &credential.client_secret).await? {
            let is_ended = Session::cancel(&self.http, AGENT, &left).await;
            tracing::info!(is_ended, "an upload that an earlier attempt had begun was cancelled");
        }
        let upload =
            Upload { of: self, credential: &credential, drive: &drive, place, pieces, key: &key, until };
        upload.run().await
    }

    /// A call of Graph, with a new token if the first one is refused.
    async fn call(
        &self,
        credential: &Arc<GraphCredential>,
        action: &'static str,
        method: Method,
        url: url::Url,
        body: Option<&Value>,
    ) -> Result<Answer, Error> {
        let token = self.tokens.current(&self.http, &self.addresses, credential, None).await?;
        let answer = self.call_with(credential, &token, &method, &url, body).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let newer = self.tokens.current(&self.http, &self.addresses, credential, Some(&token)).await?;
        let answer = self.call_with(credential, &newer, &method, &url, body).await?;
        if answer.status == 401 { Err(answer.refused_new_token(action)) } else { Ok(answer) }
    }

    async fn call_with(
        &self,
        credential: &GraphCredential,
        token: &Token,
        method: &Method,
        url: &url::Url,
        body: Option<&Value>,
    ) -> Result<Answer, Error> {
        let mut request = self
            .http
            .request(method.clone(), url.clone())
            .bearer_auth(token.value.expose_secret())
            .header("accept", "application/json")
            .header("user-agent", AGENT);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.map_err(unreachable)?;
        let secrets: Secrets = credential.secrets().and([token.value.clone()]);
        Answer::read(response, &secrets).await
    }

    /// The error with the names of the libraries that there are.
    async fn with_libraries(&self, error: Error, credential: &Arc<GraphCredential>) -> Error {
        match error {
            Error::Refused(refused) if refused.problem == Problem::NoPlace => {
                let listed = self.listed(credential).await;
                Refused { advice: format!("{}{listed}", refused.advice), ..refused }.into()
            }
            error => error,
        }
    }

    /// The libraries of the secret's site, as the end of a sentence; empty if that is not known.
    async fn listed(&self, credential: &Arc<GraphCredential>) -> String {
        let Some(site) = &credential.site else { return String::new() };
        let url = self.addresses.drives_of(site);
        let answer = self.call(credential, "list the document libraries", Method::GET, url, None).await;
        let Some(json) = answer.ok().filter(Answer::is_success).and_then(|answer| answer.json) else {
            return String::new();
        };
        let text =
            |drive: &Value, name: &str| drive.get(name).and_then(Value::as_str).map(plain_text::one_line);
        let named = |drive: &Value| Some(format!("{} ({})", text(drive, "name")?, text(drive, "id")?));
        let drives = json.get("value").and_then(Value::as_array).into_iter().flatten();
        let all: Vec<String> = drives.filter_map(named).take(20).collect();
        if all.is_empty() { String::new() } else { format!(". The site has: {}", all.join(", ")) }
    }
}

/// One upload of one file.
struct Upload<'a> {
    of: &'a SharePoint,
    credential: &'a Arc<GraphCredential>,
    drive: &'a str,
    place: &'a Place<'a>,
    pieces: &'a Pieces<'a>,
    key: &'a str,
    until: Instant,
}

/// What to do about a piece that was not taken.
enum Then {
    /// Send what comes next.
    Go,
    /// The file is there.
    Done(Uploaded),
    /// Begin anew.
    Restart,
}

impl Upload<'_> {
    async fn run(&self) -> Result<Uploaded, Error> {
        let began = Timestamp::now();
        let mut restarts = 0;
        loop {
            let mut session = self.begin().await?;
            let sent = self.send_all(&mut session, began).await;
            if let Ok(Some(uploaded)) = sent {
                self.of.sessions.ended(self.key).await?;
                return Ok(uploaded);
            }
            // Also one that seems to be gone: what answered may have been a proxy.
            self.cancel(&session).await;
            match sent {
                Ok(_) if restarts < RESTARTS => {
                    restarts += 1;
                    tracing::info!(restarts, "the upload session is gone; the upload begins anew");
                }
                Ok(_) => {
                    let gone =
                        "its upload sessions end before the file is there. It is tried again".to_owned();
                    return Err(self.refused(404, "no session", Problem::Unavailable, gone));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Opens a session, and notes its address before anything is sent.
    async fn begin(&self) -> Result<Session, Error> {
        let url = self.of.addresses.create_session(self.drive, self.place.path);
        let body =
            json!({ "item": { "@microsoft.graph.conflictBehavior": self.place.existing.behaviour() } });
        let answer = self.of.call(self.credential, BEGIN, Method::POST, url, Some(&body)).await?;
        if !answer.is_success() {
            let error = answer.refused(BEGIN, self.place.existing == Existing::Keep);
            return Err(self.of.with_libraries(error, self.credential).await);
        }
        let url = answer.text("uploadUrl").and_then(|url| url.parse::<SecureUrl>().ok());
        let Some(url) = url.filter(|url| self.of.addresses.may_be_called(url)) else {
            let advice = "the answer has no address to send the file to. It is tried again".to_owned();
            return Err(self.refused(answer.status, "no upload address", Problem::Unavailable, advice));
        };
        let session = Session::new(url, self.pieces.size_bytes());
        let address = session.address();
        let noted =
            self.of.sessions.opened(self.key, &self.credential.client_secret, address.expose_secret());
        if let Err(error) = noted.await {
            self.cancel(&session).await;
            return Err(error.into());
        }
        Ok(session)
    }

    /// Sends all pieces. `None` when the session is gone.
    async fn send_all(&self, session: &mut Session, began: Timestamp) -> Result<Option<Uploaded>, Error> {
        let mut tried = 0;
        loop {
            if Instant::now() >= self.until {
                return Err(Error::OutOfTime { service: NAME, sent: session.sent(), total: session.total() });
            }
            let before = session.sent();
            let is_last = session.is_at_the_last(crate::PIECE_BYTES);
            let sent =
                tokio::time::timeout_at(self.until, session.send(&self.of.http, AGENT, self.pieces)).await;
            let sent =
                sent.map_err(|_| Error::OutOfTime { service: NAME, sent: before, total: session.total() })?;
            let then = match sent {
                Ok(Sent::Next) if session.sent() > before => {
                    tried = 0;
                    Then::Go
                }
                Ok(Sent::Whole(answer)) => match uploaded(&answer) {
                    Some(uploaded) => Then::Done(uploaded),
                    None => self.found(began).await?,
                },
                Ok(Sent::Gone) if is_last => self.found(began).await?,
                Ok(Sent::Gone) => Then::Restart,
                sent => {
                    tried += 1;
                    self.again(session, sent, tried, is_last, began).await?
                }
            };
            match then {
                Then::Go => {}
                Then::Done(uploaded) => return Ok(Some(uploaded)),
                Then::Restart => return Ok(None),
            }
        }
    }

    /// What to do about a piece that was refused or whose answer was lost. The service may have it all the same, so it is asked.
    async fn again(
        &self,
        session: &mut Session,
        sent: Result<Sent, Error>,
        tried: u32,
        is_last: bool,
        began: Timestamp,
    ) -> Result<Then, Error> {
        let (error, asked_for) = match sent {
            Ok(Sent::Refused(answer)) => {
                let passes = matches!(answer.status, 408 | 429 | 500..=506 | 508..=599);
                let error = answer.refused("take a piece", self.place.existing == Existing::Keep);
                if !passes || error.problem() == Some(Problem::NoRoom) {
                    return Err(error);
                }
                (error, answer.retry_after)
            }
            Ok(_) => {
                let advice = "it does not take the piece that it asks for. It is tried again".to_owned();
                (
                    self.refused(416, "another range is expected", Problem::Unavailable, advice),
                    Some(Duration::ZERO),
                )
            }
            Err(error) => (error, None),
        };
        let wait = asked_for.unwrap_or(FIRST_WAIT * 2_u32.saturating_pow(tried - 1));
        if tried >= TRIES || wait > LONGEST_WAIT || Instant::now() + wait >= self.until {
            return Err(error);
        }
        tokio::time::sleep(wait).await;
        match session.ask(&self.of.http, AGENT).await {
            Ok(Sent::Gone) if is_last => self.found(began).await,
            Ok(Sent::Gone) => Ok(Then::Restart),
            // Without an answer the piece is sent again as it is: the service takes no byte twice.
            _ => Ok(Then::Go),
        }
    }

    /// Whether the file is there, although the answer that says so was lost: it was changed since this attempt began.
    async fn found(&self, began: Timestamp) -> Result<Then, Error> {
        let url = self.of.addresses.item(self.drive, self.place.path);
        let answer = self.of.call(self.credential, "show the file", Method::GET, url, None).await?;
        let changed = answer.text("lastModifiedDateTime").and_then(|text| text.parse::<Timestamp>().ok());
        // Both clocks are right within a second or two; the file before this one is older by far.
        let is_new = changed.is_some_and(|at| at.duration_since(began).as_secs() >= -5);
        match uploaded(&answer).filter(|_| answer.is_success() && is_new) {
            Some(uploaded) => Ok(Then::Done(uploaded)),
            None => Ok(Then::Restart),
        }
    }

    /// Ends the session. If that fails, the next attempt does it.
    async fn cancel(&self, session: &Session) {
        if Session::cancel(&self.of.http, AGENT, &session.address()).await {
            // If the note stays, the next attempt ends a session that has ended.
            let _ = self.of.sessions.ended(self.key).await;
        }
    }

    fn refused(&self, status: u16, reason: &str, problem: Problem, advice: String) -> Error {
        let reason = reason.to_owned();
        Refused { service: NAME, action: "take the file", status, reason, problem, advice, retry_after: None }
            .into()
    }
}

/// The file that an answer describes.
fn uploaded(answer: &Answer) -> Option<Uploaded> {
    let id = answer.text("id").filter(|id| !id.is_empty())?.to_owned();
    let name = answer.text("name").unwrap_or_default().to_owned();
    let link = answer.text("webUrl").filter(|url| url.parse::<SecureUrl>().is_ok()).map(str::to_owned);
    Some(Uploaded { id, name, link })
}
