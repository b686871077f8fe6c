//! Interprets Slack's answers.

use crate::http::Answer;
use crate::{Error, Refusal};
use serde::Deserialize;
use std::time::Duration;

/// The wait when Slack sends no `Retry-After`: Slack allows about one message per second in a channel.
const DEFAULT_WAIT: Duration = Duration::from_secs(1);
/// The longest channel id or message id that is accepted.
const LONGEST_ID: usize = 32;
/// The longest error code of Slack's that is accepted.
const LONGEST_WORD: usize = 64;

/// Identifies a message that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The channel's id.
    pub channel: String,
    /// The message's id in the channel: its timestamp.
    pub ts: String,
}

/// Interprets an incoming webhook's answer: `ok`, or an error code as plain text. The code counts more than the
/// status, because only some statuses are documented. Any other body did not come from Slack. The content type does
/// not help: Slack's own is HTML.
///
/// Source: <https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks>
pub(super) fn of_webhook(answer: &Answer, channel: &str) -> Result<(), Error> {
    let text = answer.body.trim();
    if answer.status == 200 && text == "ok" {
        return Ok(());
    }
    if answer.status == 429 {
        return Err(refused(answer, channel, "rate_limited", Refusal::Throttled));
    }
    // A single word, such as `forbidden` or `blocked`, could come from a proxy. Every error code of Slack's contains
    // an underscore.
    let word = Some(text).filter(|text| is_word(text, answer) && text.contains('_') && answer.status >= 400);
    let Some(word) = word else { return Err(foreign(answer, channel)) };
    let refusal = match word {
        "invalid_token" | "no_service" | "no_active_hooks" | "no_service_id" | "no_team"
        | "team_disabled" => Refusal::Credential,
        "channel_not_found"
        | "channel_is_archived"
        | "user_not_found"
        | "action_prohibited"
        | "posting_to_general_channel_denied" => Refusal::Target,
        "rollup_error" => Refusal::Unavailable,
        _ => by_status(answer.status),
    };
    Err(refused(answer, channel, word, refusal))
}

/// What every answer of the Web API has.
#[derive(Deserialize)]
struct Outcome {
    ok: bool,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Ids {
    channel: Option<String>,
    ts: Option<String>,
}

/// Who has an e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The user with this id.
    User(String),
    /// A user who has left the workspace.
    Deactivated,
    /// No one.
    Nothing,
}

#[derive(Deserialize)]
struct Lookup {
    user: User,
}

#[derive(Deserialize)]
struct User {
    id: String,
    #[serde(default)]
    deleted: bool,
}

/// Interprets the answer to `users.lookupByEmail`.
///
/// Source: <https://docs.slack.dev/reference/methods/users.lookupByEmail#errors>
pub(super) fn of_lookup(answer: &Answer) -> Result<Found, Error> {
    const METHOD: &str = "users.lookupByEmail";
    match accepted(answer, METHOD) {
        Ok(()) => {}
        Err(Error::Refused { code, .. }) if code == "users_not_found" || code == "user_not_found" => {
            return Ok(Found::Nothing);
        }
        Err(error) => return Err(error),
    }
    let Ok(Lookup { user }) = serde_json::from_str(&answer.body) else {
        return Err(foreign(answer, METHOD));
    };
    let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let is_id = user.id.starts_with(['U', 'W']) && user.id.len() <= LONGEST_ID && user.id.bytes().all(fits);
    match user {
        User { deleted: true, .. } => Ok(Found::Deactivated),
        User { id, .. } if is_id => Ok(Found::User(id)),
        _ => Err(foreign(answer, METHOD)),
    }
}

/// Interprets a Web API answer: an object with `ok` and, if that is `false`, an error code; the status is usually
/// 200. Any other body did not come from Slack.
///
/// Source: <https://docs.slack.dev/reference/methods/chat.postMessage#errors>
pub(super) fn of_web_api(answer: &Answer, channel: &str) -> Result<Option<Sent>, Error> {
    accepted(answer, channel)?;
    let Ok(Ids { channel, ts }) = serde_json::from_str(&answer.body) else { return Ok(None) };
    Ok(sent(channel.as_deref(), ts.as_deref()))
}

/// Whether the Web API did what it was asked.
fn accepted(answer: &Answer, channel: &str) -> Result<(), Error> {
    let parsed = serde_json::from_str::<Outcome>(&answer.body).ok();
    let refused_as = match &parsed {
        Some(Outcome { ok: true, .. }) if answer.status == 200 => return Ok(()),
        Some(Outcome { ok: false, error: Some(word) }) if is_word(word, answer) => Some(word.as_str()),
        _ => None,
    };
    let Some(word) = refused_as else {
        return Err(if answer.status == 429 {
            refused(answer, channel, "rate_limited", Refusal::Throttled)
        } else {
            foreign(answer, channel)
        });
    };
    let refusal = match word {
        "ratelimited" | "rate_limited" => Refusal::Throttled,
        "internal_error"
        | "fatal_error"
        | "service_unavailable"
        | "request_timeout"
        | "team_added_to_org"
        | "org_login_required" => Refusal::Unavailable,
        // An administrator of the workspace or of the secret can correct these.
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
        | "ekm_access_denied"
        | "enterprise_is_restricted"
        | "two_factor_setup_required"
        | "team_not_found" => Refusal::Credential,
        // The rule names a channel that does not exist or that the app may not write to.
        "channel_not_found"
        | "not_in_channel"
        | "is_archived"
        | "user_not_found"
        | "messages_tab_disabled"
        | "cannot_reply_to_message"
        | "message_limit_exceeded" => Refusal::Target,
        "message_not_found" | "cant_update_message" | "edit_window_closed" | "is_inactive" => Refusal::Gone,
        word if word.starts_with("restricted_action") => Refusal::Target,
        _ if answer.status == 429 => Refusal::Throttled,
        _ if answer.status >= 500 => Refusal::Unavailable,
        _ => Refusal::Content,
    };
    Err(refused(answer, channel, word, refusal))
}

/// The message that was sent. `None` if the ids do not have the form of a channel id and a timestamp: the message
/// then cannot be edited.
fn sent(channel: Option<&str>, ts: Option<&str>) -> Option<Sent> {
    let is_id = |text: &&str| {
        let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(fits)
    };
    let is_instant = |text: &&str| {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.len() <= LONGEST_ID && text.split_once('.').is_some_and(|(s, rest)| digits(s) && digits(rest))
    };
    let (channel, ts) = channel.filter(is_id).zip(ts.filter(is_instant))?;
    Some(Sent { channel: channel.to_owned(), ts: ts.to_owned() })
}

/// Whether a text looks like an error code of Slack's and repeats nothing that was sent.
fn is_word(text: &str, answer: &Answer) -> bool {
    let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
    (1..=LONGEST_WORD).contains(&text.len()) && text.bytes().all(fits) && !answer.secrets.are_in(text)
}

/// What an unknown error code means, by the HTTP status.
fn by_status(status: u16) -> Refusal {
    match status {
        401 | 403 => Refusal::Credential,
        404 | 410 => Refusal::Target,
        408 | 500.. => Refusal::Unavailable,
        _ => Refusal::Content,
    }
}

fn refused(answer: &Answer, channel: &str, word: &str, refusal: Refusal) -> Error {
    let throttled = (refusal == Refusal::Throttled).then_some(DEFAULT_WAIT);
    let retry_after = answer.retry_after.or(throttled);
    let target = channel.to_owned();
    let code = word.to_owned();
    Error::Refused { destination: "Slack", target, status: answer.status, code, refusal, retry_after }
}

fn foreign(answer: &Answer, channel: &str) -> Error {
    Error::Foreign {
        destination: "Slack",
        target: channel.to_owned(),
        status: answer.status,
        content: answer.kind(),
        retry_after: answer.retry_after,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use confidential::Secrets;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            secrets: Secrets::default(),
            status,
            retry_after: None,
            is_html: false,
            body: body.to_owned(),
        }
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
            // D013
            (400, "invalid_attachments", Refusal::Content),
            (500, "rollup_error", Refusal::Unavailable),
            (403, "a_word_of_tomorrow", Refusal::Credential),
            (429, "", Refusal::Throttled),
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
            // D125
            ("cant_update_message", Refusal::Gone),
            ("restricted_action_read_only_channel", Refusal::Target),
            ("invalid_blocks", Refusal::Content),
        ] {
            let body = format!(r#"{{"ok":false,"error":"{word}"}}"#);
            assert_eq!(refusal(of_web_api(&answer(200, &body), "data")), expected, "{word}");
        }
    }

    // 15, item 1
    #[test]
    fn a_lookup_finds_a_user_or_one_who_has_left_or_no_one() {
        let found = |body: &str| of_lookup(&answer(200, body));
        let user = |id: &str, rest: &str| format!(r#"{{"ok":true,"user":{{"id":"{id}"{rest}}}}}"#);
        assert_eq!(
            found(&user("W012A3CDE", r#","deleted":false"#)).unwrap(),
            Found::User("W012A3CDE".to_owned())
        );
        assert_eq!(found(&user("U012A3CDE", "")).unwrap(), Found::User("U012A3CDE".to_owned()));
        assert_eq!(found(&user("U012A3CDE", r#","deleted":true"#)).unwrap(), Found::Deactivated);
        assert_eq!(found(r#"{"ok":false,"error":"users_not_found"}"#).unwrap(), Found::Nothing);
        assert!(found(r#"{"ok":false,"error":"missing_scope"}"#).unwrap_err().is_missing_scope());
        for odd in
            [user("U1> <!channel", ""), user("C012A3CDE", ""), user("", ""), r#"{"ok":true}"#.to_owned()]
        {
            assert!(matches!(found(&odd), Err(Error::Foreign { .. })), "{odd}");
        }
        assert!(of_lookup(&answer(503, "<html>")).is_err());
    }

    #[test]
    fn what_is_not_slacks_own_answer_may_pass_and_is_not_repeated() {
        let pages = [
            "",
            "<!DOCTYPE html><p>hunter2 login</p>",
            "\u{feff} <html>hunter2</html>",
            "Access to hunter2 is denied",
            "hunter2",
            r#"{"error":"hunter2"}"#,
            r#"{"ok":"hunter2"}"#,
            r#"{"ok":false,"error":"Blocked: hunter2"}"#,
            r#"{"ok":false}"#,
            "[\"hunter2\"]",
        ];
        for status in [200, 201, 204, 301, 302, 307, 400, 401, 403, 404, 407, 410, 500, 502, 503, 511] {
            for page in pages {
                let answer = answer(status, page);
                let errors = [
                    of_webhook(&answer, "data").unwrap_err(),
                    of_web_api(&answer, "data").map(|_| ()).unwrap_err(),
                ];
                for error in errors {
                    assert!(error.is_transient(), "{status} {page}: {error}");
                    let text = format!("{error} {error:?}");
                    assert!(!text.contains("hunter2"), "{text}");
                    let expected = format!(
                        "the answer is not Slack's: {} with status {status} for `data`; a proxy or a login page may stand \
                         between",
                        answer.kind()
                    );
                    assert_eq!(error.to_string(), expected);
                    assert!(matches!(workflow::Failure::from(error), workflow::Failure::Transient { .. }));
                }
            }
        }
        let ok = of_webhook(&answer(302, "ok"), "data").unwrap_err();
        assert!(ok.to_string().contains("a redirect with status 302"), "{ok}");
    }

    #[test]
    fn what_a_person_fixes_in_the_secret_or_the_app_waits_and_what_a_rule_gets_wrong_does_not() {
        let failure = |word: &str| {
            let body = format!(r#"{{"ok":false,"error":"{word}"}}"#);
            workflow::Failure::from(of_web_api(&answer(200, &body), "data").unwrap_err()).kind()
        };
        for word in [
            "invalid_auth",
            "not_authed",
            "token_revoked",
            "token_expired",
            "account_inactive",
            "missing_scope",
            "not_allowed_token_type",
        ] {
            assert_eq!(failure(word), "misconfigured", "{word}");
        }
        for word in ["channel_not_found", "is_archived", "not_in_channel", "restricted_action", "no_text"] {
            assert_eq!(failure(word), "permanent", "{word}");
        }
        for (status, word, kind) in [
            (404, "no_service", "misconfigured"),
            (404, "no_team", "misconfigured"),
            (403, "invalid_token", "misconfigured"),
            (404, "channel_not_found", "permanent"),
            (410, "channel_is_archived", "permanent"),
        ] {
            let error = of_webhook(&answer(status, word), "data").unwrap_err();
            assert_eq!(workflow::Failure::from(error).kind(), kind, "{word}");
        }
        assert_eq!(workflow::Failure::from(Error::NoSuchChannel("data".to_owned())).kind(), "misconfigured");
    }

    #[test]
    fn a_wait_that_slack_names_is_kept() {
        let throttled = Answer { retry_after: Some(Duration::from_secs(30)), ..answer(429, "") };
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
            "Slack refused with 200 `channel_not_found` for `data`: there is no such channel, or it is or has become private and \
             the app is not in it; in the channel, write /invite @ and the app's name"
        );
    }

    // D070, D128
    #[test]
    fn each_reason_why_a_channel_takes_nothing_has_its_own_advice() {
        let mut advices = std::collections::BTreeSet::new();
        for (status, code, expected) in [
            (200, "channel_not_found", "has become private"),
            (200, "not_in_channel", "/invite @"),
            (200, "is_archived", "is archived"),
            (200, "restricted_action_read_only_channel", "restricted who may post"),
            (200, "message_limit_exceeded", "its plan allows"),
            (200, "missing_scope", "chat:write"),
            (200, "ratelimited", "too many messages"),
        ] {
            let body = format!(r#"{{"ok":false,"error":"{code}"}}"#);
            let text = of_web_api(&answer(status, &body), "data").unwrap_err().to_string();
            assert!(text.contains(expected), "{text}");
            assert!(advices.insert(text), "{code}");
        }
        let archived = of_webhook(&answer(410, "channel_is_archived"), "data").unwrap_err().to_string();
        assert!(archived.contains("name another one in the rule"), "{archived}");
    }
}
