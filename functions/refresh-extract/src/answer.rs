//! A request, as answers and callbacks have it. No I/O.

use crate::problem::{Code, Problem};
use jiff::Timestamp;
use plain_text::visible;
use refreshes::{Refusal, Request, Status, View};
use serde_json::{Value, json};

/// Where the API is, and which site it is for.
#[derive(Clone, Debug)]
pub(crate) struct Front {
    /// Without a slash at its end; empty: addresses are relative.
    pub(crate) public_url: String,
    /// The site's name in URLs; empty for a server's default site.
    pub(crate) site: String,
}

impl Front {
    /// Where `GET` says how a request goes.
    pub(crate) fn status_url(&self, id: &str) -> String {
        format!("{}/refreshes/{id}", self.public_url)
    }

    /// A request and where it stands.
    pub(crate) fn refresh(&self, request: &Request, view: &View) -> Value {
        let cause = view
            .cause
            .as_ref()
            .map(|cause| json!({ "class": cause.class, "line": cause.line, "next_step": cause.next_step }));
        json!({
            "id": request.id,
            "status": view.status.as_str(),
            "kind": request.target.kind,
            "luid": request.target.luid,
            "name": request.target.name,
            "project": request.target.project,
            "site": self.site,
            "incremental": view.incremental,
            "joined": request.joined,
            "requested_at": time(request.requested_at),
            "started_at": view.started_at.map(time),
            "ended_at": view.ended_at.map(time),
            "job": view.job,
            "waits_for": view.waits_for.as_deref().map(visible),
            "message": visible(&view.message),
            "cause": cause,
            "status_url": self.status_url(&request.id),
        })
    }
}

/// A time in whole seconds.
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The error in place of a refresh that was not started at all.
pub(crate) fn refused(view: &View) -> Option<Problem> {
    if view.status != Status::Failed {
        return None;
    }
    let code = match view.refusal? {
        Refusal::TableauRefused => Code::TableauRefused,
        Refusal::LiveConnection => Code::LiveConnection,
        Refusal::NoIncremental => Code::NoIncremental,
        Refusal::NotAllowedOnSite => Code::NotRefreshable,
        Refusal::NotFound => Code::NotFound,
        Refusal::WouldStartItself => Code::WouldStartItself,
    };
    let problem = Problem::new(code, view.message.clone());
    Some(if code == Code::NoIncremental { problem.of_field("incremental") } else { problem })
}
