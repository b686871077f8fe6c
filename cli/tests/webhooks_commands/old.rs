//! Servers whose REST API is too old to change a webhook, or to say whether it is enabled.

use crate::site::{PAT, Site};
use crate::{objects, stderr, stdout};
use serde_json::{Value, json};
use simulator::{RestVersion, TableauSimulator};
use tableau::EventName;

async fn with(minor: u16) -> Site {
    Site::start_as(TableauSimulator::sample().max_version(RestVersion { major: 3, minor })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_server_lists_creates_tests_and_deletes() {
    for minor in [6, 7] {
        let site = with(minor).await;
        let url = site.url();
        let made = objects(&site.run_to(&url, &["create", "AdminPromoted", "--json"]).await);
        assert_eq!((&made[0]["result"], &made[0]["event"]), (&json!("created"), &json!("AdminPromoted")));
        let again = objects(&site.run_to(&url, &["create", "AdminPromoted", "--json"]).await);
        assert_eq!(again[0]["result"], "exists");
        let listed = site.run(&["list"]).await;
        assert!(stdout(&listed).lines().nth(1).unwrap().contains("  –  "), "{}", stdout(&listed));
        let note = "note: this version of the REST API does not say whether a webhook is enabled: look at the settings of the site";
        assert!(stderr(&listed).starts_with(note), "{}", stderr(&listed));
        let objects = objects(&site.run(&["list", "--json"]).await);
        assert_eq!(objects[0]["enabled"], Value::Null);
        for command in [&["test", "--all"][..], &["delete", "tableau-webhooks AdminPromoted", "--yes"]] {
            let output = site.run(command).await;
            assert_eq!(output.status.code(), Some(0), "{command:?}: {}", stderr(&output));
        }
        assert!(site.tableau.webhooks().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_old_server_cannot_do_says_what_to_do_instead() {
    for minor in [6, 7] {
        let site = with(minor).await;
        let luid = site.add(EventName::SiteUpdated, "site");
        let words = format!("--server {} --site marketing", site.tableau.url());
        let place = format!("the site `marketing` at {}", site.tableau.url());
        for (command, verb) in [
            (&["update", "site", "--name", "x"][..], "change"),
            (&["enable", "site"], "enable"),
            (&["disable", "site", "--json"], "disable"),
        ] {
            let output = site.run(command).await;
            let expected = format!(
                "error: REST API 3.{minor}, which {place} uses, cannot {verb} webhooks: 3.8 and later can. Create a webhook as you \
                 want it with `webhooks create`, then `tableau-webhooks webhooks delete {luid} {words}`\n"
            );
            assert_eq!((stderr(&output), stdout(&output).as_str()), (expected, ""), "{command:?}");
            assert_eq!(output.status.code(), Some(1));
        }
        let disabled = site.run_to(&site.url(), &["create", "UserDeleted", "--disabled"]).await;
        assert!(
            stderr(&disabled)
                .contains("cannot create a disabled webhook: 3.8 and later can; leave out --disabled")
        );
        assert_eq!((site.tableau.webhooks().len(), site.tableau.calls("PUT *")), (1, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_can_be_chosen() {
    let site = Site::start().await;
    site.add(EventName::SiteUpdated, "site");
    let output = site.run_with(&["enable", "site", "--api-version", "3.7"], PAT).await;
    assert!(
        stderr(&output).starts_with("error: REST API 3.7, which the site `marketing` at "),
        "{}",
        stderr(&output)
    );
    let listed = objects(&site.run_with(&["list", "--json", "--api-version", "3.8"], PAT).await);
    assert_eq!((&listed[0]["enabled"], &listed[0]["event"]), (&json!(true), &json!("SiteUpdated")));
}
