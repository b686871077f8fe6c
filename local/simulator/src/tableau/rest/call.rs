//! A call, as handlers see it, and their answers.

use super::element::Element;
use super::error::RestError;
use crate::tableau::model::{Model, Session};
use crate::tableau::state::Settings;
use crate::tableau::version::RestVersion;
use jiff::Timestamp;
use serde_json::Value;
use tableau::{EventName, JobLuid, SiteLuid};

/// A call that has passed the checks of its route.
pub(crate) struct Call<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) model: &'a mut Model,
    pub(crate) now: Timestamp,
    pub(crate) version: RestVersion,
    /// What stands in the path for `{site}`, `{id}`, …
    pub(crate) path: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Body,
    /// `None` only on routes that need no session.
    pub(crate) session: Option<Session>,
}

impl Call<'_> {
    /// The last variable of the path.
    pub(crate) fn id(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// The site that the session belongs to.
    pub(crate) fn site(&self) -> SiteLuid {
        self.session.as_ref().map_or_else(|| self.model.default_site(), |s| s.site.clone())
    }

    /// The value of a query parameter; the last one if it is there twice.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether the session's user administers the site.
    pub(crate) fn is_administrator(&self) -> bool {
        let user = self.session.as_ref().and_then(|s| self.model.user(s.user.as_str()));
        user.is_some_and(|u| u.role.is_administrator())
    }
}

/// The body of a request, whatever it was written in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Body(pub(crate) Value);

impl Body {
    pub(crate) fn get(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(&self.0, |value, key| value.get(key)).filter(|v| !v.is_null())
    }

    pub(crate) fn text(&self, path: &[&str]) -> Option<&str> {
        self.get(path).and_then(Value::as_str)
    }

    /// The elements of a list: XML does not tell a list of one from what is no list.
    pub(crate) fn list(&self, path: &[&str]) -> Vec<&Value> {
        match self.get(path) {
            Some(Value::Array(values)) => values.iter().collect(),
            Some(value) => vec![value],
            None => Vec::new(),
        }
    }

    /// `true` and `"true"` alike: XML knows only the latter.
    pub(crate) fn flag(&self, path: &[&str]) -> Option<bool> {
        match self.get(path)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }
}

/// The payload is malformed or incomplete.
pub(crate) fn malformed(detail: &str) -> RestError {
    RestError::new("400000", detail)
}

/// What a handler answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content: Content,
    pub(crate) location: Option<String>,
    pub(crate) then: Then,
}

/// What an answer carries.
#[derive(Debug)]
pub(crate) enum Content {
    Nothing,
    /// Written as XML or JSON, as the caller asks.
    Document(Element),
    /// JSON whatever the caller asks for, as the Metadata API answers.
    Json(Value),
    File(File),
}

/// A rendering of a workbook or view.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) media_type: &'static str,
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// What happens once the model is no longer locked.
#[derive(Debug)]
pub(crate) enum Then {
    Nothing,
    /// A refresh of this workbook or data source was queued.
    Refresh {
        target: String,
        job: JobLuid,
    },
    /// These events happened to the things with these LUIDs.
    Fire(Vec<(EventName, String)>),
    /// This workbook, data source or user is deleted.
    Delete(String),
    /// The destination of this webhook gets a test request, and its answer becomes ours.
    Test {
        webhook: String,
        url: String,
    },
}

impl Answer {
    /// `200` with the children of `root`.
    pub(crate) fn ok(root: Element) -> Self {
        Self { status: 200, content: Content::Document(root), location: None, then: Then::Nothing }
    }

    /// `204`.
    pub(crate) fn no_content() -> Self {
        Self { status: 204, content: Content::Nothing, location: None, then: Then::Nothing }
    }

    /// `200` with JSON.
    pub(crate) fn json(value: Value) -> Self {
        Self { content: Content::Json(value), ..Self::no_content() }.status(200)
    }

    /// `200` with a file.
    pub(crate) fn file(file: File) -> Self {
        Self { content: Content::File(file), ..Self::no_content() }.status(200)
    }

    /// The JSON that is answered whatever the caller asks for.
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

/// What every handler is.
pub(crate) type Handler = fn(&mut Call<'_>) -> Result<Answer, RestError>;
