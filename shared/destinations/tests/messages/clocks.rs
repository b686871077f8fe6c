//! One time zone throughout a message, and what the sentences about an incident say.

use crate::samples::all;
use crate::snapshots::readable;
use alerting::notification::{Notification, Status};
use destinations::slack::render;
use jiff::tz::TimeZone;

/// Every time in the message, as text: hours and minutes, and what stands behind them.
fn times(text: &str) -> Vec<&str> {
    let is_time = |at: &usize| {
        let of = text.as_bytes();
        let digit = |at: usize| of.get(at).is_some_and(u8::is_ascii_digit);
        of[*at] == b':' && *at >= 2 && [at - 2, at - 1, at + 1, at + 2].into_iter().all(digit)
    };
    let found = (0..text.len()).filter(is_time);
    found.map(|at| text.get(at + 3..).unwrap_or_default()).collect()
}

// 16, item 5
#[test]
fn no_message_mixes_clocks() {
    let mut count = 0;
    for (name, notifications) in all() {
        for shown in notifications {
            for zone in [Some(TimeZone::get("Europe/Berlin").unwrap()), Some(TimeZone::UTC), None] {
                let is_local = zone.as_ref().is_some_and(|zone| *zone != TimeZone::UTC);
                let text = readable(&render(&Notification { timezone: zone, ..shown.clone() }));
                assert!(!text.contains("<!date"), "{name}: {text}");
                let behind = times(&text);
                count += behind.len();
                let starts = |zones: &[&str]| {
                    behind.iter().filter(|text| zones.iter().any(|zone| text.starts_with(zone))).count()
                };
                let spans = starts(&[" to "]);
                let utc = starts(&[" UTC"]);
                let local = starts(&[" CET (", " CEST ("]);
                assert_eq!(spans + utc + local, behind.len(), "{name}: {text}");
                assert_eq!(local, if is_local { utc } else { 0 }, "{name}: {text}");
            }
        }
    }
    assert!(count > 100, "{count}");
}

// 16, item 5
#[test]
fn each_sentence_about_an_incident_says_its_numbers() {
    let (_, mut opened) = all().into_iter().find(|(name, _)| *name == "opened").unwrap();
    let of = |status| {
        let shown = Notification { status: vec![status], ..opened[0].clone() };
        readable(&render(&shown))
    };
    for (left, expected) in [
        (4, "Tableau suspends the scheduled refresh at the earliest after 4 more failures in a row."),
        (1, "Tableau suspends the scheduled refresh at the earliest after 1 more failure in a row."),
        (
            0,
            "*Tableau has probably suspended the scheduled refresh.* After the repair, resume it in Tableau:",
        ),
    ] {
        assert!(of(Status::Suspension { left }).contains(expected), "{left}");
    }
    let at = "2026-03-10T01:12:00Z".parse().unwrap();
    let success = of(Status::LastSuccess { at });
    assert!(success.contains("Last success: Tue 10 Mar 2026, 02:12 CET (01:12 UTC)"), "{success}");
    // What to do stands before whose it is, and that before how bad it is.
    let text = readable(&render(&opened.remove(0)));
    let places = ["*Cause*", "*Next step*", "*Owner*", "*First failure*", "Open in Tableau", "[context]"];
    let found: Vec<usize> = places.iter().map(|part| text.find(part).unwrap()).collect();
    assert!(found.is_sorted(), "{text}");
}
