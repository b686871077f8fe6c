//! Controls and observes a running Tableau simulator.

use super::delivery::Delivery;
use super::model::{BroadcastRecord, ExportShape, Feature, JobKind, JobShape, WebhookRecord};
use super::refresh::JobRecord;
use super::simulator::TableauSimulator;
use crate::fault::{Fault, matches};
use std::collections::BTreeSet;
use std::fmt::Display;
use tableau::{DatasourceLuid, JobLuid, WorkbookLuid};

/// Controls.
impl TableauSimulator {
    /// Makes the next `times` calls that match the pattern fail.
    ///
    /// A pattern is a method and a path without `/api/3.29`, or a route as the README lists it; `*` stands for any
    /// characters: `POST /auth/signin`, `GET /sites/*/jobs/*`, `GET /sites/{site}/jobs`, `*`.
    pub fn fail_next(&self, pattern: &str, times: u32, fault: Fault) {
        self.state.faults().add(pattern, times, fault);
    }

    /// Makes every call that matches the pattern fail until [`TableauSimulator::clear_faults`].
    pub fn fail_always(&self, pattern: &str, fault: Fault) {
        self.state.faults().add(pattern, None, fault);
    }

    /// Clears all planned faults.
    pub fn clear_faults(&self) {
        self.state.faults().clear(None);
    }

    /// Ends all sessions, as a restart of the server does.
    pub fn end_sessions(&self) {
        self.state.model().sessions.clear();
    }

    /// Revokes a PAT: signing in with it fails from now on, and its session ends.
    pub fn revoke_pat(&self, name: &str) {
        let mut model = self.state.model();
        model.pats.iter_mut().filter(|p| p.name == name).for_each(|p| p.revoked = true);
        model.sessions.retain(|s| s.pat.as_deref() != Some(name));
    }

    /// Enables or disables webhooks on the server. Disabled: managing webhooks answers `403109`, and no event is sent.
    pub fn allow_webhooks(&self, allowed: bool) {
        self.state.model().webhooks_enabled = allowed;
    }

    /// Allows or forbids a feature on the whole site.
    pub fn allow(&self, feature: Feature, allowed: bool) {
        self.state.model().switch(feature, allowed);
    }

    /// Moves the site to another server; `None` moves it back. While moved, every REST call is redirected to the same
    /// path there, as a Tableau Cloud pod does for a site on another pod.
    pub fn move_to(&self, url: Option<&str>) {
        *self.state.moved_to() = url.map(|url| url.trim_end_matches('/').to_owned());
    }

    /// Changes the shape in which a single job is answered. Does nothing for an unknown job.
    pub fn show_job_as(&self, job: &JobLuid, shape: JobShape) {
        if let Some(job) = self.state.model().job_mut(job) {
            job.shape = shape;
        }
    }

    /// Cancels a queued or running job, as an administrator can on the Jobs page.
    pub fn cancel_job(&self, job: &JobLuid) {
        let now = self.state.settings.clock.now();
        if let Some(job) = self.state.model().job_mut(job).filter(|job| job.is_open()) {
            job.cancel(now);
        }
    }

    /// Turns a refresh into one that Tableau Bridge runs, of type `refresh_extracts_via_bridge`. Does nothing for an
    /// unknown job.
    pub fn run_by_bridge(&self, job: &JobLuid) {
        if let Some(job) = self.state.model().job_mut(job) {
            job.kind = JobKind::BridgeRefresh;
        }
    }

    /// Takes the stored passwords out of the connections of a workbook, as publishing it anew can do.
    pub fn forget_passwords(&self, workbook: &WorkbookLuid) {
        self.state.model().without_passwords.insert(workbook.to_string());
    }

    /// Publishes a workbook, data source or flow: sessions that are open now cannot refresh or run it (`400000`), new ones can.
    ///
    /// Source: `bryanthowell-tableau/tableau_tools#39`, which has status 400 and no code
    pub fn publish(&self, luid: impl Display) {
        let mut model = self.state.model();
        let tokens = model.sessions.iter().map(|session| session.token.clone()).collect();
        model.published_since.push((luid.to_string(), tokens));
    }

    /// Makes PDF exports of the workbooks and views of this name look so; `*` stands for all.
    pub fn shape_exports(&self, name: &str, shape: ExportShape) {
        self.state.model().export_shapes.push((name.to_owned(), shape));
    }

    /// Lets a data source that is not certified have a certification note.
    pub fn keep_certification_note(&self, datasource: &DatasourceLuid, note: &str) {
        let mut model = self.state.model();
        if let Some(datasource) = model.datasources.iter_mut().find(|one| one.luid == *datasource) {
            datasource.kept_note = Some(note.to_owned());
        }
    }

    /// Allows or forbids broadcasts. Forbidden broadcasts answer `403151`.
    pub fn allow_broadcasts(&self, allowed: bool) {
        self.state.model().broadcasts_enabled = allowed;
    }
}

/// Observations.
impl TableauSimulator {
    /// Every delivery since the start, oldest first.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.state.deliveries().clone()
    }

    /// The webhooks.
    pub fn webhooks(&self) -> Vec<WebhookRecord> {
        self.state.model().webhooks.clone()
    }

    /// The jobs, oldest first.
    pub fn jobs(&self) -> Vec<JobRecord> {
        self.state.model().jobs.iter().map(JobRecord::from).collect()
    }

    /// The views that are broadcast.
    pub fn broadcasts(&self) -> Vec<BroadcastRecord> {
        self.state.model().broadcasts.clone()
    }

    /// The names of the users who have exported PDF files.
    pub fn exported_by(&self) -> BTreeSet<String> {
        self.state.model().exported_by.clone()
    }

    /// The scopes that calls of connected apps have needed.
    pub fn used_scopes(&self) -> BTreeSet<&'static str> {
        self.state.model().used_scopes.clone()
    }

    /// How many sessions are open, including idle sessions that expired but that no call has checked yet.
    pub fn sessions(&self) -> usize {
        self.state.model().sessions.len()
    }

    /// How many exports run at the moment, on all sites.
    pub fn exports_under_way(&self) -> usize {
        self.state.exports().values().sum()
    }

    /// The secret of the PAT with this name; `None` when there is no such PAT.
    pub fn token_secret(&self, pat: &str) -> Option<String> {
        self.state.model().pats.iter().find(|p| p.name == pat).map(|p| p.secret.clone())
    }

    /// How many sign-ins with this PAT succeeded.
    pub fn sign_ins(&self, pat: &str) -> u32 {
        self.state.model().pats.iter().filter(|p| p.name == pat).map(|p| p.sign_ins).sum()
    }

    /// The queries of the PDF exports that match the pattern, oldest first, as they came.
    pub fn queries(&self, pattern: &str) -> Vec<String> {
        let asked = self.state.asked();
        asked.iter().filter(|(call, _)| matches(pattern, call)).map(|(_, query)| query.clone()).collect()
    }

    /// How many calls matched the pattern; `*` stands for any characters. Routes are written as in the README: `GET
    /// /sites/{site}/jobs/{id}`.
    pub fn calls(&self, pattern: &str) -> u32 {
        self.state.calls().iter().filter(|(route, _)| matches(pattern, route)).map(|(_, c)| c.all).sum()
    }

    /// How many calls a fault delays at the moment: [`Fault::Delay`] before they are carried out, [`Fault::Late`] after it.
    pub fn held(&self) -> usize {
        self.state.held()
    }

    /// How many calls were answered with status 400 or above, or not at all.
    pub fn failed_calls(&self) -> u32 {
        self.state.calls().values().map(|c| c.failed).sum()
    }
}
