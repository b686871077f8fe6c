//! A REST call as handlers see it, and the handlers' answers.

use super::element::Element;
use super::error::RestError;
use super::filter::{Filter, Spec};
use crate::tableau::model::{Feature, Model, Session};
use crate::tableau::state::Settings;
use crate::tableau::version::RestVersion;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;
use tableau::{EventName, JobLuid, SiteLuid, UserLuid};

/// A call that has passed the access checks of its route.
pub(crate) struct Call<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) model: &'a mut Model,
    pub(crate) now: Timestamp,
    pub(crate) version: RestVersion,
    /// The values of the path variables `{site}`, `{id}`, …
    pub(crate) path: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Body,
    /// The caller's session; `None` only on routes that need none.
    pub(crate) session: Option<Session>,
}

impl Call<'_> {
    /// The value of the path's last variable.
    pub(crate) fn id(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// The site of the caller's session.
    pub(crate) fn site(&self) -> SiteLuid {
        self.session.as_ref().map_or_else(|| self.model.default_site(), |s| s.site.clone())
    }

    /// What deletes an object after this call, as the session's user.
    pub(crate) fn deletes(&self, luid: &str) -> Then {
        let deleter = self.session.as_ref().map(|session| session.user.clone());
        Then::Delete { luid: luid.to_owned(), deleter }
    }

    /// The value of a query parameter.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The filter of a list.
    pub(crate) fn filter(&self, spec: Spec) -> Result<Filter, RestError> {
        let filter = Filter::parse(self.query("filter"), spec)?;
        if filter.names("contentUrl") && !self.model.has(Feature::ContentUrlFilters) {
            let detail = "The filter query contains a key which is not recognized for this api version";
            return Err(RestError::new("400065", format!("{detail}: 'contentUrl'.")));
        }
        Ok(filter)
    }

    /// Refuses a session that was opened before this content was published.
    pub(crate) fn knows_published(&self, luid: &str) -> Result<(), RestError> {
        let token = self.session.as_ref().map_or("", |session| session.token.as_str());
        let is_old = |(of, tokens): &(String, BTreeSet<String>)| of == luid && tokens.contains(token);
        match self.model.published_since.iter().any(is_old) {
            true => Err(malformed("The content was published after this session was opened.")),
            false => Ok(()),
        }
    }

    /// Whether the caller administers the site.
    pub(crate) fn is_administrator(&self) -> bool {
        let user = self.session.as_ref().and_then(|s| self.model.user(s.user.as_str()));
        user.is_some_and(|u| u.role.is_administrator())
    }
}

/// The request's body, parsed from JSON or XML.
#[derive(Clone, Debug, Default)]
pub(crate) struct Body(pub(crate) Value);

impl Body {
    pub(crate) fn get(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(&self.0, |value, key| value.get(key)).filter(|v| !v.is_null())
    }

    pub(crate) fn text(&self, path: &[&str]) -> Option<&str> {
        self.get(path).and_then(Value::as_str)
    }

    /// The elements of a list. In XML a list with one element looks like a single element.
    pub(crate) fn list(&self, path: &[&str]) -> Vec<&Value> {
        match self.get(path) {
            Some(Value::Array(values)) => values.iter().collect(),
            Some(value) => vec![value],
            None => Vec::new(),
        }
    }

    /// A boolean: `true` or `"true"`, since XML has only texts.
    pub(crate) fn flag(&self, path: &[&str]) -> Option<bool> {
        match self.get(path)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }
}

/// The error for a malformed or incomplete body.
pub(crate) fn malformed(detail: &str) -> RestError {
    RestError::new("400000", detail)
}

/// A handler's answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content: Content,
    pub(crate) location: Option<String>,
    pub(crate) then: Then,
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Content {
    Nothing,
    /// An element, written as XML or JSON as the caller asks.
    Document(Element),
    /// JSON for every caller, as the Metadata API answers.
    Json(Value),
    File(File),
}

/// A rendering of a workbook or view, as a file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) media_type: &'static str,
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// How many more bytes are sent after the first ones, and how many of those come first.
    pub(crate) padding: Option<(usize, u64)>,
    /// How long the server pauses after each 64 KiB.
    pub(crate) pause: Duration,
}

/// A follow-up action, carried out once the model is unlocked.
#[derive(Debug)]
pub(crate) enum Then {
    Nothing,
    /// A refresh of this workbook or data source was queued: run it.
    Refresh {
        target: String,
        job: JobLuid,
    },
    /// Fire these events about the objects with these LUIDs.
    Fire(Vec<(EventName, String)>),
    /// Delete this workbook, data source or user, as the session's user.
    Delete {
        luid: String,
        deleter: Option<UserLuid>,
    },
    /// Send a test request to this webhook's destination, and answer with its result.
    Test {
        webhook: String,
        url: String,
    },
}

impl Answer {
    /// A `200` answer with the children of `root`.
    pub(crate) fn ok(root: Element) -> Self {
        Self { status: 200, content: Content::Document(root), location: None, then: Then::Nothing }
    }

    /// A `204` answer.
    pub(crate) fn no_content() -> Self {
        Self { status: 204, content: Content::Nothing, location: None, then: Then::Nothing }
    }

    /// A `200` answer with JSON.
    pub(crate) fn json(value: Value) -> Self {
        Self { content: Content::Json(value), ..Self::no_content() }.status(200)
    }

    /// A `200` answer with a file.
    pub(crate) fn file(file: File) -> Self {
        Self { content: Content::File(file), ..Self::no_content() }.status(200)
    }

    /// Makes the answer JSON for every caller.
    pub(crate) fn json_mut(&mut self) -> Option<&mut Value> {
        match &mut self.content {
            Content::Json(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn then(mut self, then: Then) -> Self {
        self.then = then;
        self
    }
}

/// The signature of every handler.
pub(crate) type Handler = fn(&mut Call<'_>) -> Result<Answer, RestError>;
