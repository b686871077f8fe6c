//! Which workbooks use a data source whose refresh failed. No alert waits long for it, and none fails with it.

use crate::lookups::FactLookups;
use crate::question::Question;
use crate::words::why_of_call;
use std::time::Duration;
use tableau::{Action, DatasourceLuid, Subject};
use tableau_client::{Dependents, Error, MetadataCode};

/// How long Tableau may take. It gives each query five seconds itself. With [`RESERVE`] it is six seconds.
const TIMEOUT: Duration = Duration::from_millis(5_500);
/// How much longer the client may take to end a call that is out of time.
const RESERVE: Duration = Duration::from_millis(500);
/// The Metadata API trails behind what is published.
const NOT_INDEXED: &str = "Tableau's Metadata API does not know the data source, which may be new";

/// Why Tableau did not say which workbooks use a data source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DependentsUnknown {
    /// The reason, for people, without a full stop.
    pub why: String,
    /// Whether asking again is of no use until a person changes something in Tableau.
    pub is_lasting: bool,
}

impl FactLookups {
    /// The workbooks that use the data source of a failed refresh, or why that is not known. `None` for other events.
    pub async fn dependents(&self, question: Question<'_>) -> Option<Result<Dependents, DependentsUnknown>> {
        let Subject::Datasource(luid) = &question.event.subject else { return None };
        if question.event.name.action() != Some(Action::RefreshFailed) {
            return None;
        }
        Some(self.dependents_of(luid, question).await)
    }

    /// The workbooks that use a data source, or why that is not known. Nothing waits long for it.
    ///
    /// # Errors
    /// [`DependentsUnknown`].
    pub async fn dependents_of(
        &self,
        luid: &DatasourceLuid,
        question: Question<'_>,
    ) -> Result<Dependents, DependentsUnknown> {
        let Question { event, invocation, .. } = question;
        let time = TIMEOUT.min(invocation.remaining() / 4);
        let client = self.tableau.client().within(time);
        let call = async {
            match client.dependents(luid).await {
                // Says nothing about the REST API, whose calls the circuit stops.
                Err(error) if is_of_metadata_api(&error) => Ok(Err(error)),
                other => other.map(Ok),
            }
        };
        let question = Question { is_patient: false, ..question };
        let answer = question.within(time + RESERVE, self.tableau.call(invocation, call)).await;
        let (why, is_lasting, reason) = match answer {
            Ok(Ok(Some(dependents))) => return Ok(dependents),
            Ok(Ok(None)) => (NOT_INDEXED.to_owned(), false, NOT_INDEXED.to_owned()),
            Ok(Err(error)) => (why(&error), is_lasting(&error), tableau_client::chain(&error)),
            Err(unanswered) => (unanswered.why, false, unanswered.failure.reason()),
        };
        tracing::info!(event.id = %event.id, reason, "the notification does not say which workbooks use the data source");
        Err(DependentsUnknown { why, is_lasting })
    }
}

/// Whether the error may be the Metadata API's own: there was an answer, or none in time although the REST API answers.
fn is_of_metadata_api(error: &Error) -> bool {
    matches!(
        error,
        Error::Foreign { .. }
            | Error::Refused { .. }
            | Error::Redirected { .. }
            | Error::Metadata { .. }
            | Error::Unreadable { .. }
            | Error::TooLarge { .. }
            | Error::OutOfTime { .. }
    )
}

/// Whether the answer stays the same until a person changes something in Tableau.
fn is_lasting(error: &Error) -> bool {
    match error {
        Error::Metadata { errors, .. } => errors.first().is_some_and(|error| {
            matches!(
                error.code,
                MetadataCode::FeatureDisabled | MetadataCode::SiteDisabled | MetadataCode::AccessDenied
            )
        }),
        Error::Foreign { status: 404 | 405, .. } | Error::Refused { status: 403..=405, .. } => true,
        _ => false,
    }
}

fn why(error: &Error) -> String {
    let errors = match error {
        Error::Metadata { errors, .. } => errors,
        Error::Foreign { status: status @ (404 | 405), .. }
        | Error::Refused { status: status @ (404 | 405), .. } => {
            return format!(
                "Tableau has no Metadata API at its address (status {status}); on Tableau Server an administrator has to \
                 switch it on"
            );
        }
        error => return why_of_call(error),
    };
    let Some(error) = errors.first() else { return why_of_call(error) };
    let code = error.code.as_str();
    let what = match error.code {
        MetadataCode::FeatureDisabled => "is switched off on this Tableau Server",
        MetadataCode::SiteDisabled => "is switched off for this site",
        MetadataCode::RateExceeded => "has reached its limit on questions",
        MetadataCode::BackfillRunning => "is still building its index",
        MetadataCode::TimeLimitExceeded => "did not find an answer in its time",
        MetadataCode::NodeLimitExceeded => "has too large an answer",
        MetadataCode::AccessDenied => "refused",
        _ if code.is_empty() => return "Tableau's Metadata API answered with an error".to_owned(),
        _ => "answered with an error",
    };
    format!("Tableau's Metadata API {what} ({code})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_a_person_can_change_what_is_lasting() {
        let coded = |code: &str| {
            let errors = vec![serde_json::from_value(json!({ "extensions": { "code": code } })).unwrap()];
            is_lasting(&Error::Metadata { operation: "o", errors })
        };
        for (code, expected) in [
            ("FEATURE_DISABLED", true),
            ("SITE_DISABLED", true),
            ("RATE_EXCEEDED", false),
            ("BACKFILL_RUNNING", false),
            ("BRAND_NEW", false),
        ] {
            assert_eq!(coded(code), expected, "{code}");
        }
        let page = |status| Error::Foreign { operation: "o", status, content: "HTML", retry_after: None };
        assert!(is_lasting(&page(404)) && !is_lasting(&page(502)));
        assert!(!is_lasting(&Error::OutOfTime { operation: "o", source: None }));
    }

    // 16, item 5
    #[test]
    fn why_is_for_people_and_says_nothing_of_the_servers_text() {
        let coded = |code: &str| {
            let error = json!({ "message": "<!channel> secret", "extensions": { "code": code } });
            let errors = vec![serde_json::from_value(error).unwrap()];
            why(&Error::Metadata { operation: "o", errors })
        };
        for (code, expected) in [
            ("FEATURE_DISABLED", "is switched off on this Tableau Server (FEATURE_DISABLED)"),
            ("RATE_EXCEEDED", "has reached its limit on questions (RATE_EXCEEDED)"),
            ("BRAND_NEW", "answered with an error (BRAND_NEW)"),
            ("<!channel>", "answered with an error"),
            ("", "answered with an error"),
        ] {
            assert_eq!(coded(code), format!("Tableau's Metadata API {expected}"));
        }
        assert_eq!(why(&Error::OutOfTime { operation: "o", source: None }), "Tableau did not answer");
        let page = Error::Foreign { operation: "o", status: 404, content: "HTML", retry_after: None };
        assert!(why(&page).contains("(status 404)") && is_of_metadata_api(&page));
        assert!(!is_of_metadata_api(&Error::SignInPending));
    }
}
