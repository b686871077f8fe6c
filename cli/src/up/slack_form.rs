//! Checks whether a setting for Slack has the form of Slack's tokens and URLs: a mistake is better reported at the
//! start than noticed by a missing message. No value is repeated.

use crate::http::is_loopback;
use url::Url;

/// The hosts of Slack's incoming webhooks, including its cloud for US authorities.
const HOSTS: [&str; 2] = ["hooks.slack.com", "hooks.slack-gov.com"];

/// Checks the form of a bot token.
///
/// # Errors
/// What is wrong, and what would be right.
///
/// Source: <https://docs.slack.dev/authentication/tokens>
pub(super) fn bot_token(token: &str) -> Result<(), String> {
    // A token with rotation has a further prefix.
    let is_bot_token = |start| token.strip_prefix(start).is_some_and(|rest: &str| !rest.is_empty());
    if is_bot_token("xoxb-") || is_bot_token("xoxe.xoxb-") {
        return Ok(());
    }
    let what = if token.starts_with("https://") {
        return Err("this is a URL; the URL of an incoming webhook goes into SLACK_WEBHOOK_URL".to_owned());
    } else if token.starts_with("xoxp-") || token.starts_with("xoxe.xoxp-") {
        "this is a user token"
    } else if token.starts_with("xapp-") {
        "this is an app-level token"
    } else {
        "this is not a bot token"
    };
    Err(format!("{what}; a bot token begins with xoxb- and is on the app's page “OAuth & Permissions”"))
}

/// Checks the form of an incoming webhook's URL. A text that is not a URL is reported by the code that reads the
/// secret.
///
/// # Errors
/// What is wrong, and what would be right.
///
/// Source: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>
pub(super) fn webhook_url(text: &str) -> Result<(), String> {
    if text.starts_with("xox") {
        return Err("this is a token; a bot token goes into SLACK_BOT_TOKEN".to_owned());
    }
    let Ok(url) = text.parse::<Url>() else { return Ok(()) };
    // A simulated Slack on this machine.
    if is_loopback(&url) {
        return Ok(());
    }
    let is_slack = url.host_str().is_some_and(|host| HOSTS.contains(&host));
    // The secret's own check says more about workflow triggers.
    let is_webhook = url.path().starts_with("/services/") || url.path().starts_with("/triggers/");
    match is_slack && is_webhook {
        true => Ok(()),
        false => {
            Err("this is not an incoming webhook URL of Slack; its URL begins with https://hooks.slack.com/services/"
                .to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bot_token_begins_with_xoxb() {
        for right in ["xoxb-1-2-abc", "xoxe.xoxb-1-abc"] {
            assert_eq!(bot_token(right), Ok(()));
        }
        for (wrong, expected) in [
            ("hunter2", "this is not a bot token; a bot token begins with xoxb-"),
            ("xoxb-", "this is not a bot token"),
            ("XOXB-hunter2", "this is not a bot token"),
            ("xoxp-hunter2", "this is a user token; a bot token begins with xoxb-"),
            ("xapp-hunter2", "this is an app-level token; "),
            ("https://hooks.slack.com/services/hunter2", "this is a URL; "),
        ] {
            let problem = bot_token(wrong).unwrap_err();
            assert!(problem.starts_with(expected) && !problem.contains("hunter2"), "{wrong}: {problem}");
        }
    }

    #[test]
    fn an_incoming_webhook_is_at_slack_or_on_this_machine() {
        for right in [
            "https://hooks.slack.com/services/T/B/x",
            "https://hooks.slack-gov.com/services/T/B/x",
            "http://127.0.0.1:8092/services/x",
            "hunter2",
        ] {
            assert_eq!(webhook_url(right), Ok(()), "{right}");
        }
        for wrong in [
            "https://hooks.slack.com.example.com/services/hunter2",
            "https://example.com/services/hunter2",
            "https://hooks.slack.com/hunter2",
            "https://slack.com/api/hunter2",
            "xoxb-hunter2",
        ] {
            let problem = webhook_url(wrong).unwrap_err();
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }
}
