//! The page for people: what it serves, and that its buttons call what is there.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use reqwest::Method;
use serde_json::json;
use simulator::{SAMPLE_PAT, TableauSimulator};
use std::collections::BTreeSet;
use std::time::Duration;
use support::{Caller, manual_clock};

async fn page(caller: &Caller, path: &str) -> String {
    let request = caller.http.get(format!("{}{path}", caller.base)).header("accept", "text/html,*/*");
    request.send().await.unwrap().error_for_status().unwrap().text().await.unwrap()
}

/// What stands between the two, everywhere in the text.
fn between<'a>(text: &'a str, start: &str, end: &str) -> BTreeSet<&'a str> {
    text.split(start).skip(1).filter_map(|rest| Some(rest.split_once(end)?.0)).collect()
}

#[tokio::test]
async fn a_browser_gets_a_page() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::stranger(&tableau);
    for path in ["/simulator", "/simulator/"] {
        assert!(page(&caller, path).await.starts_with("<!doctype html>"), "{path}");
    }
    assert_eq!(page(&caller, "/").await, "Tableau, simulated: see /simulator\n");
    let script = caller.send(Method::GET, "/simulator/page.js", "").await.unwrap();
    assert_eq!(script.headers()["content-type"], "text/javascript");
}

#[tokio::test]
async fn every_button_calls_what_is_there() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::stranger(&tableau);
    let html = page(&caller, "/simulator").await;
    let luid = tableau.datasource("Sales Orders").unwrap();
    let buttons = between(&html, "data-call=\"", "\"");
    assert!(buttons.len() >= 7, "{buttons:?}");
    for button in buttons {
        let filled = [
            ("{target}", luid.as_str()),
            ("{notes}", "no-space"),
            ("{event}", "DatasourceUpdated"),
            ("{about}", luid.as_str()),
            ("{duplicates}", "1"),
            ("{fault}", "429"),
            ("{on}", "GET%20*/jobs"),
            ("{times}", "1"),
            ("{retry_after}", "7"),
            ("&amp;", "&"),
        ];
        let call = filled.iter().fold(button.to_owned(), |call, (name, value)| call.replace(name, value));
        let (method, path) = call.split_once(' ').unwrap();
        let answer = caller.call(method.parse().unwrap(), path, "").await;
        assert_eq!((answer.status, &answer.json["error"]), (200, &json!(null)), "{call}");
    }
}

#[tokio::test]
async fn the_script_names_what_the_page_has() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::stranger(&tableau);
    let html = page(&caller, "/simulator").await;
    let script = page(&caller, "/simulator/page.js").await;
    let ids = between(&html, "id=\"", "\"");
    let mut used = between(&script, "element(\"", "\"");
    used.extend(between(&script, "table(\"", "\""));
    used.extend(between(&script, "  add(\"", "\""));
    let calls = between(&html, "data-call=\"", "\"");
    used.extend(calls.iter().flat_map(|call| between(call, "{", "}")));
    assert!(used.len() > 15 && used.is_subset(&ids), "{:?}", used.difference(&ids));

    let inside = caller.call(Method::GET, "/simulator", "").await.json;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let first = |rest: &'_ str| rest.chars().take_while(|c| is_name(*c)).collect::<String>();
    let keys: BTreeSet<String> = script.split("inside.").skip(1).map(first).collect();
    assert!(keys.len() > 10, "{keys:?}");
    for key in keys {
        assert!(!inside[&key].is_null(), "{key}");
    }
}

#[tokio::test]
async fn the_page_shows_how_to_sign_in_and_who_has_signed_in() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let inside = async || caller.call(Method::GET, "/simulator", "").await.json;

    let (shown, (name, secret)) = (inside().await, SAMPLE_PAT);
    let token = json!({ "token_name": name, "token_secret": secret, "content_url": "marketing" });
    assert_eq!(shown["sign_in"], token);
    assert_eq!(shown["open_sessions"][0]["user"], "bea@example.com");
    assert_eq!(shown["open_sessions"][0]["site"], "marketing");
    assert!(!shown.to_string().contains(&caller.token), "a session's token lets others in");
    assert_eq!(shown["switches"]["exports"], true);

    tableau.revoke_pat(name);
    assert_eq!(inside().await["sign_in"], json!(null));
}

#[tokio::test]
async fn a_token_that_is_expired_is_not_one_that_works() {
    let clock = manual_clock();
    let tableau = TableauSimulator::sample().clock(clock.clone()).start().await.unwrap();
    let caller = Caller::stranger(&tableau);
    let shown = async || caller.call(Method::GET, "/simulator", "").await.json["sign_in"].clone();
    assert_eq!(shown().await["token_name"], SAMPLE_PAT.0);

    clock.advance(Duration::from_secs(16 * 24 * 60 * 60));

    assert_eq!(shown().await, json!(null));
}
