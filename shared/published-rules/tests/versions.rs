//! Versions of the rules: publishing them, and how a running function follows them.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

mod doubles;

use doubles::Obstinate;
use jiff::{SignedDuration, Timestamp};
use published_rules::{
    InForce, Publication, PublishError, PublishedRules, RulesInForce, Source, TEXT_LIMIT_BYTES, Version,
};
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
    after: Option<&InForce>,
) -> Result<Version, PublishError> {
    let publication = Publication { text, source: Source::RulesDeploy, published_by: "ana.ruiz", at: now() };
    published.publish(&publication, after).await
}

/// Writes what no publisher writes.
async fn damage(records: &MemoryRecords, partition: &str, sort: &str, text: &str) {
    let key = Key { partition: partition.to_owned(), sort: sort.to_owned() };
    let write = Write { text: text.to_owned(), expires_at: after(1_000_000), due: None, is_active: false };
    records.commit(&[Change { key, expected: None, write: Some(write) }]).await.unwrap();
}

/// The version in force.
async fn current(published: &PublishedRules) -> Option<Version> {
    match published.in_force().await.unwrap() {
        InForce::Version(version, _) => Some(*version),
        InForce::Nothing | InForce::Damaged(..) => None,
    }
}

/// The numbers of the versions, newest first.
async fn numbers(published: &PublishedRules) -> Vec<u64> {
    let mut history = published.history();
    let mut numbers = Vec::new();
    while let Some(version) = history.next().await.unwrap() {
        numbers.push(version.number);
    }
    numbers
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
    assert!(current(&published).await.is_none());
    for number in 1..=3 {
        let version = publish(&published, &with_rules(number), None).await.unwrap();
        assert_eq!(version.number, u64::try_from(number).unwrap());
    }
    assert_eq!(current(&published).await.unwrap().text, with_rules(3));
    assert_eq!(numbers(&published).await, [3, 2, 1]);
    assert_eq!(published.version(2).await.unwrap().unwrap().text, with_rules(2));
}

// 15-B18
#[tokio::test]
async fn of_two_publishers_who_saw_the_same_version_one_is_refused() {
    // Both have read before one writes.
    let (records, published) = Obstinate::start();
    publish(&published, RULES, Some(&InForce::Nothing)).await.unwrap();
    let seen = published.in_force().await.unwrap();
    let texts = [with_rules(2), with_rules(3)];
    records.wait_for(2);
    let (one, other) = tokio::join!(
        publish(&published, &texts[0], Some(&seen)),
        publish(&published, &texts[1], Some(&seen))
    );
    let results = [one, other];
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    assert!(results.iter().any(|result| matches!(result, Err(PublishError::Conflict))), "{results:?}");
    assert_eq!(numbers(&published).await, [2, 1]);
}

// 15-B20
#[tokio::test]
async fn an_author_who_saw_a_damaged_version_replaces_that_one_and_no_newer_one() {
    let (records, published) = start();
    publish(&published, RULES, None).await.unwrap();
    damage(&records, "rules#current", "-", "no version").await;
    let seen = published.in_force().await.unwrap();
    assert!(matches!(seen, InForce::Damaged(..)), "{seen:?}");
    publish(&published, &with_rules(2), None).await.unwrap();
    let late = publish(&published, &with_rules(3), Some(&seen)).await;
    assert!(matches!(late, Err(PublishError::Conflict)), "{late:?}");
    damage(&records, "rules#current", "-", "no version").await;
    let seen = published.in_force().await.unwrap();
    assert_eq!(publish(&published, &with_rules(3), Some(&seen)).await.unwrap().number, 3);
}

// 15-B21
#[tokio::test]
async fn a_publication_whose_answer_is_lost_is_published_once_and_says_so() {
    for as_conflict in [false, true] {
        let (records, published) = Obstinate::start();
        publish(&published, RULES, None).await.unwrap();
        let seen = published.in_force().await.unwrap();
        for (number, after) in [(2, Some(&seen)), (3, None)] {
            records.lose_answer(as_conflict);
            let version = publish(&published, &with_rules(number), after).await.unwrap();
            assert_eq!(version.text, with_rules(number));
            assert_eq!(current(&published).await, Some(version));
        }
        assert_eq!(numbers(&published).await, [3, 2, 1]);
    }
}

// 15-B8
#[tokio::test]
async fn a_version_in_force_that_is_missing_begins_no_new_count_and_stops_no_function() {
    let (records, published) = start();
    for number in 1..=2 {
        publish(&published, &with_rules(number), None).await.unwrap();
    }
    // As after a restore that brought the history alone.
    let restored = Arc::<MemoryRecords>::default();
    for (sort, record) in records.list("rules#history").await.unwrap() {
        damage(&restored, "rules#history", &sort, &record.text).await;
    }
    damage(&restored, "rules#history", "00000007", "no version").await;
    let published = PublishedRules::new(restored);
    let rules = in_force(&published);
    rules.refresh(now()).await;
    assert_eq!(count(&rules), Some(2), "the newest that can be read");
    let next = publish(&published, &with_rules(3), Some(&InForce::Nothing)).await.unwrap();
    assert_eq!(next.number, 8, "a damaged one has its number too");
    assert_eq!(numbers(&published).await, [8, 2, 1]);
    assert_eq!(published.version(2).await.unwrap().unwrap().text, with_rules(2));
    rules.refresh(after(60)).await;
    assert_eq!(count(&rules), Some(3));
}

// 15-B6
#[tokio::test]
async fn a_version_with_settings_that_this_workflow_cannot_use_leaves_the_last_good_one_in_force() {
    let wrong = |version: &Version| {
        let form = version.form.replace("channel", "chanel");
        assert_ne!(form, version.form);
        serde_json::to_string(&Version { number: version.number + 1, form, ..version.clone() }).unwrap()
    };
    let (records, published) = start();
    let good = publish(&published, &with_rules(1), None).await.unwrap();
    let running = in_force(&published);
    running.refresh(now()).await;
    damage(&records, "rules#current", "-", &wrong(&good)).await;
    let fresh = in_force(&published);
    let other = RulesInForce::new("update-broadcast", published.clone(), None);
    for rules in [&running, &fresh, &other] {
        rules.refresh(after(60)).await;
        assert_eq!(count(rules), Some(1));
    }
    let has_good =
        |rules: &RulesInForce| rules.loaded().current().unwrap().check_workflow("notify-slack").is_ok();
    assert!(has_good(&running), "in memory");
    assert!(has_good(&fresh), "at a cold start, from the history");
    assert!(!has_good(&other), "they are no concern of another workflow");

    // Where there is no good one, rules with mistakes are better than none, until there is a good one.
    let (records, published) = start();
    damage(&records, "rules#current", "-", &wrong(&good)).await;
    let rules = in_force(&published);
    rules.refresh(now()).await;
    assert!(!has_good(&rules));
    publish(&published, &with_rules(2), None).await.unwrap();
    rules.refresh(after(60)).await;
    assert!(has_good(&rules));
    assert_eq!(count(&rules), Some(2));
}

// 15-B9
#[tokio::test]
async fn a_function_looks_again_after_seconds_when_the_table_did_not_answer() {
    let (records, published) = Obstinate::start();
    publish(&published, &with_rules(1), None).await.unwrap();
    let rules = in_force(&published);
    rules.refresh(now()).await;
    publish(&published, &with_rules(2), None).await.unwrap();
    records.fail_load();
    rules.refresh(after(46)).await;
    assert_eq!(count(&rules), Some(1), "the ones of before count");
    rules.refresh(after(52)).await;
    assert_eq!(count(&rules), Some(2));
}

// 15-B15
#[tokio::test]
async fn a_cold_start_reads_no_more_of_the_history_than_it_needs() {
    let (records, published) = Obstinate::start();
    for number in 1..=40 {
        publish(&published, &with_rules(number), None).await.unwrap();
    }
    damage(&records.records, "rules#current", "-", "no version").await;
    let before = records.listed();
    let rules = in_force(&published);
    rules.refresh(now()).await;
    assert_eq!(count(&rules), Some(40));
    assert_eq!(records.listed() - before, 1, "records of the history");
}

// 15-B15
#[tokio::test]
async fn a_version_ends_a_year_after_it_was_replaced_and_the_one_in_force_does_not() {
    let (records, published) = Obstinate::start();
    for number in 1..=3 {
        publish(&published, &with_rules(number), None).await.unwrap();
    }
    let year = after(365 * 86_400);
    for (sort, ends) in [("00000001", true), ("00000002", true), ("00000003", false), ("-", false)] {
        let at = records.expires_at(sort);
        assert_eq!(at == year, ends, "{sort}: {at}");
        assert!(ends || at > after(50 * 365 * 86_400), "{sort}: {at}");
    }
}

// 15-B16
#[tokio::test]
async fn what_does_not_fit_into_the_table_is_refused_with_its_sizes() {
    let quotes = format!("{RULES}# {}\n", "\"".repeat(149_000));
    let tags = vec!["ab"; 49_000].join(",");
    let items = format!(
        "{}\n",
        RULES.trim_end().replace("do:", &format!("where: {{ tags: {{ any: [{tags}] }} }}, do:"))
    );
    for text in [&quotes, &items] {
        assert!(text.len() <= TEXT_LIMIT_BYTES, "{}", text.len());
        let (_, published) = start();
        match publish(&published, text, None).await {
            // What is stored is within the table's limit.
            Ok(version) => assert!(serde_json::to_string(&version).unwrap().len() <= 390_000),
            Err(error) => {
                let said = error.to_string();
                let PublishError::TooLarge { bytes, stored } = error else { panic!("{said}") };
                assert!(bytes == text.len() && stored > 390_000, "{said}");
                assert!(said.contains(&stored.to_string()) && said.contains("390000"), "{said}");
                assert!(current(&published).await.is_none());
            }
        }
    }
    let (_, published) = start();
    let refused = publish(&published, &items, None).await;
    assert!(matches!(refused, Err(PublishError::TooLarge { .. })), "many short items");
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
    assert!(matches!(large, PublishError::TooLarge { bytes, .. } if bytes > TEXT_LIMIT_BYTES), "{large:?}");
    let current = current(&published).await.unwrap();
    assert_eq!((current.number, current.text.as_str()), (1, RULES));
    assert_eq!(numbers(&published).await, [1]);
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
