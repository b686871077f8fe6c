//! Reads a delivery record. No I/O.

use crate::attribute::{
    ATTEMPTS, CAUSE, DEADLINE, DEFERRALS, EFFECTS, EVENT_ID, EXPIRES_AT, FAILURES, FIRST_SEEN_AT, HISTORY,
    Item, MISCONFIGURED_SINCE, OWNER, PK, REASON, Reader, STATE, UPDATED_AT, WORKFLOW,
};
use crate::facts::EventFacts;
use crate::history::Entry;
use crate::key::DeliveryKey;
use crate::state::State;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use workflow::Effect;

/// The longest time that Lambda gives an invocation. A claim that ends later than this from now was made by a wrong
/// clock and is ignored.
pub const LONGEST_CLAIM: SignedDuration = SignedDuration::from_mins(15);

/// One workflow's record of one event. The crate's README describes each attribute.
///
/// The record is read attribute by attribute. An attribute that is missing or damaged is empty here, and
/// [`Record::damaged`] names it. A record read from the index has only the attributes that the index contains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The record's key; `None` if the item's key is not that of a delivery record.
    pub key: Option<DeliveryKey>,
    /// The workflow's name.
    pub workflow: String,
    /// The event's id.
    pub event_id: String,
    /// What the record says about the event.
    pub event: EventFacts,
    /// When the workflow first received the event.
    pub first_seen_at: Option<Timestamp>,
    /// When the record last changed.
    pub updated_at: Option<Timestamp>,
    /// When DynamoDB may delete the record.
    pub expires_at: Option<Timestamp>,
    /// How far the workflow has come with the event.
    pub state: Option<State>,
    /// The invocation and message of the present claim, or of the last one.
    pub owner: String,
    /// How long the state lasts: a claim until it expires, a waiting event until its next attempt.
    pub deadline: Option<Timestamp>,
    /// How many attempts have begun.
    pub attempts: u64,
    /// The reason of the last attempt whose outcome was recorded.
    pub last_reason: String,
    /// The effects that attempts have recorded; later attempts do not repeat them.
    pub effects: BTreeSet<Effect>,
    /// How many attempts in a row have failed temporarily.
    pub failures: u32,
    /// How often the event was deferred.
    pub deferrals: u32,
    /// Since when the event has been waiting for a person to fix a secret, a setting or the rules.
    pub misconfigured_since: Option<Timestamp>,
    /// The class of the cause, if the event is a failed refresh and a class was found; `NotFound` if the cause was looked
    /// for and not found. Empty if the cause was not looked for, and in records of earlier versions.
    pub cause: String,
    /// The first [`HISTORY_LIMIT`](crate::HISTORY_LIMIT) attempts whose outcomes were recorded, in the order in which
    /// they ended.
    pub history: Vec<Entry>,
    /// The names of damaged attributes: missing ones that every record has, and ones of a wrong type or format.
    pub damaged: Vec<&'static str>,
}

impl Record {
    /// Reads an item of the table or of the index. Never fails.
    pub fn read(item: &Item) -> Self {
        let mut reader = Reader::of(item);
        let mut record = Self {
            key: reader.parsed(PK),
            workflow: reader.text(WORKFLOW),
            event_id: reader.text(EVENT_ID),
            event: EventFacts::read(&mut reader),
            first_seen_at: reader.parsed(FIRST_SEEN_AT),
            updated_at: reader.parsed(UPDATED_AT),
            expires_at: reader
                .read(EXPIRES_AT, |value| Timestamp::from_second(value.as_n().ok()?.parse().ok()?).ok()),
            state: reader.read(STATE, |value| Some(State::from(value.as_s().ok()?.as_str()))),
            owner: reader.text(OWNER),
            deadline: reader
                .read(DEADLINE, |value| Timestamp::from_millisecond(value.as_n().ok()?.parse().ok()?).ok()),
            attempts: reader.number(ATTEMPTS).unwrap_or_default(),
            last_reason: reader.text(REASON),
            effects: reader
                .read(EFFECTS, |value| {
                    Some(value.as_ss().ok()?.iter().map(|text| Effect::from(text.as_str())).collect())
                })
                .unwrap_or_default(),
            failures: reader.number(FAILURES).unwrap_or_default(),
            deferrals: reader.number(DEFERRALS).unwrap_or_default(),
            misconfigured_since: reader.parsed(MISCONFIGURED_SINCE),
            cause: reader.text(CAUSE),
            history: Vec::new(),
            damaged: Vec::new(),
        };
        if let Some(entries) = reader.read(HISTORY, |value| value.as_l().ok()) {
            record.history = entries.iter().filter_map(Entry::read).collect();
            if record.history.len() < entries.len() {
                reader.damaged(HISTORY);
            }
        }
        let is_claimed = record.state == Some(State::Claimed);
        for (name, is_missing) in [
            (STATE, record.state.is_none()),
            (ATTEMPTS, record.attempts == 0),
            (DEADLINE, is_claimed && record.deadline.is_none()),
        ] {
            if is_missing {
                reader.damaged(name);
            }
        }
        record.damaged = reader.into_damaged();
        record
    }

    /// Whether the deadline is at `now` or later, but not later than the longest claim. A claimed record's claim is valid then.
    /// A waiting event's next attempt is a deadline too, so check the state first.
    pub fn is_claimed_at(&self, now: Timestamp) -> bool {
        self.deadline.is_some_and(|deadline| claim_runs(deadline, now))
    }

    /// When the next attempt is due, if one is due and the time is known.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.deadline.filter(|_| self.state.as_ref().is_some_and(State::waits))
    }

    /// Why the event is in its present state. Empty for a claimed event: the stored reason is that of the attempt
    /// before.
    pub fn reason(&self) -> &str {
        if self.state == Some(State::Claimed) { "" } else { &self.last_reason }
    }
}

/// Whether a claim until `deadline` is still valid at `now`.
pub(crate) fn claim_runs(deadline: Timestamp, now: Timestamp) -> bool {
    (SignedDuration::ZERO..=LONGEST_CLAIM).contains(&deadline.duration_since(now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::{
        ATTRIBUTES, CREATED_AT, DAY, EVENT_NAME, PAYLOAD, RESOURCE, RESOURCE_NAME, SITE, number, text,
    };
    use aws_sdk_dynamodb::primitives::Blob;
    use aws_sdk_dynamodb::types::AttributeValue;
    use proptest::collection::{hash_map, vec};
    use proptest::prelude::*;
    use tableau::EventId;

    fn entry(attempt: u64) -> Entry {
        let at = Some(Timestamp::UNIX_EPOCH);
        let reason = "Slack is down".to_owned();
        Entry { attempt, began_at: at, ended_at: at, outcome: Some(State::Released), reason, next_at: at }
    }

    /// A test item that has every attribute and is claimed for its third attempt.
    fn item() -> Item {
        let id = EventId::of_bytes(b"");
        let instant = text("2026-11-22T14:44:03.000Z");
        let effects = vec!["slack/data-alerts".to_owned(), "of another version".to_owned()];
        let attributes = [
            (PK, text(format!("delivery#notify-slack#{id}"))),
            (WORKFLOW, text("notify-slack")),
            (EVENT_ID, text(id.as_str())),
            (EVENT_NAME, text("SiteUpdated")),
            (SITE, text("s-1")),
            (RESOURCE, text("r-1")),
            (RESOURCE_NAME, text("Marketing")),
            (CREATED_AT, text("2026-11-22T14:44:00Z")),
            (PAYLOAD, text("{}")),
            (DAY, text("2026-11-22")),
            (FIRST_SEEN_AT, instant.clone()),
            (UPDATED_AT, instant.clone()),
            (EXPIRES_AT, number(1_800_000_000)),
            (STATE, text("claimed")),
            (OWNER, text("invocation 1")),
            (DEADLINE, number(1_795_000_000_000_i64)),
            (ATTEMPTS, number(3)),
            (REASON, text("Slack is down")),
            (EFFECTS, AttributeValue::Ss(effects)),
            (FAILURES, number(2)),
            (DEFERRALS, number(1)),
            (MISCONFIGURED_SINCE, instant),
            (CAUSE, text("Credentials")),
            (HISTORY, AttributeValue::L([1, 2].map(|attempt| entry(attempt).to_attribute()).into())),
        ];
        attributes.map(|(name, value)| (name.to_owned(), value)).into()
    }

    fn whole() -> Record {
        let event = EventFacts {
            name: "SiteUpdated".to_owned(),
            site: "s-1".to_owned(),
            resource: "r-1".to_owned(),
            resource_name: "Marketing".to_owned(),
            created_at: "2026-11-22T14:44:00Z".to_owned(),
            payload: "{}".to_owned(),
        };
        let instant: Option<Timestamp> = "2026-11-22T14:44:03Z".parse().ok();
        Record {
            key: Some(DeliveryKey::new("notify-slack", EventId::of_bytes(b""))),
            workflow: "notify-slack".to_owned(),
            event_id: EventId::of_bytes(b"").to_string(),
            event,
            first_seen_at: instant,
            updated_at: instant,
            expires_at: Timestamp::from_second(1_800_000_000).ok(),
            state: Some(State::Claimed),
            owner: "invocation 1".to_owned(),
            deadline: Timestamp::from_second(1_795_000_000).ok(),
            attempts: 3,
            last_reason: "Slack is down".to_owned(),
            effects: ["slack/data-alerts", "of another version"].map(Effect::from).into(),
            failures: 2,
            deferrals: 1,
            misconfigured_since: instant,
            cause: "Credentials".to_owned(),
            history: [1, 2].map(entry).into(),
            damaged: Vec::new(),
        }
    }

    /// The record without the content of this attribute.
    fn without(mut record: Record, name: &str) -> Record {
        let empty = Record::default();
        match name {
            PK => record.key = empty.key,
            WORKFLOW => record.workflow = empty.workflow,
            EVENT_ID => record.event_id = empty.event_id,
            EVENT_NAME => record.event.name = empty.event.name,
            SITE => record.event.site = empty.event.site,
            RESOURCE => record.event.resource = empty.event.resource,
            RESOURCE_NAME => record.event.resource_name = empty.event.resource_name,
            CREATED_AT => record.event.created_at = empty.event.created_at,
            PAYLOAD => record.event.payload = empty.event.payload,
            FIRST_SEEN_AT => record.first_seen_at = empty.first_seen_at,
            UPDATED_AT => record.updated_at = empty.updated_at,
            EXPIRES_AT => record.expires_at = empty.expires_at,
            STATE => record.state = empty.state,
            OWNER => record.owner = empty.owner,
            DEADLINE => record.deadline = empty.deadline,
            ATTEMPTS => record.attempts = empty.attempts,
            REASON => record.last_reason = empty.last_reason,
            EFFECTS => record.effects = empty.effects,
            FAILURES => record.failures = empty.failures,
            DEFERRALS => record.deferrals = empty.deferrals,
            MISCONFIGURED_SINCE => record.misconfigured_since = empty.misconfigured_since,
            CAUSE => record.cause = empty.cause,
            HISTORY => record.history = empty.history,
            other => panic!("no field has what `{other}` says"),
        }
        record
    }

    #[test]
    fn a_whole_record_is_read_whole() {
        let item = item();
        let mut names: Vec<&str> = item.keys().map(String::as_str).collect();
        let mut all = ATTRIBUTES.to_vec();
        names.sort_unstable();
        all.sort_unstable();
        assert_eq!(names, all, "the item of this test has every attribute");
        assert_eq!(Record::read(&item), whole());
    }

    #[test]
    fn an_attribute_of_another_type_is_named_as_damaged_and_all_others_are_read() {
        // The attribute `day` is only for the index: `first_seen_at` contains the same information.
        for name in ATTRIBUTES.into_iter().filter(|name| *name != DAY) {
            for value in [
                AttributeValue::Null(true),
                AttributeValue::Bool(false),
                AttributeValue::B(Blob::new("x")),
                AttributeValue::M(Item::new()),
                AttributeValue::Ns(vec!["1".to_owned()]),
            ] {
                let mut item = item();
                item.insert(name.to_owned(), value.clone());
                let expected = Record { damaged: vec![name], ..without(whole(), name) };
                assert_eq!(Record::read(&item), expected, "{name}: {value:?}");
            }
        }
    }

    #[test]
    fn an_attribute_whose_text_or_number_says_nothing_is_named_as_damaged() {
        let longest = "9".repeat(38);
        for (name, values) in [
            (PK, vec![text("incident#notify-slack#1"), text("")]),
            (FIRST_SEEN_AT, vec![text("yesterday"), text("")]),
            (UPDATED_AT, vec![text("2026-13-01T00:00:00Z")]),
            (MISCONFIGURED_SINCE, vec![text("1")]),
            (EXPIRES_AT, vec![number(&longest), number("1.5")]),
            (DEADLINE, vec![number(&longest), number("-1e20"), number(i64::MAX)]),
            (ATTEMPTS, vec![number(-1), number("0.5"), number(0), number(&longest)]),
            (FAILURES, vec![number(-1), number(u64::MAX)]),
            (DEFERRALS, vec![number(-1)]),
        ] {
            for value in values {
                let mut item = item();
                item.insert(name.to_owned(), value.clone());
                let expected = Record { damaged: vec![name], ..without(whole(), name) };
                assert_eq!(Record::read(&item), expected, "{name}: {value:?}");
            }
        }
    }

    #[test]
    fn of_a_damaged_history_every_entry_is_read_that_says_which_attempt_it_is() {
        let mut item = item();
        let entries =
            vec![entry(1).to_attribute(), text("?"), AttributeValue::M(Item::new()), entry(2).to_attribute()];
        item.insert(HISTORY.to_owned(), AttributeValue::L(entries));
        assert_eq!(Record::read(&item), Record { damaged: vec![HISTORY], ..whole() });
    }

    #[test]
    fn what_every_record_has_is_damaged_when_it_is_missing_and_nothing_else_is() {
        for name in ATTRIBUTES.into_iter().filter(|name| *name != DAY) {
            let mut item = item();
            item.remove(name);
            let is_damage = [STATE, ATTEMPTS, DEADLINE].contains(&name);
            let damaged = is_damage.then_some(name).into_iter().collect();
            assert_eq!(Record::read(&item), Record { damaged, ..without(whole(), name) }, "{name}");
        }
        let mut done = item();
        done.insert(STATE.to_owned(), text("done"));
        done.remove(DEADLINE);
        assert!(Record::read(&done).damaged.is_empty(), "what is over has no deadline");
    }

    fn values() -> impl Strategy<Value = AttributeValue> {
        let leaf = prop_oneof![
            any::<String>().prop_map(AttributeValue::S),
            "-?[0-9]{1,40}(\\.[0-9]{1,5})?".prop_map(AttributeValue::N),
            any::<bool>().prop_map(AttributeValue::Bool),
            Just(AttributeValue::Null(true)),
            vec(any::<String>(), 0..4).prop_map(AttributeValue::Ss),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            let names = prop_oneof!["attempt|began_at|ended_at|outcome|reason|next_at", any::<String>()];
            prop_oneof![
                vec(inner.clone(), 0..4).prop_map(AttributeValue::L),
                hash_map(names, inner, 0..4).prop_map(AttributeValue::M),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_item_is_read_and_what_is_damaged_has_a_name_of_ours(
            item in hash_map(proptest::sample::select(ATTRIBUTES.to_vec()).prop_map(str::to_owned), values(), 0..24),
        ) {
            let record = Record::read(&item);
            prop_assert!(record.damaged.iter().all(|name| ATTRIBUTES.contains(name)));
            prop_assert!(record.effects.len() <= 4 && record.history.len() <= 4);
        }
    }

    #[test]
    fn an_event_is_claimed_as_long_as_lambda_may_work_on_it() {
        let now = Timestamp::UNIX_EPOCH;
        let is_claimed = |seconds| {
            let deadline = now.checked_add(SignedDuration::from_secs(seconds)).ok();
            Record { deadline, ..Record::default() }.is_claimed_at(now)
        };
        assert_eq!([-1, 0, 900, 901].map(is_claimed), [false, true, true, false]);
        assert!(!Record::default().is_claimed_at(now));
    }

    #[test]
    fn what_waits_is_tried_again_at_its_deadline_and_nothing_else_is() {
        let deadline = Some(Timestamp::UNIX_EPOCH);
        for state in State::KNOWN {
            let waits = ["released", "misconfigured", "deferred"].contains(&state.as_str());
            let record = Record { state: Some(state), deadline, ..Record::default() };
            assert_eq!(record.next_at(), deadline.filter(|_| waits), "{record:?}");
        }
    }
}
