//! Versions of the rules: publishing them, and how a running function follows them.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use jiff::{SignedDuration, Timestamp};
use published_rules::{PublishError, PublishedRules, RulesInForce, Source, TEXT_LIMIT_BYTES, Version};
use std::sync::Arc;
use store::records::{Change, Key, MemoryRecords, Records, Write};

const RULES: &str =
    "rules: [{ name: all, on: [WorkbookCreated], do: [{ notify-slack: { channel: one } }] }]\n";

fn now() -> Timestamp {
    "2026-11-28T10:00:00Z".parse().unwrap()
}

fn after(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

fn with_rules(count: usize) -> String {
    let rule = |at| {
        format!(
            "  - {{ name: r{at}, on: [WorkbookCreated], do: [{{ notify-slack: {{ channel: one }} }}] }}\n"
        )
    };
    format!("rules:\n{}", (0..count).map(rule).collect::<String>())
}

fn start() -> (Arc<MemoryRecords>, PublishedRules) {
    let records = Arc::<MemoryRecords>::default();
    (Arc::clone(&records), PublishedRules::new(records))
}

async fn publish(
    published: &PublishedRules,
    text: &str,
    after: Option<u64>,
) -> Result<Version, PublishError> {
    published.publish(text, Source::RulesDeploy, "someone", after, now()).await
}

/// Writes what no publisher writes.
async fn damage(records: &MemoryRecords, partition: &str, sort: &str, text: &str) {
    let key = Key { partition: partition.to_owned(), sort: sort.to_owned() };
    let write = Write { text: text.to_owned(), expires_at: after(1_000_000), due: None, is_active: false };
    records.commit(&[Change { key, expected: None, write: Some(write) }]).await.unwrap();
}

fn in_force(published: &PublishedRules) -> RulesInForce {
    RulesInForce::new("notify-slack", published.clone(), None)
}

fn count(rules: &RulesInForce) -> Option<usize> {
    rules.loaded().current().ok().map(|rules| rules.len())
}

// 15-3
#[tokio::test]
async fn each_publish_is_the_next_version_and_the_history_keeps_all() {
    let (_, published) = start();
    assert!(published.current().await.unwrap().is_none());
    for number in 1..=3 {
        let version = publish(&published, &with_rules(number), None).await.unwrap();
        assert_eq!(version.number, u64::try_from(number).unwrap());
    }
    assert_eq!(published.current().await.unwrap().unwrap().text, with_rules(3));
    let numbers: Vec<u64> = published.history().await.unwrap().iter().map(|version| version.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!(published.version(2).await.unwrap().unwrap().text, with_rules(2));
}

// 15-3
#[tokio::test]
async fn of_two_publishers_who_saw_the_same_version_one_is_refused() {
    let (_, published) = start();
    publish(&published, RULES, Some(0)).await.unwrap();
    let texts = [with_rules(2), with_rules(3)];
    let (one, other) =
        tokio::join!(publish(&published, &texts[0], Some(1)), publish(&published, &texts[1], Some(1)));
    let results = [one, other];
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    assert!(results.iter().any(|result| matches!(result, Err(PublishError::Conflict))), "{results:?}");
    assert_eq!(published.history().await.unwrap().len(), 2);
}

// 15-3
#[tokio::test]
async fn a_file_with_mistakes_or_over_the_limit_writes_nothing() {
    let (_, published) = start();
    publish(&published, RULES, None).await.unwrap();
    let broken = publish(&published, "rules: [{ name: x, no: [Y] }]\n", None).await.unwrap_err();
    assert!(matches!(broken, PublishError::Rules(_)), "{broken:?}");
    let large = format!("{RULES}# {}\n", "x".repeat(TEXT_LIMIT_BYTES));
    let large = publish(&published, &large, None).await.unwrap_err();
    assert!(matches!(large, PublishError::TooLarge { bytes } if bytes > TEXT_LIMIT_BYTES), "{large:?}");
    let current = published.current().await.unwrap().unwrap();
    assert_eq!((current.number, current.text.as_str()), (1, RULES));
    assert_eq!(published.history().await.unwrap().len(), 1);
}

// 15-3
#[tokio::test]
async fn a_file_of_the_largest_size_is_published_and_read() {
    let (_, published) = start();
    let comment = TEXT_LIMIT_BYTES - RULES.len() - 3;
    let text = format!("{RULES}# {}\n", "x".repeat(comment));
    assert_eq!(text.len(), TEXT_LIMIT_BYTES);
    publish(&published, &text, None).await.unwrap();
    let rules = in_force(&published);
    rules.refresh(now()).await;
    assert_eq!(count(&rules), Some(1));
}

// 15-3
#[tokio::test]
async fn a_new_version_is_used_within_a_minute_and_not_asked_for_with_each_event() {
    let (_, published) = start();
    publish(&published, &with_rules(1), None).await.unwrap();
    let rules = in_force(&published);
    let loaded = rules.loaded();
    rules.refresh(now()).await;
    assert_eq!(count(&rules), Some(1));
    publish(&published, &with_rules(2), None).await.unwrap();
    rules.refresh(after(44)).await;
    assert_eq!(count(&rules), Some(1), "what was read counts for a while");
    rules.refresh(after(60)).await;
    assert_eq!(loaded.current().unwrap().len(), 2, "all parts of the function have them");
}

// 15-3
#[tokio::test]
async fn a_version_that_cannot_be_read_leaves_the_last_good_one_in_force_until_there_is_another() {
    for text in ["no version", r#"{"number":2}"#] {
        let (records, published) = start();
        publish(&published, &with_rules(1), None).await.unwrap();
        let running = in_force(&published);
        running.refresh(now()).await;
        damage(&records, "rules#current", "-", text).await;
        running.refresh(after(60)).await;
        assert_eq!(count(&running), Some(1), "in memory");
        let fresh = in_force(&published);
        fresh.refresh(after(60)).await;
        assert_eq!(count(&fresh), Some(1), "at a cold start, from the history");
        let repaired = publish(&published, &with_rules(3), None).await.unwrap();
        assert!(repaired.number > 1);
        for rules in [&running, &fresh] {
            rules.refresh(after(120)).await;
            assert_eq!(count(rules), Some(3));
        }
    }
}

// 15-3
#[tokio::test]
async fn without_a_version_that_can_be_read_there_are_no_rules_and_the_reason_says_what_to_run() {
    let (records, published) = start();
    let rules = in_force(&published);
    assert!(count(&rules).is_none(), "nothing was read yet");
    rules.refresh(now()).await;
    let reason = rules.loaded().current().unwrap_err().to_string();
    assert!(reason.contains("rules deploy"), "{reason}");
    damage(&records, "rules#current", "-", "no version").await;
    damage(&records, "rules#history", "00000001", "no version").await;
    rules.refresh(after(6)).await;
    let reason = rules.loaded().current().unwrap_err().to_string();
    assert!(reason.contains("rules deploy"), "{reason}");
    publish(&published, RULES, None).await.unwrap();
    rules.refresh(after(12)).await;
    assert_eq!(count(&rules), Some(1), "a function without rules looks again after seconds");
}
