//! A page of another site, in Chromium, tries everything that a page can do with the local stack. The page can read
//! nothing, and none of its requests has an effect.
//!
//! The page is on a name that resolves to loopback. It is in one tab and several frames:
//!
//! - `top`, on `evil.example` and a port of its own: for it the listeners are other origins;
//! - one for each listener, on `evil.example` and the listener's own port, which the page's server had before the listener: for it
//!   the listener is its own origin, as after DNS rebinding;
//! - `neighbour`, on `127.0.0.1` and a port of its own, as another program's page on this machine;
//! - `sandbox`, whose origin is `null`.
//!
//! Without Chromium the test is skipped with a note; with `BROWSER_REQUIRED` in the environment it fails.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod card;
mod certification;
mod chromium;
mod driver;
mod environment;
mod mail;
mod page;
#[path = "../conformance/posts.rs"]
mod posts;

use chromium::Chromium;
use environment::Environment;
use page::Page;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// The time limit for Chromium to load the page and its frames, even on a busy machine.
const LOADED_WITHIN: Duration = Duration::from_secs(60);
/// The time limit for all requests of the page. They take about ten seconds on two cores.
const TRIED_WITHIN: Duration = Duration::from_secs(300);

const SITE: &str = "evil.example";

/// The allowed results of a request. A page may read the text of the refusal, and no more.
fn is_harmless(result: &Value) -> bool {
    let text = result["text"].as_str().unwrap_or_default();
    match result["outcome"].as_str().unwrap_or_default() {
        "answer" => result["status"] == 403 && text.starts_with("Refused: "),
        "shown" => text.is_empty() || text.starts_with("Refused: "),
        "opaque" | "sent true" | "sent false" => true,
        // Chromium delays a page after several failed WebSocket connections.
        "no answer" => result["how"] == "websocket",
        other => other.starts_with("error"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_a_browser_can_neither_read_nor_post_anything_at_the_local_stack() {
    let Some(program) = chromium::program() else { return };
    let page = Page::start().await;
    let _browser = Chromium::start(&program, SITE, &page.url(SITE)).await;
    let ready = page.ready(LOADED_WITHIN).await;
    assert_eq!(ready, page.frames(), "the frames of the page");

    // The page's server releases the ports, and the stack's listeners take them.
    let ports = page.leave_ports().await;
    let mut environment = Environment::start(ports).await;
    let before = environment.seen().await;
    page.go(&environment.targets(SITE));
    let reports = page.reports(TRIED_WITHIN).await;

    let mut harm = Vec::new();
    for (frame, results) in &reports {
        let results = results.as_array().unwrap();
        assert!(results.len() > 100, "{frame} tried {} times", results.len());
        harm.extend(
            results.iter().filter(|result| !is_harmless(result)).map(|result| format!("{frame}: {result}")),
        );
    }
    assert!(
        harm.is_empty(),
        "{} of the tries did something, such as {:#?}",
        harm.len(),
        &harm[..harm.len().min(20)]
    );
    assert_eq!(environment.seen().await, before, "something arrived");

    // Check that the requests reached the listeners: each listener refused requests of the page on its own port.
    let refused: BTreeSet<&String> = reports
        .iter()
        .filter(|(_, results)| results.as_array().unwrap().iter().any(|result| result["status"] == 403))
        .map(|(frame, _)| frame)
        .collect();
    assert_eq!(refused.into_iter().cloned().collect::<Vec<_>>(), page::LISTENERS);
    environment.still_works().await;
}
