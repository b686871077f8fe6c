//! Deploys a release's `template.yaml` with `sam deploy` to an AWS emulator that enforces policies, and checks that
//! events arrive through the deployed stack.
//!
//! `cargo xtask check --step deployed` builds, starts the emulator and runs this. Without it there is nothing to
//! run, and this says so (`--nocapture`).

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod cloud;
mod environment;
mod further;
mod inventory;
mod restore;
mod roles;
mod scenario;
mod stack;
mod webhooks;

use cloud::Cloud;
use environment::{Environment, RULES, step};
use further::Further;
use inventory::{Inventory, kept_by_sam};
use serde_json::json;
use simulator::SAMPLE_PAT;
use std::time::Instant;

/// Prints where the emulator differs from AWS, and how the test works around it.
#[expect(clippy::print_stdout, reason = "says out loud where the emulator differs from AWS")]
fn tell_differences() {
    let page = include_str!("README.md");
    let (_, differences) =
        page.split_once("## Where the emulator is not AWS").expect("the page has this heading");
    println!("\nThe emulator is not AWS:{differences}");
}

#[tokio::test]
async fn an_event_travels_through_the_deployed_stack() {
    let Some(cloud) = Cloud::of_this_run() else {
        println!("SKIPPED: no EMULATOR_URL; `cargo xtask check --step deployed` starts one");
        return;
    };
    tell_differences();

    let before = Inventory::take(&cloud).await;
    let mut environment = Environment::new(&cloud).await;
    let template = environment.stack.with_rules(RULES);
    let start = Instant::now();
    let refused = scenario::what_a_new_account_cannot_run_is_refused(&environment, &template);
    step("what a new account cannot run is refused", refused).await;
    step("sam deploy", environment.stack.deploy(&template)).await;
    step("two instances work on each queue", scenario::instances_work_on_each_queue(&environment, 2, 2))
        .await;
    step("the secrets are filled in", environment.fill_in_secrets()).await;
    step("every URL answers a test", scenario::every_url_answers_a_test(&environment)).await;
    let registered = webhooks::the_stack_registers_what_its_rules_need(&environment);
    step("the stack registers the webhooks that its rules need", registered).await;
    step(
        "a failed refresh at Tableau becomes a message",
        scenario::a_failed_refresh_becomes_a_message(&environment),
    )
    .await;
    println!("{:>7.1} s  from `sam deploy` to the first message", start.elapsed().as_secs_f64());

    step("a wrong token is refused", scenario::a_wrong_token_is_refused(&environment)).await;
    let unreadable = scenario::a_body_that_cannot_be_read_is_recorded_by_every_workflow(&environment);
    step("a body that cannot be read is recorded by every workflow", unreadable).await;
    step(
        "an event that comes twice is one message",
        scenario::an_event_that_comes_twice_is_one_message(&environment),
    )
    .await;
    step("a workflow's own URL works too", scenario::a_workflows_own_url_works(&environment)).await;
    step("a Broadcast follows its workbook", scenario::a_broadcast_follows_its_workbook(&environment)).await;
    step("a role may do no more than its policy says", roles::roles_are_enforced(&environment)).await;
    step("a timer of hours is a schedule", scenario::a_timer_of_hours_is_a_schedule(&environment)).await;
    step("Slack fails three times, the message comes", scenario::slack_fails_three_times(&environment)).await;
    step("what cannot succeed waits as a dead letter", scenario::what_cannot_succeed_waits(&environment))
        .await;
    step("… and is replayed when its cause is mended", scenario::it_is_replayed(&environment)).await;
    step("changed rules take effect", scenario::changed_rules_take_effect(&mut environment)).await;
    webhooks::a_new_rule_has_its_webhook(&environment);
    let broken = scenario::a_broken_file_fails_the_deploy_and_the_rules_of_before_count(&environment);
    step("a broken rules file fails the deploy", broken).await;
    let newer = scenario::a_deploy_with_the_same_file_leaves_a_newer_version_in_force(&mut environment);
    step("a deploy with the same file leaves a newer version in force", newer).await;
    webhooks::a_rule_that_is_gone_has_none(&environment);
    let refused = webhooks::what_tableau_refuses_fails_the_deploy(&environment);
    step("a webhook that Tableau refuses fails the deploy", refused).await;
    let hangs = webhooks::a_tableau_that_hangs_fails_the_deploy_in_time(&environment);
    step("a Tableau that hangs fails the deploy in time", hangs).await;
    let twice = webhooks::a_request_that_comes_twice_is_done_once(&environment);
    step("a request of CloudFormation that comes twice is done once", twice).await;
    let rotated = webhooks::a_new_token_reaches_every_webhook(&environment);
    step("a new token reaches every webhook", rotated).await;
    step(
        "an alarm reports an event that needs a person",
        scenario::an_alarm_reports_an_event_that_needs_a_person(&environment),
    )
    .await;
    step("no secret is in a log", scenario::no_secret_is_in_a_log(&environment)).await;

    let body = step("an event is done", restore::an_event_is_done(&environment)).await;
    let table = environment.stack.output("TableName").to_owned();
    let sign_ins = environment.tableau.sign_ins(SAMPLE_PAT.0);
    step("sam delete", environment.stack.delete()).await;
    webhooks::the_foreign_webhook_alone_is_left(&environment);
    let left: Vec<_> = Inventory::take(&cloud).await.without(&before).into_iter().collect();
    assert_eq!(left, [format!("dynamodb: {table}")], "the table alone is left");

    let restored = restore::the_table_that_is_left_is_restored(&environment, &table);
    let (restored, items) = step("the table that is left is restored", restored).await;

    let more = ["ConcurrencyQuotaConfirmed=true", "WorkflowMaximumConcurrency=5", "Tracing=Active"];
    let inside = ["SubnetIds=subnet-0a1b2c3d", "SecurityGroupIds=sg-0a1b2c3d"];
    let bounded = ["PermissionsBoundaryArn=arn:aws:iam::000000000000:policy/company-boundary"];
    let further = Further::new(&cloud).await;
    let on = further.parameters();
    let on: Vec<&str> = on.iter().map(String::as_str).collect();
    let parameters = [more.as_slice(), &on, &inside, &bounded].concat();
    let template = further.template(&environment.stack);
    step("sam deploy, in a company's account", environment.stack.deploy_with(&template, &parameters)).await;
    step("five instances work on each queue", scenario::instances_work_on_each_queue(&environment, 12, 5))
        .await;
    step("the secrets are filled in", environment.fill_in_secrets()).await;
    step("every URL of all workflows answers a test", scenario::every_url_answers_a_test(&environment)).await;
    step("a wrong token is refused by all", scenario::a_wrong_token_is_refused(&environment)).await;
    let roles = roles::further_roles_are_enforced(&environment);
    step("the roles of all workflows may do no more than their policies say", roles).await;
    let copied = restore::its_items_are_copied_into_the_new_stack(&environment, &restored, items);
    step("its items are copied into the new stack", copied).await;
    step(
        "nothing is done twice after it",
        restore::nothing_is_done_twice_after_it(&environment, &body, sign_ins),
    )
    .await;

    step("each further workflow does its work", Further::each_does_its_work(&further, &environment)).await;
    let published = Further::a_pdf_is_published(&further, &environment);
    step("a refreshed workbook is a PDF file in SharePoint", published).await;
    let warned = Further::a_warning_comes_and_goes(&environment);
    step("a data source has a warning while its refresh fails", warned).await;

    let pages = Further::a_steward_certifies(&environment);
    step("a steward certifies through the link in the mail", pages).await;

    let refused = Further::a_stranger_refreshes_nothing(&environment);
    step("a request without a key is refused", refused).await;
    let refreshed = Further::a_pipeline_refreshes_by_name(&environment);
    step("a pipeline refreshes by name, and sends an event", refreshed).await;

    let exported = Further::the_history_is_exported(&environment);
    let bucket = step("the history is exported and reported", exported).await;

    let table = environment.stack.output("TableName").to_owned();
    step("sam delete", environment.stack.delete()).await;
    let kept = step("the bucket with the history is left", further.the_bucket_is_left(&bucket)).await;
    assert!(kept > 4, "{kept} files");
    cloud.call("dynamodb", "delete_table", json!({ "TableName": table })).await;
    further.clean_up().await;
    let left = Inventory::take(&cloud).await.without(&before);
    assert!(left.is_empty(), "left behind: {left:#?}");
    let kept = kept_by_sam(&cloud).await;
    println!("\nNothing is left behind but SAM's own bucket, with {kept} bytes of earlier packages.");
}
