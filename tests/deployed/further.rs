//! The workflows that a new account has no room for: one event, and what each of them does about it.

use crate::environment::{Environment, RULES, until};
use crate::scenario::{TIMEOUT, accepted, payload};
use serde_json::json;
use simulator::TeamsSimulator;
use tableau::EventName;

/// Parameters that switch them on.
pub(crate) const PARAMETERS: [&str; 4] = [
    "NotifyTeamsEnabled=true",
    "SendEmailEnabled=true",
    "EmailFrom=tableau-webhooks@example.com",
    "EmailIdentity=example.com",
];

const WORKFLOWS: [&str; 2] = ["notify-teams", "send-email"];

/// The rules of the first deploy, and one that names the further workflows.
pub(crate) fn rules() -> String {
    format!(
        "{RULES}  - name: new workbooks
    on: [WorkbookCreated]
    do:
      - notify-teams: {{ channel: bi }}
      - send-email: {{ to: steward@example.com }}
"
    )
}

/// One event at the common URL, and each further workflow has done its work with the permissions of its role.
pub(crate) async fn each_does_its_work(environment: &Environment<'_>) {
    let teams = TeamsSimulator::start().await.unwrap();
    let webhooks = json!({ "webhooks": { "bi": teams.add_flow("bi") } });
    environment.stack.put_secret("TeamsSecretArn", &webhooks).await;
    for identity in ["example.com", "tableau-webhooks@example.com"] {
        let identity = json!({ "EmailIdentity": identity });
        environment.cloud.call("sesv2", "create_email_identity", identity).await;
    }

    let body = payload(environment, EventName::WorkbookCreated);
    let id = accepted(environment, "WebhookUrl", &body).await;

    for workflow in WORKFLOWS {
        let key = format!("delivery#{workflow}#{id}");
        let is_done = || async {
            let records = environment.stack.records().await;
            records.iter().any(|record| record["pk"]["S"] == key && record["state"]["S"] == "done")
        };
        until(&format!("{workflow} is done"), TIMEOUT, is_done).await;
    }
    let posts = teams.posts();
    assert_eq!(posts.len(), 1, "{posts:?}");
    let name = json!(serde_json::from_str::<serde_json::Value>(&body).unwrap()["resource_name"]);
    assert!(posts[0].title().contains(name.as_str().unwrap()), "{}", posts[0].title());
    for identity in ["example.com", "tableau-webhooks@example.com"] {
        let identity = json!({ "EmailIdentity": identity });
        environment.cloud.call("sesv2", "delete_email_identity", identity).await;
    }
}
