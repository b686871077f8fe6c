//! The record of an event in DynamoDB: for operators, for the history, and after an operator changed it.

use super::{at, claim, claimant, end, granted, key, progress};
use deliveries::{Claim, ClaimStore, DynamoDbClaims, Effect, End, Ended, EventFacts, Records};
use local_aws::Aws;
use testkit::dynamodb::client as dynamodb;

#[tokio::test]
async fn a_record_says_when_the_next_attempt_is_due_as_long_as_there_is_one() {
    let aws = Aws::start().await.unwrap();
    testkit::dynamodb::create_table(&aws, "deliveries");
    let store = DynamoDbClaims::new(dynamodb(&aws), "deliveries");
    let key = key();
    let next = |next_at: Option<i64>| {
        let due = next_at.map(|next_at| at(next_at).as_millisecond().to_string());
        let item = &aws.items("deliveries")[0];
        assert_eq!(item["deadline_ms"]["N"].as_str(), due.as_deref());
    };
    for (attempt, end, next_at) in [
        (1, End::Deferred("until the morning".to_owned()), Some(900)),
        (2, End::Released("Slack is down".to_owned()), Some(300)),
        (3, End::Released("Slack is down".to_owned()), None),
        (4, End::Released("Slack is down".to_owned()), Some(400)),
        (5, End::Done, None),
    ] {
        // Long before the event is due: SQS may deliver a message early.
        let now = i64::from(attempt) * 10;
        assert_eq!(progress(&store, &key, now).await.0, attempt);
        let ended =
            Ended { attempt, began: at(now), at: at(now + 1), end, next_at: next_at.map(at), cause: None };
        store.end(&key, &ended).await.unwrap();
        next(next_at);
    }
    let history = &aws.items("deliveries")[0]["history"]["L"];
    assert_eq!(history[0]["M"]["next_at"]["S"], format!("{:.3}", at(900)));
    assert!(history[4]["M"].get("next_at").is_none());
}

#[tokio::test]
async fn an_event_that_a_person_dropped_is_claimed_again_as_one_that_failed() {
    let aws = Aws::start().await.unwrap();
    testkit::dynamodb::create_table(&aws, "deliveries");
    let client = dynamodb(&aws);
    let store = DynamoDbClaims::new(client.clone(), "deliveries");
    let key = key();
    claim(&store, &key, 0).await;
    store.record_effect(&key, 1, &Effect::from("slack/a")).await.unwrap();
    end(&store, &key, 1, End::Failed("no such channel".to_owned()), 1).await.unwrap();
    assert!(Records::new(client, "deliveries").mark_dropped(&key, 1, at(1)).await.unwrap());

    assert_eq!(claim(&store, &key, 2).await, granted(2, &["slack/a"]));
    assert_eq!(claim(&store, &key, 3).await, Claim::Busy { until: at(62) });
    end(&store, &key, 2, End::Done, 4).await.unwrap();
    assert_eq!(claim(&store, &key, 5).await, Claim::Finished);
}

#[tokio::test]
async fn a_record_names_its_event_for_people_and_expires() {
    let aws = Aws::start().await.unwrap();
    testkit::dynamodb::create_table(&aws, "deliveries");
    let store = DynamoDbClaims::new(dynamodb(&aws), "deliveries");
    let key = key();
    let facts = EventFacts {
        name: "WorkbookUpdated".to_owned(),
        site: "s-1".to_owned(),
        resource: "w-1".to_owned(),
        resource_name: "Superstore".to_owned(),
        created_at: "2025-01-15T17:14:45Z".to_owned(),
        payload: r#"{"event_type":"WorkbookUpdated"}"#.to_owned(),
    };
    store.claim(&key, &facts, &claimant(-90, -30)).await.unwrap();
    end(&store, &key, 1, End::Released("Slack is down".to_owned()), -60).await.unwrap();
    // The worker of the second attempt dies.
    store.claim(&key, &facts, &claimant(-40, -30)).await.unwrap();
    store.claim(&key, &facts, &claimant(0, 60)).await.unwrap();
    end(&store, &key, 3, End::Skipped("no rule".to_owned()), 1).await.unwrap();

    let item = &aws.items("deliveries")[0];

    assert_eq!(item["pk"]["S"], key.to_string());
    for (attribute, value) in [
        ("event_name", "WorkbookUpdated"),
        ("site", "s-1"),
        ("resource", "w-1"),
        ("resource_name", "Superstore"),
        ("state", "skipped"),
        ("reason", "no rule"),
        ("created_at", "2025-01-15T17:14:45Z"),
        ("payload", r#"{"event_type":"WorkbookUpdated"}"#),
        ("workflow", "notify-slack"),
        ("event_id", key.event.as_str()),
        ("day", "2025-01-15"),
        ("first_seen_at", "2025-01-15T17:13:15.000Z"),
        ("updated_at", "2025-01-15T17:14:46.000Z"),
    ] {
        assert_eq!(item[attribute]["S"], value, "{attribute}");
    }
    let history = item["history"]["L"].as_array().unwrap().iter();
    let history: Vec<_> = history
        .map(|attempt| &attempt["M"])
        .map(|attempt| (&attempt["attempt"]["N"], &attempt["outcome"]["S"], &attempt["reason"]["S"]))
        .map(|(attempt, outcome, reason)| format!("{attempt} {outcome} {reason}"))
        .collect();
    assert_eq!(history, [r#""1" "released" "Slack is down""#, r#""3" "skipped" "no rule""#]);
    assert_eq!(item["expires_at"]["N"], (at(1).as_second() + 30 * 24 * 60 * 60).to_string());
}
