//! The real binary: events in, Adaptive Cards out.

use crate::support::{CARDS, assert_taken, event, failed, inline, message, queued, readable, start};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::simulator::{TeamsFault, notes, render_post};
use testkit::{Batch, Request, fixtures, repository};

// D001
#[tokio::test]
async fn a_failure_is_one_card_with_cause_owner_project_and_link_whatever_a_flow_says_with_success() {
    for fault in
        [None, Some((200, "1")), (Some((200, ""))), Some((204, "")), Some((202, "<html>posted</html>"))]
    {
        let environment = start(CARDS).await;
        let function = queued(&environment);
        if let Some((status, body)) = fault {
            environment.teams.fail_next(1, TeamsFault::Answers(status, body));
        }
        let event = failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN);

        assert_eq!(function.failures(&message(&event)).await, Vec::<String>::new());
        assert_eq!(function.failures(&message(&event)).await, Vec::<String>::new(), "a second delivery");

        let posts = environment.teams.posts();
        assert_eq!((posts.len(), environment.teams.calls()), (1, 1), "{fault:?}");
        assert_eq!(posts[0].channel, "finance");
        let text = render_post(&posts[0]);
        for part in [
            "🔴 Extract refresh failed: Sales Orders",
            "Cause – Credentials refused",
            "Next step – ",
            "Project  ",
            "@example.com",
            "[Open in Tableau] (https://",
        ] {
            assert!(text.contains(part), "no {part} in\n{text}");
        }
        assert_taken(&environment);
        environment.assert_no_secret_in(&function.logs());
    }
}

// D016, D017, D133
#[tokio::test]
async fn every_event_is_a_card_that_teams_shows() {
    let environment = start(CARDS).await;
    // In queue mode the second failure would wait for its group.
    let function = inline(&environment);
    let mut names: Vec<String> = std::fs::read_dir(repository::root().join("events/tableau"))
        .unwrap()
        .filter_map(|file| {
            file.unwrap().file_name().into_string().ok()?.strip_suffix(".json").map(str::to_owned)
        })
        .collect();
    assert_eq!(names.len(), 22);
    // The events are about the same objects: a start event after the end would be late.
    names.sort_by_key(|name| (!name.ends_with("started"), name.clone()));
    for name in &names {
        let event = fixtures::json(&format!("tableau/{name}.json"));
        let answer = function.answer(&Request::post(event.to_string())).await;
        assert_eq!(answer.body["status"], "done", "{name}");
    }
    // Two of the events resolve an incident, which is also announced in the channel of the failures.
    assert_eq!(environment.teams.posts().len(), 22 + 2);
    assert_taken(&environment);
    for post in environment.teams.posts() {
        let card = post.card().unwrap();
        assert_eq!((&card["type"], &card["version"]), (&json!("AdaptiveCard"), &json!("1.4")));
        let elements = card["body"].as_array().unwrap();
        assert!(
            elements.iter().all(|element| element["type"] != "ActionSet" && element["actions"].is_null())
        );
        if let Some(actions) = card.get("actions") {
            assert_eq!(actions[0]["type"], "Action.OpenUrl");
        }
    }
    environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn no_odd_payload_breaks_the_function_or_a_flow() {
    let environment = start(CARDS).await;
    let function = queued(&environment);
    for file in std::fs::read_dir(repository::root().join("events/tableau/odd")).unwrap() {
        let path = file.unwrap().path();
        let Ok(body) = String::from_utf8(std::fs::read(&path).unwrap()) else { continue };
        let failures = function.failures(&Batch::default().message(&body)).await;
        assert!(failures.is_empty(), "{}: {failures:?}", path.display());
    }
    assert_taken(&environment);
    assert!(
        environment.teams.posts().iter().all(|post| post.mentions().is_empty() || post.channel == "finance")
    );
}

// D028
#[tokio::test]
async fn a_name_with_signs_of_markdown_shows_as_it_is_and_its_link_is_not_escaped() {
    let environment = start(CARDS).await;
    let function = queued(&environment);
    let name = "sales_eu_west *2026* [x](y)";
    let luid = environment.tableau.add(testkit::simulator::Datasource::named(name));
    let mut event = event(&environment, "DatasourceUpdated", "Sales Orders");
    event["resource_luid"] = json!(luid.as_str());
    event["resource_name"] = json!(name);

    assert!(function.failures(&message(&event)).await.is_empty());

    let posts = environment.teams.posts();
    assert!(posts[0].title().ends_with(name), "{}", posts[0].title());
    let card = posts[0].card().unwrap();
    assert!(card.to_string().contains(r"sales\\_eu\\_west \\*2026\\* \\[x\\](y)"), "{card}");
    let url = card["actions"][0]["url"].as_str().unwrap();
    assert!(url.starts_with("https://") && !url.contains('\\'), "{url}");
    assert_taken(&environment);
}

// D076
#[tokio::test]
async fn an_owner_is_mentioned_by_an_entity_with_the_very_same_text_and_the_end_mentions_no_one() {
    let environment = start(CARDS).await;
    let function = queued(&environment);
    let event = failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN);
    assert!(function.failures(&message(&event)).await.is_empty());
    let first = &environment.teams.posts()[0];
    let mentioned = first.mentions();
    assert!(mentioned.len() == 1 && mentioned[0].ends_with("@example.com"), "{mentioned:?}");
    let entity = &first.card().unwrap()["msteams"]["entities"][0];
    let line = first.card().unwrap()["body"][1]["text"].as_str().unwrap();
    assert_eq!(entity["text"], line, "{entity}");
    assert_taken(&environment);

    environment.tableau.clock().advance(Duration::from_secs(600));
    let luid = environment.tableau.datasource("Sales Orders").unwrap();
    environment.tableau.succeed_refresh(&luid).unwrap();
    let success = crate::support::event(&environment, "DatasourceRefreshSucceeded", "Sales Orders");
    assert!(function.failures(&message(&success)).await.is_empty());
    let ends: Vec<_> =
        environment.teams.posts().into_iter().filter(|post| post.channel == "finance").collect();
    assert_eq!(ends.len(), 2, "{}", readable(&environment));
    // No edits: the message about the end names what it ends.
    assert!(ends[1].title().starts_with("✅ Recovered after "), "{}", ends[1].title());
    assert!(ends[1].title().ends_with(": Sales Orders"), "{}", ends[1].title());
    assert!(ends[1].mentions().is_empty());
    assert_taken(&environment);
}

#[tokio::test]
async fn the_fixture_for_a_local_invoke_is_a_post() {
    let environment = start(CARDS).await;
    let function = inline(&environment);
    let answer = function.answer_to(&fixtures::json("http/notify-teams.json")).await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("done")));
    assert_eq!(environment.teams.posts().len(), 1);
    let metrics = function.logs().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    let attempts = metrics.filter(|line| line["Attempts"] == 1.0 && line["workflow"] == "notify-teams");
    assert_eq!(attempts.count(), 1);
}
