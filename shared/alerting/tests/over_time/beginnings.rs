//! A destination that tells the beginning and the end of an incident or group, and nothing between, such as text messages.

use crate::environment::{Environment, FAILED, POSTS, SUCCEEDED};
use crate::incidents::{HOUR, NIGHT, each, run};
use crate::sweep::sweep_for;

const DAY: i64 = 24 * HOUR;

fn environment() -> Environment {
    let environment = Environment::new(POSTS);
    environment.channel(|channel| channel.tells_ends_only = true);
    environment
}

#[tokio::test(start_paused = true)]
async fn an_incident_of_two_days_has_two_messages_and_tableau_is_asked_once_a_day() {
    let mut environment = environment();
    for hour in 0..8 {
        environment.one(FAILED, "Sales", hour * HOUR).await;
    }
    sweep_for(&mut environment, 8..=50).await;
    assert_eq!(environment.headlines().len(), 1, "{:?}", environment.headlines());
    assert_eq!(environment.asked().last_refreshes, 2, "{:?}", environment.asked());
    environment.one(SUCCEEDED, "Sales", 51 * HOUR).await;
    let headlines = environment.headlines();
    assert_eq!(headlines.len(), 2, "{headlines:?}");
    assert!(headlines[1].starts_with("Recovered after 8 failures"), "{headlines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_success_whose_event_was_lost_still_ends_the_incident() {
    let mut environment = environment();
    environment.one(FAILED, "Sales", 0).await;
    environment.lost_success(2 * HOUR);
    environment.sweep(DAY + HOUR).await.unwrap();
    assert_eq!(environment.headlines().len(), 2, "{:?}", environment.headlines());
}

#[tokio::test(start_paused = true)]
async fn a_group_that_grows_and_lasts_has_one_message_when_it_opens_and_one_at_its_end() {
    let mut environment = environment();
    environment.one(FAILED, "object-000", 0).await;
    run(&mut environment, each(FAILED, 6, 0).into_iter().skip(1).collect()).await;
    let opened = environment.headlines();
    assert_eq!(opened.len(), 2, "the first failure, and the group: {opened:?}");
    // More join while the group takes members.
    let more = each(FAILED, 12, 45).into_iter().skip(6);
    run(&mut environment, more.collect()).await;
    sweep_for(&mut environment, 1..=50).await;
    let later = environment.headlines();
    assert!(later.len() <= opened.len() + 2, "{later:?}");
    assert!(later.iter().filter(|line| line.contains("extract refreshes fail")).count() <= 2, "{later:?}");
    run(&mut environment, each(SUCCEEDED, 12, 51 * HOUR)).await;
    let end = environment.headlines();
    assert!(end.iter().any(|line| line.starts_with("All ")), "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_goes_on_in_quiet_hours_is_no_digest_and_its_end_is_one() {
    let mut environment = environment();
    environment.rules(|rules| {
        rules.quiet = Some((crate::environment::at(NIGHT.0), crate::environment::at(NIGHT.1)))
    });
    environment.one(FAILED, "Sales", 0).await;
    for hour in 2..6 {
        environment.one(FAILED, "Sales", hour * HOUR).await;
    }
    sweep_for(&mut environment, 6..=20).await;
    assert_eq!(environment.headlines().len(), 1, "{:?}", environment.headlines());

    let mut environment = self::environment();
    environment.rules(|rules| {
        rules.quiet = Some((crate::environment::at(NIGHT.0), crate::environment::at(NIGHT.1)))
    });
    environment.one(FAILED, "Sales", 0).await;
    environment.one(SUCCEEDED, "Sales", 3 * HOUR).await;
    assert_eq!(environment.headlines().len(), 1, "{:?}", environment.headlines());
    sweep_for(&mut environment, 4..=20).await;
    assert_eq!(environment.headlines().len(), 2, "{:?}", environment.headlines());
}
