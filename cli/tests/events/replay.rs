//! The command `events replay`.

use crate::environment::{Environment, PROGRAM, STACK, body, envelope, finish, id, stderr, stdout};
use local_aws::Fault;
use std::process::{Command, Stdio};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_go_back_as_they_are_and_what_is_no_event_stays() {
    let environment = Environment::start().await;
    let names: Vec<String> = (10..22).map(|n| format!("site {n}")).collect();
    for name in &names {
        environment.dead_letter("NotifySlackDeadLetters", &body(name), "Slack: channel_not_found").await;
    }
    environment.dead_letter("NotifySlackDeadLetters", "hunter2", "the message is not an event").await;

    let output = environment.replay(&["--wide"]).await;

    let shown = stdout(&output);
    assert!(output.status.success(), "{shown}{}", stderr(&output));
    assert!(shown.starts_with("WAITS FOR  WORKFLOW"), "{shown}");
    for name in &names {
        let line = format!("{name}  {}  Slack: channel_not_found\n", id(&body(name)).short());
        assert!(shown.contains(&line), "no {line} in\n{shown}");
    }
    assert!(
        shown.contains(
            "of notify-slack is not an event: body: not JSON, at line 1, column 1: expected value (7 bytes)\n"
        ),
        "{shown}"
    );
    assert!(shown.ends_with("\n12 events replayed\n"), "{shown}");
    assert!(!shown.contains("hunter2"));
    assert_eq!(
        environment.bodies("NotifySlackQueue"),
        names.iter().map(|name| body(name)).collect::<Vec<_>>()
    );
    assert_eq!(environment.bodies("NotifySlackDeadLetters"), ["hunter2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_the_bus_goes_back_as_the_payload_in_it() {
    let environment = Environment::start().await;
    let detail = body("Marketing");
    environment.dead_letter("UpdateBroadcastDeadLetters", &envelope(&detail), "unknown").await;

    let output = environment.replay(&["--workflow", "update-broadcast", id(&detail).short()]).await;

    assert!(stdout(&output).ends_with("\n1 event replayed\n"), "{}{}", stdout(&output), stderr(&output));
    let bodies = environment.bodies("UpdateBroadcastQueue");
    assert_eq!(bodies.iter().map(|body| id(body)).collect::<Vec<_>>(), [id(&detail)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_changes_nothing() {
    let environment = Environment::start().await;
    environment.dead_letter("NotifySlackDeadLetters", &body("Marketing"), "no").await;
    // The second run sees the messages that the first run released.
    for _ in 0..2 {
        let shown = stdout(&environment.replay(&["--dry-run", "--wide"]).await);
        assert!(shown.contains(id(&body("Marketing")).short()), "{shown}");
        assert!(shown.ends_with("\n1 event would be replayed\n"), "{shown}");
    }
    assert!(environment.bodies("NotifySlackQueue").is_empty());
    assert_eq!(environment.aws.calls("SQS.DeleteMessageBatch"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_events_that_are_named_go_back_and_one_that_is_nowhere_is_an_error() {
    let environment = Environment::start().await;
    for name in ["a", "b", "c"] {
        environment.dead_letter("NotifySlackDeadLetters", &body(name), "no").await;
    }
    let b = id(&body("b"));
    let c = id(&body("c"));

    let output = environment.replay(&[b.short(), "00000000"]).await;

    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).ends_with("\n1 event replayed\n"), "{}", stdout(&output));
    assert_eq!(
        stderr(&output),
        "error: no dead letter has this id: 00000000; `events dead-letters list` shows all\n"
    );
    assert_eq!(environment.bodies("NotifySlackQueue"), [body("b")]);
    // The messages are visible at once, before their visibility timeout ends.
    let output = environment.replay(&[c.as_str()]).await;
    assert!(output.status.success());
    assert_eq!(environment.bodies("NotifySlackDeadLetters"), [body("a")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_queue_did_not_confirm_stays_and_can_be_seen_at_once() {
    let environment = Environment::start().await;
    environment.dead_letter("NotifySlackDeadLetters", &body("a"), "no").await;
    environment.aws.fail_next("SQS.SendMessageBatch", 1, Fault::AccessDenied);

    let output = environment.replay(&[]).await;

    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), "0 events replayed\n");
    let expected = "error: these AWS credentials have no permission for sqs:SendMessage: User: ";
    assert!(stderr(&output).starts_with(expected), "{}", stderr(&output));
    assert_eq!(stderr(&output).lines().count(), 1);
    assert!(stdout(&environment.replay(&[]).await).ends_with("\n1 event replayed\n"));
    assert!(environment.bodies("NotifySlackDeadLetters").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_taken_out_is_sent_twice_and_not_lost() {
    let environment = Environment::start().await;
    environment.dead_letter("NotifySlackDeadLetters", &body("a"), "no").await;
    environment.aws.fail_next("SQS.DeleteMessageBatch", 1, Fault::AccessDenied);

    let output = environment.replay(&[]).await;

    assert!(stderr(&output).contains("its dead letter could not be deleted"), "{}", stderr(&output));
    assert!(stdout(&environment.replay(&[]).await).ends_with("\n1 event replayed\n"));
    assert_eq!(environment.bodies("NotifySlackQueue"), [body("a"), body("a")]);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_in_order_between_two_batches() {
    let environment = Environment::start().await;
    let names: Vec<String> = (10..22).map(|n| format!("site {n}")).collect();
    for name in &names {
        environment.dead_letter("NotifySlackDeadLetters", &body(name), "no").await;
    }
    environment.aws.fail_next("SQS.SendMessageBatch", 1, Fault::Hang(Duration::from_secs(2)));
    let mut command = environment.command(&["events", "replay"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while environment.aws.calls("SQS.SendMessageBatch") == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());

    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();

    assert_eq!(output.status.code(), Some(130), "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).ends_with("\n10 events replayed\n"), "{}", stdout(&output));
    assert_eq!(environment.bodies("NotifySlackQueue").len(), 10);
    let left = stdout(&environment.replay(&["--dry-run", "--wide"]).await);
    assert!(
        left.contains(id(&body("site 21")).short()) && left.ends_with("\n2 events would be replayed\n"),
        "{left}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_fails_again_at_once_is_named_and_no_other() {
    let environment = Environment::start().await;
    environment.dead_letter("NotifySlackDeadLetters", &body("a"), "no").await;
    environment.aws.fail_next("SQS.SendMessageBatch", 1, Fault::Hang(Duration::from_secs(2)));
    let mut command = environment.command(&["events", "replay"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while environment.aws.calls("SQS.SendMessageBatch") == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for name in ["a", "b"] {
        environment.dead_letter("NotifySlackDeadLetters", &body(name), "no").await;
    }

    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();

    let expected = format!(
        "\n1 event arrived after the start and is not replayed\n1 event replayed\n\
         1 of them failed again and is a dead letter again: {}; see `events dead-letters list`\n",
        id(&body("a")).short()
    );
    assert!(stdout(&output).ends_with(&expected), "{}{}", stdout(&output), stderr(&output));
    assert_eq!(environment.bodies("NotifySlackDeadLetters"), [body("a"), body("b")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_of_a_batch_lacks_is_tried_again_and_nothing_is_lost_or_sent_twice() {
    let environment = Environment::start().await;
    let bodies: Vec<String> = (10..22).map(|n| body(&format!("site {n}"))).collect();
    for body in &bodies {
        environment.dead_letter("NotifySlackDeadLetters", body, "no").await;
    }
    environment.aws.fail_next("SQS.SendMessageBatch", 1, Fault::PartialFailure);
    environment.aws.fail_next("SQS.DeleteMessageBatch", 1, Fault::PartialFailure);

    let output = environment.replay(&[]).await;

    assert!(stdout(&output).ends_with("\n12 events replayed\n"), "{}{}", stdout(&output), stderr(&output));
    let mut sent = environment.bodies("NotifySlackQueue");
    sent.sort_unstable();
    assert_eq!(sent, bodies);
    assert!(environment.bodies("NotifySlackDeadLetters").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_confirmed_stays_while_the_rest_of_its_batch_goes() {
    let environment = Environment::start().await;
    for name in ["a", "b", "c"] {
        environment.dead_letter("NotifySlackDeadLetters", &body(name), "no").await;
    }
    // Every attempt succeeds the same way.
    environment.aws.fail_next("SQS.SendMessageBatch", 3, Fault::PartialFailure);

    let output = environment.replay(&[]).await;

    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).ends_with("\n2 events replayed\n"), "{}", stdout(&output));
    assert!(
        stderr(&output).starts_with("error: sqs:SendMessage failed: InternalError"),
        "{}",
        stderr(&output)
    );
    assert_eq!(environment.bodies("NotifySlackQueue"), [body("b"), body("c")]);
    assert_eq!(environment.bodies("NotifySlackDeadLetters"), [body("a")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_span_and_a_name_choose_letters() {
    let environment = Environment::start().await;
    for name in ["a", "b"] {
        environment.dead_letter("NotifySlackDeadLetters", &body(name), "no").await;
    }
    for (arguments, expected) in [
        (&["--until", "1h"][..], "0 events would be replayed\n"),
        (&["--since", "1h", "--event", "SiteUpdated"], "2 events would be replayed\n"),
        (&["--since", "1h", "--event", "SiteDeleted"], "0 events would be replayed\n"),
    ] {
        let output = environment.replay(&[arguments, &["--dry-run"]].concat()).await;
        assert!(stdout(&output).ends_with(expected), "{arguments:?}: {}{}", stdout(&output), stderr(&output));
    }
    let output = environment.replay(&["--since", "1h", "--until", "2h"]).await;
    assert!(stderr(&output).starts_with("error: --since ("), "{}", stderr(&output));
    assert_eq!(environment.bodies("NotifySlackDeadLetters").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_goes_on_to_its_end_when_its_reader_goes_away() {
    let environment = Environment::start().await;
    for name in ["a", "b"] {
        environment.dead_letter("NotifySlackDeadLetters", &body(name), "no").await;
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let child =
        environment.command(&["events", "replay"]).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();

    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    assert_eq!(environment.bodies("NotifySlackQueue"), [body("a"), body("b")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_aws_refuses_is_one_clear_line() {
    let environment = Environment::start().await;
    let at = format!("us-east-1 at {}", environment.aws.url());
    let error = stderr(&environment.replay(&["--stack", "no-such-stack"]).await);
    assert_eq!(error, format!("error: there is no stack `no-such-stack` in {at}\n"));

    let error = stderr(&environment.replay(&["--workflow", "notify-slak"]).await);
    let expected = format!(
        "error: the stack `{STACK}` has no workflow `notify-slak`; there are: notify-slack, update-broadcast\n"
    );
    assert_eq!(error, expected);

    environment.aws.fail_next("CloudFormation.ListStackResources", 1, Fault::AccessDenied);
    let error = stderr(&environment.replay(&[]).await);
    let expected =
        "error: these AWS credentials have no permission for cloudformation:ListStackResources: User: ";
    assert!(error.starts_with(expected) && error.lines().count() == 1, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_on_the_machine_is_one_clear_line() {
    let environment = Environment::start().await;
    let bare = |variables: &[&str]| {
        let mut command = environment.command(&["events", "replay"]);
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        for name in variables {
            command.env_remove(name);
        }
        finish(command)
    };
    let error = stderr(&bare(&["AWS_REGION"]).await);
    assert!(error.starts_with("error: no AWS region is set: give --region"), "{error}");
    assert!(error.ends_with("; for the local stack use --local\n"), "{error}");

    let error = stderr(&bare(&["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]).await);
    assert!(error.starts_with("error: there are no AWS credentials: set AWS_PROFILE"), "{error}");
    assert_eq!(error.lines().count(), 1);

    let output = Command::new(PROGRAM).args(["events", "replay", "717"]).env_clear().output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("3 digits are too few: write the first 4 digits of the id, or more"),
        "{}",
        stderr(&output)
    );
}
