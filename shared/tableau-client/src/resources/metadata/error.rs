//! Errors of the Metadata API.

use crate::lenient;
use serde::Deserialize;
use serde_json::Value;

/// An error of the Metadata API.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Raw")]
pub struct MetadataError {
    /// The error's code.
    pub code: MetadataCode,
    /// The error's text.
    pub message: String,
}

/// Codes of the Metadata API.
///
/// Source: <https://help.tableau.com/current/api/metadata_api/en-us/docs/meta_api_errors.html>
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetadataCode {
    /// The query would read too many objects.
    NodeLimitExceeded,
    /// The query took too long. Partial data may be present.
    TimeLimitExceeded,
    /// The query needs a filter.
    FilterRequired,
    /// Too many queries were sent.
    RateExceeded,
    /// Tableau is still building the index.
    BackfillRunning,
    /// The user may not see the data.
    AccessDenied,
    /// The Metadata API is switched off on this Tableau Server.
    FeatureDisabled,
    /// The Metadata API is switched off for this site.
    SiteDisabled,
    /// Another code. Empty if there is none, or if it is not a text.
    Other(String),
}

impl MetadataCode {
    /// The code in Tableau's spelling. Empty if there is none.
    pub fn as_str(&self) -> &str {
        match self {
            Self::NodeLimitExceeded => "NODE_LIMIT_EXCEEDED",
            Self::TimeLimitExceeded => "TIME_LIMIT_EXCEEDED",
            Self::FilterRequired => "FILTER_REQUIRED",
            Self::RateExceeded => "RATE_EXCEEDED",
            Self::BackfillRunning => "BACKFILL_RUNNING",
            Self::AccessDenied => "ACCESS_DENIED",
            Self::FeatureDisabled => "FEATURE_DISABLED",
            Self::SiteDisabled => "SITE_DISABLED",
            Self::Other(code) => code,
        }
    }
}

impl MetadataError {
    /// Whether data beside this error may be incomplete. Two of Tableau's warnings say that it is in another order, or
    /// on smaller pages, than asked for.
    pub(super) fn cuts_short(&self) -> bool {
        !matches!(self.code.as_str(), "USER_VISIBILITY_IS_LIMITED" | "MAX_PAGE_SIZE_EXCEEDED")
    }

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
            "FEATURE_DISABLED" => MetadataCode::FeatureDisabled,
            "SITE_DISABLED" => MetadataCode::SiteDisabled,
            // A recorded answer has only the text and no code.
            "" if message.starts_with("Reached time limit") => MetadataCode::TimeLimitExceeded,
            other => MetadataCode::Other(if is_code(other) { other.to_owned() } else { String::new() }),
        };
        Self { code, message }
    }
}
