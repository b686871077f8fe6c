//! Why Tableau did not say something, in words for a channel, without a full stop.

use circuit::Guarded;
use guarded_tableau::TableauError;
use tableau_client::{CauseLookup, Error};

/// Tableau did not answer.
pub const NO_ANSWER: &str = "Tableau did not answer";
/// The credential signs in to another site.
pub const OTHER_SITE: &str = "the event is of another site than the one that Tableau is asked about";

/// Tableau lists no job that failed and can be the event's. So there is no job to open either.
pub const NO_JOB_LISTED: &str = "Tableau lists no failed job for it";

/// Why no cause was found. `None` for one that was.
pub fn why_no_cause(lookup: &CauseLookup) -> Option<String> {
    Some(match lookup {
        CauseLookup::Found(_) => return None,
        CauseLookup::NoneListed => NO_JOB_LISTED.to_owned(),
        CauseLookup::Unreadable { code } => format!("Tableau lists its job, but does not show it ({code})"),
        CauseLookup::NoText { .. } => "its job has no text about the failure".to_owned(),
        CauseLookup::TooMany { jobs } => {
            format!("{jobs} jobs of this name failed at that time, too many to find its own among them")
        }
        CauseLookup::Refused { code } => refused(code),
        _ => "it was not found".to_owned(),
    })
}

/// Why a call failed.
pub fn why(error: &Guarded<TableauError>) -> String {
    match error {
        Guarded::CircuitOpen(_) => NO_ANSWER.to_owned(),
        Guarded::Call(error) => why_of_call(error),
    }
}

pub(crate) fn why_of_call(error: &Error) -> String {
    use Error::{Credential, Foreign, Redirected, SessionRefused};
    match error {
        Foreign { status, content, .. } => format!(
            "{NO_ANSWER}: {content} with status {status} came in place of its answer; a proxy or a login page may stand between"
        ),
        Redirected { .. } => {
            "the answer redirects elsewhere; a proxy or a login page may stand between, or the server has another \
             address"
                .to_owned()
        }
        Credential(error) if !error.transient => "the Tableau secret cannot be read, and has to be fixed".to_owned(),
        SessionRefused { source, .. } => why_of_call(source),
        error => match (error.code(), error.advice()) {
            (Some(code), Some(advice)) => format!("Tableau refused ({code}); {advice}"),
            (Some(code), None) => refused(code),
            (None, _) if error.is_transient() => NO_ANSWER.to_owned(),
            (None, _) => "Tableau's answer cannot be read".to_owned(),
        },
    }
}

fn refused(code: &str) -> String {
    let advice = match code {
        "403000" | "403079" => "; the token's user has to be a site administrator",
        _ => "",
    };
    format!("Tableau refused ({code}){advice}")
}
