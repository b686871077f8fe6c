//! The real binary with the doubles of Tableau and Amazon SES over HTTP, and helpers for tests.

use serde_json::{Value, json};
use std::time::Duration;
use testkit::local_aws::Mail;
use testkit::simulator::notes;
use testkit::{Batch, Function, Request, TestEnvironment};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_send-email");
pub(crate) const STEWARD: &str = "{ to: steward@example.com }";
pub(crate) const DEAD_LETTERS: &str = "dead-letters";

/// A rule for failures, recoveries of which need none, and for new workbooks.
pub(crate) fn rules(settings: &str) -> String {
    format!(
        "rules:\n  - name: failures\n    on: [DatasourceRefreshFailed, WorkbookRefreshFailed, WorkbookCreated]\n    do: [{{ send-email: \
         {settings} }}]\n"
    )
}

pub(crate) async fn environment(settings: &str) -> TestEnvironment {
    TestEnvironment::with_rules(&rules(settings)).await
}

pub(crate) fn queued(environment: &TestEnvironment) -> Function {
    environment.queued("send-email", BINARY)
}

pub(crate) fn inline(environment: &TestEnvironment) -> Function {
    environment.inline("send-email", BINARY)
}

/// A realistic event about a data source of the sample site, whose job has failed or succeeded.
pub(crate) fn refreshed(environment: &TestEnvironment, name: &str, how: &str) -> Value {
    let luid = environment.tableau.datasource(name).expect("there is such a data source");
    if how == "Failed" {
        environment.tableau.fail_refresh(&luid, notes::SNOWFLAKE_LOGIN).unwrap();
    }
    json!({
        "resource": "EXTRACTS", "event_type": format!("DatasourceRefresh{how}"), "resource_name": name,
        "site_luid": environment.tableau.site().as_str(), "resource_luid": luid.as_str(),
        "created_at": environment.tableau.clock().now().to_string(),
    })
}

/// Handles an event in inline mode, and returns the outcome.
pub(crate) async fn handle(function: &Function, event: &Value) -> Value {
    function.answer(&Request::post(event.to_string())).await.body
}

pub(crate) fn message(event: &Value) -> Batch {
    Batch::default().message(&event.to_string())
}

/// The recipients of each mail.
pub(crate) fn recipients(environment: &TestEnvironment) -> Vec<Vec<String>> {
    environment.aws.mails().into_iter().map(|mail| mail.to).collect()
}

/// The reason of the only dead letter.
pub(crate) fn dead_letter(environment: &TestEnvironment) -> String {
    let dead = environment.aws.messages(DEAD_LETTERS);
    assert_eq!(dead.len(), 1, "{dead:?}");
    dead[0].attributes["reason"].clone()
}

/// Hands timers over when they are due, until there are as many mails.
pub(crate) async fn wait_for_mails(
    environment: &TestEnvironment,
    function: &Function,
    count: usize,
    longest: Duration,
) -> Vec<Mail> {
    environment.run_timers(function, longest, || environment.aws.mails().len() >= count).await;
    environment.aws.mails()
}
