//! Many objects that begin to fail together.

use crate::world::{By, FAILED, RULES, SUCCEEDED, World};
use jiff::{SignedDuration, Timestamp};
use testkit::simulator::{Datasource, notes, render};

#[tokio::test]
async fn a_storm_of_five_hundred_failures_is_three_messages_and_accounts_for_each() {
    for (by, count) in [(By::BotToken, 500), (By::WebhookUrls, 150)] {
        let world = World::start(by, RULES).await;
        world.tableau.clear_faults();
        let names: Vec<String> = (0..count).map(|n| format!("Sales of region {n:03}")).collect();
        let luids: Vec<_> = names.iter().map(|name| world.tableau.add(Datasource::named(name))).collect();
        for luid in &luids {
            world.tableau.fail_refresh(luid, notes::SNOWFLAKE_LOGIN).unwrap();
        }
        // After the jobs have ended.
        let now = Timestamp::now() + SignedDuration::from_secs(1);
        let storm = luids.iter().zip(&names).zip(0_i64..).map(|((luid, name), n)| {
            let happened = now + SignedDuration::from_millis(n * 120);
            (happened, world.named_event(FAILED, luid.as_str(), name, happened))
        });
        let storm: Vec<_> = storm.collect();

        let (end, attempts) = world.run(storm.clone()).await;

        let told = world.new_messages();
        assert_eq!(told.len(), 2, "{by:?}: {}", told.join("\n---\n"));
        let seconds = end.duration_since(now).as_secs();
        assert!(seconds < 300, "{by:?}: all is told after {seconds} s");
        let last = world.said().iter().rev().map(render).next().unwrap();
        assert!(last.contains(&format!("{count} extract refreshes failed")), "{last}");
        assert!(last.contains(&format!("Credentials refused – {count}")), "{last}");
        let named = names.iter().filter(|name| last.contains(*name)).count();
        let more = last.split("… and ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
        assert_eq!(named + more.unwrap_or(0), count, "{last}");

        let recovery = storm.iter().zip(0_i64..).map(|((_, event), n)| {
            let happened = end + SignedDuration::from_secs(600) + SignedDuration::from_millis(n * 50);
            (happened, world.event(SUCCEEDED, event.subject.luid(), happened))
        });
        world.run(recovery.collect()).await;
        let told = world.new_messages();
        assert_eq!(told.len(), 3, "{by:?}: {}", told.join("\n---\n"));
        assert!(told[2].contains(&format!("All {count} recovered after")), "{}", told[2]);
        println!(
            "{by:?}: {count} failures, {} messages, {} changes, {attempts} attempts",
            told.len(),
            world.said().len() - told.len()
        );
    }
}
