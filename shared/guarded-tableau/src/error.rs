//! Converts a failed Tableau call into a failure of the workflow.

use std::ops::Deref;
use tableau_client::Error;
use workflow::Failure;

/// The error of a failed Tableau call.
///
/// A type of its own, because `tableau-client` does not depend on `workflow`, nor `workflow` on `tableau-client`.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct TableauError(#[from] pub Error);

impl Deref for TableauError {
    type Target = Error;

    fn deref(&self) -> &Error {
        &self.0
    }
}

impl From<TableauError> for Failure {
    /// A missing or malformed secret, and a credential that Tableau refuses, must be fixed by a person. Problems of
    /// the secret store or of Tableau itself pass without help.
    fn from(TableauError(error): TableauError) -> Self {
        let retry_after = error.retry_after();
        if error.is_misconfiguration() {
            Self::misconfigured(error)
        } else if error.is_transient() {
            Self::Transient { source: error.into(), retry_after }
        } else {
            Self::permanent(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tableau_client::CredentialError;

    fn refused(status: u16, code: &str, retry_after: Option<Duration>) -> Error {
        Error::Refused {
            operation: "fetch the workbook",
            status,
            code: code.to_owned(),
            summary: String::new(),
            detail: String::new(),
            retry_after,
        }
    }

    fn unread(transient: bool) -> Error {
        Error::Credential(CredentialError {
            name: "tableau".to_owned(),
            transient,
            source: "it is empty".into(),
        })
    }

    fn credential_refused() -> Error {
        Error::CredentialRefused {
            until: "2025-01-15T17:14:45Z".parse().unwrap(),
            retry_after: Duration::from_secs(60),
            reason: "sign in: refused".to_owned(),
        }
    }

    #[test]
    fn what_a_person_has_to_fix_is_misconfigured_what_passes_is_transient_and_the_rest_is_permanent() {
        let wait = Some(Duration::from_secs(600));
        let stolen = |stolen| Error::SessionRefused {
            operation: "o",
            stolen,
            scope: None,
            source: Error::SignInPending.into(),
        };
        for (error, kind) in [
            (unread(false), "misconfigured"),
            (unread(true), "transient"),
            (credential_refused(), "misconfigured"),
            (refused(401, "401001", None), "misconfigured"),
            (refused(401, "401002", None), "transient"),
            (stolen(false), "misconfigured"),
            (stolen(true), "transient"),
            (refused(429, "429000", wait), "transient"),
            (refused(503, "503000", None), "transient"),
            (refused(404, "404006", None), "permanent"),
            (Error::SignInPending, "transient"),
            (Error::SessionStore("down".into()), "transient"),
            (Error::Invalid { operation: "o", reason: "r" }, "permanent"),
            (Error::TooLarge { operation: "o", limit_bytes: 1 }, "permanent"),
        ] {
            let text = tableau_client::chain(&error);
            let failure = Failure::from(TableauError(error));
            assert_eq!(failure.kind(), kind, "{text}");
            assert_eq!(failure.reason(), text);
        }
    }

    #[test]
    fn the_wait_that_tableau_asks_for_is_the_wait_of_the_message() {
        let wait = Some(Duration::from_secs(600));
        let failure = Failure::from(TableauError(refused(429, "429000", wait)));
        assert!(
            matches!(failure, Failure::Transient { retry_after, .. } if retry_after == wait),
            "{failure:?}"
        );
    }
}
