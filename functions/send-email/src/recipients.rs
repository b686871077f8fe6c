//! Makes targets of alerting out of the recipients that rules name. Pure.
//!
//! The addresses of a rule are one target (of more than 50, several). Each owner and project leader is a target of their own: so a mail
//! about many objects goes to each of them about their own objects, and a recovery goes to those who got the failure.

use alerting::notifier::Targeted;
use email::{MOST_RECIPIENTS, MailTarget, Reason};
use rules::Address;
use rules::settings::{Recipient, Recipients, SendEmail};
use tableau_client::Owner;

/// The people of an event's object, as far as a rule asks for them.
#[derive(Clone, Debug, Default)]
pub(crate) struct People {
    /// The owner.
    pub(crate) owner: Found,
    /// The owner of the project.
    pub(crate) leader: Found,
}

/// One person's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The address.
    At(Address),
    /// There is none, and why: for people.
    Missing(String),
}

impl Default for Found {
    fn default() -> Self {
        Self::Missing("Tableau does not say who it is".to_owned())
    }
}

impl Found {
    /// The address of a person as Tableau names them: the one given, or a sign-in name that is one.
    pub(crate) fn of(person: Option<&Owner>) -> Self {
        facts::mail_address(person).map_or_else(Self::Missing, Self::At)
    }

    fn address(&self) -> Option<&Address> {
        match self {
            Self::At(address) => Some(address),
            Self::Missing(_) => None,
        }
    }
}

/// Whether a rule asks Tableau for people.
pub(crate) fn asks(settings: &SendEmail, for_one: &Recipient) -> bool {
    settings.to.list().contains(for_one) || settings.reply_to.as_ref() == Some(for_one)
}

/// The targets of what one rule says.
pub(crate) fn of_settings(settings: &SendEmail, people: &People) -> Vec<MailTarget> {
    let reply_to = match &settings.reply_to {
        Some(Recipient::Address(address)) => Some(address.clone()),
        Some(Recipient::Owner) => people.owner.address().cloned(),
        Some(Recipient::ProjectLeader) => people.leader.address().cloned(),
        None => None,
    };
    let mut named: Vec<Address> = Vec::new();
    let mut persons: Vec<(Address, Reason)> = Vec::new();
    let mut left_out = Vec::new();
    for recipient in settings.to.list() {
        let (who, found, reason) = match recipient {
            Recipient::Address(address) => {
                named.push(address.clone());
                continue;
            }
            Recipient::Owner => ("the owner", &people.owner, Reason::Owner),
            Recipient::ProjectLeader => ("the project leader", &people.leader, Reason::ProjectLeader),
        };
        match found {
            Found::At(address) => persons.push((address.clone(), reason)),
            Found::Missing(why) => left_out.push(format!("Not sent to {who}: {why}.")),
        }
    }
    let in_place: Vec<Address> = match left_out.is_empty() {
        true => Vec::new(),
        false => settings.to_if_unknown.list().iter().filter_map(Recipient::address).cloned().collect(),
    };
    let target = |to: &[Address], reason: Reason| MailTarget {
        to: to.to_vec(),
        reply_to: reply_to.clone(),
        reason,
        left_out: left_out.clone(),
    };
    let mut targets: Vec<MailTarget> =
        named.chunks(MOST_RECIPIENTS).map(|to| target(to, Reason::Named)).collect();
    targets.extend(in_place.chunks(MOST_RECIPIENTS).map(|to| target(to, Reason::InPlace)));
    targets.extend(persons.iter().map(|(to, reason)| target(std::slice::from_ref(to), *reason)));
    targets
}

/// The targets of one rule, for alerting.
pub(crate) fn of_rule(rule: &Targeted<SendEmail>, people: &People) -> Vec<Targeted<MailTarget>> {
    let targets = of_settings(&rule.settings, people);
    targets.into_iter().map(|target| rule.with(key(&target.to), target)).collect()
}

/// What names a target in the notification log: its addresses.
pub(crate) fn key(to: &[Address]) -> String {
    Recipients::new(to.iter().cloned().map(Recipient::Address).collect()).key().to_owned()
}

/// Each target once: of several rules that mean the same one, that of the rule that notifies first. A person who is among the addresses of
/// another target that notifies as early gets one mail.
pub(crate) fn merged(targets: Vec<Targeted<MailTarget>>) -> Vec<Targeted<MailTarget>> {
    let all = Targeted::merged(targets);
    let gets_it_anyway = |target: &Targeted<MailTarget>| {
        let [person] = target.settings.to.as_slice() else { return false };
        all.iter().any(|other| {
            other.settings.to.len() > 1
                && other.is_as_early_as(target)
                && other.settings.to.iter().any(|address| address.is_same_as(person))
        })
    };
    all.iter().filter(|target| !gets_it_anyway(target)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn of_rule(settings: &Value, people: &People) -> Vec<MailTarget> {
        of_settings(&serde_json::from_value(settings.clone()).unwrap(), people)
    }

    fn owner(email: Option<&str>, login: &str) -> Owner {
        Owner { name: "Ana".to_owned(), email: email.map(str::to_owned), login: login.to_owned() }
    }

    fn people(owner: &str, leader: &str) -> People {
        let found = |text: &str| Address::parse(text).map_or_else(|_| Found::default(), Found::At);
        People { owner: found(owner), leader: found(leader) }
    }

    fn keys(targets: &[MailTarget]) -> Vec<String> {
        targets.iter().map(|target| key(&target.to)).collect()
    }

    // D020, D086
    #[test]
    fn the_address_of_a_person_is_one_that_mail_can_be_sent_to() {
        let missing = "the address that Tableau has is none that mail can be sent to";
        for (email, login, expected) in [
            (Some("ana@example.com"), "ana", Ok("ana@example.com")),
            (Some("ana@exämple.org"), "ana", Ok("ana@xn--exmple-cua.org")),
            (None, "ana@example.com", Ok("ana@example.com")),
            (Some("pat smith@example.com"), "ana@example.com", Ok("ana@example.com")),
            (Some("pat smith@example.com"), "pat", Err(missing)),
            (Some("zoë@example.org"), "zoe", Err(missing)),
            (Some("a@example.com\r\nBcc: x@example.org"), "a", Err(missing)),
            (None, "ana", Err("Tableau has no address of this person")),
        ] {
            let found = Found::of(Some(&owner(email, login)));
            let found = match &found {
                Found::At(address) => Ok(address.as_str()),
                Found::Missing(why) => Err(why.as_str()),
            };
            assert_eq!(found, expected, "{email:?} {login}");
        }
        assert_eq!(Found::of(None), Found::default());
    }

    #[test]
    fn addresses_are_one_target_and_each_person_is_another_one() {
        let rule = json!({ "to": ["s@example.com", "t@example.com", "owner", "project-leader"] });
        let targets = of_rule(&rule, &people("ana@example.com", "lee@example.com"));
        assert_eq!(keys(&targets), ["s@example.com,t@example.com", "ana@example.com", "lee@example.com"]);
        let reasons: Vec<Reason> = targets.iter().map(|target| target.reason).collect();
        assert_eq!(reasons, [Reason::Named, Reason::Owner, Reason::ProjectLeader]);
        // Who is both has one key, by which alerting merges the two.
        let keys = keys(&of_rule(&rule, &people("ana@example.com", "Ana@example.com")));
        assert_eq!(keys[1], keys[2]);
    }

    #[test]
    fn who_is_not_known_is_named_in_the_mail_of_the_others_and_another_address_gets_it_in_their_place() {
        let rule = json!({
            "to": ["owner", "s@example.com"], "to_if_unknown": "bi@example.com", "reply_to": "owner",
        });
        let targets = of_rule(&rule, &people("", ""));
        assert_eq!(keys(&targets), ["s@example.com", "bi@example.com"]);
        for target in &targets {
            assert_eq!(target.left_out, ["Not sent to the owner: Tableau does not say who it is."]);
            assert_eq!(target.reply_to, None);
        }
        assert_eq!(targets[1].reason, Reason::InPlace);
        assert!(of_rule(&json!({ "to": "owner" }), &people("", "")).is_empty());
    }

    // D011
    #[test]
    fn more_than_fifty_addresses_are_several_targets() {
        let many: Vec<String> = (0..120).map(|n| format!("person-{n}@example.com")).collect();
        let targets = of_rule(&json!({ "to": many }), &People::default());
        let sizes: Vec<usize> = targets.iter().map(|target| target.to.len()).collect();
        assert_eq!(sizes, [50, 50, 20]);
    }
}
