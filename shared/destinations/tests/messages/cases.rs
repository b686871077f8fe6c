//! Cases of real trouble at Slack, by number.

use crate::samples::all;
use alerting::notification::{Link, Notification};
use destinations::slack::{Message, render};

fn opened() -> Notification {
    let (_, mut opened) = all().into_iter().find(|(name, _)| *name == "opened").unwrap();
    opened.remove(0)
}

fn linked(url: String) -> Message {
    let links = opened().links.iter().map(|link| Link { url: url.clone(), ..link.clone() }).collect();
    render(&Notification { links, ..opened() })
}

fn markup(message: &Message) -> String {
    serde_json::to_string(message.blocks()).unwrap()
}

// D012
#[test]
fn of_a_link_that_is_too_long_the_query_is_left_out_or_else_the_link() {
    let page = "https://tableau.example/#/site/m/views/Sales/KPI";
    let long = markup(&linked(format!("{page}?Region={}", "EMEA,".repeat(680))));
    assert!(long.contains(&format!("<{page}|Open in Tableau>")), "{long}");
    let short = markup(&linked(format!("{page}?Region=EMEA&Year=2025")));
    assert!(short.contains("?Region=EMEA&amp;Year=2025|"), "{short}");
    let longer = markup(&linked(format!("{page}/{}?a=1", "x".repeat(3_400))));
    assert!(!longer.contains("tableau.example") && longer.contains("Next step"), "{longer}");
}

// D145
#[test]
fn the_text_of_each_message_says_state_and_name_and_the_site_where_the_rules_name_it() {
    let text = render(&opened()).text().to_owned();
    assert_eq!(text, "Extract refresh failed: Sales (Finance) – Credentials refused · Marketing");
    for (name, shown) in all() {
        for shown in shown {
            let message = render(&shown);
            let is_named = shown.subject.as_ref().is_none_or(|name| message.text().contains(name.as_str()));
            assert!(is_named && !message.text().trim().is_empty(), "{name}: {}", message.text());
        }
    }
}
