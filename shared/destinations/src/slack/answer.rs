//! What Slack's answers mean.

use super::Sent;
use crate::http::Answer;
use crate::{Error, Refusal};
use serde::Deserialize;
use std::time::Duration;

/// Slack asks for at most one message a second in a channel, and says no more where `Retry-After` is missing.
const DEFAULT_WAIT: Duration = Duration::from_secs(1);

/// An incoming webhook's answer: `ok`, or a word as plain text. The word counts before the status, since only
/// some statuses are documented.
///
/// Source: <https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks>
pub(super) fn of_webhook(answer: &Answer, channel: &str) -> Result<(), Error> {
    if answer.status == 200 && answer.body.trim() == "ok" {
        return Ok(());
    }
    let word = Answer::word(&answer.body);
    let refusal = match (word.as_str(), answer.status) {
        (_, 429) => Refusal::Throttled,
        (
            "invalid_token" | "no_service" | "no_active_hooks" | "no_service_id" | "no_team"
            | "team_disabled",
            _,
        ) => Refusal::Credential,
        ("channel_not_found" | "channel_is_archived" | "user_not_found" | "action_prohibited", _)
        | ("posting_to_general_channel_denied", _) => Refusal::Target,
        ("rollup_error", _) => Refusal::Unavailable,
        (_, status) => by_status(status),
    };
    Err(refused(answer, channel, word, refusal))
}

#[derive(Deserialize)]
struct WebApiAnswer {
    ok: bool,
    error: Option<String>,
    channel: Option<String>,
    ts: Option<String>,
}

/// A Web API answer: refusals come with status 200 and `"ok": false`.
///
/// Source: <https://docs.slack.dev/reference/methods/chat.postMessage#errors>
pub(super) fn of_web_api(answer: &Answer, channel: &str) -> Result<Option<Sent>, Error> {
    if answer.status != 200 {
        return Err(refused(answer, channel, Answer::word(&answer.body), by_status(answer.status)));
    }
    let Ok(parsed) = serde_json::from_str::<WebApiAnswer>(&answer.body) else {
        return Err(refused(answer, channel, "not JSON".to_owned(), Refusal::Unavailable));
    };
    if parsed.ok {
        return Ok(parsed.channel.zip(parsed.ts).map(|(channel, ts)| Sent { channel, ts }));
    }
    let word = Answer::word(parsed.error.as_deref().unwrap_or("no reason given"));
    let refusal = match word.as_str() {
        "ratelimited" | "rate_limited" => Refusal::Throttled,
        "internal_error"
        | "fatal_error"
        | "service_unavailable"
        | "request_timeout"
        | "team_added_to_org"
        | "org_login_required" => Refusal::Unavailable,
        "invalid_auth"
        | "not_authed"
        | "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "missing_scope"
        | "not_allowed_token_type"
        | "no_permission"
        | "team_access_not_granted"
        | "access_denied"
        | "accesslimited"
        | "ekm_access_denied" => Refusal::Credential,
        "channel_not_found"
        | "not_in_channel"
        | "is_archived"
        | "cannot_reply_to_message"
        | "message_limit_exceeded" => Refusal::Target,
        "message_not_found" | "cant_update_message" | "edit_window_closed" | "is_inactive" => Refusal::Gone,
        word if word.starts_with("restricted_action") => Refusal::Target,
        _ => Refusal::Content,
    };
    Err(refused(answer, channel, word, refusal))
}

fn by_status(status: u16) -> Refusal {
    match status {
        429 => Refusal::Throttled,
        401 | 403 => Refusal::Credential,
        404 | 410 => Refusal::Target,
        408 | 500.. => Refusal::Unavailable,
        _ => Refusal::Content,
    }
}

fn refused(answer: &Answer, channel: &str, code: String, refusal: Refusal) -> Error {
    let throttled = (refusal == Refusal::Throttled).then_some(DEFAULT_WAIT);
    let retry_after = answer.retry_after.or(throttled);
    let target = channel.to_owned();
    Error::Refused { destination: "Slack", target, status: answer.status, code, refusal, retry_after }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, retry_after: None, body: body.to_owned() }
    }

    fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> Refusal {
        match result.unwrap_err() {
            Error::Refused { refusal, .. } => refusal,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn the_word_of_a_webhook_counts_before_its_status() {
        assert!(of_webhook(&answer(200, "ok\n"), "data").is_ok());
        for (status, word, expected) in [
            (404, "no_service", Refusal::Credential),
            (404, "channel_not_found", Refusal::Target),
            (410, "channel_is_archived", Refusal::Target),
            (400, "invalid_blocks", Refusal::Content),
            (500, "rollup_error", Refusal::Unavailable),
            (502, "<html>bad gateway</html>", Refusal::Unavailable),
            (429, "", Refusal::Throttled),
            (200, "<html>a proxy's page</html>", Refusal::Content),
        ] {
            assert_eq!(refusal(of_webhook(&answer(status, word), "data")), expected, "{status} {word}");
        }
    }

    #[test]
    fn the_web_api_hides_refusals_in_a_200() {
        let posted = of_web_api(&answer(200, r#"{"ok":true,"channel":"C1","ts":"1.2"}"#), "data").unwrap();
        assert_eq!(posted, Some(Sent { channel: "C1".to_owned(), ts: "1.2".to_owned() }));
        for (word, expected) in [
            ("ratelimited", Refusal::Throttled),
            ("internal_error", Refusal::Unavailable),
            ("token_revoked", Refusal::Credential),
            ("not_in_channel", Refusal::Target),
            ("restricted_action_read_only_channel", Refusal::Target),
            ("invalid_blocks", Refusal::Content),
        ] {
            let body = format!(r#"{{"ok":false,"error":"{word}"}}"#);
            assert_eq!(refusal(of_web_api(&answer(200, &body), "data")), expected, "{word}");
        }
    }

    #[test]
    fn a_wait_that_slack_names_is_kept() {
        let throttled =
            Answer { status: 429, retry_after: Some(Duration::from_secs(30)), body: String::new() };
        match of_web_api(&throttled, "data").unwrap_err() {
            Error::Refused { retry_after, .. } => assert_eq!(retry_after, Some(Duration::from_secs(30))),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_refusal_names_the_channel() {
        let refused =
            of_web_api(&answer(200, r#"{"ok":false,"error":"channel_not_found"}"#), "data").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "Slack refused with 200 `channel_not_found` for `data`: check the channel, and that the app may post to it"
        );
    }
}
