//! Contract of EventBridge Scheduler.
//!
//! The emulator accepts past schedules, invalid expressions and names of 65 characters, and fires up to ten seconds
//! late. So refusals are checked on the double alone.

use crate::backend::{Backend, backends, unique};
use crate::sdk::config_of;
use crate::{code, refusal};
use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::operation::create_schedule::builders::CreateScheduleFluentBuilder;
use aws_sdk_scheduler::types::builders::TargetBuilder;
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy,
    ScheduleState, SqsParameters, Target,
};
use jiff::{SignedDuration, Timestamp};
use local_aws::{Aws, QueueSpec};
use std::time::{Duration, Instant};

const ROLE: &str = "arn:aws:iam::000000000000:role/timers";

fn queue_arn(queue: &str) -> String {
    format!("arn:aws:sqs:us-east-1:000000000000:{queue}")
}

/// An `at(…)` expression for a time this many seconds from now.
fn at(seconds: i64) -> String {
    let at = Timestamp::now() + SignedDuration::from_secs(seconds);
    at.strftime("at(%Y-%m-%dT%H:%M:%S)").to_string()
}

fn target(queue: &str) -> TargetBuilder {
    Target::builder().arn(queue_arn(queue)).role_arn(ROLE).input(r#"{"hello":"world"}"#)
}

fn create(
    client: &Client,
    name: &str,
    expression: &str,
    target: TargetBuilder,
) -> CreateScheduleFluentBuilder {
    let window = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().unwrap();
    client
        .create_schedule()
        .name(name)
        .schedule_expression(expression)
        .flexible_time_window(window)
        .action_after_completion(ActionAfterCompletion::Delete)
        .target(target.build().unwrap())
}

async fn group(backend: &Backend) -> String {
    let name = unique("timers");
    backend.schedule_group(&name).await;
    name
}

#[tokio::test]
async fn a_schedule_is_there_as_it_was_created_until_it_is_deleted() {
    for backend in backends().await {
        let client = backend.scheduler();
        let group = group(&backend).await;
        let name = unique("tw");
        let expression = at(7_200);
        let letters = DeadLetterConfig::builder().arn(queue_arn("letters")).build();
        let retries =
            RetryPolicy::builder().maximum_retry_attempts(3).maximum_event_age_in_seconds(60).build();
        let target = target("work").dead_letter_config(letters).retry_policy(retries);

        let created = create(&client, &name, &expression, target).group_name(&group).send().await.unwrap();
        let get = client.get_schedule().name(&name).group_name(&group);
        let found = get.clone().send().await.unwrap();

        let arn = format!("arn:aws:scheduler:us-east-1:000000000000:schedule/{group}/{name}");
        assert_eq!((created.schedule_arn(), found.arn()), (arn.as_str(), Some(arn.as_str())));
        assert_eq!((found.name(), found.group_name()), (Some(name.as_str()), Some(group.as_str())));
        assert_eq!(found.schedule_expression(), Some(expression.as_str()));
        assert_eq!(found.schedule_expression_timezone(), Some("UTC"));
        assert_eq!(found.state(), Some(&ScheduleState::Enabled));
        assert_eq!(found.action_after_completion(), Some(&ActionAfterCompletion::Delete));
        assert!(found.creation_date().is_some());
        let target = found.target().unwrap();
        assert_eq!((target.arn(), target.role_arn()), (queue_arn("work").as_str(), ROLE));
        assert_eq!(target.input(), Some(r#"{"hello":"world"}"#));
        assert_eq!(
            target.dead_letter_config().and_then(DeadLetterConfig::arn),
            Some(queue_arn("letters").as_str())
        );
        assert_eq!(target.retry_policy().and_then(RetryPolicy::maximum_retry_attempts), Some(3));

        client.delete_schedule().name(&name).group_name(&group).send().await.unwrap();
        let gone = get.send().await.unwrap_err();
        assert!(gone.as_service_error().unwrap().is_resource_not_found_exception(), "{gone:?}");
    }
}

#[tokio::test]
async fn a_name_is_taken_once_in_its_group() {
    for backend in backends().await {
        let client = backend.scheduler();
        let groups = [group(&backend).await, group(&backend).await];
        let name = unique("tw");
        for group in &groups {
            create(&client, &name, &at(7_200), target("work")).group_name(group).send().await.unwrap();
        }
        let again = create(&client, &name, &at(7_200), target("work")).group_name(&groups[0]).send().await;
        let again = again.unwrap_err();
        assert!(again.as_service_error().unwrap().is_conflict_exception(), "{again:?}");
    }
}

#[tokio::test]
async fn a_call_that_is_repeated_with_its_token_is_the_same_call() {
    let aws = Aws::start().await.unwrap();
    let client = Client::new(&config_of(&aws));
    let expression = at(7_200);
    let first = create(&client, "tw", &expression, target("work")).client_token("t").send().await.unwrap();
    let again = create(&client, "tw", &expression, target("work")).client_token("t").send().await.unwrap();
    assert_eq!(again.schedule_arn(), first.schedule_arn());
    let other = create(&client, "tw", &at(7_300), target("work")).client_token("t").send().await.unwrap_err();
    assert_eq!(code(other), "ConflictException");
    assert_eq!(aws.schedules().len(), 1);
    let delete = client.delete_schedule().name("tw").client_token("d");
    delete.clone().send().await.unwrap();
    delete.send().await.unwrap();
    assert_eq!(
        code(client.delete_schedule().name("tw").send().await.unwrap_err()),
        "ResourceNotFoundException"
    );
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    for backend in backends().await {
        let client = backend.scheduler();
        let group = group(&backend).await;
        let get = client.get_schedule().name("none").group_name(&group).send().await.unwrap_err();
        assert!(get.as_service_error().unwrap().is_resource_not_found_exception(), "{get:?}");
        let delete = client.delete_schedule().name("none").group_name(&group).send().await.unwrap_err();
        assert!(delete.as_service_error().unwrap().is_resource_not_found_exception(), "{delete:?}");
        let create = create(&client, "tw", &at(7_200), target("work")).group_name("none").send().await;
        let create = create.unwrap_err();
        assert!(create.as_service_error().unwrap().is_resource_not_found_exception(), "{create:?}");
    }
}

#[tokio::test]
async fn a_schedule_sends_its_input_at_its_time_once_and_is_gone() {
    for backend in backends().await {
        let client = backend.scheduler();
        let queue = unique("work");
        let url = backend.queue(&queue, None).await;
        let group = group(&backend).await;
        let name = unique("tw");
        let began = Instant::now();
        create(&client, &name, &at(3), target(&queue)).group_name(&group).send().await.unwrap();

        let receive = backend.sqs().receive_message().queue_url(&url).wait_time_seconds(20);
        let message = receive.clone().send().await.unwrap().messages.unwrap_or_default().remove(0);
        // `at()` has whole seconds.
        assert!(began.elapsed() > Duration::from_millis(1_900), "early: {:?}", began.elapsed());
        assert_eq!(message.body(), Some(r#"{"hello":"world"}"#));
        let more = receive.wait_time_seconds(1).send().await.unwrap();
        assert!(more.messages().is_empty());
        let gone = client.get_schedule().name(&name).group_name(&group).send().await.unwrap_err();
        assert!(gone.as_service_error().unwrap().is_resource_not_found_exception(), "{gone:?}");
    }
}

#[tokio::test]
async fn a_test_lets_hours_pass() {
    let aws = Aws::start().await.unwrap();
    let client = Client::new(&config_of(&aws));
    aws.create_queue(QueueSpec::new("work"));
    aws.create_queue(QueueSpec::new("letters"));
    let letters = DeadLetterConfig::builder().arn(queue_arn("letters")).build();
    for (name, seconds, input) in [("c", 9_000, "third"), ("a", 7_200, "first"), ("b", 8_000, "second")] {
        let target = target("work").input(input);
        create(&client, name, &at(seconds), target).send().await.unwrap();
    }
    let orphaned = target("gone").dead_letter_config(letters);
    create(&client, "d", &at(7_300), orphaned).send().await.unwrap();
    let kept =
        create(&client, "e", &at(7_300), target("work")).action_after_completion(ActionAfterCompletion::None);
    kept.send().await.unwrap();

    let until = |seconds| Timestamp::now() + SignedDuration::from_secs(seconds);
    assert_eq!(aws.fire_schedules(until(7_000)), 0);
    assert_eq!(aws.fire_schedules(until(8_100)), 4);
    assert_eq!(aws.fire_schedules(until(8_100)), 0, "each once");

    let bodies: Vec<String> = aws.messages("work").into_iter().map(|message| message.body).collect();
    assert_eq!(bodies, ["first", r#"{"hello":"world"}"#, "second"]);
    let letter = &aws.messages("letters")[0];
    assert_eq!(letter.attributes["ERROR_MESSAGE"], "The specified queue does not exist.");
    let left: Vec<String> = aws.schedules().into_iter().map(|schedule| schedule.name).collect();
    assert_eq!(left, ["c", "e"], "the one that waits, and the one that is not to be deleted");
}

/// Source: <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html>
#[tokio::test]
async fn what_aws_refuses_is_refused() {
    let aws = Aws::start().await.unwrap();
    let client = Client::new(&config_of(&aws));
    let long = "x".repeat(65);
    let retries = |builder: aws_sdk_scheduler::types::builders::RetryPolicyBuilder| {
        target("work").retry_policy(builder.build())
    };
    for (name, expression, target) in [
        ("tw", at(-1), target("work")),
        ("tw", at(-86_400 * 365), target("work")),
        ("tw", "garbage".to_owned(), target("work")),
        ("tw", "at(2030-01-01)".to_owned(), target("work")),
        (long.as_str(), at(7_200), target("work")),
        ("a b", at(7_200), target("work")),
        ("ä", at(7_200), target("work")),
        ("tw", at(7_200), target("work").role_arn("timers")),
        ("tw", at(7_200), target("work").input("")),
        ("tw", at(7_200), target("work").input("x".repeat(262_145))),
        ("tw", at(7_200), retries(RetryPolicy::builder().maximum_event_age_in_seconds(59))),
        ("tw", at(7_200), retries(RetryPolicy::builder().maximum_retry_attempts(186))),
    ] {
        let what = format!("{name} {expression}");
        let refused = create(&client, name, &expression, target).send().await.unwrap_err();
        assert!(refused.as_service_error().unwrap().is_validation_exception(), "{what}: {refused:?}");
    }
    assert!(aws.schedules().is_empty());
}

#[tokio::test]
async fn what_the_double_does_not_have_is_named() {
    let aws = Aws::start().await.unwrap();
    let client = Client::new(&config_of(&aws));
    let base = || create(&client, "tw", &at(7_200), target("work"));
    let flexible = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Flexible);
    let fifo = target("work.fifo").sqs_parameters(SqsParameters::builder().message_group_id("g").build());
    let lambda = target("work").arn("arn:aws:lambda:us-east-1:000000000000:function:f");
    for (request, part) in [
        (create(&client, "tw", "rate(1 hour)", target("work")), "rate(1 hour)"),
        (create(&client, "tw", "cron(0 10 * * ? *)", target("work")), "cron(0 10 * * ? *)"),
        (create(&client, "tw", &at(7_200), lambda), "no SQS queue"),
        (create(&client, "tw", &at(7_200), fifo), "SqsParameters"),
        (create(&client, "tw", &at(7_200), target("work").input("<aws.scheduler.schedule-arn>")), "context"),
        (base().schedule_expression_timezone("Europe/Berlin"), "Europe/Berlin"),
        (base().state(ScheduleState::Disabled), "DISABLED"),
        (base().start_date(aws_sdk_scheduler::primitives::DateTime::from_secs(0)), "StartDate"),
        (base().kms_key_arn("arn:aws:kms:us-east-1:000000000000:key/k"), "KmsKeyArn"),
        (base().flexible_time_window(flexible.build().unwrap()), "FLEXIBLE"),
    ] {
        let (code, message) = refusal(request.send().await.unwrap_err());
        assert_eq!(code, "ValidationException", "{message}");
        assert!(message.contains("does not implement") && message.contains(part), "{part}: {message}");
    }
    let list = client.list_schedules().send().await.unwrap_err();
    assert!(refusal(list).1.contains("GET /schedules"));
    assert!(aws.schedules().is_empty());
}
