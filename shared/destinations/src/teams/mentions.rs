//! Whom a card mentions. A mention is a text `<at>name</at>` and an entity with the very same text; a flow needs the name that the
//! person signs in with as the entity's id. Anyone without an address is named only.
//!
//! Source: <https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format#mention-support-within-adaptive-cards>

use super::text::escape;
use super::words::named;
use alerting::notification::{Mentioned, Notification};
use serde_json::{Value, json};

/// The longest name in a mention.
const NAME_LIMIT: usize = 40;

/// The line of a card that mentions people, and the entities that belong to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Called {
    /// Escaped parts of the line.
    parts: Vec<String>,
    pub(super) entities: Vec<Value>,
    /// The addresses that are mentioned.
    pub(super) addresses: Vec<String>,
}

/// Whom the message mentions.
pub(super) fn called(shown: &Notification) -> Called {
    let Mentioned { owners, more_owners, named: others, if_unknown } = &shown.mentioned;
    let mut called = Called::default();
    let mut unknown = Vec::new();
    for owner in owners {
        match owner.email.as_deref() {
            Some(address) => called.mention(address, &owner.name),
            None if owner.name.trim().is_empty() => unknown.push("owner: not known".to_owned()),
            None => unknown.push(format!(
                "owner {}: Tableau has no e-mail address",
                escape(&named(&owner.name, NAME_LIMIT))
            )),
        }
    }
    others.iter().for_each(|address| called.mention(address, address));
    if !unknown.is_empty() {
        if_unknown.iter().for_each(|address| called.mention(address, address));
    }
    called.parts.extend(unknown);
    match more_owners {
        0 => {}
        1 => called.parts.push("and 1 more owner".to_owned()),
        more => called.parts.push(format!("and {more} more owners")),
    }
    called
}

impl Called {
    /// Mentions a person once. The name goes into markup, so that it keeps only letters, digits and a few signs.
    fn mention(&mut self, address: &str, name: &str) {
        let lower = address.to_lowercase();
        if self.addresses.iter().any(|other| other.to_lowercase() == lower) {
            return;
        }
        let is_plain = |c: char| c.is_alphanumeric() || " .,'’@-".contains(c);
        let plain: String =
            named(name, NAME_LIMIT).chars().map(|c| if is_plain(c) { c } else { ' ' }).collect();
        let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
        // A mention is found by its text, so that two people of one name need two texts.
        let is_taken = self.entities.iter().any(|entity| entity["mentioned"]["name"] == plain.as_str());
        let name = if plain.is_empty() || is_taken { address.to_owned() } else { plain };
        let text = format!("<at>{name}</at>");
        let mentioned = json!({ "id": address, "name": name });
        self.entities.push(json!({ "type": "mention", "text": text, "mentioned": mentioned }));
        self.addresses.push(address.to_owned());
        self.parts.push(text);
    }

    /// The line of the card.
    pub(super) fn line(&self) -> Option<String> {
        (!self.parts.is_empty()).then(|| self.parts.join(" · "))
    }
}
