//! Interprets the refusals of a flow's trigger. A status from 200 to 299 is a success, whatever its body: a flow answers 202 and
//! nothing, and one with a *Response* action answers what its author wrote.
//!
//! Source: <https://learn.microsoft.com/troubleshoot/power-platform/power-automate/flow-run-issues/triggers-troubleshoot>

use super::address::{HostKind, NAME};
use crate::http::Answer;
use crate::{Error, Refusal};
use plain_text::{one_line, without_secrets};
use serde::Deserialize;

/// The longest code of an error that is taken.
const LONGEST_CODE: usize = 64;
/// How much of an answer's text goes into the error.
const TEXT_LIMIT: usize = 160;

/// The body of a refusal.
#[derive(Deserialize)]
struct Body {
    error: Reason,
}

#[derive(Deserialize)]
struct Reason {
    code: String,
    #[serde(default)]
    message: String,
}

/// The error of an answer that is no success.
pub(super) fn refused(answer: &Answer, target: &str, kind: HostKind) -> Error {
    let reason = serde_json::from_str::<Body>(&answer.body).ok().map(|body| body.error);
    let reason = reason.filter(|reason| is_code(&reason.code) && !answer.secrets.are_in(&reason.code));
    let code = reason.as_ref().map(|reason| reason.code.as_str());
    let (refusal, advice) = match (answer.status, code) {
        (429, _) => (Refusal::Throttled, "too many messages"),
        (403, _) => (
            Refusal::Forbidden,
            "it is tried a few times; if that does not help, look whether the flow's owner still has access, and whether a policy of the \
             environment forbids the trigger",
        ),
        (413, _) => (Refusal::Content, "the message is too large for the flow"),
        // Anything else that is not the trigger's own came from a proxy or a gateway.
        (status, None) if status != 401 => return foreign(answer, target),
        (_, Some("WorkflowTriggerIsNotEnabled")) => (Refusal::Credential, not_enabled(reason.as_ref())),
        (_, Some("WorkflowNotFound")) | (404 | 410, _) => (
            Refusal::Credential,
            "there is no such flow any more: copy the URL of the present flow's trigger into the Teams secret",
        ),
        (_, Some("DirectApiRequestHasMoreThanOneAuthorization")) => (
            Refusal::Credential,
            "a proxy adds a header `Authorization` to the request, which the trigger does not take beside `sig`: have it removed",
        ),
        (_, Some("MisMatchingOAuthClaims")) => (
            Refusal::Credential,
            "the trigger wants a user of a tenant: set *Who can trigger the flow* to Anyone, and put the new URL into the Teams secret",
        ),
        (401, _) => (
            Refusal::Credential,
            "the trigger is not open to Anyone, or the `sig` of the URL is cut off or was regenerated: set *Who can trigger the flow* to \
             Anyone, save, and put the trigger's URL into the Teams secret",
        ),
        (_, Some("TriggerInputSchemaMismatch")) => (
            Refusal::Content,
            "the trigger checks another schema: paste power-automate.schema.json into it; and `format` of the rule has to be the one \
             that the flow takes",
        ),
        (408 | 500.., _) => (Refusal::Unavailable, "it has an internal problem"),
        _ => (Refusal::Content, "the flow does not take this message"),
    };
    let advice = match (refusal, kind) {
        (Refusal::Credential | Refusal::Forbidden, HostKind::LogicApps) => {
            format!("{advice}. The URL: {}", kind.advice())
        }
        _ => advice.to_owned(),
    };
    Error::Flow {
        target: target.to_owned(),
        status: answer.status,
        reason: text(answer, reason.as_ref()),
        refusal,
        advice,
        retry_after: answer.retry_after,
    }
}

/// A deleted flow has this code too, with its state in the message.
fn not_enabled(reason: Option<&Reason>) -> &'static str {
    if reason.is_some_and(|reason| reason.message.contains("'Deleted'")) {
        "the flow was deleted: make a new one, and put its URL into the Teams secret"
    } else {
        "the flow is turned off: turn it on in Power Automate, which turns flows off after 90 days without a run and after 14 days of \
         failed runs"
    }
}

fn is_code(code: &str) -> bool {
    (1..=LONGEST_CODE).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The beginning of what the answer says, without anything of the request's secrets.
fn text(answer: &Answer, reason: Option<&Reason>) -> String {
    let said = match reason {
        Some(reason) if reason.message.trim().is_empty() => reason.code.clone(),
        Some(reason) => format!("{}: {}", reason.code, reason.message),
        None if answer.kind() == "text" => answer.body.clone(),
        None => return answer.kind().to_owned(),
    };
    let line = one_line(&without_secrets(&answer.secrets.redact_text(&said)));
    let short: String = line.chars().take(TEXT_LIMIT).collect();
    if short.len() < line.len() { format!("{short}…") } else { short }
}

fn foreign(answer: &Answer, target: &str) -> Error {
    Error::Foreign {
        destination: NAME,
        target: target.to_owned(),
        status: answer.status,
        content: answer.kind(),
        retry_after: answer.retry_after,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use confidential::Secrets;
    use secrecy::SecretString;
    use std::time::Duration;

    fn answer(status: u16, body: &str) -> Answer {
        let secrets = Secrets::new([SecretString::from("hunter2hunter2")]);
        Answer { secrets, status, retry_after: None, is_html: body.starts_with('<'), body: body.to_owned() }
    }

    fn of(status: u16, body: &str) -> Error {
        refused(&answer(status, body), "finance", HostKind::PowerPlatform)
    }

    fn error(code: &str, message: &str) -> String {
        serde_json::json!({ "error": { "code": code, "message": message } }).to_string()
    }

    #[test]
    fn each_code_has_its_outcome_and_says_what_to_do() {
        for (status, code, message, refusal, advice) in [
            (
                400,
                "WorkflowTriggerIsNotEnabled",
                "state 'Disabled'",
                Refusal::Credential,
                "the flow is turned off: turn it on",
            ),
            (
                400,
                "WorkflowTriggerIsNotEnabled",
                "The workflow is in state 'Deleted'",
                Refusal::Credential,
                "the flow was deleted",
            ),
            (
                401,
                "DirectApiAuthorizationRequired",
                "",
                Refusal::Credential,
                "the trigger is not open to Anyone",
            ),
            (401, "AnotherCode", "", Refusal::Credential, "the trigger is not open to Anyone"),
            (401, "", "", Refusal::Credential, "the trigger is not open to Anyone"),
            (
                401,
                "DirectApiRequestHasMoreThanOneAuthorization",
                "",
                Refusal::Credential,
                "a proxy adds a header",
            ),
            (401, "MisMatchingOAuthClaims", "", Refusal::Credential, "the trigger wants a user of a tenant"),
            (404, "WorkflowNotFound", "", Refusal::Credential, "there is no such flow any more"),
            (400, "TriggerInputSchemaMismatch", "", Refusal::Content, "the trigger checks another schema"),
            (400, "Other", "", Refusal::Content, "the flow does not take this message"),
            (413, "RequestEntityTooLarge", "", Refusal::Content, "the message is too large"),
            (403, "Forbidden", "", Refusal::Forbidden, "it is tried a few times"),
            (502, "NoResponse", "", Refusal::Unavailable, "it has an internal problem"),
        ] {
            let Error::Flow { refusal: found, advice: said, .. } = of(status, &error(code, message)) else {
                panic!("{code}")
            };
            assert_eq!(found, refusal, "{code}");
            assert!(said.starts_with(advice), "{code}: {said}");
        }
    }

    // D052
    #[test]
    fn too_many_messages_come_again_with_and_without_a_wait() {
        for wait in [None, Some(Duration::from_secs(30))] {
            let error =
                refused(&Answer { retry_after: wait, ..answer(429, "") }, "finance", HostKind::PowerPlatform);
            assert!(error.is_transient() && !error.is_misconfiguration());
            assert!(matches!(error, Error::Flow { retry_after, .. } if retry_after == wait));
        }
    }

    // D049
    #[test]
    fn the_error_has_status_and_the_beginning_of_the_answer_and_no_signature() {
        let said =
            of(403, &error("Forbidden", &format!("no access with hunter2hunter2 {}", "because ".repeat(60))))
                .to_string();
        assert!(
            said.starts_with(
                "the flow of `finance` refused with 403 (Forbidden: no access with [redacted] because"
            ),
            "{said}"
        );
        assert!(said.len() < 500 && !said.contains("hunter2"), "{said}");
        let said = of(403, "Access denied\nby policy").to_string();
        assert!(said.contains("403 (Access denied by policy)"), "{said}");
        let said = of(403, "<html>hunter2hunter2</html>").to_string();
        assert!(said.contains("403 (HTML)"), "{said}");
    }

    #[test]
    fn an_answer_that_is_not_the_triggers_comes_from_between_and_is_tried_again() {
        for (status, body) in
            [(302, ""), (400, "<html>"), (404, "not here"), (503, "<html>"), (500, r#"{"a":1}"#)]
        {
            let error = of(status, body);
            assert!(
                matches!(error, Error::Foreign { .. }) && error.is_transient(),
                "{status} {body}: {error}"
            );
        }
    }

    // D135
    #[test]
    fn a_refusal_at_the_old_host_says_so() {
        let gone = answer(404, &error("WorkflowNotFound", ""));
        let text = refused(&gone, "finance", HostKind::LogicApps).to_string();
        assert!(text.contains("flows have not run since 30 November 2025"), "{text}");
    }
}
