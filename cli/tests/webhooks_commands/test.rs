//! `webhooks test`.

use crate::site::Site;
use crate::{TOKEN, objects, stderr, stdout};
use serde_json::{Value, json};
use simulator::Webhook;
use tableau::EventName;

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_of_the_destination_is_printed_and_decides() {
    let site = Site::start().await;
    let luid = site.add(EventName::SiteUpdated, "site");
    site.add(EventName::UserDeleted, "users");
    site.destination.answer(200, r#"{"status":"test"}"#);
    let output = site.run(&["test", "site"]).await;
    let head = format!("`site` (SiteUpdated, {luid}) at {}", site.destination.url());
    assert_eq!(stdout(&output), format!("200 {head}\n    {{\"status\":\"test\"}}\n"));
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    let all = objects(&site.run(&["test", "--all", "--json"]).await);
    assert_eq!(all.len(), 2);
    let expected = [&json!("passed"), &json!(200), &json!({ "status": "test" }), &Value::Null];
    assert_eq!(["result", "status", "answer", "explanation"].map(|key| &all[1][key]), expected);
    assert_eq!(site.destination.requests().len(), 3);

    site.destination.answer(403, &format!("no such token: {TOKEN}, {}", TOKEN.to_lowercase()));
    let output = site.run(&["test", "site"]).await;
    let shown = stdout(&output);
    assert!(
        shown.starts_with(&format!("403 {head}\n    no such token: [redacted], [redacted]\n")),
        "{shown}"
    );
    assert!(
        shown.contains("\n    the destination refuses the token in the URL, which may be an old one"),
        "{shown}"
    );
    assert_eq!(output.status.code(), Some(1));
    let failed = objects(&site.run(&["test", "site", "--json"]).await);
    assert_eq!((&failed[0]["result"], &failed[0]["status"]), (&json!("failed"), &json!(403)));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_makes_the_whole_test_fail() {
    let site = Site::start().await;
    site.add(EventName::SiteUpdated, "here");
    let nowhere = format!("http://127.0.0.1:1/webhook/{TOKEN}");
    site.tableau.add(Webhook::on(EventName::UserDeleted, &nowhere).named("nowhere"));
    let off = site.run(&["disable", "nowhere"]).await;
    assert_eq!(off.status.code(), Some(0), "{}", stderr(&off));
    let output = site.run(&["test", "--all"]).await;
    let shown = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    let (here, nowhere) = shown.split_once("404 `nowhere`").expect("404");
    assert!(here.starts_with("200 `here`"), "{shown}");
    assert!(
        nowhere.contains("Tableau says 404 in two cases: the destination has nothing at this URL, or "),
        "{shown}"
    );
    let disabled =
        "    it is disabled: Webhook disabled by user: Tableau sends it no events until `webhooks enable`\n";
    assert!(nowhere.ends_with(disabled), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_without_webhooks_has_nothing_to_test() {
    let site = Site::start().await;
    let output = site.run(&["test", "--all"]).await;
    assert_eq!(stderr(&output), format!("the site `marketing` at {} has no webhooks\n", site.tableau.url()));
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), ""));
}
