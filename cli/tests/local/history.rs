//! The history of a local stack as files, and the report of its week.

use crate::{Home, SOON, stderr, stdout};
use history::{Kind, key, unpacked};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

/// How often each workflow ended events in each way.
fn outcomes(rows: &[Value]) -> BTreeMap<(String, String), usize> {
    let mut counted = BTreeMap::new();
    for row in rows {
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        *counted.entry((text("workflow"), text("outcome"))).or_default() += 1;
    }
    counted
}

fn listed(home: &Home) -> Vec<Value> {
    let output = home.run(&["events", "list", "--local", "--limit", "1000", "--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The list, once no workflow works on an event any more.
fn settled(home: &Home) -> Vec<Value> {
    let started = Instant::now();
    loop {
        let before = listed(home);
        std::thread::sleep(Duration::from_secs(2));
        let after = listed(home);
        let is_over = |row: &Value| {
            ["done", "grouped", "skipped", "ignored", "failed"].contains(&row["outcome"].as_str().unwrap())
        };
        if before == after && after.iter().all(is_over) {
            return after;
        }
        assert!(started.elapsed() < SOON, "{:?}", outcomes(&after));
    }
}

#[test]
fn the_exported_files_have_the_same_counts_as_the_list_of_events() {
    let home = Home::new();
    let _up = home.up(&[]);
    for event in ["DatasourceRefreshFailed", "WorkbookCreated"] {
        let sent = home.run(&["send", event, "--count", "3"]);
        assert!(sent.status.success(), "{}", stderr(&sent));
    }
    let list = settled(&home);
    let exported = home.run(&["history", "export", "--today", "--local", "--json"]);
    assert!(exported.status.success(), "{}", stderr(&exported));
    assert!(
        stderr(&exported).contains(" written to the bucket reporthistorybucket, "),
        "{}",
        stderr(&exported)
    );
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("history");
    let downloaded = home.run(&["history", "download", "--to", to.to_str().unwrap(), "--local"]);
    assert!(downloaded.status.success(), "{}", stderr(&downloaded));

    let days: Vec<Value> =
        stdout(&exported).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let rows = |kind: Kind| -> Vec<Value> {
        let of_day = |day: &Value| {
            let key = key(kind, day["day"].as_str().unwrap().parse().unwrap());
            let path = to.join(key.trim_start_matches("history/"));
            let text = unpacked(&key, &fs::read(path).unwrap()).unwrap();
            String::from_utf8(text)
                .unwrap()
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect::<Vec<Value>>()
        };
        days.iter().flat_map(of_day).collect()
    };
    assert_eq!(outcomes(&rows(Kind::Deliveries)), outcomes(&list));
    let mut ids: Vec<&str> = list.iter().map(|row| row["event_id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(rows(Kind::Events).len(), ids.len());
    let failing = rows(Kind::Incidents);
    assert!(failing.len() >= 3 && failing.iter().all(|row| row["owner_name"].is_string()), "{failing:?}");

    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let report = home.run(&["report", "--week", &today, "--local"]);
    assert!(report.status.success(), "{}", stderr(&report));
    let shown = stdout(&report);
    for part in
        ["Weekly report, ", ": marketing\n", "Failed most", "Messages within 60 s", "Owners to talk to"]
    {
        assert!(shown.contains(part), "no {part:?} in {shown}");
    }

    let owner = failing[0]["owner_name"].as_str().unwrap();
    let erase = ["history", "erase", "--person", owner, "--local", "--yes"];
    let erased = home.run(&erase);
    assert!(erased.status.success(), "{}", stderr(&erased));
    let changed = stderr(&erased);
    assert!(changed.contains("rows changed: ") && !changed.contains("rows changed: 0"), "{changed}");
    let again = home.run(&erase);
    assert!(stderr(&again).contains("rows changed: 0, files changed: 0"), "{}", stderr(&again));
}

#[test]
fn a_person_whom_the_records_still_name_is_not_erased_from_the_files_alone() {
    let home = Home::new();
    let _up = home.up(&[]);
    let sent = home.run(&["send", "UserDeleted"]);
    assert!(sent.status.success(), "{}", stderr(&sent));
    let list = settled(&home);
    let person = list.iter().find(|row| row["event_name"] == "UserDeleted").unwrap();
    let person = person["resource_name"].as_str().unwrap();
    let erased = home.run(&["history", "erase", "--person", person, "--local", "--yes"]);
    assert!(!erased.status.success());
    assert!(
        stderr(&erased).contains("Delete them first") && stderr(&erased).contains("delivery#notify-slack#"),
        "{}",
        stderr(&erased)
    );
}
