//! `webhooks create` at a site of any server.

use crate::site::{PAT, Site};
use crate::{TOKEN, objects, stderr, stdout};
use serde_json::json;
use simulator::Fault;
use tableau::EventName;

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_created_for_each_event_and_not_twice() {
    let site = Site::start().await;
    let url = site.url();
    let output =
        site.run_to(&url, &["create", "DatasourceRefreshFailed", "WorkbookCreated", "WorkbookCreated"]).await;
    let webhooks = site.tableau.webhooks();
    assert_eq!(webhooks.len(), 2, "{}", stderr(&output));
    assert!(webhooks.iter().all(|webhook| webhook.url == url && webhook.enabled));
    let line = |result: &str, at: usize| {
        let webhook = &webhooks[at];
        format!("{result:<8} {:<26} {}  `tableau-webhooks {0}`\n", webhook.event.as_str(), webhook.luid)
    };
    assert_eq!(stdout(&output), line("created", 0) + &line("created", 1));
    let words = format!("--server {} --site marketing", site.tableau.url());
    let here = site.destination.url();
    let notes = format!(
        "the URL is at {here} (from WEBHOOK_URL)\n\
         next step: `tableau-webhooks webhooks test --all {words}` shows whether it answers\n"
    );
    assert_eq!((stderr(&output), output.status.code()), (notes, Some(0)));

    let output = site.run_to(&url, &["create", "WorkbookCreated", "AdminPromoted", "--json"]).await;
    let made = objects(&output);
    assert_eq!((site.tableau.webhooks().len(), made.len(), stderr(&output).as_str()), (3, 2, ""));
    assert_eq!((&made[0]["result"], &made[1]["result"]), (&json!("exists"), &json!("created")));
    assert_eq!(
        (made[0]["luid"].as_str(), &made[0]["destination"]),
        (Some(webhooks[1].luid.as_str()), &json!(here))
    );

    let other = format!("{url}x");
    let output = site.run_to(&other, &["create", "WorkbookCreated"]).await;
    assert!(stdout(&output).starts_with("created "), "another URL: {}", stdout(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_chosen_and_a_webhook_may_begin_disabled() {
    let site = Site::start().await;
    let url = site.url();
    let one = site.run_to(&url, &["create", "SiteUpdated", "--name", "site", "--disabled", "--json"]).await;
    let one = objects(&one);
    assert_eq!((&one[0]["name"], &one[0]["enabled"]), (&json!("site"), &json!(false)));
    let two = ["create", "SiteUpdated", "UserDeleted", "--name", "site"];
    let two = site.run_to(&url, &two).await;
    assert!(
        stdout(&two).starts_with("exists   SiteUpdated") && stdout(&two).contains("`site`, disabled"),
        "{}",
        stdout(&two)
    );
    let webhooks = site.tableau.webhooks();
    let names: Vec<&str> = webhooks.iter().map(|webhook| webhook.name.as_str()).collect();
    assert_eq!((names, webhooks[0].enabled), (vec!["site", "site UserDeleted"], false));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_url_comes_from_a_variable_and_is_never_repeated() {
    let site = Site::start().await;
    let of = async |url: Option<&str>, arguments: &[&str]| {
        let variables: Vec<(&str, &str)> =
            PAT.iter().copied().chain(url.map(|url| ("WEBHOOK_URL", url))).collect();
        let output = site.run_with(arguments, &variables).await;
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), ""));
        stderr(&output)
    };
    let create = ["create", "SiteUpdated"];
    let none = of(None, &create).await;
    assert!(none.starts_with("error: set WEBHOOK_URL to the URL that the webhooks post to"), "{none}");
    let stack = of(Some(&site.url()), &["create", "SiteUpdated", "--url", "stack"]).await;
    assert!(stack.starts_with("error: with --server there is no stack: set WEBHOOK_URL"), "{stack}");
    let secret = format!("https://abc.example.com/webhook/{TOKEN}");
    let option = of(None, &["create", "SiteUpdated", "--url", &secret]).await;
    assert!(
        option.starts_with("error: --url says where the URL comes from: env for the variable"),
        "{option}"
    );
    let event = of(None, &["create", "SiteUpdated", &secret]).await;
    assert!(event.starts_with("error: an event name is needed, not a URL"), "{event}");
    let plain = of(Some(&format!("http://abc.example.com/webhook/{TOKEN}")), &create).await;
    assert!(plain.starts_with("error: WEBHOOK_URL must begin with https://"), "{plain}");
    let derived = of(Some(&secret), &["create", "PdfPublished"]).await;
    assert!(derived.contains("PdfPublished"), "{derived}");
    assert!(site.tableau.webhooks().is_empty() && site.tableau.calls("POST /sites/*/webhooks") == 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refused_event_does_not_hold_up_the_others() {
    let site = Site::start().await;
    site.tableau.fail_next("POST /sites/*/webhooks", 1, Fault::Error("400118"));
    let output = site.run_to(&site.url(), &["create", "SiteUpdated", "UserDeleted"]).await;
    let error = stderr(&output);
    assert!(error.starts_with("error: SiteUpdated: the site `marketing` at "), "{error}");
    assert!(
        error.contains("(400118, ")
            && error.contains("; a webhook's URL needs https://, a certificate that "),
        "{error}"
    );
    assert_eq!(output.status.code(), Some(1));
    let events: Vec<EventName> = site.tableau.webhooks().into_iter().map(|webhook| webhook.event).collect();
    assert_eq!(events, [EventName::UserDeleted]);

    site.tableau.fail_next("POST /sites/*/webhooks", 1, Fault::Error("403000"));
    let output = site.run_to(&site.url(), &["create", "SiteUpdated", "AdminPromoted"]).await;
    assert_eq!((output.status.code(), site.tableau.webhooks().len()), (Some(1), 1), "nothing more is tried");
}
