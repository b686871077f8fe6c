//! All mistakes of a file at once, each at its place.

use rules::Rules;

/// Every mistake that `rules check` finds in a file, one per line.
fn found(text: &str) -> String {
    match Rules::check_text(text) {
        Ok(_) => String::new(),
        Err(rules::Error::Wrong(problems)) => {
            problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_mistake_of_a_file_is_reported_at_once_in_the_order_of_lines() {
    let text = format!(
        "sites:
  - {{ luid: {}, name: S, timezone: Europe/Berlln }}
rules:
  - name: one
    quiet: {{ from: 8pm, to: 9pm }}
    on: [SiteUpdatd, WorkbookDeleted]
    do:
      - notify-slack: {{ chanel: a }}
      - notify-slak: {{ channel: a }}
      - update-broadcast: {{ tabs: 1 }}
  - name: one
    on: [SiteUpdated]
    do: [{{ update-broadcast: {{}} }}]
",
        "8b2a"
    );
    let expected = "line 2: `8b2a` is not a LUID. LUIDs are, for example, 8b2a95d8-52b9-40a4-8712-cd6da771bd1b
line 2: `Europe/Berlln` is not a time zone; did you mean `Europe/Berlin`?
line 5: `8pm` is not a time of day. Times of day are, for example, 22:00
line 5: `9pm` is not a time of day. Times of day are, for example, 22:00
line 6: `SiteUpdatd` is not an event; did you mean `SiteUpdated`?
line 8, rule `one`: unknown field `chanel`; did you mean `channel`?
line 9: there is no workflow `notify-slak`; did you mean `notify-slack`?
line 10, rule `one`: tabs: write true or false, not `1`
line 11: a rule named `one` stands above already
line 13, rule `one`: update-broadcast never acts on SiteUpdated; it acts on WorkbookRefreshSucceeded and WorkbookUpdated";
    assert_eq!(found(&text), expected);
    // A function's log line contains only the first mistakes.
    let logged = Rules::parse(&text).unwrap_err().to_string();
    let first: Vec<&str> =
        expected.lines().filter(|line| !line.contains(", rule `") && !line.contains("no workflow")).collect();
    assert_eq!(logged, format!("{}; and 3 more", first[..3].join("; ")));
}

/// The line and column of every mistake.
fn places(text: &str) -> Vec<(u64, u64)> {
    let Err(rules::Error::Wrong(problems)) = Rules::check_text(text) else { return Vec::new() };
    problems.iter().map(|problem| (problem.at.line, problem.at.column)).collect()
}

// Issue 15
#[test]
fn a_mistake_is_where_its_column_says_and_problems_are_in_the_order_of_places() {
    let text = "sites:
  - { luid: 8b2a, name: S, timezone: Europe/Berlln }
rules:
  - name: Größe 財務
    quiet: { to: 9pm, from: 8pm }
    on: [SiteUpdatd, WorkbookUpdated]
    where: { nmae: a, cause: [Credential] }
    do:
      - notify-slack: { chanel: a }
      - update-broadcast: { tabs: 1 }
";
    let expected = [(2, 13), (2, 38), (5, 18), (5, 29), (6, 10), (7, 14), (7, 31), (9, 25), (10, 35)];
    assert_eq!(places(text), expected, "{}", found(text));
    // Of a key that is not known, the key; of a value that is wrong, the value; of what is missing, where it belongs.
    let entry = |entry: &str| {
        places(&format!("rules:\n  - name: a\n    on: [WorkbookUpdated]\n    do:\n      - {entry}\n"))
    };
    assert_eq!(entry("notify-slack: {}"), [(5, 9)]);
    assert_eq!(entry("notify-slack: { channel: '' }"), [(5, 34)]);
    assert_eq!(entry("notify-slak: { channel: a }"), [(5, 9)]);
    assert_eq!(entry("notify-slack: { channel: #a }"), [(5, 34)]);
}
