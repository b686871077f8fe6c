//! The steps of the deployed scenario.

use crate::environment::{ALARM_EMAIL, Environment, MISSING_CHANNEL, RULES, until};
use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use serde_json::{Value, json};
use simulator::{DeliveryState, SAMPLE_PAT, SlackFault, Workbook, notes, render};
use std::sync::Arc;
use std::time::Duration;
use tableau::{EventName, ViewLuid, WorkbookLuid};
use tableau_client::{BroadcastOptions, MemorySessionStore, Settings, TableauClient, TableauCredential};
use timer::{TimerMessage, schedule_name};

pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);
/// Within which functions use a new version of the rules.
const A_MINUTE: Duration = Duration::from_secs(60);
/// The workflow's own waits (15, 30 and 60 s at most) and the attempts between them.
const THREE_WAITS: Duration = Duration::from_secs(150);

/// The body that Tableau would post.
pub(crate) fn payload(environment: &Environment<'_>, event: EventName) -> String {
    environment
        .tableau
        .payload_for(&event, Timestamp::now())
        .expect("the sample content has something for it")
}

pub(crate) async fn accepted(environment: &Environment<'_>, output: &str, body: &str) -> String {
    let answer = environment.stack.post(output, environment.stack.token(), body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{:?}", answer.body);
    answer.body["event_id"].as_str().unwrap().to_owned()
}

/// The outputs that are URLs of functions that are on.
fn ingresses<'a>(environment: &'a Environment<'_>) -> Vec<&'a str> {
    let outputs = environment.stack.outputs().iter();
    outputs.filter(|(_, url)| url.contains("/webhook")).map(|(name, _)| name.as_str()).collect()
}

/// Calls every function that has a URL, including functions that no other step is about.
pub(crate) async fn every_url_answers_a_test(environment: &Environment<'_>) {
    let token = environment.stack.token();
    assert!(token.len() == 43 && token.chars().all(|c| c.is_ascii_alphanumeric()), "43 letters and digits");
    let ingresses = ingresses(environment);
    assert!(ingresses.len() >= 3, "{ingresses:?}");
    for output in ingresses {
        let answer = environment.stack.post(output, token, "{}").await;
        assert_eq!((answer.status, &answer.body), (StatusCode::OK, &json!({ "status": "test" })), "{output}");
    }
}

/// Tableau itself calls the URL, through the webhook that the stack has registered.
pub(crate) async fn a_failed_refresh_becomes_a_message(environment: &Environment<'_>) {
    let luid = environment.tableau.datasource("Sales Orders").unwrap();

    environment.tableau.fail_refresh(&luid, notes::SQL_SERVER_LOGIN).unwrap();

    environment.wait_for_messages("data-alerts", 1, TIMEOUT).await;
    let text = render(&environment.slack.channel("data-alerts")[0]);
    for part in ["Extract refresh failed: Sales Orders", "Credentials refused", "Owner", "Project"] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    environment.tableau.settled(TIMEOUT).await.unwrap();
    let deliveries = environment.tableau.deliveries();
    let taken = deliveries.iter().all(|delivery| delivery.state == DeliveryState::Delivered);
    assert!(taken && deliveries.len() == 1 && deliveries[0].attempts.len() == 1, "{deliveries:?}");
}

pub(crate) async fn a_wrong_token_is_refused(environment: &Environment<'_>) {
    let body = payload(environment, EventName::DatasourceRefreshFailed);
    let wrong: String = environment.stack.token().chars().rev().collect();
    for output in ingresses(environment) {
        for token in [wrong.as_str(), "", "x"] {
            let answer = environment.stack.post(output, token, &body).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{output}");
            assert_eq!(answer.body, json!({ "error": "forbidden" }), "{output}");
        }
    }
}

/// Four refusals would disable the webhook, so the body is stored, and every workflow records it.
pub(crate) async fn a_body_that_cannot_be_read_is_recorded_by_every_workflow(environment: &Environment<'_>) {
    let id = accepted(environment, "WebhookUrl", "{\"event_type\":\"WorkbookUpd").await;
    for workflow in ["notify-slack", "update-broadcast"] {
        let key = format!("delivery#{workflow}#{id}");
        let is_ignored = || async {
            let records = environment.stack.records().await;
            records.iter().any(|record| record["pk"]["S"] == key && record["state"]["S"] == "ignored")
        };
        until(&format!("{workflow} records it as ignored"), TIMEOUT, is_ignored).await;
    }
}

pub(crate) async fn an_event_that_comes_twice_is_one_message(environment: &Environment<'_>) {
    let body = payload(environment, EventName::AdminPromoted);
    let before = environment.messages("data-news");

    let first = accepted(environment, "WebhookUrl", &body).await;
    let second = accepted(environment, "WebhookUrl", &body).await;
    assert_eq!(first, second);

    environment.wait_for_messages("data-news", before + 1, TIMEOUT).await;
    environment.wait_for_quiet("NotifySlackQueue").await;
    assert_eq!(environment.messages("data-news"), before + 1);
    let records = environment.records("AdminPromoted").await;
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!((&records[0]["state"]["S"], &records[0]["attempts"]["N"]), (&json!("done"), &json!("1")));
}

pub(crate) async fn a_workflows_own_url_works(environment: &Environment<'_>) {
    let before = environment.messages("data-news");

    accepted(environment, "NotifySlackUrl", &payload(environment, EventName::AdminPromoted)).await;

    environment.wait_for_messages("data-news", before + 1, TIMEOUT).await;
}

pub(crate) async fn a_broadcast_follows_its_workbook(environment: &Environment<'_>) {
    let workbook = environment.tableau.add(Workbook::named("Weekly").with_view("Weekly overview"));
    let view = environment.tableau.view("Weekly overview").unwrap();
    person(environment).overwrite_broadcast(&view, BroadcastOptions::default()).await.unwrap();

    a_change_is_broadcast(environment, &workbook, &view, 2).await;
}

/// A person who uses Tableau's REST API.
pub(crate) fn person(environment: &Environment<'_>) -> TableauClient {
    let settings = Settings::new(&environment.tableau.url(), "marketing", "").unwrap();
    let credential = TableauCredential::personal_access_token(SAMPLE_PAT.0, SAMPLE_PAT.1);
    let credential = Arc::new(tableau_client::FixedCredential::new(credential));
    let sessions = Arc::new(MemorySessionStore::default());
    TableauClient::new(http_client::client(None).unwrap(), settings, credential, sessions)
}

/// Overwrites the broadcast of a changed workbook, for the `times`-th time.
pub(crate) async fn a_change_is_broadcast(
    environment: &Environment<'_>,
    workbook: &WorkbookLuid,
    view: &ViewLuid,
    times: u32,
) {
    let body = json!({
        "resource": "WORKBOOK", "event_type": "WorkbookUpdated", "resource_name": "Weekly",
        "site_luid": environment.tableau.site().as_str(), "resource_luid": workbook.as_str(),
        "created_at": Timestamp::now().to_string(),
    });
    accepted(environment, "WebhookUrl", &body.to_string()).await;

    let sent =
        || async { environment.tableau.broadcasts().iter().any(|b| b.view == *view && b.times == times) };
    until("the Broadcast is overwritten", TIMEOUT, sent).await;
}

/// A timer of several hours arrives early, so the function arms it again with its own role, settings and queue.
pub(crate) async fn a_timer_of_hours_is_a_schedule(environment: &Environment<'_>) {
    let due = Timestamp::now() + SignedDuration::from_hours(8);
    let timer = TimerMessage::new("digest#notify-slack#data-alerts", due, 1);
    let queue = environment.stack.resource("NotifySlackQueue");
    let message = json!({ "QueueUrl": queue, "MessageBody": timer.to_json() });
    environment.cloud.call("sqs", "send_message", message).await;

    let group = environment.stack.resource("TimerGroup");
    let name = schedule_name("notify-slack", &timer.again());
    let listed = || async {
        let all = environment.cloud.call("scheduler", "list_schedules", json!({ "NamePrefix": name })).await;
        all["Schedules"].as_array().is_some_and(|all| !all.is_empty())
    };
    until("the schedule", TIMEOUT, listed).await;
    let named = json!({ "Name": name, "GroupName": group });
    let schedule = environment.cloud.call("scheduler", "get_schedule", named).await;
    assert_eq!(schedule["ActionAfterCompletion"], "DELETE");
    let target = &schedule["Target"];
    assert_eq!(target["Input"], timer.again().to_json());
    let arn = |id: &str| environment.stack.resource(id).rsplit('/').next().unwrap().to_owned();
    for (found, id) in [
        (&target["Arn"], "NotifySlackQueue"),
        (&target["DeadLetterConfig"]["Arn"], "NotifySlackDeadLetters"),
        (&target["RoleArn"], "NotifySlackTimersRole"),
    ] {
        assert!(found.as_str().is_some_and(|found| found.ends_with(&arn(id))), "{id}: {found}");
    }
    environment.wait_for_quiet("NotifySlackQueue").await;
    assert_eq!(environment.stack.depth("NotifySlackDeadLetters").await, (0, 0));

    let rule = json!({ "Rule": environment.stack.resource("NotifySlackSweep") });
    let sweep = environment.cloud.call("events", "list_targets_by_rule", rule).await;
    assert_eq!(sweep["Targets"][0]["Input"], r#"{"sweep":{}}"#);
}

pub(crate) async fn slack_fails_three_times(environment: &Environment<'_>) {
    let before = environment.messages("data-news");
    environment.slack.fail_next(3, SlackFault::ServerError);

    let id = accepted(environment, "WebhookUrl", &payload(environment, EventName::AdminDemoted)).await;

    environment.wait_for_messages("data-news", before + 1, THREE_WAITS).await;
    environment.wait_for_quiet("NotifySlackQueue").await;
    assert_eq!(environment.messages("data-news"), before + 1);
    let records = environment.records("AdminDemoted").await;
    let record = records.iter().find(|record| record["pk"]["S"].as_str().unwrap().ends_with(&id)).unwrap();
    assert_eq!((&record["state"]["S"], &record["attempts"]["N"]), (&json!("done"), &json!("4")));
}

/// The channel of the event does not exist.
pub(crate) async fn what_cannot_succeed_waits(environment: &Environment<'_>) {
    let id = accepted(environment, "WebhookUrl", &payload(environment, EventName::LabelCreated)).await;

    let dead = || async { environment.stack.depth("NotifySlackDeadLetters").await == (1, 0) };
    until("a dead letter", TIMEOUT, dead).await;
    let listed = environment
        .cloud
        .tableau_webhooks(&["events", "replay", "--stack", crate::stack::STACK, "--dry-run", "--wide"])
        .await;
    for part in [&id[..12], "LabelCreated", "notify-slack", MISSING_CHANNEL] {
        assert!(listed.contains(part), "no {part} in\n{listed}");
    }
    assert_eq!(environment.stack.depth("NotifySlackDeadLetters").await, (1, 0), "a dry run changes nothing");
    for question in [&["events", "list", "--outcome", "failed", "--wide"][..], &["events", "show", &id[..12]]]
    {
        let answer = [question, &["--stack", crate::stack::STACK]].concat();
        let answer = environment.cloud.tableau_webhooks(&answer).await;
        for part in [&id[..12], "LabelCreated", "notify-slack", MISSING_CHANNEL] {
            assert!(answer.contains(part), "no {part} in\n{answer}");
        }
    }
    // The emulator reports no SQS metrics, so the test reports the queue's depth instead.
    let (depth, _) = environment.stack.depth("NotifySlackDeadLetters").await;
    let queue = environment.stack.resource("NotifySlackDeadLetters").rsplit('/').next().unwrap();
    let of_queue = json!([{ "Name": "QueueName", "Value": queue }]);
    for (alarm, metric) in [
        ("NotifySlackDeadLettersAlarm", "ApproximateNumberOfMessagesVisible"),
        ("NotifySlackNewDeadLettersAlarm", "NumberOfMessagesSent"),
    ] {
        let watched = rings(environment, alarm, depth).await;
        let metric = (json!("AWS/SQS"), json!(metric), &of_queue);
        assert_eq!(
            (watched["Namespace"].clone(), watched["MetricName"].clone(), &watched["Dimensions"]),
            metric
        );
    }
}

/// Reports an alarm's metric, waits until the alarm is in state ALARM, and returns the alarm.
async fn rings(environment: &Environment<'_>, alarm: &str, value: u64) -> Value {
    let name = environment.stack.resource(alarm);
    let look = || async {
        let alarms =
            environment.cloud.call("cloudwatch", "describe_alarms", json!({ "AlarmNames": [name] })).await;
        alarms["MetricAlarms"][0].clone()
    };
    let watched = look().await;
    let point =
        json!({ "MetricName": watched["MetricName"], "Dimensions": watched["Dimensions"], "Value": value });
    let metric = json!({ "Namespace": watched["Namespace"], "MetricData": [point] });
    environment.cloud.call("cloudwatch", "put_metric_data", metric).await;
    until(&format!("{alarm} rings"), TIMEOUT, || async { look().await["StateValue"] == "ALARM" }).await;
    watched
}

/// Our own metrics. The emulator does not extract them from logs, so the test reports them.
pub(crate) async fn an_alarm_reports_an_event_that_needs_a_person(environment: &Environment<'_>) {
    for (alarm, outcome) in
        [("NotifySlackMisconfiguredAlarm", "misconfigured"), ("UpdateBroadcastIgnoredAlarm", "ignored")]
    {
        let watched = rings(environment, alarm, 1).await;
        let metric = (&watched["Namespace"], &watched["MetricName"]);
        assert_eq!(metric, (&json!(crate::stack::STACK), &json!("Attempts")));
        assert!(watched["Dimensions"].to_string().contains(outcome), "{watched}");
        assert_eq!(watched["AlarmActions"], json!([environment.stack.resource("AlarmTopic")]));
    }
    let subscriptions = environment.cloud.call("sns", "list_subscriptions", json!({})).await;
    let subscription = &subscriptions["Subscriptions"][0];
    assert_eq!(
        (&subscription["Protocol"], &subscription["Endpoint"]),
        (&json!("email"), &json!(ALARM_EMAIL))
    );
}

/// Afterwards no resource of the stack exists, so CloudFormation never started.
pub(crate) async fn what_a_new_account_cannot_run_is_refused(environment: &Environment<'_>, template: &str) {
    for (parameter, part) in [
        ("WorkflowMaximumConcurrency=10", "ConcurrencyQuotaConfirmed=true"),
        ("IngressReservedConcurrency=5", "A new account refuses reserved concurrency"),
        ("SubnetIds=subnet-0a1b2c3d", "Give both SubnetIds and SecurityGroupIds"),
    ] {
        let said = environment.stack.is_refused(template, &[parameter]).await;
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(part), "{parameter}: {said}");
    }
}

/// Parameters are texts, and Lambda requires a number here.
pub(crate) async fn instances_work_on_each_queue(
    environment: &Environment<'_>,
    queues: usize,
    instances: u64,
) {
    let mappings = environment.cloud.call("lambda", "list_event_source_mappings", json!({})).await;
    let mappings = mappings["EventSourceMappings"].as_array().unwrap();
    assert_eq!(mappings.len(), queues);
    for mapping in mappings {
        assert_eq!(mapping["ScalingConfig"]["MaximumConcurrency"], json!(instances), "{mapping}");
    }
}

pub(crate) async fn it_is_replayed(environment: &Environment<'_>) {
    environment.slack.add_channel(MISSING_CHANNEL, true);

    let printed =
        environment.cloud.tableau_webhooks(&["events", "replay", "--stack", crate::stack::STACK]).await;

    assert!(printed.contains("1 event replayed"), "{printed}");
    environment.wait_for_messages(MISSING_CHANNEL, 1, TIMEOUT).await;
    environment.wait_for_quiet("NotifySlackQueue").await;
    assert_eq!(environment.stack.depth("NotifySlackDeadLetters").await, (0, 0));
    let records = environment.records("LabelCreated").await;
    assert_eq!(records[0]["state"]["S"], "done", "{records:?}");
}

pub(crate) async fn changed_rules_take_effect(environment: &mut Environment<'_>) {
    let alerts = environment.messages("data-alerts");
    let news = environment.messages("data-news");
    let token = environment.stack.token().to_owned();

    let rules = crate::webhooks::rules_with_more(&RULES.replace("data-news", "data-alerts"));
    let template = environment.stack.with_rules(&rules);
    environment.stack.deploy(&template).await;

    assert_eq!(environment.stack.token(), token, "an update leaves the URLs as they are");
    assert_eq!(
        environment.stack.secret("SlackSecretArn").await["bot_token"],
        environment.slack.token(),
        "and the secrets"
    );
    assert_eq!(environment.stack.output("RulesVersion"), "2");
    tokio::time::sleep(A_MINUTE).await;
    accepted(environment, "WebhookUrl", &payload(environment, EventName::AdminPromoted)).await;
    environment.wait_for_messages("data-alerts", alerts + 1, TIMEOUT).await;
    assert_eq!(environment.messages("data-news"), news);
}

// 15-3
pub(crate) async fn a_broken_file_fails_the_deploy_and_the_rules_of_before_count(
    environment: &Environment<'_>,
) {
    let alerts = environment.messages("data-alerts");
    let before = environment.stack.rules_in_force().await;
    let template = environment.stack.with_rules(&RULES.replace("on: [LabelCreated]", "no: [LabelCreated]"));
    let refused = environment.stack.is_refused(&template, &[]).await;
    assert!(refused.contains("Rules"), "{refused}");
    assert_eq!(environment.stack.rules_in_force().await["version"], before["version"]);
    accepted(environment, "WebhookUrl", &payload(environment, EventName::AdminDemoted)).await;
    environment.wait_for_messages("data-alerts", alerts + 1, TIMEOUT).await;
}

// 15-3
pub(crate) async fn a_deploy_with_the_same_file_leaves_a_newer_version_in_force(
    environment: &mut Environment<'_>,
) {
    let template = environment.stack.with_rules(RULES);
    environment.stack.deploy(&template).await;
    let number = environment.stack.publish(&format!("{RULES}# By hand.\n")).await;
    environment.stack.deploy_with(&template, &["LogRetentionDays=14"]).await;
    let in_force = environment.stack.rules_in_force().await;
    let in_force: Value = serde_json::from_str(in_force["document"]["S"].as_str().unwrap()).unwrap();
    assert_eq!(in_force["number"], number);
}

pub(crate) async fn no_secret_is_in_a_log(environment: &Environment<'_>) {
    let secrets = [environment.stack.token(), SAMPLE_PAT.1, &environment.slack.token()].map(str::to_owned);
    none_is_in_a_log(environment, &secrets).await;
}

/// Panics if one of these secrets is in the log of a function.
pub(crate) async fn none_is_in_a_log(environment: &Environment<'_>, secrets: &[String]) {
    let groups = environment.cloud.call("logs", "describe_log_groups", json!({})).await;
    let mut lines = 0;
    for group in groups["logGroups"].as_array().unwrap() {
        let events = json!({ "logGroupName": group["logGroupName"] });
        let events = environment.cloud.call("logs", "filter_log_events", events).await;
        for event in events["events"].as_array().unwrap() {
            lines += 1;
            let line = event["message"].as_str().unwrap();
            assert!(secrets.iter().all(|secret| !line.contains(secret)), "in {}", group["logGroupName"]);
        }
    }
    assert!(lines > 20, "only {lines} lines");
}
