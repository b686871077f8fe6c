//! The picture of an alert, drawn from what the simulated PagerDuty gets.
//! `UPDATE=1 cargo test -p destinations --test messages alert_pictures` draws it anew; look at what has changed.

use crate::alert_svg::draw;
use crate::alerts::sent;
use crate::pictures::docs;
use crate::scenes::all;
use simulator::PagerDutySimulator;
use std::fs;

const FILE: &str = "images/pagerduty-alert.svg";

#[tokio::test]
async fn alerts_have_a_picture_of_what_pagerduty_gets() {
    let pagerduty = PagerDutySimulator::start().await.unwrap();
    let (_, _, notifications) = all().into_iter().find(|(name, ..)| *name == "readme").unwrap();
    let mut events = Vec::new();
    for shown in &notifications {
        events.push(sent(&pagerduty, shown).await);
    }
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].dedup_key(), events[1].dedup_key(), "one alert");
    assert!(!pagerduty.alerts()[0].is_open);
    let picture = draw("An alert in PagerDuty, first open and then resolved", &events);
    let path = docs().join(FILE);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &picture).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == picture,
        "{FILE} shows another alert: draw it anew with UPDATE=1"
    );
    let page = fs::read_to_string(docs().join("messages.md")).unwrap();
    assert!(page.contains(&format!("({FILE})")), "docs/messages.md does not show it");
    let readme = fs::read_to_string(docs().join("../functions/page-on-call/README.md")).unwrap();
    assert!(readme.contains(&format!("(../../docs/{FILE})")), "the function's readme does not show it");
}
