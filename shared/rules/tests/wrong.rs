//! Invalid rules files and their error messages.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use rules::Rules;
use rules::settings::NotifySlack;

const LUID: &str = "8b2a95d8-52b9-40a4-8712-cd6da771bd1b";
const DOES: &str = "on: [SiteUpdated], do: [{ notify-slack: {} }]";

fn error(text: &str) -> String {
    Rules::parse(text).unwrap_err().to_string()
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    assert_eq!(
        error("rules:\n  - name: a\n    on: [WorkbookRefreshFaild]\n    do: [{ a: {} }]\n"),
        "line 3: `WorkbookRefreshFaild` is not an event; did you mean `WorkbookRefreshFailed`?"
    );
    assert_eq!(
        error(&format!("sites:\n  - luid: {LUID}\n    name: S\n    timezone: Europe/Berlln\n")),
        "line 4: `Europe/Berlln` is not a time zone; did you mean `Europe/Berlin`?"
    );
    assert_eq!(
        error("sites:\n  - { luid: 8b2a95d8-52b9-40a4-8712-cd6da771bd1, name: S }\n"),
        "line 2: `8b2a95d8-52b9-40a4-8712-cd6da771bd1` is not a LUID. LUIDs are, for example, 8b2a95d8-52b9-40a4-8712-cd6da771bd1b"
    );
    assert_eq!(
        error(&format!("rules:\n  - {{ name: a, {DOES} }}\n  - {{ name: a, {DOES} }}\n")),
        "line 3: a rule named `a` stands above already"
    );
    assert_eq!(
        error("rules:\n  - name: a\n    on: [SiteUpdated]\n    do:\n      - { one: {}, two: {} }\n"),
        "line 5: expected one workflow with its settings, as in `- notify-slack: { channel: data-alerts }`"
    );
    assert_eq!(
        error("rules:\n  - { name: a, on: [], do: [{ notify-slack: {} }] }\n"),
        "line 2: the rule `a` does nothing: fill in `on` and `do`"
    );
    assert_eq!(
        error(&format!(
            "sites:\n  - {{ luid: {}, name: one }}\n  - {{ luid: {LUID}, name: two }}\n",
            LUID.to_uppercase()
        )),
        "line 3: this site stands above already"
    );
    let with = |what: &str| {
        error(&format!("rules:\n  - name: a\n    {what}\n    on: [SiteUpdated]\n    do: [{{ a: {{}} }}]\n"))
    };
    assert_eq!(
        with("quiet: { from: 8pm, to: \"07:00\" }"),
        "line 3: `8pm` is not a time of day. Times of day are, for example, 22:00"
    );
    assert_eq!(
        with("quiet: { from: \"07:00\", to: \"07:00\" }"),
        "line 3: the hours from 07:00 to 07:00 are none"
    );
    assert_eq!(
        with("mute_until: tomorrow"),
        "line 3: `tomorrow` is not a time: write, for example, 2026-12-24T18:00:00+01:00"
    );
    assert_eq!(with("when: []"), "line 3: unknown field `when`; did you mean `where`?");
    let missing = error("rules:\n  - name: a\n    on: [SiteUpdated]\n");
    assert_eq!(missing, "line 2: the rule has no `do`");
    let no_yaml = error("rules:\n  - name: [\n");
    assert_eq!(no_yaml, "line 2: the bracket `[` that opens here is never closed");
}

#[test]
fn what_has_the_wrong_shape_is_told_with_the_right_one() {
    let does = "    do: [{ notify-slack: { channel: a } }]\n";
    let whole = format!("    on: [SiteUpdated]\n{does}");
    let rule = |lines: &str| error(&format!("rules:\n  - name: a\n{lines}"));
    for (lines, expected) in [
        (
            format!("    quiet: 19:00-08:00\n{whole}").as_str(),
            "line 3: quiet: write quiet: { from: \"19:00\", to: \"08:00\" }",
        ),
        (&format!("    on: SiteUpdated\n{does}"), "line 3: on: write a list: [SiteUpdated]"),
        (
            "    on: [SiteUpdated]\n    do:\n      notify-slack: {}\n",
            "line 5: do: write a list, a dash before each entry: `- notify-slack: { channel: data-alerts }`",
        ),
        (
            "    on: [SiteUpdated]\n    do:\n      - notify-slack\n",
            "line 5: do: expected one workflow with its settings, as in `- notify-slack: { channel: data-alerts }`",
        ),
        (
            "    on: [SiteUpdated]\n    do:\n      - notify-slack: data-alerts\n",
            "line 5: write the setting with its name: notify-slack: { channel: data-alerts }",
        ),
        (&format!("    critical: soon\n{whole}"), "line 3: critical: write true or false"),
        (
            &format!("    mute_until: [1]\n{whole}"),
            "line 3: mute_until: write a text, as in `mute_until: 2026-12-24T18:00:00+01:00`",
        ),
        ("    on: [SiteUpdated]\n\tdo: []\n", "line 4: a tab indents this line: write spaces"),
    ] {
        assert_eq!(rule(lines), expected, "{lines}");
    }
    assert_eq!(error("rules: {}\n"), "line 1: rules: write a list, a dash before each entry");
    assert_eq!(error("hello\n"), "line 1: write `rules:`, and below it a list of rules");
}

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

/// The mistakes in a rule with these lines.
fn found_in_rule(lines: &str) -> String {
    found(&format!("rules:\n  - name: a\n{lines}"))
}

/// The mistakes in a rule with this setting for a workflow and event, on line 5.
fn found_in_entry(on: &str, entry: &str) -> String {
    found_in_rule(&format!("    on: [{on}]\n    do:\n      - {entry}\n"))
}

#[test]
fn what_a_rule_says_to_a_workflow_is_checked_against_the_workflows_own_settings() {
    for (on, entry, expected) in [
        ("SiteUpdated", "notify-slack: { channel: data-alerts }", ""),
        ("SiteUpdated", "notify-slack: { channel: '#Data Alerts' }", ""),
        ("SiteUpdated", "notify-slack: { channel: C0123456789 }", ""),
        ("WorkbookUpdated", "update-broadcast:", ""),
        ("WorkbookUpdated", "update-broadcast: { tabs: true, downloads: false, watermark: true }", ""),
        // Wrong names.
        (
            "SiteUpdated",
            "notify-slak: { channel: a }",
            "line 5: there is no workflow `notify-slak`; did you mean `notify-slack`?",
        ),
        (
            "SiteUpdated",
            "notify_slack: { channel: a }",
            "line 5: there is no workflow `notify_slack`; did you mean `notify-slack`?",
        ),
        (
            "WorkbookUpdated",
            "UpdateBroadcast: {}",
            "line 5: there is no workflow `UpdateBroadcast`; did you mean `update-broadcast`?",
        ),
        (
            "SiteUpdated",
            "page-oncall: { service: data }",
            "line 5: there is no workflow `page-oncall`; did you mean `page-on-call`?",
        ),
        (
            "SiteUpdated",
            "receive-webhook: {}",
            "line 5: there is no workflow `receive-webhook`; there are: forward-event, notify-slack, notify-teams, page-on-call, publish-pdf, refresh-extract, request-certification, send-email, send-sms, set-quality-warning, track-servicenow-incident, update-broadcast",
        ),
        // Wrong keys.
        (
            "SiteUpdated",
            "forward-event: { target: a, url: x }",
            "line 5, rule `a`: unknown field `url`: it belongs to the target in the forward secret: `target` names it here",
        ),
        (
            "SiteUpdated",
            "forward-event: { target: a, body: json }",
            "line 5, rule `a`: body: there is no `json`; there are: raw, enriched, template",
        ),
        (
            "SiteUpdated",
            "forward-event: { target: a, preset: jira }",
            "line 5, rule `a`: preset: there is no `jira`; there are: jira-issue, matillion-job, matillion-pipeline, slack-message, snowflake-row",
        ),
        (
            "SiteUpdated",
            r#"forward-event: { target: a, template: '{"a": {{ titel | line(3) }}}' }"#,
            "line 5, rule `a`: template: there is no variable `titel`; did you mean `title`?",
        ),
        (
            "SiteUpdated",
            "notify-slack: { chanel: data }",
            "line 5, rule `a`: unknown field `chanel`; did you mean `channel`?",
        ),
        (
            "SiteUpdated",
            "notify-slack: { channel: data, thread: true }",
            "line 5, rule `a`: unknown field `thread`, expected one of `channel`, `mention`, `mention_if_unknown`, `recovery`",
        ),
        (
            "SiteUpdated",
            "notify-slack: { channel: data, recovery: broadcast }",
            "line 5, rule `a`: recovery: there is no `broadcast`; there are: channel, thread, message",
        ),
        (
            "WorkbookUpdated",
            "update-broadcast: { Tabs: true }",
            "line 5, rule `a`: unknown field `Tabs`; did you mean `tabs`?",
        ),
        (
            "WorkbookUpdated",
            "update-broadcast: { water-mark: true }",
            "line 5, rule `a`: unknown field `water-mark`; did you mean `watermark`?",
        ),
        (
            "WorkbookUpdated",
            "update-broadcast: { channel: a }",
            "line 5, rule `a`: unknown field `channel`, expected one of `watermark`, `tabs`, `downloads`",
        ),
        ("SiteUpdated", "notify-slack: {}", "line 5, rule `a`: missing field `channel`"),
        ("SiteUpdated", "notify-slack:", "line 5, rule `a`: missing field `channel`"),
        // Wrong values.
        ("SiteUpdated", "notify-slack: { channel: 5 }", "line 5, rule `a`: channel: write a text, not `5`"),
        (
            "SiteUpdated",
            "notify-slack: { channel: [a, b] }",
            "line 5, rule `a`: channel: write a text, not a list",
        ),
        (
            "WorkbookUpdated",
            "update-broadcast: { tabs: 1 }",
            "line 5, rule `a`: tabs: write true or false, not `1`",
        ),
        (
            "WorkbookUpdated",
            "update-broadcast: { downloads: }",
            "line 5, rule `a`: downloads: it has no value: write true or false",
        ),
        (
            "SiteUpdated",
            "notify-slack: { channel: '' }",
            "line 5, rule `a`: channel: it is empty: write a channel's name, such as data-alerts",
        ),
        (
            "SiteUpdated",
            "notify-slack: { channel: ' # ' }",
            "line 5, rule `a`: channel: it has a space at its beginning or end: remove it",
        ),
        (
            "SiteUpdated",
            "notify-slack: { channel: \"\\t \" }",
            "line 5, rule `a`: channel: it is empty: write a channel's name, such as data-alerts",
        ),
        (
            "SiteUpdated",
            "notify-slack: { channel: 'data-alerts, oncall' }",
            "line 5, rule `a`: channel: no channel has `,` in its name: write one channel, and an entry of `do` for each other one",
        ),
        // Wrong events.
        (
            "SiteUpdated",
            "update-broadcast: {}",
            "line 5, rule `a`: update-broadcast never acts on SiteUpdated; it acts on WorkbookRefreshSucceeded and WorkbookUpdated",
        ),
        (
            "DatasourceUpdated, LabelUpdated, WorkbookRefreshFailed",
            "update-broadcast: {}",
            "line 5, rule `a`: update-broadcast never acts on DatasourceUpdated, LabelUpdated or WorkbookRefreshFailed; it acts \
             on WorkbookRefreshSucceeded and WorkbookUpdated",
        ),
        // One known event among those of the rule is enough.
        ("SiteUpdated, WorkbookUpdated", "update-broadcast: {}", ""),
    ] {
        assert_eq!(found_in_entry(on, entry), expected, "on {on}: {entry}");
    }
}

#[test]
fn what_a_rule_says_twice_is_named_with_both_lines() {
    let entries = |entries: &str| found_in_rule(&format!("    on: [WorkbookUpdated]\n    do:\n{entries}"));
    let slack = "      - notify-slack: { channel: data-alerts }\n";
    for (text, expected) in [
        (
            format!("{slack}{slack}"),
            "line 6, rule `a`: this repeats `notify-slack` on line 5: remove one of the two",
        ),
        (
            format!("{slack}      - notify-slack: {{ channel: '#data-alerts' }}\n"),
            "line 6, rule `a`: this repeats `notify-slack` on line 5: remove one of the two",
        ),
        (
            "      - update-broadcast: { tabs: true }\n      - update-broadcast: { tabs: false }\n"
                .to_owned(),
            "line 6, rule `a`: this repeats `update-broadcast` on line 5: remove one of the two",
        ),
        (format!("{slack}      - notify-slack: {{ channel: oncall }}\n"), ""),
        (format!("{slack}      - update-broadcast: {{}}\n"), ""),
    ] {
        assert_eq!(entries(&text), expected, "{text}");
    }
    assert_eq!(
        found_in_rule(
            "    on:\n      - SiteUpdated\n      - SiteCreated\n      - SiteUpdated\n    do: [{ notify-slack: { channel: a } }]\n"
        ),
        "line 6: `SiteUpdated` stands above already in this `on`"
    );
    assert_eq!(
        found_in_rule(
            "    on: [SiteUpdated]\n    do:\n      - notify-slack:\n          channel: a\n          channel: b\n"
        ),
        "line 7: `channel` stands above already"
    );
}

#[test]
fn a_key_without_a_value_is_not_taken_for_a_key_that_is_left_out() {
    let does = "    on: [SiteUpdated]\n    do: [{ notify-slack: { channel: a } }]\n";
    for (line, expected) in [
        ("    quiet: {}\n", "line 3: quiet: write `days`, or `from` and `to`, or all three"),
        (
            "    quiet: { from: 19:00 }\n",
            "line 3: quiet: `to` is missing: write both times, as in from: \"19:00\", to: \"08:00\"",
        ),
        (
            "    quiet: { to: 19:00 }\n",
            "line 3: quiet: `from` is missing: write both times, as in from: \"19:00\", to: \"08:00\"",
        ),
        ("    quiet:\n", "line 3: quiet: it has no value: write quiet: { from: \"19:00\", to: \"08:00\" }"),
        ("    quiet: ~\n", "line 3: quiet: it has no value: write quiet: { from: \"19:00\", to: \"08:00\" }"),
        (
            "    mute_until:\n",
            "line 3: mute_until: it has no value: write mute_until: 2026-12-24T18:00:00+01:00",
        ),
        ("    critical:\n", "line 3: critical: it has no value: write true or false"),
        (
            "    quiet: { from: 19:00, to: 08:00, timezone: }\n",
            "line 3: timezone: it has no value: write timezone: Europe/Berlin",
        ),
        ("    quiet: { from: 19:00, to: 19:00 }\n", "line 3: the hours from 19:00 to 19:00 are none"),
        (
            "    quiet: { from: 19:00, to: 08:00, timezone: Europe/Berlln }\n",
            "line 3: `Europe/Berlln` is not a time zone; did you mean `Europe/Berlin`?",
        ),
    ] {
        assert_eq!(found_in_rule(&format!("{line}{does}")), expected, "{line}");
        assert_eq!(error(&format!("rules:\n  - name: a\n{line}{does}")), expected, "{line}");
    }
    assert_eq!(
        found(&format!("sites:\n  - luid: {LUID}\n    name: S\n    timezone:\n")),
        "line 4: timezone: it has no value: write timezone: Europe/Berlin"
    );
    assert_eq!(
        found("rules:\n  - { name: ' ', on: [SiteUpdated], do: [{ notify-slack: { channel: a } }] }\n"),
        "line 2: the rule has no name"
    );
}

#[test]
fn a_misspelt_key_of_the_file_is_named_with_the_one_that_was_meant() {
    for (text, expected) in [
        ("ruls: []\n", "line 1: unknown field `ruls`; did you mean `rules`?"),
        (
            "rules:\n  - name: a\n    mute_untill: x\n    on: [SiteUpdated]\n    do: [{ notify-slack: { channel: a } }]\n",
            "line 3: unknown field `mute_untill`; did you mean `mute_until`?",
        ),
        (
            "rules:\n  - name: a\n    quiet: { from: 19:00, to: 08:00, timezon: UTC }\n    on: [SiteUpdated]\n    do: [{ notify-slack: { channel: a } }]\n",
            "line 3: unknown field `timezon`; did you mean `timezone`?",
        ),
    ] {
        assert_eq!(found(text), expected, "{text}");
    }
}

// Issue 15
#[test]
fn a_wrong_default_is_one_mistake_however_many_rules_take_it() {
    let rule = |name: &str| format!("  - {{ name: {name}, on: [SiteUpdated], do: [{{ notify-slack: }}] }}\n");
    let with =
        |defaults: &str| found(&format!("defaults: {{ {defaults} }}\nrules:\n{}{}", rule("a"), rule("b")));
    let empty = "line 1: channel: it is empty: write a channel's name, such as data-alerts";
    assert_eq!(with("notify-slack: { channel: '' }"), empty);
    assert_eq!(with("notify-slack: { channel: data-alerts }"), "");
    // No rule takes it: it is wrong all the same.
    let text = "defaults: { update-broadcast: { tab: true } }\nrules: []\n";
    assert_eq!(found(text), "line 1: unknown field `tab`; did you mean `tabs`?");
}

// 13, step 6
#[test]
fn a_function_goes_on_with_a_file_that_names_workflows_and_settings_it_does_not_know() {
    let text = "rules:
  - name: newer
    on: [WorkbookUpdated]
    do:
      - page-oncall: { team: data, levels: [1, 2] }
      - notify-slack: { channel: data-news }
      - update-broadcast: { resolution: high }
";
    let rules = Rules::parse(text).unwrap();
    let slack = rules.settings::<NotifySlack>().unwrap();
    assert_eq!(slack, [NotifySlack { channel: "data-news".to_owned(), ..NotifySlack::default() }]);
    assert!(rules.check_workflow("notify-slack").is_ok());
    // A function without settings in rules, and a function whose settings are newer than this version.
    assert!(rules.check_workflow("receive-webhook").is_ok());
    let own = rules.check_workflow("update-broadcast").unwrap_err().to_string();
    assert!(own.starts_with("line 7, rule `newer`: unknown field `resolution`"), "{own}");
    assert_eq!(found(text).lines().count(), 2, "{}", found(text));
}

#[test]
fn a_secret_in_the_place_of_a_channel_is_in_no_error() {
    for secret in
        ["https://hooks.slack.com/services/T0/B0/hunter2", "xoxb-1-hunter2", "'hunter2, b'", "' hunter2'"]
    {
        let found = found_in_entry("SiteUpdated", &format!("notify-slack: {{ channel: {secret} }}"));
        assert!(found.starts_with("line 5, rule `a`: channel: ") && !found.contains("hunter2"), "{found}");
    }
}

#[test]
fn an_error_that_repeats_a_value_with_line_breaks_is_one_line() {
    for (text, expected) in [
        (
            "rules:\n  - name: a\n    on: [SiteUpd\n\n      ated]\n    do: [{ notify-slack: { channel: x } }]\n",
            "line 3: `SiteUpd·ated` is not an event; did you mean `SiteUpdated`?",
        ),
        (
            "rules:\n  - name: \"a\\nb\"\n    on: [SiteUpdated]\n    do: [{ notify-slack: { chanel: x } }]\n",
            "line 4, rule `a·b`: unknown field `chanel`; did you mean `channel`?",
        ),
        (
            "rules:\n  - name: a\n    on: [SiteUpdated]\n    do: [{ \"notify-\\u202eslack\\r\\n\": {} }]\n",
            "line 4: there is no workflow `notify-·slack··`; did you mean `notify-slack`?",
        ),
    ] {
        let found = Rules::check_text(text).unwrap_err().to_string();
        assert_eq!(found, expected);
        assert!(!found.contains(char::is_control), "{found:?}");
    }
}
