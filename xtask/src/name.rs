//! Names of workflows and events, checked.

use crate::repository::Problem;
use std::fmt;
use tableau::EventName;

/// The longest name, in characters: headings in `template.yaml` and names of log groups stay short.
const LONGEST: usize = 50;

/// Names that a crate or a binary cannot have.
const RESERVED: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "build",
    "const",
    "continue",
    "core",
    "crate",
    "deps",
    "do",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "incremental",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

/// A workflow's name: its folder, package and binary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(String);

impl Name {
    /// Checks a name.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        let problem = if text.is_empty() {
            "it is empty"
        } else if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
            "it must start with a small letter"
        } else if !text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
            "only small letters, digits and hyphens may be in it"
        } else if text.contains("--") || text.ends_with('-') {
            "a hyphen stands between two words"
        } else if text.len() > LONGEST {
            "it is longer than 50 characters"
        } else if RESERVED.contains(&text) {
            "Rust needs that word itself"
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(format!("`{text}` cannot be a workflow's name, such as notify-slack: {problem}").into())
    }

    /// `notify-slack` → `NotifySlack`: the struct, and what the resources' names begin with.
    pub(crate) fn pascal(&self) -> String {
        self.0.split('-').map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect()
    }

    /// `notify-slack` → `notify_slack`: the crate, as Rust code names it.
    pub(crate) fn snake(&self) -> String {
        self.0.replace('-', "_")
    }

    /// `notify-slack`.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The events that start a workflow: known ones, in alphabetical order, each once, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Events(Vec<EventName>);

impl Events {
    /// Checks event names.
    pub(crate) fn parse(names: &[String]) -> Result<Self, Problem> {
        if let Some(unknown) =
            names.iter().find(|name| !EventName::KNOWN.contains(&EventName::from(name.as_str())))
        {
            let hint = match EventName::nearest(unknown).filter(|near| EventName::KNOWN.contains(near)) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("they are {}", EventName::KNOWN.each_ref().map(EventName::as_str).join(", ")),
            };
            return Err(format!("`{unknown}` is no event name; {hint}").into());
        }
        // KNOWN is in alphabetical order.
        let asked =
            EventName::KNOWN.into_iter().filter(|known| names.iter().any(|name| name == known.as_str()));
        Ok(Self(asked.collect()))
    }

    /// The events.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &EventName> {
        self.0.iter()
    }

    /// The event that examples and tests use.
    pub(crate) fn first(&self) -> &EventName {
        &self.0[0]
    }

    /// Whether this event starts the workflow.
    pub(crate) fn contains(&self, event: &EventName) -> bool {
        self.0.contains(event)
    }

    /// The events, each made into a text.
    pub(crate) fn map_join(&self, separator: &str, text: impl Fn(&EventName) -> String) -> String {
        self.iter().map(text).collect::<Vec<_>>().join(separator)
    }
}

/// `WorkbookCreated` → `workbook-created`: the name of its fixture.
pub(crate) fn kebab(event: &EventName) -> String {
    let mut text = String::new();
    for letter in event.as_str().chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        Name::parse(text).unwrap_err().to_string()
    }

    fn events(names: &[&str]) -> Result<Events, String> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        Events::parse(&names).map_err(|problem| problem.to_string())
    }

    #[test]
    fn a_name_is_words_with_hyphens_between_them() {
        for text in ["notify-slack", "send-2-texts", "ping", "track-servicenow-incident"] {
            assert_eq!(Name::parse(text).unwrap().as_str(), text);
        }
        for (text, reason) in [
            ("", "it is empty"),
            ("Notify-slack", "it must start with a small letter"),
            ("2-texts", "it must start with a small letter"),
            ("-slack", "it must start with a small letter"),
            ("notify_slack", "only small letters, digits and hyphens may be in it"),
            ("notify slack", "only small letters, digits and hyphens may be in it"),
            ("../notify", "it must start with a small letter"),
            ("notify/slack", "only small letters, digits and hyphens may be in it"),
            ("benachrichtige-büro", "only small letters, digits and hyphens may be in it"),
            ("notify--slack", "a hyphen stands between two words"),
            ("notify-", "a hyphen stands between two words"),
            ("match", "Rust needs that word itself"),
        ] {
            assert!(problem(text).ends_with(reason), "{text}: {}", problem(text));
            assert_eq!(problem(text).lines().count(), 1);
        }
        assert!(problem(&"a".repeat(51)).ends_with("longer than 50 characters"));
    }

    #[test]
    fn one_name_has_three_spellings() {
        let name = Name::parse("send-2-texts").unwrap();
        assert_eq!((name.pascal().as_str(), name.snake().as_str()), ("Send2Texts", "send_2_texts"));
    }

    #[test]
    fn events_are_known_sorted_and_named_once() {
        let events = events(&["WorkbookUpdated", "LabelCreated", "WorkbookUpdated"]).unwrap();
        assert_eq!(events.map_join(" ", EventName::to_string), "LabelCreated WorkbookUpdated");
        assert_eq!((kebab(events.first()), events.iter().count()), ("label-created".to_owned(), 2));
    }

    #[test]
    fn a_misspelt_event_is_answered_with_the_right_one() {
        let typo = events(&["WorkbookCreated", "WorkbookUpdate"]).unwrap_err();
        assert_eq!(typo, "`WorkbookUpdate` is no event name; did you mean `WorkbookUpdated`?");
        let unknown = events(&["FlowRunFailed"]).unwrap_err();
        assert!(
            unknown.starts_with("`FlowRunFailed` is no event name; they are AdminDemoted, "),
            "{unknown}"
        );
    }
}
