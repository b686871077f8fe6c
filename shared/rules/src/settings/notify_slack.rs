//! What rules say to `notify-slack`.

mod mention;

use crate::mentions::Mentions;
use crate::secret::is_slack_token;
use crate::workflow::{Invalid, TargetSettings, WorkflowSettings};
use mention::{OWNER, problem_of};
use plain_text::{is_blank, is_invisible};
use serde::{Deserialize, Deserializer};
use tableau::EventName;

/// The longest name of a Slack channel, in characters.
///
/// Source: <https://docs.slack.dev/reference/methods/conversations.create>
const LONGEST: usize = 80;

/// `notify-slack: { channel: data-alerts }`, or with people: `{ channel: data-alerts, mention: owner, mention_if_unknown: here }`.
///
/// `mention` is one text and no list: several people are a user group in Slack, whose members change there and not in the rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NotifySlack {
    /// Where messages go: a channel's name or id, or a key of `webhook_urls` in the Slack secret. With or without `#`.
    /// Required; 80 characters at most.
    pub channel: String,
    /// Whom a new message calls: `owner` (the owner of the content, found in Slack by e-mail address), `here`, `channel`, the id of
    /// a Slack user (`U0123456789`) or of a user group (`S0123456789`). Default: no one.
    #[serde(default, deserialize_with = "given")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^(owner|here|channel|[USW][A-Z0-9]{2,31})$")))]
    pub mention: Option<String>,
    /// Beside `mention: owner`: whom a message calls if Slack does not know the owner. As `mention`, without `owner`. Default:
    /// no one; the message names the owner.
    #[serde(default, deserialize_with = "given")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^(here|channel|[USW][A-Z0-9]{2,31})$")))]
    pub mention_if_unknown: Option<String>,
    /// Where the end of an incident is announced: `channel` (in the thread of its message, and shown in the channel too), `thread`
    /// (in the thread only) or `message` (a new message). Needs a bot token; through webhook URLs it is always a new message.
    /// Default: channel.
    #[serde(default, deserialize_with = "given_recovery")]
    #[cfg_attr(feature = "schema", schemars(with = "Recovery"))]
    pub recovery: Option<Recovery>,
}

/// Where the end of an incident is announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Recovery {
    /// In the thread of the incident's message, and shown in the channel too.
    #[default]
    Channel,
    /// In the thread of the incident's message only.
    Thread,
    /// In a new message.
    Message,
}

/// A place that is there: a key without a value is a mistake.
fn given_recovery<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Recovery>, D::Error> {
    Recovery::deserialize(value).map(Some)
}

/// A text that is there: a key without a value is a mistake.
fn given<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    String::deserialize(value).map(Some)
}

impl NotifySlack {
    /// The channel without `#`: with it or without, it is the same channel.
    pub fn channel(&self) -> &str {
        self.channel.trim_start_matches('#')
    }

    /// Whether no Slack channel has this name, so that it has to be a key of `webhook_urls`: it has a space or a capital letter,
    /// and is no id.
    ///
    /// Source: <https://docs.slack.dev/reference/methods/conversations.create>
    pub fn must_be_a_key(&self) -> bool {
        let channel = self.channel();
        channel.chars().any(|c| c == ' ' || c.is_uppercase()) && !mention::is_id(channel, "CGD")
    }

    /// Where the end of an incident is announced.
    pub fn recovery(&self) -> Recovery {
        self.recovery.unwrap_or_default()
    }

    fn check_recovery(&self) -> Result<(), Invalid> {
        match self.recovery {
            Some(Recovery::Channel | Recovery::Thread) if self.must_be_a_key() => Err(Invalid {
                field: "recovery",
                problem: "messages to a webhook URL have no thread, and this channel can only be a key of `webhook_urls`: remove \
                          this, or write a channel's name for a bot token"
                    .to_owned(),
            }),
            _ => Ok(()),
        }
    }

    fn calls_owner(&self) -> bool {
        self.mention.as_deref() == Some(OWNER)
    }

    fn check_mentions(&self) -> Result<(), Invalid> {
        if let Some(problem) = self.mention.as_deref().and_then(problem_of) {
            return Err(Invalid { field: "mention", problem });
        }
        let Some(other) = self.mention_if_unknown.as_deref() else { return Ok(()) };
        let problem = match problem_of(other) {
            Some(problem) => problem,
            None if !self.calls_owner() => {
                "it has an effect beside `mention: owner` only: write that too, or remove this".to_owned()
            }
            None if other == OWNER => {
                "it is for an owner whom Slack does not know: write here, channel, or the id of a user or user group".to_owned()
            }
            None => return Ok(()),
        };
        Err(Invalid { field: "mention_if_unknown", problem })
    }
}

impl WorkflowSettings for NotifySlack {
    const WORKFLOW: &'static str = "notify-slack";
    const EVENTS: &'static [EventName] = &EventName::ALL;

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
        if channel.starts_with('@') {
            return invalid(
                "`@` calls a person: write a channel here, and whom to call as `mention`".to_owned(),
            );
        }
        if let Some(c) = channel.chars().find(|c| "#,;<>|".contains(*c)) {
            return invalid(format!(
                "no channel has `{c}` in its name: write one channel, and an entry of `do` for each other one"
            ));
        }
        if channel.chars().count() > LONGEST {
            return invalid(format!("it is longer than {LONGEST} characters, the most that Slack allows"));
        }
        self.check_mentions()?;
        self.check_recovery()
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
        Some(Self { channel: key.to_owned(), ..Self::default() })
    }

    fn mentions(&self) -> Mentions {
        Mentions {
            owner: self.calls_owner(),
            named: self.mention.iter().filter(|_| !self.calls_owner()).cloned().collect(),
            if_unknown: self.mention_if_unknown.iter().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(channel: &str) -> Option<String> {
        let settings = NotifySlack { channel: channel.to_owned(), ..NotifySlack::default() };
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

    // 15-8
    #[test]
    fn a_name_with_a_space_or_a_capital_letter_must_be_a_key_of_webhook_urls() {
        let must = |channel: &str| {
            NotifySlack { channel: channel.to_owned(), ..NotifySlack::default() }.must_be_a_key()
        };
        for channel in ["data alerts", "Data-Alerts", "#Finance", "Über"] {
            assert!(must(channel), "{channel}");
        }
        for channel in ["data-alerts", "#data_alerts", "C0123456789", "データ", "größe"] {
            assert!(!must(channel), "{channel}");
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
            // 15-8
            ("@hunter2", "`@` calls a person: write a channel here, and whom to call as `mention`"),
            ("#@hunter2", "`@` calls a person"),
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

    fn problem_of_mentions(mention: Option<&str>, if_unknown: Option<&str>) -> Option<String> {
        let settings = NotifySlack {
            channel: "data-alerts".to_owned(),
            mention: mention.map(str::to_owned),
            mention_if_unknown: if_unknown.map(str::to_owned),
            ..NotifySlack::default()
        };
        settings.check().err().map(|invalid| format!("{}: {}", invalid.field, invalid.problem))
    }

    // 15, item 1
    #[test]
    fn the_owner_here_the_channel_a_user_and_a_user_group_can_be_mentioned() {
        for mention in ["owner", "here", "channel", "U0123456789", "W012A3CDE", "S0615G0KT"] {
            assert_eq!(problem_of_mentions(Some(mention), None), None, "{mention}");
        }
        for other in ["here", "channel", "U0123456789", "W012A3CDE", "S0615G0KT"] {
            assert_eq!(problem_of_mentions(Some("owner"), Some(other)), None, "{other}");
        }
    }

    // D081
    #[test]
    fn the_end_needs_a_thread_only_where_there_can_be_one() {
        let problem = |channel: &str, recovery| {
            let settings = NotifySlack { channel: channel.to_owned(), recovery, ..NotifySlack::default() };
            settings.check().err().map(|invalid| (invalid.field, invalid.problem))
        };
        for recovery in [Recovery::Channel, Recovery::Thread] {
            let (field, text) = problem("Data Alerts", Some(recovery)).unwrap();
            assert!(field == "recovery" && text.contains("have no thread"), "{text}");
            assert_eq!(problem("data-alerts", Some(recovery)), None);
        }
        assert_eq!(problem("Data Alerts", Some(Recovery::Message)), None);
        assert_eq!(problem("Data Alerts", None), None);
    }

    // 15, item 1
    #[test]
    fn another_mention_is_refused_with_what_to_write_and_no_secret_is_repeated() {
        for (mention, expected) in [
            ("", "it is empty"),
            (" ", "it is empty"),
            ("@ana", "write the id of the user or user group"),
            ("ana.roth", "write the id of the user or user group"),
            ("oncall-bi", "write the id of the user or user group"),
            // D078
            ("@oncall-bi", "write the id of the user or user group"),
            ("ana@example.com", "write the id of the user or user group"),
            ("@owner", "write owner, without `@`"),
            ("@here", "write here, without `@`"),
            ("<!here>", "write here, without `<!` and `>`"),
            ("<!subteam^S0615G0KT>", "write the id alone, such as U0123456789"),
            ("<@U0123456789>", "write the id alone, such as U0123456789"),
            ("@U0123456789", "write the id alone, such as U0123456789"),
            ("<@U0123456789|ana>", "write the id alone, such as U0123456789"),
            ("Owner", "write owner, in small letters"),
            ("HERE", "write here, in small letters"),
            ("u0123456789", "an id has capital letters: write U0123456789"),
            ("everyone", "write channel"),
            ("@everyone", "write channel"),
            ("C0123456789", "this is the id of a channel"),
            ("#data-alerts", "this is a channel"),
            ("U0123456789, U0123456780", "write one"),
            ("here channel", "write one"),
            // 15-12b
            ("Ana Ferreira", "this is the name of one person: write owner, or her or his id"),
            ("@Ana Roth-Silva", "this is the name of one person: write owner, or her or his id"),
            ("xoxb-1-hunter2", "a token mentions no one"),
            ("https://example.com/hunter2", "a URL mentions no one"),
            ("U0123456789\u{200b}", "it has an invisible character"),
            ("owner\u{a0}", "it has an invisible character"),
        ] {
            let problem = problem_of_mentions(Some(mention), None).unwrap_or_default();
            assert!(problem.starts_with(&format!("mention: {expected}")), "{mention:?}: {problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
            let problem = problem_of_mentions(Some("owner"), Some(mention)).unwrap_or_default();
            assert!(problem.starts_with("mention_if_unknown: "), "{mention:?}: {problem}");
        }
    }

    // 15, item 1
    #[test]
    fn whom_to_mention_in_place_of_an_owner_needs_the_owner_and_is_not_the_owner() {
        let alone = "mention_if_unknown: it has an effect beside `mention: owner` only: write that too, or remove this";
        assert_eq!(problem_of_mentions(None, Some("here")).as_deref(), Some(alone));
        assert_eq!(problem_of_mentions(Some("here"), Some("here")).as_deref(), Some(alone));
        let owner = problem_of_mentions(Some("owner"), Some("owner")).unwrap();
        assert!(
            owner.starts_with("mention_if_unknown: it is for an owner whom Slack does not know"),
            "{owner}"
        );
    }
}
