//! Every route that is reachable from the internet, called with every method and without the token; and every stored
//! item.

use crate::site::{Site, template, until};
use reqwest::{Client, Method, StatusCode};
use simulator::TableauSimulator;
use std::collections::BTreeSet;
use std::time::Duration;
use testkit::TOKEN;
use testkit::repository::{every_rule, functions};

const EVENT: &str = r#"{"resource":"WORKBOOK","event_type":"WorkbookCreated","resource_name":"Sales",
    "resource_luid":"4cdd2055-930d-4eaf-94f4-733f3e7d1bfb","site_luid":"8b2a95d8-52b9-40a4-8712-cd6da771bd1b",
    "created_at":"2026-11-28T10:00:00Z"}"#;

async fn site() -> (Site, Client) {
    let site = Site::start(&template(), &every_rule(), TableauSimulator::sample(), &[], None).await;
    (site, http_client::client(None).unwrap())
}

async fn status(http: &Client, method: &str, url: &str) -> StatusCode {
    let request = http.request(Method::from_bytes(method.as_bytes()).unwrap(), url).body(EVENT);
    request.send().await.unwrap().status()
}

/// How many events are on the bus.
fn archived(site: &Site) -> usize {
    site.stack.plan().buses.iter().map(|bus| site.stack.aws().archive(bus).len()).sum()
}

/// How many events were accepted: on the bus, in the workflows' queues, and in records.
fn taken(site: &Site) -> usize {
    let items = site.stack.aws().items("DeliveryTable").into_iter();
    archived(site) + items.filter(|item| !item["pk"]["S"].as_str().unwrap().starts_with("rules#")).count()
}

#[tokio::test]
async fn no_public_route_takes_an_event_without_the_token_or_by_another_method() {
    let (site, http) = site().await;
    // `cargo test` must cover each route that a later change adds.
    let routes: BTreeSet<String> = site.stack.routes().iter().map(|route| route.key.to_string()).collect();
    let mut paths = vec!["/webhook".to_owned()];
    let others =
        ["publish-rules", "receive-event", "receive-webhook", "reconcile-webhooks", "report-history"];
    let workflows = functions().into_iter().filter(|folder| !others.contains(&folder.as_str()));
    paths.extend(workflows.map(|folder| format!("/webhooks/{folder}")));
    let expected: BTreeSet<String> =
        paths.iter().flat_map(|path| [format!("ANY {path}"), format!("ANY {path}/{{token}}")]).collect();
    let pages = "/c/";
    let apis = ["ANY /events", "ANY /refreshes", "ANY /refreshes/{id}"].map(str::to_owned);
    let others = [format!("ANY {pages}{{link}}")].into_iter().chain(apis);
    let expected: BTreeSet<String> = expected.into_iter().chain(others).collect();
    assert_eq!(routes, expected);

    let wrong = "local-webhook-token-not-a-secret-0123456780";
    for path in &paths {
        let url = format!("{}{path}", site.stack.url());
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            for url in [format!("{url}?token={TOKEN}"), format!("{url}/{TOKEN}")] {
                assert_eq!(status(&http, method, &url).await, 405, "{method} {path}");
            }
        }
        for (suffix, expected) in [
            (String::new(), 403),
            ("/".to_owned(), 404),
            ("?token=".to_owned(), 403),
            (format!("?token={wrong}"), 403),
            (format!("/{wrong}"), 403),
            (format!("/{wrong}?token={TOKEN}"), 403),
            (format!("?Token={TOKEN}"), 403),
            (format!("?token={}", &TOKEN[..TOKEN.len() - 1]), 403),
            (format!("?token={TOKEN}x"), 403),
            (format!("/{TOKEN}/more"), 404),
        ] {
            assert_eq!(
                status(&http, "POST", &format!("{url}{suffix}")).await,
                expected,
                "POST {path}{suffix}"
            );
        }
    }
    // Public pages: the webhooks' token opens none, and none takes an event.
    for (method, token, expected) in [
        ("GET", TOKEN, 404),
        ("HEAD", TOKEN, 404),
        ("POST", TOKEN, 404),
        ("POST", wrong, 404),
        ("PUT", TOKEN, 405),
        ("DELETE", TOKEN, 405),
        ("OPTIONS", TOKEN, 405),
        ("POST", "a/b", 404),
        ("POST", "", 404),
    ] {
        let url = format!("{}{pages}{token}?token={TOKEN}", site.stack.url());
        assert_eq!(status(&http, method, &url).await, expected, "{method} {pages}{token}");
    }
    for path in ["/", "/webhooks", "/webhooks/unknown", "/webhook%2f", "/favicon.ico", "/$default/webhook"] {
        let answer = status(&http, "POST", &format!("{}{path}?token={TOKEN}", site.stack.url())).await;
        assert_eq!(answer, 404, "{path}");
    }
    assert_eq!(taken(&site), 0);
}

#[tokio::test]
async fn every_item_that_is_kept_has_a_key_that_its_workflows_role_reaches() {
    let (site, http) = site().await;
    for path in ["/webhook", "/webhooks/notify-slack", "/webhooks/update-broadcast"] {
        assert_eq!(status(&http, "POST", &format!("{}{path}?token={TOKEN}", site.stack.url())).await, 202);
    }
    until(Duration::from_secs(30), "both workflows have ended", || {
        ["notify-slack", "update-broadcast"].iter().all(|workflow| {
            let records = site.records(workflow);
            records
                .values()
                .any(|record| ["done", "skipped"].iter().any(|state| record["state"]["S"] == *state))
        })
    })
    .await;
    assert_eq!(archived(&site), 1, "what came in at /webhook");
    let text = template();
    let patterns: Vec<&str> =
        text.lines().filter_map(|line| line.trim().strip_prefix("- \"")?.strip_suffix("#*\"")).collect();
    assert!(patterns.contains(&"session") && patterns.contains(&"delivery#notify-slack"), "{patterns:?}");
    for item in site.stack.aws().items("DeliveryTable") {
        let key = item["pk"]["S"].as_str().unwrap().to_owned();
        let reached = patterns.iter().any(|pattern| key.starts_with(&format!("{pattern}#")))
            // The rules, which every workflow may read.
            || text.contains(&format!("\"dynamodb:LeadingKeys\": [\"{key}\"]"));
        assert!(reached, "no role reaches {key}");
    }
}
