//! The Graph simulator as tests and the local stack use it.

use super::drive::{Drive, GraphFile, InUse};
use super::serve;
use super::state::{GraphCall, GraphFault, Shared};
use super::upload::UploadSession;
use crate::server::Server;
use axum::Router;
use serde_json::{Value, json};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Microsoft Graph and its host of tokens on loopback, with document libraries of one site. Clones share it; it stops when the last
/// clone is dropped.
#[derive(Clone, Debug)]
pub struct GraphSimulator {
    state: Arc<Shared>,
    server: Arc<Server>,
}

impl GraphSimulator {
    /// The id of the library `Documents`, with which the site opens.
    pub const DOCUMENTS: &'static str = "b!simulated-documents";
    /// The id of the library `Reports`.
    pub const REPORTS: &'static str = "b!simulated-reports";

    /// Starts on a free port of 127.0.0.1, with the libraries `Documents` and `Reports` of the site `finance`.
    ///
    /// # Errors
    /// The system's error when no port can be bound.
    pub async fn start() -> io::Result<Self> {
        Self::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Starts at this address.
    ///
    /// # Errors
    /// The system's error when the address cannot be bound.
    pub async fn start_at(address: SocketAddr) -> io::Result<Self> {
        let state = Arc::new(Shared::default());
        let drives = [("Documents", Self::DOCUMENTS), ("Reports", Self::REPORTS)];
        *state.drives() = drives.map(|(name, id)| Drive::new(id, name, "finance")).into();
        let router = Router::new().fallback(serve::serve).with_state(Arc::clone(&state));
        let server = Server::serve(loopback_server::bind(address).await?, router)?;
        Ok(Self { state, server: Arc::new(server) })
    }

    /// The server's URL, without a trailing slash: Graph and the host of tokens.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The SharePoint secret for the library `Reports`.
    pub fn secret(&self) -> Value {
        let app = self.state.app();
        json!({
            "tenant": app.tenant, "client_id": app.client_id, "client_secret": app.secret, "drive": Self::REPORTS,
            "site": "contoso.sharepoint.com:/sites/finance",
        })
    }

    /// The secret of the application.
    pub fn client_secret(&self) -> String {
        self.state.app().secret.clone()
    }

    /// The tokens that were given.
    pub fn tokens(&self) -> Vec<String> {
        self.state.app().tokens.iter().map(|(token, _)| token.clone()).collect()
    }

    /// Makes all tokens end now.
    pub fn end_tokens(&self) {
        self.state.app().tokens.clear();
    }

    /// Gives the application another secret.
    pub fn rotate_secret(&self) -> Value {
        self.state.app().secret = format!("graph~rotated~{}", super::id::id());
        self.secret()
    }

    /// Every token, and the secret part of every upload address, that was ever given: also those that have ended.
    pub fn given_secrets(&self) -> Vec<String> {
        self.state.given_secrets().clone()
    }

    /// How long tokens live that are given from now on.
    pub fn tokens_live(&self, life: Duration) {
        self.state.app().life = life;
    }

    /// Lets the next `times` calls of this kind fail: `token`, `drive`, `create`, `piece`, `ask`, `cancel`, `item`, `children`, or `*`.
    pub fn fail_next(&self, kind: &str, times: u32, fault: GraphFault) {
        self.state.faults().add(kind, times, fault);
    }

    /// Lets all calls of this kind fail until [`GraphSimulator::recover`].
    pub fn fail_always(&self, kind: &str, fault: GraphFault) {
        self.state.faults().add(kind, None, fault);
    }

    /// Clears all faults.
    pub fn recover(&self) {
        self.state.faults().clear(None);
    }

    fn change(&self, drive: &str, change: impl FnOnce(&mut Drive)) {
        if let Some(drive) = self.state.drives().iter_mut().find(|known| known.id == drive) {
            change(drive);
        }
    }

    /// Begins an upload to the library `Reports` that nothing ends: its address is lost.
    pub fn leave_session(&self, path: &str) {
        let session = UploadSession::new(Self::REPORTS, path, "fail", super::id::id());
        self.state.sessions().insert(super::id::id(), session);
    }

    /// Ends all upload sessions.
    pub fn end_sessions(&self) {
        self.state.sessions().clear();
    }

    /// Opens a file of the library `Reports` in a desktop program: it is locked.
    pub fn lock(&self, path: &str) {
        self.change(Self::REPORTS, |drive| {
            drive.in_use.insert(path.to_owned(), InUse::Locked);
        });
    }

    /// Opens a file in a browser: creating a session is a conflict.
    pub fn open_in_browser(&self, path: &str) {
        self.change(Self::REPORTS, |drive| {
            drive.in_use.insert(path.to_owned(), InUse::Session);
        });
    }

    /// Locks a file, and says so only inside another error.
    pub fn lock_hidden(&self, path: &str) {
        self.change(Self::REPORTS, |drive| {
            drive.in_use.insert(path.to_owned(), InUse::Hidden);
        });
    }

    /// Closes all files.
    pub fn close_all(&self) {
        self.change(Self::REPORTS, |drive| drive.in_use.clear());
    }

    /// Leaves no room in the library `Reports`.
    pub fn fill(&self, is_full: bool) {
        self.change(Self::REPORTS, |drive| drive.is_full = is_full);
    }

    /// The files of all libraries, by path.
    pub fn files(&self) -> Vec<GraphFile> {
        self.state
            .drives()
            .iter()
            .flat_map(|drive| drive.files.values().cloned().collect::<Vec<_>>())
            .collect()
    }

    /// The uploads that ended after the first `n`, oldest first: library and path, and how many bytes.
    pub fn uploads_since(&self, n: usize) -> Vec<(String, u64)> {
        self.state.uploads.since(n)
    }

    /// How many upload sessions are open.
    pub fn open_sessions(&self) -> usize {
        self.state.sessions().len()
    }

    /// The calls so far, oldest first.
    pub fn calls(&self) -> Vec<GraphCall> {
        self.state.calls.all()
    }

    /// How many calls of this kind there were.
    pub fn count(&self, kind: &str) -> usize {
        self.state.calls.all().iter().filter(|call| call.kind == kind).count()
    }
}
