//! What the roles of the deployed functions may not do.

use crate::environment::Environment;
use serde_json::{Value, json};

/// Denied actions of each role: other functions' secrets and queues, and actions that its function never calls. This
/// checks the test too: an emulator that allows everything would prove nothing about the policies.
pub(crate) async fn roles_are_enforced(environment: &Environment<'_>) {
    let secret = |output: &str| json!({ "SecretId": environment.stack.output(output) });
    let read = |output: &str| ("secretsmanager", "get_secret_value", secret(output));
    let message = |queue: &str| json!({ "QueueUrl": environment.stack.resource(queue), "MessageBody": "{}" });
    let send = |queue: &str| ("sqs", "send_message", message(queue));
    let receive =
        |queue: &str| ("sqs", "receive_message", json!({ "QueueUrl": environment.stack.resource(queue) }));
    let group = environment.stack.resource("TimerGroup");
    let schedule = |name: &str| ("scheduler", "get_schedule", json!({ "Name": name, "GroupName": group }));
    let denied = [
        ("NotifySlack", schedule("tw-update-broadcast-x")),
        ("UpdateBroadcast", schedule("tw-notify-slack-x")),
        ("ReceiveWebhook", schedule("tw-notify-slack-x")),
        ("ReceiveWebhook", read("TableauSecretArn")),
        ("ReceiveWebhook", read("SlackSecretArn")),
        ("ReceiveWebhook", send("NotifySlackQueue")),
        ("ReceiveWebhook", receive("NotifySlackQueue")),
        ("NotifySlack", send("UpdateBroadcastQueue")),
        ("NotifySlack", receive("NotifySlackDeadLetters")),
        ("UpdateBroadcast", read("SlackSecretArn")),
        ("UpdateBroadcast", send("NotifySlackQueue")),
        ("UpdateBroadcast", receive("NotifySlackQueue")),
    ];
    are_denied(environment, &["NotifySlack", "ReceiveWebhook", "UpdateBroadcast"], &denied).await;
}

/// Denied actions of the roles of workflows that a new account has no room for.
pub(crate) async fn further_roles_are_enforced(environment: &Environment<'_>) {
    let read = |output: &str| {
        ("secretsmanager", "get_secret_value", json!({ "SecretId": environment.stack.output(output) }))
    };
    let message = |queue: &str| json!({ "QueueUrl": environment.stack.resource(queue), "MessageBody": "{}" });
    let send = |queue: &str| ("sqs", "send_message", message(queue));
    let group = environment.stack.resource("TimerGroup");
    let schedule = ("scheduler", "get_schedule", json!({ "Name": "tw-notify-slack-x", "GroupName": group }));
    let denied = [
        ("ForwardEvent", read("SlackSecretArn")),
        ("ForwardEvent", send("NotifySlackQueue")),
        ("NotifySlack", read("TeamsSecretArn")),
        ("NotifyTeams", read("SlackSecretArn")),
        ("NotifyTeams", schedule.clone()),
        ("NotifyTeams", send("NotifySlackQueue")),
        ("NotifySlack", read("ServiceNowSecretArn")),
        ("PageOnCall", read("SlackSecretArn")),
        ("PageOnCall", schedule.clone()),
        ("RefreshExtract", read("SlackSecretArn")),
        ("RefreshExtract", schedule.clone()),
        ("RefreshExtract", send("NotifySlackQueue")),
        ("RequestCertification", read("SlackSecretArn")),
        ("RequestCertification", schedule.clone()),
        ("RequestCertification", send("NotifySlackQueue")),
        ("SendEmail", read("SlackSecretArn")),
        ("SendEmail", read("CertificationLinkSecretArn")),
        ("SendEmail", read("TeamsSecretArn")),
        ("SendEmail", read("TwilioSecretArn")),
        ("SendEmail", schedule.clone()),
        ("SendEmail", send("NotifyTeamsQueue")),
        ("SendSms", read("SlackSecretArn")),
        ("SendSms", schedule.clone()),
        ("SendSms", send("NotifyTeamsQueue")),
        ("PublishPdf", read("SlackSecretArn")),
        ("PublishPdf", send("NotifySlackQueue")),
        ("SetQualityWarning", read("SlackSecretArn")),
        ("SetQualityWarning", schedule.clone()),
        ("SetQualityWarning", send("NotifySlackQueue")),
        ("TrackServicenowIncident", read("SlackSecretArn")),
        ("TrackServicenowIncident", schedule),
        ("TrackServicenowIncident", send("NotifyTeamsQueue")),
    ];
    let functions = [
        "ForwardEvent",
        "NotifySlack",
        "NotifyTeams",
        "PageOnCall",
        "RefreshExtract",
        "RequestCertification",
        "SendEmail",
        "SendSms",
        "PublishPdf",
        "SetQualityWarning",
        "TrackServicenowIncident",
    ];
    are_denied(environment, &functions, &denied).await;
}

/// A call of a service: its name, the operation and the arguments.
type ServiceCall = (&'static str, &'static str, Value);

/// Checks that each function reads the webhook secret, and may do none of these actions.
async fn are_denied(environment: &Environment<'_>, functions: &[&str], denied: &[(&str, ServiceCall)]) {
    let secret = |output: &str| json!({ "SecretId": environment.stack.output(output) });
    for function in functions {
        let role = role(environment, function).await;
        let allowed = environment
            .cloud
            .call_as(&role, "secretsmanager", "get_secret_value", secret("WebhookSecretArn"))
            .await;
        assert!(allowed.is_ok(), "{function} reads the webhook secret: {allowed:?}");
        let never = [
            ("dynamodb", "scan", json!({ "TableName": environment.stack.output("TableName") })),
            ("secretsmanager", "delete_secret", secret("WebhookSecretArn")),
            ("sqs", "list_queues", json!({})),
        ];
        let others = denied.iter().filter(|(whose, _)| whose == function).map(|(_, call)| call);
        for (service, operation, arguments) in never.iter().chain(others) {
            let answer = environment.cloud.call_as(&role, service, operation, arguments.clone()).await;
            let refused = answer.expect_err(&format!("{function} may not {service}.{operation} {arguments}"));
            assert!(refused.code.contains("AccessDenied"), "{function}: {refused:?}");
        }
    }
}

async fn role(environment: &Environment<'_>, function: &str) -> String {
    let name = json!({ "RoleName": environment.stack.resource(&format!("{function}Role")) });
    let role = environment.cloud.call("iam", "get_role", name).await;
    role["Role"]["Arn"].as_str().unwrap().to_owned()
}
