//! The history in a delivery record: one entry for each attempt whose outcome was recorded. No I/O.

use crate::attribute::{Item, instant, number, text};
use crate::state::State;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

/// How many attempts a history keeps, so that an item stays far below DynamoDB's limit of 400 KB.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
pub const HISTORY_LIMIT: u32 = 100;

/// One attempt whose outcome was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The attempt's number, from 1.
    pub attempt: u64,
    /// When the attempt began; `None` if the entry is damaged.
    pub began_at: Option<Timestamp>,
    /// When the attempt ended; `None` if the entry is damaged.
    pub ended_at: Option<Timestamp>,
    /// The record's state after the attempt; `None` if the entry is damaged.
    pub outcome: Option<State>,
    /// The reason of the outcome; empty if there is none.
    pub reason: String,
    /// When the next attempt was due, if one was and the time was known.
    pub next_at: Option<Timestamp>,
}

impl Entry {
    /// Reads an entry. `None` if the entry lacks even the attempt's number.
    pub(crate) fn read(value: &AttributeValue) -> Option<Self> {
        let entry = value.as_m().ok()?;
        let text = |name: &str| entry.get(name)?.as_s().ok();
        let instant = |name: &str| text(name)?.parse().ok();
        Some(Self {
            attempt: entry.get("attempt")?.as_n().ok()?.parse().ok()?,
            began_at: instant("began_at"),
            ended_at: instant("ended_at"),
            outcome: text("outcome").map(|outcome| State::from(outcome.as_str())),
            reason: text("reason").cloned().unwrap_or_default(),
            next_at: instant("next_at"),
        })
    }

    /// The entry as the record stores it. Unknown values are left out.
    pub(crate) fn to_attribute(&self) -> AttributeValue {
        let Self { attempt, began_at, ended_at, outcome, reason, next_at } = self;
        let reason = (!reason.is_empty()).then(|| text(reason));
        let members = [
            ("attempt", Some(number(attempt))),
            ("began_at", began_at.map(instant)),
            ("ended_at", ended_at.map(instant)),
            ("outcome", outcome.as_ref().map(|outcome| text(outcome.as_str()))),
            ("reason", reason),
            ("next_at", next_at.map(instant)),
        ];
        let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        AttributeValue::M(members.collect::<Item>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::option;
    use proptest::prelude::*;

    fn instants() -> impl Strategy<Value = Option<Timestamp>> {
        option::of((0_i64..253_402_207_200_999).prop_map(|ms| Timestamp::from_millisecond(ms).unwrap()))
    }

    fn outcomes() -> impl Strategy<Value = State> {
        prop_oneof![
            proptest::sample::select(State::KNOWN.to_vec()),
            any::<String>().prop_map(|text| text.as_str().into())
        ]
    }

    proptest! {
        #[test]
        fn an_entry_is_read_as_it_was_written(
            attempt: u64,
            began_at in instants(),
            ended_at in instants(),
            outcome in option::of(outcomes()),
            reason: String,
            next_at in instants(),
        ) {
            let entry = Entry { attempt, began_at, ended_at, outcome, reason, next_at };
            prop_assert_eq!(Entry::read(&entry.to_attribute()), Some(entry));
        }
    }

    #[test]
    fn an_entry_is_read_member_by_member_as_long_as_it_says_which_attempt_it_is() {
        let whole = Entry {
            attempt: 3,
            began_at: Some(Timestamp::UNIX_EPOCH),
            ended_at: Some(Timestamp::UNIX_EPOCH),
            outcome: Some(State::Released),
            reason: "Slack is down".to_owned(),
            next_at: Some(Timestamp::UNIX_EPOCH),
        };
        let with = |name: &str, value: AttributeValue| {
            let AttributeValue::M(mut members) = whole.to_attribute() else { panic!() };
            members.insert(name.to_owned(), value);
            Entry::read(&AttributeValue::M(members))
        };
        assert_eq!(with("began_at", text("yesterday")), Some(Entry { began_at: None, ..whole.clone() }));
        assert_eq!(with("outcome", number(1)), Some(Entry { outcome: None, ..whole.clone() }));
        assert_eq!(
            with("reason", AttributeValue::Null(true)),
            Some(Entry { reason: String::new(), ..whole.clone() })
        );
        assert_eq!(with("attempt", text("3")), None);
        assert_eq!(Entry::read(&text("3")), None);
    }
}
