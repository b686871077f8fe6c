//! `webhooks list`.

use crate::site::Site;
use crate::{TOKEN, objects, stderr, stdout};
use serde_json::{Value, json};
use simulator::Webhook;
use tableau::EventName;

/// Three webhooks, of which one is disabled.
async fn three() -> (Site, Vec<String>) {
    let site = Site::start().await;
    let luids = vec![
        site.add(EventName::DatasourceRefreshFailed, "a failures"),
        site.add(EventName::WorkbookCreated, "b new workbooks"),
        site.tableau.add(
            Webhook::on(EventName::SiteUpdated, &format!("https://abc.example.com/x?key={TOKEN}"))
                .named("c site"),
        ),
    ];
    let off = site.run(&["disable", "b new workbooks", "--reason", "moves to another stack"]).await;
    assert_eq!(off.status.code(), Some(0), "{}", stderr(&off));
    (site, luids)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_shows_each_webhook_and_what_to_do_about_disabled_ones() {
    let (site, luids) = three().await;
    let output = site.run(&["list", "--wide"]).await;
    let shown = stdout(&output);
    let lines: Vec<Vec<&str>> = shown
        .lines()
        .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect();
    let here = site.destination.url();
    let bea = "bea@example.com";
    let off = "disabled: Keep disabled: moves to another stack";
    let expected = [
        vec!["NAME", "EVENT", "STATE", "DESTINATION", "OWNER", "LUID"],
        vec!["a failures", "DatasourceRefreshFailed", "enabled", &here, bea, &luids[0]],
        vec!["b new workbooks", "WorkbookCreated", off, &here, bea, &luids[1]],
        vec!["c site", "SiteUpdated", "enabled", "https://abc.example.com", bea, &luids[2]],
    ];
    assert_eq!(lines, expected);
    let words = format!("--server {} --site marketing", site.tableau.url());
    let notes = format!(
        "\n1 webhook is disabled, so Tableau sends it no events, and events of this time do not come later:\n  \
         `b new workbooks` (WorkbookCreated, {0}): Keep disabled: moves to another stack\n\
         next step: see whether the destination answers, then enable:\n  \
         tableau-webhooks webhooks test {0} {words}\n  tableau-webhooks webhooks enable {0} {words}\n",
        luids[1]
    );
    assert_eq!((stderr(&output), output.status.code()), (notes, Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_narrow_table_has_the_first_digits_of_a_luid_which_commands_take() {
    let (site, luids) = three().await;
    let output = site.run(&["list"]).await;
    let shown = stdout(&output);
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    for luid in &luids {
        assert!(shown.contains(&format!("  {}\n", &luid[..8])), "{shown}");
    }
    let enabled = site.run(&["enable", &luids[1][..8]]).await;
    assert_eq!(enabled.status.code(), Some(0), "{}", stderr(&enabled));
    assert!(site.webhook(&luids[1]).unwrap().enabled);
    assert_eq!(stderr(&site.run(&["list"]).await), "", "nothing is disabled any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn json_has_an_object_for_each_webhook_and_no_notes() {
    let (site, luids) = three().await;
    let output = site.run(&["list", "--json"]).await;
    assert_eq!(stderr(&output), "");
    let objects = objects(&output);
    assert_eq!(objects.len(), 3);
    let owner = site.tableau.user("bea").unwrap();
    let expected = json!({
        "luid": luids[1], "name": "b new workbooks", "event": "WorkbookCreated", "enabled": false,
        "reason": "Keep disabled: moves to another stack", "destination": site.destination.url(), "owner": "bea@example.com",
        "owner_luid": owner,
    });
    assert_eq!(objects[1], expected);
    assert_eq!((&objects[0]["enabled"], &objects[0]["reason"]), (&json!(true), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_filtered_by_event() {
    let (site, luids) = three().await;
    let found = objects(&site.run(&["list", "--event", "SiteUpdated", "--json"]).await);
    assert_eq!((found.len(), found[0]["luid"].as_str()), (1, Some(luids[2].as_str())));
    let output = site.run(&["list", "--event", "AdminPromoted"]).await;
    let place = format!("the site `marketing` at {}", site.tableau.url());
    assert_eq!(stderr(&output), format!("{place} has 3 webhooks, and none for AdminPromoted\n"));
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_without_webhooks_says_how_to_make_one() {
    let site = Site::start().await;
    let output = site.run(&["list"]).await;
    let url = site.tableau.url();
    let expected = format!(
        "the site `marketing` at {url} has no webhooks; `tableau-webhooks webhooks create EVENT --server {url} --site marketing` \
         makes one\n"
    );
    assert_eq!((stderr(&output), stdout(&output).as_str(), output.status.code()), (expected, "", Some(0)));
    assert_eq!(stdout(&site.run(&["list", "--json"]).await), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_tableau_has_disabled_is_shown_with_tableaus_reason() {
    let site = Site::start().await;
    let luid = site.add(EventName::AdminPromoted, "promotions");
    site.destination.answer(500, "");
    let user = site.tableau.user("bea").unwrap();
    site.tableau.fire(&EventName::AdminPromoted, user).unwrap();
    site.tableau.settled(std::time::Duration::from_secs(30)).await.unwrap();
    let output = site.run(&["list"]).await;
    let expected = format!(
        "  `promotions` (AdminPromoted, {luid}): Webhook disabled after 4 failed delivery attempts\n"
    );
    assert!(stderr(&output).contains(&expected), "{}", stderr(&output));
}
