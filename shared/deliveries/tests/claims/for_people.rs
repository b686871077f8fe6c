//! Delivery records as operators see and change them, and the cost of a delivery.

use super::{at, claimant, end, key};
use aws_sdk_dynamodb::types::AttributeValue;
use deliveries::{
    Causes, ClaimStore, DeliveryKey, DynamoDbClaims, Effect, End, Ended, Entry, EventFacts, INDEX,
    INDEX_CARRIES, INDEX_KEYS, KEPT, Record, Records, State,
};
use local_aws::{Aws, Fault, IndexSpec, KeyAttribute, KeySchema, TableSpec};
use std::collections::{BTreeMap, BTreeSet};
use testkit::dynamodb::{Emulator, client as dynamodb};

/// The table of deliveries with the index of the template.
async fn table() -> Aws {
    let aws = Aws::start().await.unwrap();
    let index = IndexSpec {
        key: KeySchema {
            partition: KeyAttribute::string(INDEX_KEYS[0]),
            sort: Some(KeyAttribute::string(INDEX_KEYS[1])),
        },
        carries: Some(INDEX_CARRIES.map(str::to_owned).into()),
    };
    aws.create_table_with(TableSpec {
        name: "deliveries".to_owned(),
        key: KeySchema { partition: KeyAttribute::string("pk"), sort: Some(KeyAttribute::string("sk")) },
        indexes: BTreeMap::from([(INDEX.to_owned(), index)]),
    });
    aws
}

#[tokio::test]
async fn a_record_is_read_as_its_moves_wrote_it_and_the_index_has_what_it_carries() {
    let aws = table().await;
    let store = DynamoDbClaims::new(dynamodb(&aws), "deliveries");
    let records = Records::new(dynamodb(&aws), "deliveries");
    let key = key();
    let event = EventFacts {
        name: "WorkbookUpdated".to_owned(),
        site: "s-1".to_owned(),
        resource: "w-1".to_owned(),
        resource_name: "Superstore".to_owned(),
        created_at: "2025-01-15T17:14:45Z".to_owned(),
        payload: r#"{"event_type":"WorkbookUpdated"}"#.to_owned(),
    };
    let effects = ["slack/data-alerts", "digest/data-night/2025-01-16T06:00:00Z", "of another version"];
    let second = claimant(20, 80);
    store.claim(&key, &event, &claimant(0, 60)).await.unwrap();
    end(&store, &key, 1, End::Deferred("quiet hours".to_owned()), 10).await.unwrap();
    store.claim(&key, &event, &second).await.unwrap();
    for effect in effects.map(Effect::from) {
        store.record_effect(&key, 2, &effect).await.unwrap();
    }
    let ended = Ended {
        attempt: 2,
        began: at(20),
        at: at(30),
        end: End::Released("Slack is down".to_owned()),
        next_at: Some(at(45)),
        cause: Some("Quota".to_owned()),
    };
    store.end(&key, &ended).await.unwrap();

    let entry = |attempt, began, ended, outcome, reason: &str, next_at: Option<i64>| Entry {
        attempt,
        began_at: Some(at(began)),
        ended_at: Some(at(ended)),
        outcome: Some(outcome),
        reason: reason.to_owned(),
        next_at: next_at.map(at),
    };
    let whole = Record {
        key: Some(key.clone()),
        workflow: "notify-slack".to_owned(),
        event_id: key.event.to_string(),
        event,
        first_seen_at: Some(at(0)),
        updated_at: Some(at(30)),
        expires_at: at(30).checked_add(KEPT).ok(),
        state: Some(State::Released),
        owner: second.owner,
        deadline: Some(at(45)),
        attempts: 2,
        last_reason: "Slack is down".to_owned(),
        effects: effects.map(Effect::from).into(),
        failures: 1,
        deferrals: 1,
        misconfigured_since: None,
        cause: "Quota".to_owned(),
        history: vec![
            entry(1, 9, 10, State::Deferred, "quiet hours", None),
            entry(2, 20, 30, State::Released, "Slack is down", Some(45)),
        ],
        damaged: Vec::new(),
    };
    assert_eq!(records.get(&key).await.unwrap(), Some(whole.clone()));
    let carried = Record {
        event: EventFacts { payload: String::new(), ..whole.event.clone() },
        expires_at: None,
        owner: String::new(),
        effects: [].into(),
        failures: 0,
        deferrals: 0,
        cause: String::new(),
        history: Vec::new(),
        ..whole
    };
    let mut walk = records.back(at(-60), at(60));
    let mut found = Vec::new();
    while let Some(some) = walk.next(None).await.unwrap() {
        found.extend(some);
    }
    assert_eq!(found, [carried]);
}

#[tokio::test]
async fn records_come_forward_over_days_and_pages_in_the_order_that_is_the_reverse_of_back() {
    let aws = table().await;
    let store = DynamoDbClaims::new(dynamodb(&aws), "deliveries");
    let records = Records::new(dynamodb(&aws), "deliveries");
    let mut keys = BTreeSet::new();
    // Five hours apart: three days.
    for n in 0..12 {
        let key = key();
        let begins = n * 5 * 3_600;
        store.claim(&key, &EventFacts::default(), &claimant(begins, begins + 60)).await.unwrap();
        keys.insert(key);
    }
    let (since, until) = (at(0), at(11 * 5 * 3_600));
    let mut found = [Vec::new(), Vec::new()];
    for (walk, found) in
        [records.back(since, until), records.forward(since, until)].iter_mut().zip(&mut found)
    {
        while let Some(some) = walk.next(Some(2)).await.unwrap() {
            found.extend(some.into_iter().map(|record| (record.first_seen_at, record.key)));
        }
    }
    let [mut back, forward] = found;
    back.reverse();
    assert_eq!((forward.len(), &forward), (12, &back));
    assert!(forward.is_sorted_by_key(|(at, _)| *at));
    let mut inside = records.forward(at(1), at(11 * 5 * 3_600 - 1));
    let mut count = 0;
    while let Some(some) = inside.next(None).await.unwrap() {
        count += some.len();
    }
    assert_eq!(count, 10);
    assert!(records.forward(until, since).next(None).await.unwrap().is_none());

    let whole = records.whole(&keys).await.unwrap();
    assert_eq!((whole.records.len(), whole.left_out.len()), (12, 0));
    assert!(whole.records.iter().all(|record| !record.owner.is_empty()), "with what the index lacks");
}

#[tokio::test]
async fn the_causes_of_many_records_are_read_a_hundred_at_a_time_and_what_is_left_out_is_named() {
    let aws = table().await;
    let store = DynamoDbClaims::new(dynamodb(&aws), "deliveries");
    let records = Records::new(dynamodb(&aws), "deliveries");
    let keys: BTreeSet<DeliveryKey> = (0..102).map(|_| key()).collect();
    let with_cause = keys.iter().next().unwrap();
    for (key, cause) in [(with_cause, Some("Busy")), (keys.iter().nth(1).unwrap(), None)] {
        store.claim(key, &EventFacts::default(), &claimant(0, 60)).await.unwrap();
        let cause = cause.map(str::to_owned);
        let ended = Ended { attempt: 1, began: at(0), at: at(1), end: End::Done, next_at: None, cause };
        store.end(key, &ended).await.unwrap();
    }

    let read = records.causes(&keys).await.unwrap();
    let found = BTreeMap::from([(with_cause.clone(), "Busy".to_owned())]);
    let rest: BTreeSet<DeliveryKey> = keys.iter().skip(100).cloned().collect();
    assert_eq!(read, Causes { found: found.clone(), left_out: rest.clone() });

    // A busy table leaves out a key.
    aws.fail_next("DynamoDB.BatchGetItem", 1, Fault::PartialFailure);
    let busy = records.causes(&keys).await.unwrap();
    assert_eq!((busy.found.len(), busy.left_out.len()), (0, 3), "{busy:?}");
    assert!(busy.left_out.contains(with_cause) && busy.left_out.is_superset(&rest));
    assert_eq!(records.causes(&BTreeSet::new()).await.unwrap(), Causes::default());
}

// `drop` is one function, tested with the operations that it must not undo.
#[tokio::test]
async fn a_person_drops_what_failed_or_waits_as_long_as_no_worker_has_claimed_it_since() {
    let aws = table().await;
    drops_what_may_be_dropped(dynamodb(&aws), "deliveries").await;
}

#[tokio::test]
async fn a_person_drops_the_same_on_the_emulator() {
    let Some(emulator) = Emulator::with_table("records").await else { return };
    drops_what_may_be_dropped(dynamodb(&emulator.url), &emulator.table).await;
    emulator.delete_table().await;
}

async fn drops_what_may_be_dropped(client: aws_sdk_dynamodb::Client, table: &str) {
    let records = Records::new(client.clone(), table);
    let states = State::KNOWN.into_iter().chain([State::Other("of another version".to_owned())]);
    for state in states {
        for (attempts, seen) in [(2, 2), (3, 2)] {
            let key = key();
            let item = [
                ("pk", AttributeValue::S(key.to_string())),
                ("sk", AttributeValue::S("-".to_owned())),
                ("state", AttributeValue::S(state.to_string())),
                ("attempts", AttributeValue::N(attempts.to_string())),
                ("deadline_ms", AttributeValue::N(at(60).as_millisecond().to_string())),
                ("reason", AttributeValue::S("no such channel".to_owned())),
                ("effects", AttributeValue::Ss(vec!["slack/a".to_owned()])),
            ];
            let item = item.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            client.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
            let before = records.get(&key).await.unwrap().unwrap();

            let changed = records.mark_dropped(&key, seen, at(100)).await.unwrap();

            let may_be_dropped = matches!(state, State::Failed | State::Released | State::Misconfigured);
            assert_eq!(changed, may_be_dropped && attempts == seen, "{state}");
            let expected = if changed {
                Record {
                    state: Some(State::Dropped),
                    updated_at: Some(at(100)),
                    expires_at: at(100).checked_add(KEPT).ok(),
                    deadline: None,
                    ..before
                }
            } else {
                before
            };
            assert_eq!(records.get(&key).await.unwrap(), Some(expected), "{state}");
        }
    }
    let nowhere = key();
    assert!(!records.mark_dropped(&nowhere, 1, at(100)).await.unwrap());
    assert_eq!(records.get(&nowhere).await.unwrap(), None, "no record is made");
}
