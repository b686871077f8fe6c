//! `webhooks delete`.

use crate::site::{PAT, Site};
use crate::terminal::Asked;
use crate::{objects, stderr, stdout};
use serde_json::json;
use tableau::EventName;

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_deleted_after_a_yes_on_the_command_line() {
    let site = Site::start().await;
    let one = site.add(EventName::SiteUpdated, "site");
    let two = site.add(EventName::UserDeleted, "users");
    let three = site.add(EventName::ViewDeleted, "views");
    let output = site.run(&["delete", "site", &two, "--yes"]).await;
    let expected = format!("deleted  `site` (SiteUpdated, {one})\ndeleted  `users` (UserDeleted, {two})\n");
    assert_eq!((stdout(&output), stderr(&output).as_str(), output.status.code()), (expected, "", Some(0)));
    let output = site.run(&["delete", "views", "--yes", "--json"]).await;
    let deleted = objects(&output);
    assert_eq!((&deleted[0]["result"], &deleted[0]["luid"]), (&json!("deleted"), &json!(three)));
    assert!(site.tableau.webhooks().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_and_without_yes_nothing_is_deleted() {
    let site = Site::start().await;
    site.add(EventName::SiteUpdated, "site");
    for command in [&["delete", "site"][..], &["delete", "site", "--json"]] {
        let output = site.run(command).await;
        let expected =
            "error: cannot ask for confirmation without a terminal: add --yes to delete without a question\n";
        assert_eq!((stderr(&output).as_str(), stdout(&output).as_str()), (expected, ""));
        assert_eq!(output.status.code(), Some(1));
    }
    assert_eq!(site.tableau.webhooks().len(), 1);
}

async fn answered(site: &Site, arguments: &[&str], answer: &'static str) -> (String, Option<i32>) {
    let command = site.command(arguments, PAT);
    tokio::task::spawn_blocking(move || Asked::start(command).answer(answer)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_asked_and_a_no_deletes_nothing() {
    let site = Site::start().await;
    let one = site.add(EventName::SiteUpdated, "site");
    site.add(EventName::UserDeleted, "users");
    let (shown, code) = answered(&site, &["delete", "site"], "n").await;
    let question = format!(
        "Delete the webhook `site` (SiteUpdated, {one}) at {}? Tableau cannot bring it back. [y/N] ",
        site.destination.url()
    );
    assert!(shown.starts_with(&question) && shown.ends_with("nothing is deleted\n"), "{shown}");
    assert_eq!((code, site.tableau.webhooks().len(), site.tableau.sessions()), (Some(1), 2, 0));

    let (shown, code) = answered(&site, &["delete", "site", "users"], "y").await;
    assert!(
        shown.starts_with("Delete 2 webhooks? Tableau cannot bring them back.\n  `site` (SiteUpdated, "),
        "{shown}"
    );
    assert!(!shown.contains(crate::TOKEN), "{shown}");
    assert_eq!((code, site.tableau.webhooks().len(), site.tableau.sessions()), (Some(0), 0, 0));
}
