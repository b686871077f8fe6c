//! What rules say to `notify-teams`.

mod mention;

use crate::mentions::Mentions;
use crate::workflow::{Invalid, TargetSettings, WorkflowSettings};
use mention::{OWNER, problem_of};
use plain_text::{is_blank, is_invisible};
use serde::{Deserialize, Deserializer};
use tableau::EventName;

/// The longest name of a channel, in characters. It is a key of the Teams secret.
const LONGEST: usize = 80;
/// How the key of a channel ends whose flow takes plain fields.
const PLAIN: &str = " (plain)";

/// `notify-teams: { channel: finance }`, or for a flow of your own: `{ channel: finance-flow, format: plain }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Written")]
pub struct NotifyTeams {
    /// The channel: a key of `webhooks` in the Teams secret.
    pub channel: String,
    /// What is sent.
    pub format: TeamsFormat,
    /// Whom a new message mentions.
    pub mention: Option<String>,
    /// Whom it mentions in place of an owner who has no address.
    pub mention_if_unknown: Option<String>,
    /// Channel and format. An incident that no rule names any more still ends in the format that its flow takes.
    key: String,
}

/// What `notify-teams` sends to a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "lowercase")]
pub enum TeamsFormat {
    /// An Adaptive Card, for a flow with the trigger *When a Teams webhook request is received*.
    #[default]
    Card,
    /// One JSON object of texts, for a flow with the trigger *When an HTTP request is received*.
    Plain,
}

/// The settings as a rule writes them.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Written {
    /// Where messages go: a key of `webhooks` in the Teams secret. Required; 80 characters at most.
    channel: String,
    /// What is sent: `card` (an Adaptive Card, for a flow with the trigger "When a Teams webhook request is received") or `plain`
    /// (fields, for a flow of yours with the trigger "When an HTTP request is received"). Default: card.
    #[serde(default)]
    format: TeamsFormat,
    /// Whom a new message mentions: `owner` (the owner of the content, by the e-mail address that Tableau has), or the name that
    /// a person signs in to Microsoft 365 with, such as dana@example.com. Default: no one.
    #[serde(default, deserialize_with = "given")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^(owner|[^@\s]+@[^@\s]+)$")))]
    mention: Option<String>,
    /// Beside `mention: owner`: whom a message mentions if Tableau has no address of the owner. Default: no one; the message names
    /// the owner.
    #[serde(default, deserialize_with = "given")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^[^@\s]+@[^@\s]+$")))]
    mention_if_unknown: Option<String>,
}

/// A text that is there: a key without a value is a mistake.
fn given<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    String::deserialize(value).map(Some)
}

impl From<Written> for NotifyTeams {
    fn from(Written { channel, format, mention, mention_if_unknown }: Written) -> Self {
        Self { mention, mention_if_unknown, ..Self::new(channel, format) }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for NotifyTeams {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "NotifyTeams".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Written::json_schema(generator)
    }
}

impl NotifyTeams {
    /// The settings of a rule that mentions no one.
    pub fn new(channel: impl Into<String>, format: TeamsFormat) -> Self {
        let channel = channel.into();
        let end = if format == TeamsFormat::Plain { PLAIN } else { "" };
        let key = format!("{channel}{end}");
        Self { channel, format, mention: None, mention_if_unknown: None, key }
    }

    fn mentions_owner(&self) -> bool {
        self.mention.as_deref() == Some(OWNER)
    }

    fn check_mentions(&self) -> Result<(), Invalid> {
        if let Some(problem) = self.mention.as_deref().and_then(problem_of) {
            return Err(Invalid { field: "mention", problem });
        }
        let Some(other) = self.mention_if_unknown.as_deref() else { return Ok(()) };
        let problem = match problem_of(other) {
            Some(problem) => problem,
            None if !self.mentions_owner() => {
                "it has an effect beside `mention: owner` only: write that too, or remove this".to_owned()
            }
            None if other == OWNER => {
                "it is for an owner without an address: write a person's address, such as dana@example.com"
                    .to_owned()
            }
            None => return Ok(()),
        };
        Err(Invalid { field: "mention_if_unknown", problem })
    }
}

impl WorkflowSettings for NotifyTeams {
    const WORKFLOW: &'static str = "notify-teams";
    const EVENTS: &'static [EventName] = &EventName::ALL;

    /// Refuses what can be no key of `webhooks`. No problem repeats the value, which may be a secret in the wrong place.
    fn check(&self) -> Result<(), Invalid> {
        let channel = self.channel.as_str();
        let invalid = |problem: String| Err(Invalid { field: "channel", problem });
        let is_odd_space = |c: char| c.is_whitespace() && c != ' ';
        let is_unusable = |c: char| c.is_control() || is_invisible(c) || is_odd_space(c);
        if is_blank(channel) {
            return invalid(
                "it is empty: write a key of `webhooks` in the Teams secret, such as finance".to_owned(),
            );
        }
        if channel.contains("://") || channel.contains("sig=") {
            return invalid(
                "a URL is no channel: put it into `webhooks` of the Teams secret, and write its key here. Make a new URL if others \
                 could read it here"
                    .to_owned(),
            );
        }
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
                "`@` mentions a person: write a channel here, and whom to mention as `mention`".to_owned(),
            );
        }
        if let Some(c) = channel.chars().find(|c| "#,;<>|".contains(*c)) {
            return invalid(format!(
                "no key has `{c}` in it: write the key of one channel, and an entry of `do` for each other one"
            ));
        }
        if channel.ends_with(PLAIN.trim_start()) {
            return invalid("it ends with `(plain)`: write that as `format: plain`".to_owned());
        }
        if channel.chars().count() > LONGEST {
            return invalid(format!("it is longer than {LONGEST} characters"));
        }
        self.check_mentions()
    }

    /// Two formats for one channel are a mistake too: a flow takes one of them.
    fn repeats(&self, earlier: &Self) -> bool {
        self.channel == earlier.channel
    }
}

impl TargetSettings for NotifyTeams {
    fn key(&self) -> &str {
        &self.key
    }

    fn of_key(key: &str) -> Option<Self> {
        Some(match key.strip_suffix(PLAIN) {
            Some(channel) => Self::new(channel, TeamsFormat::Plain),
            None => Self::new(key, TeamsFormat::Card),
        })
    }

    fn mentions(&self) -> Mentions {
        Mentions {
            owner: self.mentions_owner(),
            named: self.mention.iter().filter(|_| !self.mentions_owner()).cloned().collect(),
            if_unknown: self.mention_if_unknown.iter().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(channel: &str) -> Option<String> {
        NotifyTeams::new(channel, TeamsFormat::Card).check().err().map(|invalid| invalid.problem)
    }

    #[test]
    fn a_channel_is_any_key_of_the_secret() {
        let longest = "a".repeat(80);
        for channel in ["finance", "Finance & Tax", "R&D (EU)", "データ", "finance/eu", longest.as_str()] {
            assert_eq!(problem(channel), None, "{channel}");
        }
    }

    #[test]
    fn a_text_that_can_be_no_key_is_refused_without_repeating_it() {
        let long = "a".repeat(81);
        for (channel, expected) in [
            ("", "it is empty"),
            (" \u{200b}", "it is empty"),
            ("https://x.environment.api.powerplatform.com/hunter2", "a URL is no channel"),
            ("?api-version=1&sig=hunter2", "a URL is no channel"),
            ("hunter2\nb", "it has a line break"),
            ("hun\u{200b}ter2", "it has a line break, an invisible character"),
            (" hunter2", "it has a space at its beginning or end"),
            ("@hunter2", "`@` mentions a person"),
            ("hunter2, sales", "no key has `,` in it"),
            ("#hunter2", "no key has `#` in it"),
            ("hunter2 (plain)", "it ends with `(plain)`: write that as `format: plain`"),
            (long.as_str(), "it is longer than 80 characters"),
        ] {
            let problem = problem(channel).unwrap_or_default();
            assert!(problem.starts_with(expected), "{channel:?}: {problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }

    #[test]
    fn what_is_sent_to_a_channel_that_no_rule_names_any_more_has_the_format_of_before() {
        for format in [TeamsFormat::Card, TeamsFormat::Plain] {
            let settings = NotifyTeams::new("finance", format);
            assert_eq!(NotifyTeams::of_key(settings.key()), Some(settings));
        }
    }

    // D076
    #[test]
    fn the_owner_and_a_person_can_be_mentioned_and_a_whole_channel_cannot() {
        let problem = |mention: Option<&str>, if_unknown: Option<&str>| {
            let settings = NotifyTeams {
                mention: mention.map(str::to_owned),
                mention_if_unknown: if_unknown.map(str::to_owned),
                ..NotifyTeams::new("finance", TeamsFormat::Card)
            };
            settings.check().err().map(|invalid| format!("{}: {}", invalid.field, invalid.problem))
        };
        for mention in ["owner", "dana@example.com", "d.o'neil@example.com"] {
            assert_eq!(problem(Some(mention), None), None, "{mention}");
        }
        assert_eq!(problem(Some("owner"), Some("dana@example.com")), None);
        for (mention, expected) in [
            ("", "it is empty"),
            ("channel", "a message from a flow cannot mention a channel"),
            ("@here", "a message from a flow cannot mention a channel"),
            ("everyone", "a message from a flow cannot mention a channel"),
            ("@owner", "write owner, without `@`"),
            ("Owner", "write owner, in small letters"),
            ("<at>dana@example.com</at>", "write the address alone"),
            ("@dana@example.com", "write the address alone"),
            ("dana@example.com, bo@example.com", "write one address"),
            ("Dana Holt", "write the name that the person signs in with"),
            ("https://example.com/hunter2", "a URL mentions no one"),
            ("dana@example.com\u{200b}", "it has an invisible character"),
        ] {
            let refused = problem(Some(mention), None).unwrap_or_default();
            assert!(refused.starts_with(&format!("mention: {expected}")), "{mention:?}: {refused}");
            assert!(!refused.contains("hunter2"), "{refused}");
        }
        let alone = problem(Some("dana@example.com"), Some("bo@example.com")).unwrap_or_default();
        assert!(
            alone.starts_with("mention_if_unknown: it has an effect beside `mention: owner` only"),
            "{alone}"
        );
        let owner = problem(Some("owner"), Some("owner")).unwrap_or_default();
        assert!(owner.starts_with("mention_if_unknown: it is for an owner without an address"), "{owner}");
    }
}
