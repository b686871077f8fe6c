//! The Metadata API: GraphQL over an index of all content. The index trails behind publishing, so it does not know
//! what was made seconds ago.

mod lineage;

pub use lineage::{Lineage, LineageOwner};

use crate::call::{Call, Path, foreign};
use crate::{Error, TableauClient, lenient};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const OPERATION: &str = "ask the Metadata API";

/// What the Metadata API answered: data, errors, or some of both.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataAnswer<T> {
    /// What there is; partial when there are errors too.
    pub data: T,
    /// What went wrong on the way.
    pub errors: Vec<MetadataError>,
}

/// What the Metadata API says went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Raw")]
pub struct MetadataError {
    /// What kind of thing.
    pub code: MetadataCode,
    /// In its words.
    pub message: String,
}

/// Codes of the Metadata API.
///
/// Source: <https://help.tableau.com/current/api/metadata_api/en-us/docs/meta_api_errors.html>
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetadataCode {
    /// The query would touch too many objects.
    NodeLimitExceeded,
    /// The query took too long; what was found until then may be there.
    TimeLimitExceeded,
    /// The query needs a filter.
    FilterRequired,
    /// Too many queries.
    RateExceeded,
    /// The index is still being built.
    BackfillRunning,
    /// Not for our eyes.
    AccessDenied,
    /// Another. Empty when there is none, or something else in its place.
    Other(String),
}

impl MetadataError {
    /// Whether the same query may succeed later.
    pub fn is_transient(&self) -> bool {
        use MetadataCode::{BackfillRunning, RateExceeded, TimeLimitExceeded};
        matches!(self.code, BackfillRunning | RateExceeded | TimeLimitExceeded)
    }
}

fn is_code(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default, deserialize_with = "lenient::text")]
    message: Option<String>,
    #[serde(default)]
    extensions: Value,
}

impl From<Raw> for MetadataError {
    fn from(Raw { message, extensions }: Raw) -> Self {
        let message: String =
            message.unwrap_or_default().chars().filter(|c| !c.is_control()).take(300).collect();
        let code = match extensions["code"].as_str().unwrap_or_default() {
            "NODE_LIMIT_EXCEEDED" => MetadataCode::NodeLimitExceeded,
            "TIME_LIMIT_EXCEEDED" => MetadataCode::TimeLimitExceeded,
            "FILTER_REQUIRED" => MetadataCode::FilterRequired,
            "RATE_EXCEEDED" => MetadataCode::RateExceeded,
            "BACKFILL_RUNNING" => MetadataCode::BackfillRunning,
            "ACCESS_DENIED" => MetadataCode::AccessDenied,
            // A recorded answer has no code, only the text.
            "" if message.starts_with("Reached time limit") => MetadataCode::TimeLimitExceeded,
            other => MetadataCode::Other(if is_code(other) { other.to_owned() } else { String::new() }),
        };
        Self { code, message }
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    data: Value,
    #[serde(default)]
    errors: Value,
}

impl TableauClient {
    /// Asks the Metadata API. `T` is the shape of `data`. Always there on Tableau Cloud; on Tableau Server only where it is
    /// switched on. No REST API version; JWT scope `tableau:content:read`.
    ///
    /// # Errors
    /// [`Error::Metadata`] when there are errors and no data: transient if one of them may pass.
    /// [`Error::Foreign`] with status 404 where the Metadata API is switched off.
    ///
    /// Source: <https://help.tableau.com/current/api/metadata_api/en-us/>
    pub async fn metadata<T: DeserializeOwned>(
        &self,
        query: &str,
        variables: &Value,
    ) -> Result<MetadataAnswer<T>, Error> {
        let body = json!({ "query": query, "variables": variables });
        let answer: Answer = self.ask(Call::post(OPERATION, Path::Api("metadata/graphql"), &body)).await?;
        let unreadable = |source| Error::Unreadable { operation: OPERATION, source };
        let errors: Vec<MetadataError> = match &answer.errors {
            Value::Null => Vec::new(),
            Value::Array(errors) => lenient::read_some(errors, "errors").map_err(unreadable)?,
            other => return Err(unreadable(lenient::expected("a list at `errors`", lenient::shape(other)))),
        };
        if answer.data.is_null() && errors.is_empty() {
            return Err(foreign(OPERATION, 200, None, b"{"));
        }
        if answer.data.is_null() {
            return Err(Error::Metadata { operation: OPERATION, errors });
        }
        if !answer.data.is_object() {
            let shape = lenient::shape(&answer.data);
            return Err(unreadable(lenient::expected("an object at `data`", shape)));
        }
        let data = serde_path_to_error::deserialize(answer.data).map_err(|error| {
            let path = error.path().to_string();
            Error::Unreadable { operation: OPERATION, source: format!("data at `{path}`").into() }
        })?;
        Ok(MetadataAnswer { data, errors })
    }
}
