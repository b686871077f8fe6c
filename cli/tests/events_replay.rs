//! `events replay` as an operator runs it: the program, against AWS in memory.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_sqs::types::MessageAttributeValue;
use local_aws::{Aws, Fault, QueueSpec, StackResource};
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use tableau::{EventId, Payload};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tableau-webhooks");
const STACK: &str = "tableau-webhooks";

/// A stack with the queues of two workflows.
struct Place {
    aws: Aws,
    config: SdkConfig,
}

impl Place {
    async fn start() -> Self {
        let aws = Aws::start().await.unwrap();
        // More resources than an answer has.
        let mut resources = vec![resource("Role", "AWS::IAM::Role", "role"); 120];
        for id in [
            "NotifySlackQueue",
            "NotifySlackDeadLetters",
            "UpdateBroadcastQueue",
            "UpdateBroadcastDeadLetters",
        ] {
            aws.create_queue(QueueSpec::new(id));
            resources.push(resource(id, "AWS::SQS::Queue", &aws.queue_url(id)));
        }
        aws.create_stack(STACK, resources);
        let http = http_client::client(None).unwrap();
        let keys = Credentials::new("test", "test", None, None, "test");
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(aws_http::shared_client(http))
            .credentials_provider(keys)
            .region(Region::from_static("us-east-1"))
            .endpoint_url(aws.url());
        Self { config: config.load().await, aws }
    }

    async fn dead_letter(&self, queue: &str, body: &str, reason: &str) {
        let request = aws_sdk_sqs::Client::new(&self.config).send_message();
        let reason =
            MessageAttributeValue::builder().data_type("String").string_value(reason).build().unwrap();
        let request = request.queue_url(self.aws.queue_url(queue)).message_body(body);
        request.message_attributes("reason", reason).send().await.unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(["events", "replay"]).args(arguments).env_clear();
        command.env("AWS_ENDPOINT_URL", self.aws.url()).env("AWS_REGION", "us-east-1");
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "hunter2");
        command
    }

    /// Runs the program while AWS goes on answering.
    async fn run(&self, arguments: &[&str]) -> Output {
        finish(self.command(arguments)).await
    }

    fn bodies(&self, queue: &str) -> Vec<String> {
        self.aws.messages(queue).into_iter().map(|message| message.body).collect()
    }
}

async fn finish(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn resource(id: &str, kind: &str, physical_id: &str) -> StackResource {
    StackResource { logical_id: id.to_owned(), kind: kind.to_owned(), physical_id: physical_id.to_owned() }
}

fn body(name: &str) -> String {
    format!(r#"{{"resource":"SITE","event_type":"SiteUpdated", "resource_name":"{name}"}}"#)
}

fn id(body: &str) -> EventId {
    EventId::of(&Payload::parse(body.as_bytes()).unwrap())
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_go_back_as_they_are_and_what_is_no_event_stays() {
    let place = Place::start().await;
    let names: Vec<String> = (10..22).map(|n| format!("site {n}")).collect();
    for name in &names {
        place.dead_letter("NotifySlackDeadLetters", &body(name), "Slack: channel_not_found").await;
    }
    place.dead_letter("NotifySlackDeadLetters", "hunter2", "the message is no event").await;

    let output = place.run(&[]).await;

    let shown = stdout(&output);
    assert!(output.status.success(), "{shown}{}", stderr(&output));
    assert!(shown.starts_with("SINCE  WORKFLOW"), "{shown}");
    for name in &names {
        let line = format!("{name}  {}  Slack: channel_not_found\n", id(&body(name)).short());
        assert!(shown.contains(&line), "no {line} in\n{shown}");
    }
    assert!(shown.contains("of notify-slack is no event: body: not JSON, at line 1, column 1\n"), "{shown}");
    assert!(shown.ends_with("\n12 events replayed\n"), "{shown}");
    assert!(!shown.contains("hunter2"));
    assert_eq!(place.bodies("NotifySlackQueue"), names.iter().map(|name| body(name)).collect::<Vec<_>>());
    assert_eq!(place.bodies("NotifySlackDeadLetters"), ["hunter2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_the_bus_goes_back_as_the_payload_in_it() {
    let place = Place::start().await;
    let detail = body("Marketing");
    let event = format!(r#"{{"source":"tableau.webhooks","detail-type":"SiteUpdated","detail":{detail}}}"#);
    place.dead_letter("UpdateBroadcastDeadLetters", &event, "unknown").await;

    let output = place.run(&["--workflow", "update-broadcast", id(&detail).short()]).await;

    assert!(stdout(&output).ends_with("\n1 event replayed\n"), "{}{}", stdout(&output), stderr(&output));
    let bodies = place.bodies("UpdateBroadcastQueue");
    assert_eq!(bodies.iter().map(|body| id(body)).collect::<Vec<_>>(), [id(&detail)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_changes_nothing() {
    let place = Place::start().await;
    place.dead_letter("NotifySlackDeadLetters", &body("Marketing"), "no").await;
    // The second sees what the first has given back.
    for _ in 0..2 {
        let shown = stdout(&place.run(&["--dry-run"]).await);
        assert!(shown.contains(id(&body("Marketing")).short()), "{shown}");
        assert!(shown.ends_with("\n1 event would be replayed\n"), "{shown}");
    }
    assert!(place.bodies("NotifySlackQueue").is_empty());
    assert_eq!(place.aws.calls("SQS.DeleteMessage"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_events_that_are_named_go_back_and_one_that_is_nowhere_is_an_error() {
    let place = Place::start().await;
    for name in ["a", "b", "c"] {
        place.dead_letter("NotifySlackDeadLetters", &body(name), "no").await;
    }
    let (b, c) = (id(&body("b")), id(&body("c")));

    let output = place.run(&[b.short(), "00000000"]).await;

    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).ends_with("\n1 event replayed\n"), "{}", stdout(&output));
    assert_eq!(stderr(&output), "error: not among dead letters: 00000000\n");
    assert_eq!(place.bodies("NotifySlackQueue"), [body("b")]);
    // At once, not when their time out of sight is over.
    let output = place.run(&[c.as_str()]).await;
    assert!(output.status.success());
    assert_eq!(place.bodies("NotifySlackDeadLetters"), [body("a")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_queue_did_not_confirm_stays_and_can_be_seen_at_once() {
    let place = Place::start().await;
    place.dead_letter("NotifySlackDeadLetters", &body("a"), "no").await;
    place.aws.fail_next("SQS.SendMessage", 1, Fault::AccessDenied);

    let output = place.run(&[]).await;

    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), "0 events replayed\n");
    let expected = "error: these AWS credentials may not call sqs:SendMessage: User: ";
    assert!(stderr(&output).starts_with(expected), "{}", stderr(&output));
    assert_eq!(stderr(&output).lines().count(), 1);
    assert!(stdout(&place.run(&[]).await).ends_with("\n1 event replayed\n"));
    assert!(place.bodies("NotifySlackDeadLetters").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_taken_out_is_sent_twice_and_not_lost() {
    let place = Place::start().await;
    place.dead_letter("NotifySlackDeadLetters", &body("a"), "no").await;
    place.aws.fail_next("SQS.DeleteMessage", 1, Fault::AccessDenied);

    let output = place.run(&[]).await;

    assert!(stderr(&output).contains("stays with the dead letters all the same"), "{}", stderr(&output));
    assert!(stdout(&place.run(&[]).await).ends_with("\n1 event replayed\n"));
    assert_eq!(place.bodies("NotifySlackQueue"), [body("a"), body("a")]);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_in_order_between_two_events() {
    let place = Place::start().await;
    for name in ["a", "b"] {
        place.dead_letter("NotifySlackDeadLetters", &body(name), "no").await;
    }
    let sent = place.aws.calls("SQS.SendMessage");
    place.aws.fail_next("SQS.SendMessage", 1, Fault::Hang(Duration::from_secs(2)));
    let child = place.command(&[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while place.aws.calls("SQS.SendMessage") == sent {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());

    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();

    assert_eq!(output.status.code(), Some(130), "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).ends_with("\n1 event replayed\n"), "{}", stdout(&output));
    assert_eq!(place.bodies("NotifySlackQueue"), [body("a")]);
    assert!(stdout(&place.run(&["--dry-run"]).await).contains(id(&body("b")).short()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_goes_on_to_its_end_when_its_reader_goes_away() {
    let place = Place::start().await;
    for name in ["a", "b"] {
        place.dead_letter("NotifySlackDeadLetters", &body(name), "no").await;
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let child = place.command(&[]).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();

    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    assert_eq!(place.bodies("NotifySlackQueue"), [body("a"), body("b")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_aws_refuses_is_one_clear_line() {
    let place = Place::start().await;
    let at = format!("us-east-1, at {}", place.aws.url());
    let error = stderr(&place.run(&["--stack", "nobody"]).await);
    assert_eq!(error, format!("error: there is no stack `nobody` in {at}\n"));

    let error = stderr(&place.run(&["--workflow", "notify-slak"]).await);
    let expected = format!(
        "error: the stack `{STACK}` has no workflow `notify-slak`; there are: notify-slack, update-broadcast\n"
    );
    assert_eq!(error, expected);

    place.aws.fail_next("CloudFormation.ListStackResources", 1, Fault::AccessDenied);
    let error = stderr(&place.run(&[]).await);
    let expected = "error: these AWS credentials may not call cloudformation:ListStackResources: User: ";
    assert!(error.starts_with(expected) && error.lines().count() == 1, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_on_the_machine_is_one_clear_line() {
    let place = Place::start().await;
    let bare = |variables: &[&str]| {
        let mut command = place.command(&[]);
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        for name in variables {
            command.env_remove(name);
        }
        finish(command)
    };
    let error = stderr(&bare(&["AWS_REGION"]).await);
    assert!(error.starts_with("error: there is no AWS region: give --region"), "{error}");

    let error = stderr(&bare(&["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]).await);
    assert!(error.starts_with("error: there are no AWS credentials: set AWS_PROFILE"), "{error}");
    assert_eq!(error.lines().count(), 1);

    let output = Command::new(PROGRAM).args(["events", "replay", "717bbc0"]).env_clear().output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("the first 8 or more are enough"), "{}", stderr(&output));
}
