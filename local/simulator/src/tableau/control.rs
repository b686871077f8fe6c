//! Switches to turn, and what can be asked of a running simulator.

use super::delivery::Delivery;
use super::model::{BroadcastRecord, Feature, JobKind, JobShape, WebhookRecord};
use super::refresh::JobRecord;
use super::simulator::TableauSimulator;
use crate::fault::{Fault, matches};
use tableau::JobLuid;

/// Switches.
impl TableauSimulator {
    /// Lets the next `times` calls that fit the pattern go wrong.
    ///
    /// A pattern is a method and a path without `/api/3.29`, or a route as the README lists it; `*` stands for any
    /// characters: `POST /auth/signin`, `GET /sites/*/jobs/*`, `GET /sites/{site}/jobs`, `*`.
    pub fn fail_next(&self, pattern: &str, times: u32, fault: Fault) {
        self.state.faults().add(pattern, times, fault);
    }

    /// Lets every call that fits the pattern go wrong until [`TableauSimulator::clear_faults`].
    pub fn fail_always(&self, pattern: &str, fault: Fault) {
        self.state.faults().add(pattern, None, fault);
    }

    /// Forgets all faults that are still to happen.
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

    /// Switches the webhooks of the server on or off. Off, managing them answers `403109` and no event is sent.
    pub fn allow_webhooks(&self, allowed: bool) {
        self.state.model().webhooks_enabled = allowed;
    }

    /// Allows or forbids something for the whole site.
    pub fn allow(&self, feature: Feature, allowed: bool) {
        self.state.model().switch(feature, allowed);
    }

    /// Moves the site to another server, or back with `None`: every REST call is answered with a redirect to the same path
    /// there, as a pod of Tableau Cloud does that the site is not on.
    pub fn move_to(&self, url: Option<&str>) {
        *self.state.moved_to() = url.map(|url| url.trim_end_matches('/').to_owned());
    }

    /// Shows a job in another shape when it is fetched alone. Of an unknown job nothing happens.
    pub fn show_job_as(&self, job: &JobLuid, shape: JobShape) {
        if let Some(job) = self.state.model().job_mut(job) {
            job.shape = shape;
        }
    }

    /// Cancels a job that is queued or runs, as a person does on the Jobs page.
    pub fn cancel_job(&self, job: &JobLuid) {
        let now = self.state.settings.clock.now();
        if let Some(job) = self.state.model().job_mut(job).filter(|job| job.is_open()) {
            job.cancel(now);
        }
    }

    /// Makes a refresh one that Tableau Bridge carries out, of the type `refresh_extracts_via_bridge`. Of an unknown job
    /// nothing happens.
    pub fn run_by_bridge(&self, job: &JobLuid) {
        if let Some(job) = self.state.model().job_mut(job) {
            job.kind = JobKind::BridgeRefresh;
        }
    }

    /// Switches broadcasts on or off. Off, they answer `403151`.
    pub fn allow_broadcasts(&self, allowed: bool) {
        self.state.model().broadcasts_enabled = allowed;
    }
}

/// What happened.
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

    /// How many sessions are open, idle ones included that no call has found to be expired.
    pub fn sessions(&self) -> usize {
        self.state.model().sessions.len()
    }

    /// How many exports are under way, of all sites.
    pub fn exports_under_way(&self) -> usize {
        self.state.exports().values().sum()
    }

    /// The secret of the PAT of this name; `None` when there is none.
    pub fn token_secret(&self, pat: &str) -> Option<String> {
        self.state.model().pats.iter().find(|p| p.name == pat).map(|p| p.secret.clone())
    }

    /// How many sign-ins with this PAT succeeded.
    pub fn sign_ins(&self, pat: &str) -> u32 {
        self.state.model().pats.iter().filter(|p| p.name == pat).map(|p| p.sign_ins).sum()
    }

    /// How often routes were called that fit the pattern; `*` stands for any characters. Routes are written as in
    /// the README: `GET /sites/{site}/jobs/{id}`.
    pub fn calls(&self, pattern: &str) -> u32 {
        self.state.calls().iter().filter(|(route, _)| matches(pattern, route)).map(|(_, c)| c.all).sum()
    }

    /// How many calls were answered with 400 or above, or not at all.
    pub fn failed_calls(&self) -> u32 {
        self.state.calls().values().map(|c| c.failed).sum()
    }
}
