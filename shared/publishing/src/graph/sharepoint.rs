//! Uploads files to document libraries.

use super::GraphAddresses;
use super::answer::{Answer, BEGIN, FIND_LIBRARY, NAME, unreachable};
use super::credential::GraphCredential;
use super::session::{Ended, Sent, Session};
use super::sessions::{Noted, Owner, Sessions};
use super::tokens::{Token, Tokens};
use crate::{Error, Pieces, Problem, Refused, Uploaded};
use confidential::{Secrets, SecureUrl};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
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
/// How many pages of a folder are looked through for a file that got a number: 5,000 files.
const MOST_PAGES: usize = 25;
const SHOW: &str = "show the file";
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
    /// The id of the event that it is for. Its next attempt goes on where this one has ended.
    pub event: &'a str,
    /// When this attempt ends, also if its process dies: after that, another event may end the upload.
    pub ends: Timestamp,
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
        let credential = self.credential().await?;
        let answer =
            self.call(&credential, FIND_LIBRARY, Method::GET, self.addresses.drive(drive), None, &[]).await?;
        let url = answer.text("webUrl").and_then(|url| url.parse::<url::Url>().ok());
        let Some(url) = url.filter(|_| answer.is_success()) else {
            return Err(self.with_libraries(answer.refused(FIND_LIBRARY), &credential).await);
        };
        let path = percent_decode_str(url.path()).decode_utf8_lossy().into_owned();
        let length = path.trim_end_matches('/').encode_utf16().count();
        self.libraries.lock().unwrap_or_else(PoisonError::into_inner).insert(drive.to_owned(), length);
        Ok(length)
    }

    /// Uploads a file, until `until`. Ends what an earlier attempt has left open, and leaves nothing open. What an earlier attempt for this
    /// event has finished, it does not upload again. An upload for another event that is under way, it leaves alone: the file is in use.
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
        let credential = self.credential().await?;
        let drive = self.drive(place.drive).await?;
        let key = self.sessions.key(&drive, place.path);
        let owner = Owner { event: place.event, until: place.ends };
        let (noted, sealed) = self.sessions.noted(&key, &credential.client_secret, owner).await?;
        let upload = Upload {
            of: self,
            credential: &credential,
            drive: &drive,
            place,
            pieces,
            key: &key,
            owner,
            sealed: Mutex::new(sealed),
            until,
        };
        match noted {
            Noted::Nothing => {}
            Noted::There(uploaded) => return Ok(uploaded),
            Noted::Ours(address, began) => {
                let ended = self.cancel(address.as_ref()).await;
                if ended != Ended::Now
                    && let Then::Done(uploaded) = upload.found(began).await?
                {
                    tracing::info!("an earlier attempt has published the file");
                    upload.done(&uploaded).await;
                    return Ok(uploaded);
                }
            }
            Noted::Running(address) => upload.wait_for_other(address).await?,
            Noted::LeftOpen(address) => {
                let ended = self.cancel(address.as_ref()).await;
                tracing::info!(?ended, "an upload that an earlier attempt had begun was cancelled");
            }
        }
        upload.run().await
    }

    /// Ends a session. Without its address, nothing can.
    async fn cancel(&self, address: Option<&SecretString>) -> Ended {
        match address {
            Some(address) => Session::cancel(&self.http, AGENT, address).await,
            None => Ended::Unknown,
        }
    }

    /// The application's credential, with which there is a token.
    async fn credential(&self) -> Result<Arc<GraphCredential>, Error> {
        let credential = self.credentials.current().await?;
        Ok(Arc::clone(&self.token(&credential, None).await?.of))
    }

    /// A token, and not `refused`. If the credential is refused, it is read once more: it may have been replaced.
    async fn token(
        &self,
        credential: &Arc<GraphCredential>,
        refused: Option<&Arc<Token>>,
    ) -> Result<Arc<Token>, Error> {
        let error = match self.tokens.current(&self.http, &self.addresses, credential, refused).await {
            Err(error) if error.problem() == Some(Problem::Credential) => error,
            other => return other,
        };
        match self.credentials.replacement(credential).await? {
            Some(renewed) => self.tokens.current(&self.http, &self.addresses, &renewed, refused).await,
            None => Err(error),
        }
    }

    /// A call of Graph, about the file of this path, with a new token if the first one is refused.
    async fn call(
        &self,
        credential: &Arc<GraphCredential>,
        action: &'static str,
        method: Method,
        url: url::Url,
        body: Option<&Value>,
        path: &[String],
    ) -> Result<Answer, Error> {
        let token = self.token(credential, None).await?;
        let answer = self.call_with(&token.of, &token, &method, &url, body).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let newer = self.token(credential, Some(&token)).await?;
        let answer = self.call_with(&newer.of, &newer, &method, &url, body).await?;
        if answer.status == 401 { Err(answer.refused_new_token(action, path)) } else { Ok(answer) }
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
        let answer = self.call(credential, "list the document libraries", Method::GET, url, None, &[]).await;
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
    owner: Owner<'a>,
    /// The sealed address that the note has, as far as this upload knows.
    sealed: Mutex<String>,
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
                self.done(&uploaded).await;
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
        if Instant::now() >= self.until {
            return Err(Error::OutOfTime { service: NAME, sent: 0, total: self.pieces.size_bytes() });
        }
        let url = self.of.addresses.create_session(self.drive, self.place.path);
        let body =
            json!({ "item": { "@microsoft.graph.conflictBehavior": self.place.existing.behaviour() } });
        let path = self.place.path;
        let answer = self.of.call(self.credential, BEGIN, Method::POST, url, Some(&body), path).await?;
        if !answer.is_success() {
            let error = self.or_kept(answer.refused(BEGIN)).await;
            return Err(self.of.with_libraries(error, self.credential).await);
        }
        let url = answer.text("uploadUrl").and_then(|url| url.parse::<SecureUrl>().ok());
        let Some(url) = url.filter(|url| self.of.addresses.may_be_called(url)) else {
            let advice = "the answer has no address to send the file to. It is tried again".to_owned();
            return Err(self.refused(answer.status, "no upload address", Problem::Unavailable, advice));
        };
        let session = Session::new(url, self.pieces.size_bytes());
        let address = session.address();
        let replaces = self.sealed();
        let secret = &self.credential.client_secret;
        let noted =
            self.of.sessions.opened(self.key, secret, address.expose_secret(), self.owner, &replaces).await;
        match noted {
            Ok(Some(sealed)) => *self.sealed.lock().unwrap_or_else(PoisonError::into_inner) = sealed,
            Ok(None) => {
                self.of.cancel(Some(&address)).await;
                return Err(self.other_upload());
            }
            Err(error) => {
                self.of.cancel(Some(&address)).await;
                return Err(error);
            }
        }
        Ok(session)
    }

    fn sealed(&self) -> String {
        self.sealed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Fails while the upload for another event runs.
    async fn wait_for_other(&self, address: Option<SecretString>) -> Result<(), Error> {
        let url = address.and_then(|address| address.expose_secret().parse::<SecureUrl>().ok());
        let Some(url) = url else { return Err(self.other_upload()) };
        match Session::new(url, self.pieces.size_bytes()).ask(&self.of.http, AGENT).await {
            Ok(Sent::Gone) => Ok(()),
            _ => Err(self.other_upload()),
        }
    }

    fn other_upload(&self) -> Error {
        let advice = "another upload of it has not ended. It is tried again".to_owned();
        self.refused(409, "under upload", Problem::InUse, advice)
    }

    /// A file that is in use, or a file that is there and that the rule keeps: the codes do not tell them apart.
    async fn or_kept(&self, error: Error) -> Error {
        if self.place.existing != Existing::Keep || error.problem() != Some(Problem::InUse) {
            return error;
        }
        match self.item().await {
            Ok(item) if item.is_success() && uploaded(&item).is_some() => {
                let advice = "the file is there, and the rule says to keep it".to_owned();
                self.refused(409, "nameAlreadyExists", Problem::Exists, advice)
            }
            Ok(item) if item.status == 404 => error,
            Ok(item) => item.refused(SHOW),
            Err(error) => error,
        }
    }

    /// The file that has the wanted name.
    async fn item(&self) -> Result<Answer, Error> {
        let url = self.of.addresses.item(self.drive, self.place.path);
        self.of.call(self.credential, SHOW, Method::GET, url, None, &[]).await
    }

    /// Notes that the file is there. If that fails, the next attempt for this event finds it by a look, and one for another event asks the
    /// session, which has ended.
    async fn done(&self, uploaded: &Uploaded) {
        if let Err(error) = self.of.sessions.ended(self.key, &self.sealed(), Some(uploaded)).await {
            tracing::warn!(reason = workflow::chain(&error), "the end of an upload could not be noted");
        }
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
            let send = async {
                match session.is_at_the_end() {
                    // There is nothing more to send, and the answer with the file is missing.
                    true => session.ask(&self.of.http, AGENT).await,
                    false => session.send(&self.of.http, AGENT, self.pieces).await,
                }
            };
            let sent = tokio::time::timeout_at(self.until, send).await;
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
                let error = self.or_kept(answer.refused("take a piece")).await;
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

    /// Whether the file is there, although the answer that says so was lost: this application has changed it since `began`.
    async fn found(&self, began: Timestamp) -> Result<Then, Error> {
        let newest = match self.place.existing {
            Existing::Rename => self.newest_beside(began).await?,
            Existing::Replace | Existing::Keep => {
                let answer = self.item().await?;
                match answer.status {
                    200..=299 => answer.json.filter(|item| self.is_new(item, began).is_some()),
                    404 => None,
                    _ => return Err(answer.refused(SHOW)),
                }
            }
        };
        Ok(newest.as_ref().and_then(described).map_or(Then::Restart, Then::Done))
    }

    /// When an item was changed, if that was by this application and since `began`.
    fn is_new(&self, item: &Value, began: Timestamp) -> Option<Timestamp> {
        let changed: Timestamp = item.get("lastModifiedDateTime")?.as_str()?.parse().ok()?;
        // Both clocks are right within a second or two; the file before this one is older by far.
        let is_since = changed.duration_since(began).as_secs() >= -5;
        let is_ours = match item.pointer("/lastModifiedBy/application/id").and_then(Value::as_str) {
            Some(id) => id.eq_ignore_ascii_case(&self.credential.client_id),
            None => item.pointer("/lastModifiedBy/user").is_none_or(Value::is_null),
        };
        (is_since && is_ours).then_some(changed)
    }

    /// The newest file that has the wanted name, or that name and a number.
    async fn newest_beside(&self, began: Timestamp) -> Result<Option<Value>, Error> {
        let wanted = self.place.path.last().map(|name| name.to_lowercase()).unwrap_or_default();
        let mut newest: Option<(Timestamp, Value)> = None;
        let mut url = Some(self.of.addresses.beside(self.drive, self.place.path));
        for _ in 0..MOST_PAGES {
            let Some(page) = url else { break };
            let answer = self.of.call(self.credential, SHOW, Method::GET, page, None, &[]).await?;
            if !answer.is_success() {
                return if answer.status == 404 { Ok(None) } else { Err(answer.refused(SHOW)) };
            }
            url = answer.text("@odata.nextLink").and_then(|link| self.of.addresses.next_page(link));
            let items = answer.json.as_ref().and_then(|json| json.get("value")?.as_array());
            for item in items.into_iter().flatten() {
                let name = item.get("name").and_then(Value::as_str).unwrap_or_default().to_lowercase();
                let Some(changed) = self.is_new(item, began).filter(|_| is_numbered(&name, &wanted)) else {
                    continue;
                };
                if newest.as_ref().is_none_or(|(at, _)| *at <= changed) {
                    newest = Some((changed, item.clone()));
                }
            }
        }
        Ok(newest.map(|(_, item)| item))
    }

    /// Ends the session. If that fails, or if it was over before and the file may be there, its note stays for the next attempt.
    async fn cancel(&self, session: &Session) {
        let sealed = self.sealed();
        if self.of.cancel(Some(&session.address())).await == Ended::Now
            && self.of.sessions.ended(self.key, &sealed, None).await.is_ok()
        {
            self.sealed.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    fn refused(&self, status: u16, reason: &str, problem: Problem, advice: String) -> Error {
        let reason = reason.to_owned();
        Refused { service: NAME, action: "take the file", status, reason, problem, advice, retry_after: None }
            .into()
    }
}

/// Whether a name is the wanted one, or that with a number before its extension, as in `Sales 1.pdf`.
fn is_numbered(name: &str, wanted: &str) -> bool {
    let (stem, extension) = wanted.rsplit_once('.').unwrap_or((wanted, ""));
    let middle = name.strip_prefix(stem).and_then(|rest| rest.strip_suffix(extension)?.strip_suffix('.'));
    middle
        .is_some_and(|middle| middle.trim_matches([' ', '(', ')']).bytes().all(|byte| byte.is_ascii_digit()))
}

/// The file that an answer describes.
fn uploaded(answer: &Answer) -> Option<Uploaded> {
    answer.json.as_ref().and_then(described)
}

fn described(item: &Value) -> Option<Uploaded> {
    let text = |name: &str| item.get(name).and_then(Value::as_str);
    let id = text("id").filter(|id| !id.is_empty())?.to_owned();
    let name = text("name").unwrap_or_default().to_owned();
    let link = text("webUrl").filter(|url| url.parse::<SecureUrl>().is_ok()).map(str::to_owned);
    Some(Uploaded { id, name, link })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_got_a_number_is_known_by_its_name() {
        for (name, is) in [
            ("sales.pdf", true),
            ("sales 1.pdf", true),
            ("sales (12).pdf", true),
            ("sales north.pdf", false),
            ("sales 1.pdf.txt", false),
            ("salesx.pdf", false),
            ("costs.pdf", false),
        ] {
            assert_eq!(is_numbered(name, "sales.pdf"), is, "{name}");
        }
    }
}
