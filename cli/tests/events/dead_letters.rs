//! The command `events dead-letters`.

use crate::delivery::{Delivery, HOUR, failed};
use crate::environment::{Environment, body, envelope, id, stderr, stdout};
use deliveries::End;
use local_aws::Fault;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Output, Stdio};
use std::time::Duration;

async fn letters(environment: &Environment, arguments: &[&str]) -> Output {
    environment.run(&[&["events", "dead-letters"], arguments].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_changes_nothing_and_is_for_people_or_for_programs() {
    let environment = Environment::start().await;
    environment.dead_letter("NotifySlackDeadLetters", &body("a"), "Slack: channel_not_found").await;
    environment.dead_letter("UpdateBroadcastDeadLetters", &envelope(&body("b")), "no").await;
    environment.dead_letter("UpdateBroadcastDeadLetters", "hunter2", "no").await;

    let table = letters(&environment, &["list", "--wide"]).await;
    let json = letters(&environment, &["list", "--json"]).await;
    let one = letters(&environment, &["list", id(&body("b")).short(), "--json"]).await;

    let shown = stdout(&table);
    assert!(shown.starts_with("WAITS FOR  WORKFLOW"), "{shown}");
    assert!(shown.ends_with("\n2 dead letters and 1 message that is not an event\n"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    let read = |output: &Output| -> Vec<Value> {
        stdout(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let all = read(&json);
    assert_eq!((all.len(), stderr(&json).as_str()), (3, ""));
    assert_eq!(
        (&all[0]["workflow"], &all[0]["reason"]),
        (&"notify-slack".into(), &"Slack: channel_not_found".into())
    );
    assert_eq!(all[0]["event_id"], id(&body("a")).as_str());
    assert_eq!(
        (&all[1]["event_name"], &all[1]["payload"]["resource_name"]),
        (&"SiteUpdated".into(), &"b".into())
    );
    assert_eq!(read(&one), all[1..2]);
    // A message that is no event has the same JSON fields, without anything from its body.
    let message_id = all[2]["message_id"].as_str().unwrap();
    assert!(shown.contains(&format!("message {message_id}  no event: body: not JSON")), "{shown}");
    let keys = |letter: &Value| letter.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&all[2]), keys(&all[0]));
    assert_eq!(all[2]["reason"], "no event: body: not JSON, at line 1, column 1: expected value (7 bytes)");
    assert_eq!((&all[2]["event_id"], &all[2]["payload"]), (&"".into(), &Value::Null));
    assert!(all[2]["waits_since"].is_string() && all[2]["workflow"] == "update-broadcast");
    assert!(!stdout(&json).contains("hunter2"), "{}", stdout(&json));
    assert_eq!(environment.bodies("NotifySlackDeadLetters"), [body("a")]);
    assert_eq!(environment.aws.calls("SQS.DeleteMessageBatch"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redrive_is_a_replay() {
    let environment = Environment::start().await;
    environment.dead_letter("NotifySlackDeadLetters", &body("a"), "no").await;
    let output = letters(&environment, &["redrive", "--since", "1h"]).await;
    assert!(stdout(&output).ends_with("\n1 event replayed\n"), "{}{}", stdout(&output), stderr(&output));
    assert_eq!(environment.bodies("NotifySlackQueue"), [body("a")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dropped_is_shown_whole_and_nothing_else_is_dropped() {
    let environment = Environment::start().await;
    for name in ["a", "b"] {
        environment.dead_letter("NotifySlackDeadLetters", &body(name), "Slack: channel_not_found").await;
    }
    environment.dead_letter("UpdateBroadcastDeadLetters", &envelope(&body("a")), "no").await;

    let output = letters(&environment, &["drop", id(&body("a")).as_str(), "--yes"]).await;

    let shown = stdout(&output);
    assert!(output.status.success(), "{shown}{}", stderr(&output));
    for part in ["notify-slack", "update-broadcast", id(&body("a")).short(), "\n  {\"resource\":\"SITE\","] {
        assert!(shown.contains(part), "no {part} in\n{shown}");
    }
    assert!(shown.ends_with("\n2 dead letters of 1 event dropped\n"), "{shown}");
    assert_eq!(environment.bodies("NotifySlackDeadLetters"), [body("b")]);
    assert!(
        environment.bodies("UpdateBroadcastDeadLetters").is_empty()
            && environment.bodies("NotifySlackQueue").is_empty()
    );
    // The messages are visible at once, before their visibility timeout ends.
    assert!(stdout(&letters(&environment, &["list"]).await).ends_with("\n1 dead letter\n"));
}

/// The message ids in the list of dead letters, in order, each with the reason.
async fn message_ids(environment: &Environment) -> Vec<(String, String)> {
    let listed = stdout(&letters(environment, &["list", "--json"]).await);
    let letters = listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    letters.map(|letter| (text(&letter["message_id"]), text(&letter["reason"]))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_no_event_is_dropped_by_its_id_and_shown_whole() {
    let environment = Environment::start().await;
    let foreign = [
        "hunter2",
        "{}",
        "[1]",
        r#"{"event_type":7}"#,
        r#"{"source":"aws.s3","detail-type":"Object Created","detail":{"key":"a"}}"#,
    ];
    for body in foreign {
        environment.dead_letter("NotifySlackDeadLetters", body, "the message is not an event").await;
    }
    environment.dead_letter("NotifySlackDeadLetters", &body("a"), "no").await;
    let ids = message_ids(&environment).await;

    let beginning = &ids[0].0[..13];
    let dropped = letters(&environment, &["drop", &beginning.to_uppercase(), "--yes"]).await;
    let asked = letters(&environment, &["drop", &ids[1].0]).await;

    let shown = stdout(&dropped);
    assert_eq!((dropped.status.code(), stderr(&dropped).as_str()), (Some(0), ""));
    assert!(shown.contains(&format!("message {}  no event: body: not JSON", ids[0].0)), "{shown}");
    assert!(shown.ends_with("\n  hunter2\n1 message that is not an event dropped\n"), "{shown}");
    assert_eq!(asked.status.code(), Some(1));
    assert_eq!(
        stderr(&asked),
        "error: there is no terminal to ask for confirmation: add --yes to drop without asking\n"
    );
    let mut left: Vec<String> = foreign[1..].iter().map(|text| (*text).to_owned()).collect();
    left.push(body("a"));
    assert_eq!(environment.bodies("NotifySlackDeadLetters"), left);

    let rest: Vec<&str> = ids[1..5].iter().map(|(id, _)| id.as_str()).collect();
    let output = letters(&environment, &[&["drop", "--yes"], &rest[..]].concat()).await;
    assert!(stdout(&output).ends_with("\n4 messages that are not events dropped\n"), "{}", stdout(&output));
    assert_eq!(environment.bodies("NotifySlackDeadLetters"), [body("a")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_letter_of_an_event_is_dropped_by_its_message_and_the_record_waits_for_the_last() {
    let environment = Environment::start().await;
    Delivery::of(&environment, "notify-slack", &body("a")).attempt(HOUR, failed()).await;
    for reason in ["one", "two"] {
        environment.dead_letter("NotifySlackDeadLetters", &body("a"), reason).await;
    }
    let ids = message_ids(&environment).await;
    for (id, outcome) in ids.iter().map(|(id, _)| id).zip(["failed", "dropped"]) {
        let output = letters(&environment, &["drop", id, "--yes"]).await;
        assert!(stdout(&output).ends_with("\n1 dead letter dropped\n"), "{}", stdout(&output));
        let listed = stdout(&environment.run(&["events", "list", "--json"]).await);
        assert!(listed.contains(&format!(r#""outcome":"{outcome}""#)), "{outcome}: {listed}");
    }
    assert!(environment.bodies("NotifySlackDeadLetters").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_beginning_of_several_ids_drops_nothing() {
    let environment = Environment::start().await;
    // Two events whose ids begin with the same eight digits, found by trying.
    let bodies = [body("site 129321"), body("site 134491")];
    let ids = bodies.clone().map(|body| id(&body));
    let beginning = &ids[0].as_str()[..8];
    assert!(ids[1].as_str().starts_with(beginning) && ids[0] != ids[1]);
    for body in &bodies {
        environment.dead_letter("NotifySlackDeadLetters", body, "no").await;
    }

    let output = letters(&environment, &["drop", beginning, "--yes"]).await;

    assert_eq!(output.status.code(), Some(1));
    let mut both = ids.clone();
    both.sort();
    let [one, other] = both.map(|id| id.short().to_owned());
    let what = ["129321", "134491"].map(|name| format!("SiteUpdated of site {name}"));
    let is_first = ids[0].short() == one;
    let [first, second] = if is_first { [&what[0], &what[1]] } else { [&what[1], &what[0]] };
    let expected = format!(
        "error: 2 ids begin with {beginning}: {one} ({first}), {other} ({second}); write more digits\n"
    );
    assert_eq!(stderr(&output), expected);
    assert_eq!(environment.bodies("NotifySlackDeadLetters"), bodies);
    // Nine digits identify one event, and both dead letters are visible again at once.
    let output = letters(&environment, &["drop", ids[0].short(), "--yes"]).await;
    assert!(stdout(&output).ends_with("\n1 dead letter dropped\n"), "{}", stdout(&output));
    assert_eq!(environment.bodies("NotifySlackDeadLetters"), bodies[1..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_no_event_is_not_replayed_and_says_how_to_drop_it() {
    let environment = Environment::start().await;
    environment.dead_letter("NotifySlackDeadLetters", "hunter2", "no").await;
    let (message, _) = message_ids(&environment).await.remove(0);

    let output = letters(&environment, &["redrive", &message]).await;

    assert_eq!(output.status.code(), Some(1));
    let expected = format!("not replayed: message {message} of notify-slack is not an event: body: not JSON");
    assert!(stdout(&output).starts_with(&expected), "{}", stdout(&output));
    assert!(stdout(&output).contains("\n`events dead-letters drop MESSAGE_ID` deletes one\n"));
    assert_eq!(
        stderr(&output),
        "error: a message that is not an event cannot be replayed: `events dead-letters drop MESSAGE_ID` deletes it\n"
    );
    assert_eq!(environment.bodies("NotifySlackDeadLetters"), ["hunter2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_nothing_is_dropped_unless_the_option_says_so() {
    let environment = Environment::start().await;
    environment.dead_letter("NotifySlackDeadLetters", &body("a"), "no").await;
    let output = letters(&environment, &["drop", id(&body("a")).short()]).await;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        stderr(&output),
        "error: there is no terminal to ask for confirmation: add --yes to drop without asking\n"
    );
    // Without dead letters the command asks no question.
    let unknown = letters(&environment, &["drop", "00000000"]).await;
    assert_eq!(
        stderr(&unknown),
        "error: no dead letter has this id: 00000000; `events dead-letters list` shows all\n"
    );
    let none = letters(&environment, &["drop", "--yes"]).await;
    assert_eq!(none.status.code(), Some(2), "{}", stderr(&none));
    assert_eq!(environment.bodies("NotifySlackDeadLetters"), [body("a")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_deleted_is_named_and_stays() {
    let environment = Environment::start().await;
    let ids = ["a", "b"].map(|name| id(&body(name)));
    for name in ["a", "b"] {
        environment.dead_letter("NotifySlackDeadLetters", &body(name), "no").await;
    }
    environment.aws.fail_next("SQS.DeleteMessageBatch", 3, Fault::PartialFailure);
    let output = letters(&environment, &["drop", ids[0].short(), ids[1].short(), "--yes"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).ends_with("\n1 dead letter dropped\n"), "{}", stdout(&output));
    let expected = format!("error: not dropped: {}: sqs:DeleteMessage failed: InternalError", ids[0].short());
    assert!(stderr(&output).starts_with(&expected), "{}", stderr(&output));
    assert_eq!(environment.bodies("NotifySlackDeadLetters"), [body("a")]);

    let output = letters(&environment, &["drop", "00000000", "--yes"]).await;
    assert_eq!(
        stderr(&output),
        "error: no dead letter has this id: 00000000; `events dead-letters list` shows all\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_dropped_without_a_reader() {
    let environment = Environment::start().await;
    environment.dead_letter("NotifySlackDeadLetters", &body("a"), "no").await;
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let event = id(&body("a"));
    let mut command = environment.command(&["events", "dead-letters", "drop", event.short(), "--yes"]);
    let child = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    assert_eq!(environment.bodies("NotifySlackDeadLetters"), [body("a")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_the_first_line_alone_ends_the_list_without_a_word() {
    let environment = Environment::start().await;
    duplicates(&environment).await;
    environment.dead_letter("UpdateBroadcastDeadLetters", "hunter2", "no").await;
    for format in [&[][..], &["--json"]] {
        let mut command = environment.command(&[&["events", "dead-letters", "list"], format].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let output = tokio::task::spawn_blocking(move || {
            let mut head = BufReader::new(child.stdout.take().unwrap());
            head.read_line(&mut String::new()).unwrap();
            drop(head);
            child.wait_with_output().unwrap()
        });
        let output = output.await.unwrap();
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{format:?}");
    }
    // All messages were released.
    assert!(environment.aws.messages("NotifySlackDeadLetters").iter().all(|message| !message.in_flight));
}

/// Dead letters of one event, more than one SQS receive returns.
async fn duplicates(environment: &Environment) -> String {
    let body = body("a");
    for _ in 0..12 {
        environment.dead_letter("NotifySlackDeadLetters", &body, "no").await;
    }
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn all_letters_of_an_event_are_listed_counted_and_dropped() {
    let environment = Environment::start().await;
    let body = duplicates(&environment).await;
    let event = id(&body);

    let listed = stdout(&letters(&environment, &["list", "--wide"]).await);
    assert!(listed.ends_with("\n12 dead letters of 1 event\n"), "{listed}");
    assert_eq!(listed.matches(event.short()).count(), 12, "{listed}");
    let output = letters(&environment, &["drop", event.short(), "--yes"]).await;

    assert!(stdout(&output).ends_with("\n12 dead letters of 1 event dropped\n"), "{}", stdout(&output));
    assert!(environment.bodies("NotifySlackDeadLetters").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn all_letters_of_an_event_are_sent_round_again() {
    let environment = Environment::start().await;
    let body = duplicates(&environment).await;
    let output = letters(&environment, &["redrive", id(&body).short()]).await;
    assert!(stdout(&output).ends_with("\n12 dead letters of 1 event replayed\n"), "{}", stdout(&output));
    assert!(environment.bodies("NotifySlackDeadLetters").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_of_an_event_says_that_it_was_dropped() {
    let environment = Environment::start().await;
    let of = |workflow, name| Delivery::of(&environment, workflow, &body(name));
    of("notify-slack", "a").attempt(HOUR, failed()).await;
    of("notify-slack", "b").attempt(HOUR, failed()).await;
    of("update-broadcast", "a").attempt(HOUR, End::Done).await;
    for name in ["a", "b", "without a record"] {
        environment.dead_letter("NotifySlackDeadLetters", &body(name), "no").await;
    }
    environment.dead_letter("UpdateBroadcastDeadLetters", &body("a"), "no").await;

    let a = id(&body("a"));
    let unknown = id(&body("without a record"));
    let output = letters(&environment, &["drop", a.short(), unknown.short(), "--yes"]).await;

    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    let outcomes = stdout(&environment.run(&["events", "list", "--json"]).await);
    let outcomes = outcomes.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let outcomes = outcomes.map(|event| {
        format!("{} {} {}", event["resource_name"], event["workflow"], event["outcome"]).replace('"', "")
    });
    let mut outcomes: Vec<String> = outcomes.collect();
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["a notify-slack dropped", "a update-broadcast done", "b notify-slack failed"]);
    let shown = stdout(&environment.run(&["events", "show", a.short()]).await);
    let expected = "\nnotify-slack: failed permanently; a person dropped it, 1 attempt\n";
    assert!(shown.contains(expected) && !shown.contains("dead letters"), "{shown}");
    let listed = stdout(&environment.run(&["events", "list", "--outcome", "dropped"]).await);
    assert!(listed.ends_with("\n1 event\n"), "{listed}");
    // A redriven message is tried once more.
    let again = of("notify-slack", "a").claim(0).await.end(2, 0, End::Done).await;
    let listed = stdout(&again.environment.run(&["events", "list", "--outcome", "dropped"]).await);
    assert!(listed.starts_with("no event matches: outcome dropped"), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_written_is_a_remark() {
    let environment = Environment::start().await;
    Delivery::of(&environment, "notify-slack", &body("a")).attempt(HOUR, failed()).await;
    for (action, name) in [("GetItem", "DynamoDB.GetItem"), ("UpdateItem", "DynamoDB.UpdateItem")] {
        environment.dead_letter("NotifySlackDeadLetters", &body("a"), "no").await;
        environment.aws.fail_next(name, 1, Fault::AccessDenied);
        let output = letters(&environment, &["drop", id(&body("a")).short(), "--yes"]).await;
        assert!(output.status.success() && stdout(&output).ends_with("\n1 dead letter dropped\n"));
        let expected = format!(
            "some delivery records do not show that their events were dropped: these AWS credentials have no permission for dynamodb:{action}"
        );
        assert!(stderr(&output).starts_with(&expected), "{}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_a_worker_has_again_was_not_dropped() {
    let environment = Environment::start().await;
    let delivery = Delivery::of(&environment, "notify-slack", &body("a")).claim(HOUR).await;
    let delivery = delivery.end(1, HOUR, failed()).await;
    environment.dead_letter("NotifySlackDeadLetters", &body("a"), "no").await;
    let slow = Fault::Hang(Duration::from_secs(2));
    environment.aws.fail_next("SQS.DeleteMessageBatch", 1, slow);
    let event = id(&body("a"));
    let mut command = environment.command(&["events", "dead-letters", "drop", event.short(), "--yes"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while environment.aws.calls("SQS.DeleteMessageBatch") == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Between reading the record and the end of the deletion, a duplicate of the event arrives and fails too.
    delivery.claim(0).await.end(2, 0, failed()).await;

    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();

    assert!(output.status.success(), "{}", stderr(&output));
    let listed = stdout(&environment.run(&["events", "list", "--outcome", "failed"]).await);
    assert!(listed.ends_with("\n1 event\n"), "{listed}");
}
