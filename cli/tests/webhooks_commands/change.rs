//! `webhooks update`, `enable` and `disable`.

use crate::site::Site;
use crate::{TOKEN, objects, stderr, stdout};
use serde_json::json;
use simulator::{Fault, Webhook};
use tableau::EventName;

#[tokio::test(flavor = "multi_thread")]
async fn name_event_and_url_are_changed() {
    let site = Site::start().await;
    let old = format!("https://old.example.com/webhook/{TOKEN}");
    let luid = site.tableau.add(Webhook::on(EventName::SiteUpdated, &old).named("site"));
    let update = ["update", "site", "--name", "workbooks", "--event", "WorkbookUpdated", "--url", "env"];
    let output = site.run_to(&site.url(), &update).await;
    let expected = format!(
        "updated\n  name     workbooks\n  event    WorkbookUpdated\n  state    enabled\n  host     {}\n  \
         owner    bea@example.com\n  luid     {luid}\n",
        site.destination.url()
    );
    assert_eq!((stdout(&output), stderr(&output).as_str(), output.status.code()), (expected, "", Some(0)));
    let webhook = site.webhook(&luid).unwrap();
    assert_eq!(
        (webhook.name.as_str(), webhook.event, webhook.url),
        ("workbooks", EventName::WorkbookUpdated, site.url())
    );

    let again = ["update", &luid, "--name", "workbooks", "--url", "env", "--json"];
    let again = objects(&site.run_to(&site.url(), &again).await);
    assert_eq!((&again[0]["result"], &again[0]["luid"]), (&json!("unchanged"), &json!(luid)));
    assert_eq!(site.tableau.calls("PUT /sites/*/webhooks/*"), 1);
    let renamed = objects(&site.run(&["update", &luid[..6], "--name", "w", "--json"]).await);
    assert_eq!((&renamed[0]["result"], &renamed[0]["name"]), (&json!("updated"), &json!("w")));
    assert_eq!(site.webhook(&luid).unwrap().url, site.url(), "the rest stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ambiguous_name_changes_nothing_and_lists_the_luids() {
    let site = Site::start().await;
    let one = site.add(EventName::SiteUpdated, "same");
    let two = site.add(EventName::UserDeleted, "same");
    for command in [
        &["update", "same", "--name", "x"][..],
        &["enable", "same"],
        &["disable", "same", "--json"],
        &["delete", "same", "--yes"],
        &["test", "same"],
    ] {
        let output = site.run(command).await;
        let error = stderr(&output);
        assert!(error.starts_with("error: 2 webhooks are meant by `same`; say which by LUID: "), "{error}");
        assert!(
            error.contains(&one) && error.contains(&two) && error.contains("(UserDeleted to http://127"),
            "{error}"
        );
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), ""), "{command:?}");
    }
    let unknown = stderr(&site.run(&["enable", "sane"]).await);
    assert_eq!(unknown, "error: there is no webhook `sane`; did you mean `same`?\n");
    assert_eq!((site.tableau.webhooks().len(), site.destination.requests().len()), (2, 0));
    assert_eq!(site.tableau.calls("PUT *"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_disabled_with_a_reason_and_enabled_again() {
    let site = Site::start().await;
    let one = site.add(EventName::SiteUpdated, "site");
    let two = site.add(EventName::UserDeleted, "users");
    let off = site.run(&["disable", "site", "users", "users"]).await;
    let line = |result: &str, name: &str, event: &str, luid: &str, reason: &str| {
        format!("{result:<8} `{name}` ({event}, {luid}){reason}\n")
    };
    let usual = ": Webhook disabled by user";
    let expected = line("disabled", "site", "SiteUpdated", &one, usual)
        + &line("disabled", "users", "UserDeleted", &two, usual);
    assert_eq!((stdout(&off), off.status.code()), (expected, Some(0)), "{}", stderr(&off));
    assert!(site.tableau.webhooks().iter().all(|webhook| !webhook.enabled));

    let again = stdout(&site.run(&["disable", "site"]).await);
    assert_eq!(again, format!("`site` (SiteUpdated, {one}) is disabled: Webhook disabled by user already\n"));
    let reason = objects(&site.run(&["disable", "site", "--reason", "moves", "--json"]).await);
    assert_eq!(
        (&reason[0]["result"], &reason[0]["reason"]),
        (&json!("disabled"), &json!("Keep disabled: moves"))
    );
    assert_eq!(site.webhook(&one).unwrap().status_change_reason, "Keep disabled: moves");
    let same = objects(&site.run(&["disable", "site", "--reason", "moves", "--json"]).await);
    assert_eq!(same[0]["result"], "unchanged");

    let on = objects(&site.run(&["enable", "site", "--json"]).await);
    assert_eq!((&on[0]["result"], &on[0]["enabled"]), (&json!("enabled"), &json!(true)));
    let on = site.run(&["enable", &one, "users"]).await;
    let expected = format!("`site` (SiteUpdated, {one}) is enabled already\n")
        + &line("enabled", "users", "UserDeleted", &two, "");
    assert_eq!(stdout(&on), expected);
    assert!(
        site.tableau
            .webhooks()
            .iter()
            .all(|webhook| webhook.enabled && webhook.status_change_reason.is_empty())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_tableau_refuses_does_not_hold_up_the_others() {
    let site = Site::start().await;
    let gone = site.add(EventName::SiteUpdated, "gone");
    let there = site.add(EventName::UserDeleted, "there");
    site.tableau.fail_next(&format!("PUT /sites/*/webhooks/{gone}"), 1, Fault::Error("404034"));
    let output = site.run(&["disable", "gone", "there"]).await;
    assert!(
        stderr(&output).starts_with(&format!("error: `gone` (SiteUpdated, {gone}): the site ")),
        "{}",
        stderr(&output)
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(!site.webhook(&there).unwrap().enabled);
}
