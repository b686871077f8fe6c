//! What rules say to `notify-slack`.

use crate::secret::is_slack_token;
use crate::workflow::{Invalid, TargetSettings, WorkflowSettings};
use plain_text::{is_blank, is_invisible};
use serde::Deserialize;
use tableau::EventName;

/// The longest name of a Slack channel, in characters.
///
/// Source: <https://docs.slack.dev/reference/methods/conversations.create>
const LONGEST: usize = 80;

/// `notify-slack: { channel: data-alerts }`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NotifySlack {
    /// Where messages go: a channel's name or id, or a key of `webhook_urls` in the Slack secret. With or without `#`.
    /// Required; 80 characters at most.
    pub channel: String,
}

impl NotifySlack {
    /// The channel without `#`: with it or without, it is the same channel.
    pub fn channel(&self) -> &str {
        self.channel.trim_start_matches('#')
    }
}

impl WorkflowSettings for NotifySlack {
    const WORKFLOW: &'static str = "notify-slack";
    const EVENTS: &'static [EventName] = &EventName::KNOWN;

    /// Refuses what can be neither a channel nor a key of `webhook_urls`. A key may be any text, so capital letters, spaces
    /// and most signs are fine. No problem repeats the value, which may be a secret in the wrong place.
    fn check(&self) -> Result<(), Invalid> {
        let channel = self.channel();
        let invalid = |problem: String| Err(Invalid { field: "channel", problem });
        if is_blank(channel) {
            return invalid("it is empty: write a channel's name, such as data-alerts".to_owned());
        }
        if channel.contains("://") {
            return invalid(
                "a URL is no channel: put it into `webhook_urls` of the Slack secret, and write its key here"
                    .to_owned(),
            );
        }
        if is_slack_token(channel.trim()) {
            return invalid(
                "a token is no channel: put it into `bot_token` of the Slack secret, and revoke it if others could read it \
                 here"
                    .to_owned(),
            );
        }
        let is_odd_space = |c: char| c.is_whitespace() && c != ' ';
        let is_unusable = |c: char| c.is_control() || is_invisible(c) || is_odd_space(c);
        if channel.chars().any(is_unusable) {
            return invalid(
                "it has a line break, an invisible character or another space than the usual one: type the name anew".to_owned(),
            );
        }
        if channel.trim() != channel {
            return invalid("it has a space at its beginning or end: remove it".to_owned());
        }
        if let Some(c) = channel.chars().find(|c| "#,;<>|".contains(*c)) {
            return invalid(format!(
                "no channel has `{c}` in its name: write one channel, and an entry of `do` for each other one"
            ));
        }
        if channel.chars().count() > LONGEST {
            return invalid(format!("it is longer than {LONGEST} characters, the most that Slack allows"));
        }
        Ok(())
    }

    fn repeats(&self, earlier: &Self) -> bool {
        self.channel() == earlier.channel()
    }
}

impl TargetSettings for NotifySlack {
    fn key(&self) -> &str {
        self.channel()
    }

    fn of_key(key: &str) -> Option<Self> {
        Some(Self { channel: key.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(channel: &str) -> Option<String> {
        let settings = NotifySlack { channel: channel.to_owned() };
        settings.check().err().map(|invalid| invalid.problem)
    }

    #[test]
    fn a_text_that_can_be_a_channel_or_a_key_of_webhook_urls_is_fine() {
        let longest = "a".repeat(80);
        for channel in [
            "data-alerts",
            "#data-alerts",
            "data_alerts-2",
            "C0123456789",
            "G0123456789",
            "#D0123456789",
            "Data Alerts",
            "R&D (EU)",
            "finance/eu",
            "team.finance",
            "データ",
            "größe",
            "xylophone",
            longest.as_str(),
        ] {
            assert_eq!(problem(channel), None, "{channel}");
        }
    }

    #[test]
    fn a_text_that_can_be_neither_is_refused_without_repeating_it() {
        let long = "a".repeat(81);
        for (channel, expected) in [
            ("", "it is empty"),
            ("  ", "it is empty"),
            ("\u{200b}", "it is empty"),
            ("#", "it is empty"),
            ("##  ", "it is empty"),
            ("https://hooks.slack.com/services/T0/B0/hunter2", "a URL is no channel"),
            ("http://hunter2", "a URL is no channel"),
            ("xoxb-1-hunter2", "a token is no channel"),
            ("#xoxp-1-hunter2", "a token is no channel"),
            ("xoxe.xoxp-1-hunter2", "a token is no channel"),
            ("xapp-1-hunter2", "a token is no channel"),
            ("hunter2\nb", "it has a line break, an invisible character"),
            ("hunter2\u{a0}b", "it has a line break, an invisible character"),
            ("hunter2\u{0}", "it has a line break, an invisible character"),
            ("hun\u{200b}ter2", "it has a line break, an invisible character"),
            ("hunter2\u{2028}b", "it has a line break, an invisible character"),
            (" hunter2", "it has a space at its beginning or end"),
            ("# hunter2", "it has a space at its beginning or end"),
            ("hunter2, oncall", "no channel has `,` in its name"),
            ("hunter2;oncall", "no channel has `;` in its name"),
            ("#hunter2 #oncall", "no channel has `#` in its name"),
            ("<#C012|hunter2>", "no channel has `<` in its name"),
            (long.as_str(), "it is longer than 80 characters"),
        ] {
            let problem = problem(channel).unwrap_or_default();
            assert!(problem.starts_with(expected), "{channel:?}: {problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }
}
