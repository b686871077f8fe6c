//! What rules say to `send-email`.

mod recipients;

pub use recipients::{Recipient, Recipients};

use crate::address::Address;
use crate::workflow::{Invalid, TargetSettings, WorkflowSettings};
use serde::Deserialize;
use tableau::EventName;

/// `send-email: { to: [steward@example.com, owner, project-leader], reply_to: owner }`.
///
/// The function makes a target of its own of each owner and project leader, so that a mail about many objects goes to each of them
/// about their own objects only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SendEmail {
    /// Who gets the mail: addresses, `owner` (the owner of the content) and `project-leader` (the owner of its project, if Tableau
    /// says who it is). Required; one, or a list.
    pub to: Recipients,
    /// Beside `owner` or `project-leader`: the addresses that get the mail in the place of a person whose address Tableau does not say.
    /// Default: no one.
    #[serde(default)]
    pub to_if_unknown: Recipients,
    /// Where answers go: an address, `owner` or `project-leader`. Default: the address that the mail comes from.
    #[serde(default)]
    pub reply_to: Option<Recipient>,
}

impl SendEmail {
    fn asks_for_people(&self) -> bool {
        self.to.list().iter().any(|one| !matches!(one, Recipient::Address(_)))
    }
}

impl WorkflowSettings for SendEmail {
    const WORKFLOW: &'static str = "send-email";
    const EVENTS: &'static [EventName] = &EventName::ALL;

    fn check(&self) -> Result<(), Invalid> {
        let invalid = |field, problem: &str| Err(Invalid { field, problem: problem.to_owned() });
        if self.to.list().is_empty() {
            return invalid("to", "it is empty: write an address, owner or project-leader");
        }
        for (field, list) in [("to", &self.to), ("to_if_unknown", &self.to_if_unknown)] {
            if let Some(twice) = list.twice() {
                return invalid(field, &format!("{twice} stands twice: remove one of the two"));
            }
        }
        if self.to_if_unknown.list().is_empty() {
            return Ok(());
        }
        if !self.to_if_unknown.list().iter().all(|one| matches!(one, Recipient::Address(_))) {
            return invalid(
                "to_if_unknown",
                "it is for a person whose address is not known: write addresses, not owner or project-leader",
            );
        }
        if !self.asks_for_people() {
            return invalid(
                "to_if_unknown",
                "it has an effect beside `owner` or `project-leader` in `to` only: write that too, or remove this",
            );
        }
        Ok(())
    }

    fn repeats(&self, earlier: &Self) -> bool {
        self.to.key() == earlier.to.key()
    }
}

impl TargetSettings for SendEmail {
    fn key(&self) -> &str {
        self.to.key()
    }

    /// Mail goes to no address that no rule names: a key alone is not enough.
    fn of_key(_: &str) -> Option<Self> {
        None
    }
}

impl Recipient {
    /// The address, if it is one.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Address(address) => Some(address),
            Self::Owner | Self::ProjectLeader => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(settings: Value) -> Result<SendEmail, String> {
        let read: SendEmail = serde_json::from_value(settings).map_err(|error| error.to_string())?;
        read.check().map_err(|invalid| format!("{}: {}", invalid.field, invalid.problem))?;
        Ok(read)
    }

    #[test]
    fn addresses_the_owner_and_the_project_leader_get_mail() {
        let read =
            read(json!({ "to": ["steward@example.com", "owner", "project-leader"], "reply_to": "owner",
                "to_if_unknown": "bi@example.com" }))
            .unwrap();
        let steward = Recipient::Address(Address::parse("steward@example.com").unwrap());
        assert_eq!(read.to.list(), [steward, Recipient::Owner, Recipient::ProjectLeader]);
        assert_eq!(read.reply_to, Some(Recipient::Owner));
        assert_eq!(read.to_if_unknown.list()[0].address().unwrap().as_str(), "bi@example.com");
        // D086
        assert_eq!(
            super::tests::read(json!({ "to": "ana@exämple.org" })).unwrap().key(),
            "ana@xn--exmple-cua.org"
        );
    }

    #[test]
    fn the_same_recipients_in_another_order_are_the_same_target_and_a_long_list_has_a_short_key() {
        let key = |to: Value| read(json!({ "to": to })).unwrap().key().to_owned();
        let one = key(json!(["owner", "b@example.com", "A@Example.com"]));
        assert_eq!(one, key(json!(["a@example.com", "owner", "b@EXAMPLE.com"])));
        assert_eq!(one, "a@example.com,b@example.com,owner");
        let many: Vec<String> = (0..120).map(|n| format!("person-{n}@example.com")).collect();
        let long = key(json!(many));
        assert!(long.len() < 300, "{long}");
        assert!(long.starts_with("person-0@example.com,"), "{long}");
        assert_ne!(long, key(json!(many[..119])));
    }

    // D020, D086
    #[test]
    fn a_mistake_says_what_to_write_and_repeats_no_address() {
        for (settings, expected) in [
            (json!({}), "missing field `to`"),
            (json!({ "to": [] }), "to: it is empty"),
            (json!({ "to": "" }), "has an `@`"),
            (json!({ "to": "zoë.hunter2@example.org" }), "has a letter that Amazon SES takes in no address"),
            (json!({ "to": ["a@example.com", "pat hunter2@example.com"] }), "no spaces"),
            (json!({ "to": "Owner" }), "write owner, in small letters"),
            (json!({ "to": "@owner" }), "write owner, without `@`"),
            (json!({ "to": "project_leader" }), "write project-leader"),
            (json!({ "to": "project leader" }), "write project-leader"),
            (json!({ "to": "a@example.com, owner" }), "write one address"),
            (json!({ "to": ["a@example.com", "A@example.com"] }), "to: entry 2 stands twice"),
            (json!({ "to": ["owner", "owner"] }), "to: owner stands twice"),
            (json!({ "to": 7 }), "an address, owner or project-leader"),
            (
                json!({ "to": "a@example.com", "to_if_unknown": "b@example.com" }),
                "to_if_unknown: it has an effect beside",
            ),
            (
                json!({ "to": "owner", "to_if_unknown": "owner" }),
                "to_if_unknown: it is for a person whose address",
            ),
            (json!({ "to": "owner", "reply_to": "hunter2" }), "has an `@`"),
            (json!({ "to": "owner", "cc": "a@example.com" }), "unknown field `cc`"),
        ] {
            let problem = read(settings.clone()).unwrap_err();
            assert!(problem.contains(expected), "{settings}: {problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }
}
