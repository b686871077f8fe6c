//! Whom a message calls. The destination knows how: an owner may be unknown to it.

use plain_text::is_invisible;
use rules::Mentions;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use tableau_client::Owner;

/// How many owners one message calls.
const MOST_OWNERS: usize = 5;
/// How much of a name is kept with a member of a group.
const NAME_LIMIT: usize = 120;
/// The longest e-mail address. Source: <https://www.rfc-editor.org/errata/eid1690>
const ADDRESS_LIMIT: usize = 254;

/// An owner of content, as Tableau names them: untrusted text. An empty name stands for an owner that is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Person {
    /// The name.
    pub name: String,
    /// The e-mail address, if Tableau has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

impl Person {
    /// The owner as Tableau names them. The name that a person signs in with is an address on Tableau Cloud, and often on
    /// Tableau Server; any other name is none.
    pub(crate) fn of(owner: &Owner) -> Self {
        let texts = [owner.email.as_deref(), Some(owner.login.as_str())];
        let email = texts.into_iter().flatten().map(str::trim).find(|text| is_address(text));
        Self { name: owner.name.chars().take(NAME_LIMIT).collect(), email: email.map(str::to_owned) }
    }

    /// Clears an address that this crate would not have written: it is looked up at the destination.
    pub(crate) fn sanitize(&mut self) {
        self.email = self.email.take().filter(|email| is_address(email));
    }

    /// Two people with the same key are the same person.
    fn key(&self) -> String {
        self.email.as_deref().unwrap_or(&self.name).to_lowercase()
    }
}

fn is_address(text: &str) -> bool {
    let is_odd =
        |c: char| c.is_whitespace() || c.is_control() || is_invisible(c) || "<>()[],;:\\\"".contains(c);
    let Some((name, host)) = text.split_once('@') else { return false };
    !name.is_empty()
        && !host.trim_matches('.').is_empty()
        && !host.contains('@')
        && text.len() <= ADDRESS_LIMIT
        && !text.contains(is_odd)
}

/// Whom a message calls. Empty for edits, recoveries and digests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentioned {
    /// Owners, each once.
    pub owners: Vec<Person>,
    /// How many owners more the message is about.
    pub more_owners: usize,
    /// Others, in the destination's own words.
    pub named: Vec<String>,
    /// Those who are called if an owner is not known, in the destination's own words.
    pub if_unknown: Vec<String>,
}

impl Mentioned {
    /// Whether the message calls no one.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Those whom a message about one object calls.
    pub(crate) fn of_one(mentions: &Mentions, owner: Person) -> Self {
        Self::of_many(mentions, [&owner])
    }

    /// Those whom a message about several objects calls: the owners of most objects first.
    pub(crate) fn of_many<'a>(mentions: &Mentions, owners: impl IntoIterator<Item = &'a Person>) -> Self {
        let mut counted: BTreeMap<String, (usize, &Person)> = BTreeMap::new();
        for owner in owners.into_iter().filter(|_| mentions.owner) {
            counted.entry(owner.key()).or_insert((0, owner)).0 += 1;
        }
        let mut owners: Vec<(usize, &Person)> = counted.into_values().collect();
        owners.sort_by_key(|(count, _)| Reverse(*count));
        Self {
            more_owners: owners.len().saturating_sub(MOST_OWNERS),
            owners: owners.into_iter().take(MOST_OWNERS).map(|(_, owner)| owner.clone()).collect(),
            named: mentions.named.clone(),
            if_unknown: mentions.if_unknown.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(name: &str, email: Option<&str>, login: &str) -> Owner {
        Owner { name: name.to_owned(), email: email.map(str::to_owned), login: login.to_owned() }
    }

    fn person(name: &str) -> Person {
        Person { name: name.to_owned(), email: None }
    }

    // 15, item 1
    #[test]
    fn the_address_is_the_one_given_or_a_sign_in_name_that_is_one() {
        for (email, login, expected) in [
            (Some("ana@example.com"), "ana", Some("ana@example.com")),
            (Some("ana@example.com"), "other@example.com", Some("ana@example.com")),
            (None, "ana@example.com", Some("ana@example.com")),
            (None, "ana@corp.local", Some("ana@corp.local")),
            (Some(""), "ana@example.com", Some("ana@example.com")),
            (None, "ana", None),
            (None, "corp\\ana@x", None),
            (None, "", None),
            (None, "@here", None),
            (None, "ana@", None),
            (None, "a@b@c", None),
            (None, "<!channel>@example.com", None),
            (Some("ana roth@example.com"), "ana", None),
            (Some("ana\u{200b}@example.com"), "ana", None),
        ] {
            assert_eq!(
                Person::of(&owner("Ana", email, login)).email.as_deref(),
                expected,
                "{email:?} {login}"
            );
        }
        let long = format!("{}@example.com", "a".repeat(250));
        assert_eq!(Person::of(&owner("Ana", Some(&long), "ana")).email, None);
    }

    // 15, item 1
    #[test]
    fn of_many_owners_each_is_called_once_and_five_at_most_those_of_most_objects_first() {
        let mentions = Mentions { owner: true, ..Mentions::default() };
        let names = ["a", "b", "c", "d", "e", "f", "g", "g", "g", "f"];
        let people: Vec<Person> = names.iter().map(|name| person(name)).collect();
        let called = Mentioned::of_many(&mentions, &people);
        let called_names: Vec<&str> = called.owners.iter().map(|owner| owner.name.as_str()).collect();
        assert_eq!(called_names, ["g", "f", "a", "b", "c"]);
        assert_eq!(called.more_owners, 2);
        let same = [
            Person { name: "Ana".to_owned(), email: Some("ana@example.com".to_owned()) },
            Person { name: "Ana Roth".to_owned(), email: Some("Ana@Example.com".to_owned()) },
        ];
        assert_eq!(Mentioned::of_many(&mentions, &same).owners.len(), 1);
    }

    // 15, item 1
    #[test]
    fn an_owner_is_called_only_if_a_rule_says_so() {
        let mentions = Mentions { named: vec!["here".to_owned()], ..Mentions::default() };
        let called = Mentioned::of_one(&mentions, person("Ana"));
        assert_eq!((called.owners.len(), called.named), (0, vec!["here".to_owned()]));
        assert!(Mentioned::of_one(&Mentions::default(), person("Ana")).is_empty());
    }
}
