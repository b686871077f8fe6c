//! Every fact of the earlier messages in `before/` is in today's message, or a list here says why not.

use crate::snapshots::folder;
use std::collections::BTreeSet;
use std::fs;

/// Facts that today's message words differently: file, before, and now.
const REWORDED: &[(&str, &str, &str)] = &[
    (
        "updated",
        "*So far* – failure no. 3 since Mon 24 Nov 2025, 17:00 CET, for 2 h",
        "*3 failures in a row* within 2 h, since Mon 24 Nov 2025, 17:00 CET (16:00 UTC)",
    ),
    (
        "flapping",
        "*It flaps* – it failed and recovered 3 times within a day; more of it is not told before it has been quiet",
        "*Flapping:* it failed and recovered 3 times within a day. Further alerts are suppressed until it is stable.",
    ),
    (
        "deleted",
        "🗑️ Deleted, 3 h 10 min after it began to fail: Sales",
        "🗑️ Deleted 3 h 10 min after the first failure: Sales",
    ),
    (
        "deleted",
        "Deleted, 3 h 10 min after it began to fail: Sales",
        "Deleted 3 h 10 min after the first failure: Sales – it was: Credentials refused",
    ),
    ("events", "Data source deleted: Sales", "Data source deleted: Sales (Finance/Reports)"),
    ("events", "Workbook deleted: Sales", "Workbook deleted: Sales (Finance/Reports)"),
    ("group-resolved", "✅ All 3 recovered", "✅ All 3 recovered after 1 h"),
    ("digest", "*All that happened*", "*All events in quiet hours*"),
    ("digest", "• Returns – Credentials refused", "• Returns (Finance, Ana Ruiz) – Credentials refused"),
    (
        "digest",
        "• *Extract refresh failed*: Sales – Credentials refused (2 times, Mon 24 Nov 2025, 17:01 CET to Mon 24 Nov 2025, 17:03 CET)",
        "• *Extract refresh failed*: Sales (Finance, Ana Ruiz) – Credentials refused · 2 times, Mon 24 Nov 2025, 17:01 to 17:03 CET (16:01 to 16:03 UTC)",
    ),
    (
        "digest",
        "• *Extract refresh failed*: Returns – Credentials refused (Mon 24 Nov 2025, 17:02 CET)",
        "• *Extract refresh failed*: Returns (Finance, Ana Ruiz) – Credentials refused · Mon 24 Nov 2025, 17:02 CET (16:02 UTC)",
    ),
    (
        "digest",
        "• *Extract refresh succeeded*: Sales (Mon 24 Nov 2025, 17:04 CET)",
        "• *Extract refresh succeeded*: Sales (Finance, Ana Ruiz) · Mon 24 Nov 2025, 17:04 CET (16:04 UTC)",
    ),
    (
        "digest",
        "• *Workbook published*: Forecast (Mon 24 Nov 2025, 17:05 CET)",
        "• *Workbook published*: Forecast (Finance, Ana Ruiz) · Mon 24 Nov 2025, 17:05 CET (16:05 UTC)",
    ),
    (
        "opened-without-cause",
        "<!date^1736961285^{date_short_pretty} {time}|Wed 15 Jan 2025, 17:14 UTC> (Wed 15 Jan 2025, 17:14 UTC)",
        "Wed 15 Jan 2025, 17:14 UTC",
    ),
    (
        "resolved",
        "Recovered after 3 h 10 min: Sales",
        "Recovered after 3 failures in 3 h 10 min: Sales (Finance) – it was: Credentials refused",
    ),
    (
        "resolved",
        "✅ Recovered after 3 h 10 min: Sales",
        "✅ Recovered after 3 failures in 3 h 10 min: Sales",
    ),
    (
        "resolved",
        "It had 3 failures since Mon 24 Nov 2025, 17:00 CET.",
        "It had 3 failures, from Mon 24 Nov 2025, 17:00 to 20:10 CET (16:00 to 19:10 UTC).",
    ),
    (
        "deleted",
        "It had 3 failures since Mon 24 Nov 2025, 17:00 CET.",
        "It had 3 failures, from Mon 24 Nov 2025, 17:00 to 20:10 CET (16:00 to 19:10 UTC).",
    ),
];

/// Facts that today's message leaves out: file, fact, and why.
const DROPPED: &[(&str, &str, &str)] = &[(
    "group-resolved",
    "✅ All 3 recovered after 1 h: those that began to fail together.",
    "the header has its first half; that they began together is said by when the group began, in the small print",
)];

/// The parts of a message: its lines, split at the dots between names.
fn parts(text: &str) -> Vec<&str> {
    let without_label = |line| {
        let labels = ["[text] ", "[header] ", "[section] ", "[field] ", "[context] "];
        labels.iter().find_map(|label| str::strip_prefix(line, label)).unwrap_or(line)
    };
    let parts = text.lines().map(without_label).flat_map(|line| line.split(" · ")).map(str::trim);
    parts.filter(|part| !part.is_empty()).collect()
}

/// The facts in `before` that are missing in `now`, except for those in the lists above.
fn lost<'a>(file: &str, before: &'a str, now: &str) -> Vec<&'a str> {
    let now = parts(now);
    // A part may have more behind it: the time in UTC, the project and owner.
    let has_more = |rest: &str| rest.is_empty() || rest.starts_with(" (");
    let is_said = |part: &&str| {
        let mut reworded = REWORDED.iter().filter(|(of, old, _)| *of == file && old == part);
        now.iter().any(|said| said.strip_prefix(*part).is_some_and(has_more))
            || reworded.any(|(_, _, new)| parts(new).iter().all(|new| now.contains(new)))
    };
    let is_dropped = |part: &&str| DROPPED.iter().any(|(of, fact, _)| *of == file && fact == part);
    parts(before).into_iter().filter(|part| !is_said(part) && !is_dropped(part)).collect()
}

fn read(of: &str, file: &str) -> String {
    fs::read_to_string(folder(of).join(format!("{file}.txt"))).unwrap()
}

#[test]
fn every_fact_of_the_messages_before_is_said_or_dropped_for_a_reason() {
    let mut files = 0;
    for entry in fs::read_dir(folder("before")).unwrap() {
        let file = entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
        let before = read("before", &file);
        let before: Vec<&str> = before.split("\n\n[text]").collect();
        let now = read("snapshots", &file);
        let now: Vec<&str> = now.split("\n\n[text]").collect();
        // Each event of `events` has its own message; the two messages of an end are one now.
        for (n, message) in before.iter().enumerate() {
            let same = now.get(n).or(now.last()).unwrap();
            assert_eq!(lost(&file, message, same), Vec::<&str>::new(), "{file}, message {n}");
        }
        files += 1;
    }
    assert_eq!(files, 12);
}

#[test]
fn a_fact_that_is_lost_is_found() {
    let before = read("before", "updated");
    for gone in ["Ana Ruiz (ana@example.com)", "event a18efcd17124", "3 failures in a row"] {
        let now = read("snapshots", "updated");
        assert!(now.contains(gone), "{gone}");
        assert_eq!(lost("updated", &before, &now.replace(gone, "")).len(), 1, "{gone}");
    }
}

#[test]
fn the_lists_have_nothing_that_is_not_needed_and_no_number_is_lost_in_other_words() {
    let numbers = |text: &str| {
        // Slack's own form of a time has the seconds since 1970 too, and a fallback with the same time.
        let text = text.split_once('|').map_or(text, |(_, fallback)| fallback);
        let numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty());
        numbers.map(str::to_owned).collect::<BTreeSet<String>>()
    };
    for (file, old, new) in REWORDED {
        assert!(parts(&read("before", file)).contains(old), "{file}: {old}");
        let now = read("snapshots", file);
        let now = parts(&now);
        assert!(parts(new).iter().all(|new| now.contains(new)), "{file}: {new}");
        let lost: Vec<String> = numbers(old).difference(&numbers(new)).cloned().collect();
        assert_eq!(lost, Vec::<String>::new(), "{file}: {new}");
    }
    for (file, fact, why) in DROPPED {
        assert!(parts(&read("before", file)).contains(fact), "{file}: {fact}");
        assert!(!parts(&read("snapshots", file)).contains(fact), "{file}: {fact}");
        assert!(!why.is_empty());
    }
}
