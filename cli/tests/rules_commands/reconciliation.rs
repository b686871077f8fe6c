//! After rules are published, the stack's function registers the webhooks that they need. Its real binary runs.

use crate::stack::{Stack, rules};
use crate::{stderr, stdout};
use local_aws::Fault;
use std::time::{Duration, Instant};

const STARTED: &str = "reconcile-webhooks registers the webhooks that the rules need now, and deletes those that they need no more\n";

/// Waits until Tableau has webhooks for these events.
async fn until_registered(stack: &Stack, expected: &[&str]) {
    let began = Instant::now();
    loop {
        let webhooks = stack.tableau.webhooks();
        let mut events: Vec<&str> = webhooks.iter().map(|webhook| webhook.event.as_str()).collect();
        events.sort_unstable();
        if events == expected {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{events:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_and_a_rollback_start_it_and_do_not_wait_for_it() {
    let stack = Stack::start().await;
    stack.add_function();
    let deployed = stack.run(&["deploy", "--yes"]).await;
    let shown = stdout(&deployed);
    assert!(shown.ends_with(&format!("within a minute\n{STARTED}")), "{shown}{}", stderr(&deployed));
    assert!(!shown.contains("not checked: "), "{shown}");
    let refreshes = [
        "DatasourceRefreshFailed",
        "DatasourceRefreshSucceeded",
        "WorkbookRefreshFailed",
        "WorkbookRefreshSucceeded",
    ];
    until_registered(&stack, &refreshes).await;
    stack.deploy(&rules("data").replace("RefreshFailed", "SiteUpdated")).await;
    until_registered(&stack, &["SiteUpdated"]).await;
    let back = stack.run(&["rollback", "--yes"]).await;
    assert!(stdout(&back).ends_with(STARTED), "{}", stdout(&back));
    until_registered(&stack, &refreshes).await;
    // Nothing was published, so nothing is started.
    let before = stack.aws.calls("Lambda.Invoke");
    let same = stack.run(&["rollback", "1", "--yes"]).await;
    assert!(stdout(&same).starts_with("nothing to do: "), "{}", stdout(&same));
    assert_eq!((before, stack.aws.calls("Lambda.Invoke")), (3, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_started_is_a_note_and_the_rules_are_in_force() {
    let stack = Stack::start().await;
    stack.add_function();
    stack.aws.fail_next("Lambda.Invoke", 1, Fault::AccessDenied);
    let output = stack.run(&["deploy", "--yes"]).await;
    assert!(stdout(&output).ends_with("version 1 is in force; functions use it within a minute\n"));
    let note = "note: reconcile-webhooks was not started, and registers missing webhooks within 15 minutes: these AWS credentials have no \
                permission for lambda:InvokeFunction";
    assert!(stderr(&output).starts_with(note), "{}", stderr(&output));
    assert_eq!(output.status.code(), Some(0));
}
