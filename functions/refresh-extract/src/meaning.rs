//! What a failed call of Tableau means for a refresh. No I/O.

use circuit::Guarded;
use guarded_tableau::TableauError;
use jiff::SignedDuration;
use refreshes::Refusal;
use std::time::Duration;
use tableau_client::Error;
use workflow::chain;

/// What the answer to a start means.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Meaning {
    /// Tableau takes no refresh now: for so long, if it says so.
    Later { wait: Option<Duration>, why: String },
    /// It will never start.
    Refused(Refusal, String),
    /// The user of the service lacks a right, if the job list does not say otherwise.
    LacksRight(String),
    /// Tableau does not know the content, which it may if it was published a moment ago.
    NotYetKnown,
    /// It is not known whether Tableau has taken it.
    Unknown(String),
    /// An incremental refresh cannot be asked for.
    NoIncremental,
}

const NO_QUOTA: &str = "Tableau's limit of refreshes, which was reached";
const NO_TABLEAU: &str = "Tableau, which does not answer at the moment";
const CREDENTIAL: &str = "a person to repair the service's sign-in to Tableau";
/// What the user of the service needs.
const RIGHT: &str = "It has to own the content, lead its project or administrate the site, and needs the right to refresh extracts";

/// What the error of a start means.
pub(crate) fn of_start(error: &Guarded<TableauError>) -> Meaning {
    let error = match error {
        Guarded::CircuitOpen(open) => {
            return Meaning::Later { wait: Some(open.retry_after), why: NO_TABLEAU.to_owned() };
        }
        Guarded::Call(TableauError(error)) => error,
    };
    match error {
        Error::Invalid { .. } => return Meaning::NoIncremental,
        Error::SessionRefused { stolen: false, scope, .. } => {
            let scope = scope.map(|scope| format!(" {scope}")).unwrap_or_default();
            let text = format!("the user lacks a right, or the connected app lacks the scope{scope}");
            return Meaning::Refused(Refusal::TableauRefused, text);
        }
        Error::Credential(_) | Error::CredentialRefused { .. } => {
            return Meaning::Later { wait: error.retry_after(), why: CREDENTIAL.to_owned() };
        }
        // Nothing was sent.
        Error::SignInPending | Error::SessionStore(_) => {
            return Meaning::Later { wait: None, why: NO_TABLEAU.to_owned() };
        }
        _ => {}
    }
    let status = match error {
        Error::Refused { status, .. } | Error::Foreign { status, .. } => *status,
        _ => 0,
    };
    match (error.code().unwrap_or_default(), status) {
        ("401001", _) => Meaning::Later { wait: error.retry_after(), why: CREDENTIAL.to_owned() },
        (_, 429) => Meaning::Later { wait: error.retry_after(), why: NO_QUOTA.to_owned() },
        ("403104", _) => {
            Meaning::Refused(Refusal::LiveConnection, "it has a live connection, and no extract".to_owned())
        }
        ("409082", _) => Meaning::Refused(
            Refusal::NotAllowedOnSite,
            "the site does not allow refreshes on demand".to_owned(),
        ),
        (code, 403) => Meaning::LacksRight(format!("{RIGHT} (Tableau's code {code})")),
        (_, 400 | 404) => Meaning::NotYetKnown,
        _ => Meaning::Unknown(chain(error)),
    }
}

/// Whether Tableau does not let the service see jobs: a person has to change that.
pub(crate) fn may_not_see(error: &Guarded<TableauError>) -> Option<String> {
    let Guarded::Call(TableauError(error)) = error else { return None };
    match error {
        Error::SessionRefused { stolen: false, scope, .. } => {
            let scope = scope.unwrap_or("tableau:jobs:read");
            Some(format!("the connected app lacks the scope {scope}"))
        }
        Error::Refused { status: 403, code, .. } => {
            Some(format!("the user may not see jobs (Tableau's code {code})"))
        }
        _ => None,
    }
}

pub(crate) fn signed(wait: Duration) -> SignedDuration {
    SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, code: &str, wait: Option<u64>) -> Guarded<TableauError> {
        Guarded::Call(TableauError(Error::Refused {
            operation: "refresh the extract",
            status,
            code: code.to_owned(),
            summary: String::new(),
            detail: String::new(),
            retry_after: wait.map(Duration::from_secs),
        }))
    }

    #[test]
    fn an_answer_that_is_not_a_clear_no_is_no_failure() {
        for (status, code) in
            [(500, "500000"), (502, "502000"), (503, "503000"), (408, "408000"), (401, "401002")]
        {
            assert!(matches!(of_start(&refused(status, code, None)), Meaning::Unknown(_)), "{status}");
        }
        let lost = Guarded::Call(TableauError(Error::OutOfTime { operation: "o", source: None }));
        assert!(matches!(of_start(&lost), Meaning::Unknown(_)));
    }

    #[test]
    fn a_limit_waits_and_a_refusal_says_what_is_missing() {
        let wait = Some(Duration::from_secs(720));
        assert_eq!(
            of_start(&refused(429, "429000", Some(720))),
            Meaning::Later { wait, why: NO_QUOTA.to_owned() }
        );
        let Meaning::LacksRight(text) = of_start(&refused(403, "403076", None)) else { panic!() };
        assert!(text.contains("lead its project") && text.contains("403076"), "{text}");
        assert!(matches!(of_start(&refused(404, "404006", None)), Meaning::NotYetKnown));
        assert!(matches!(of_start(&refused(400, "400000", None)), Meaning::NotYetKnown));
        assert!(matches!(
            of_start(&refused(403, "403104", None)),
            Meaning::Refused(Refusal::LiveConnection, _)
        ));
        let scope = Error::SessionRefused {
            operation: "o",
            stolen: false,
            scope: Some("tableau:tasks:run"),
            source: Error::SignInPending.into(),
        };
        let Meaning::Refused(_, text) = of_start(&Guarded::Call(TableauError(scope))) else { panic!() };
        assert!(text.ends_with("tableau:tasks:run"), "{text}");
    }
}
