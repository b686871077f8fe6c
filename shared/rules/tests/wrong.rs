//! Files that are not right: what is said of them.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use rules::Rules;

const LUID: &str = "8b2a95d8-52b9-40a4-8712-cd6da771bd1b";
const DOES: &str = "on: [SiteUpdated], do: [{ notify-slack: {} }]";

fn error(text: &str) -> String {
    Rules::parse(text).unwrap_err().to_string()
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    assert_eq!(
        error("rules:\n  - name: a\n    on: [WorkbookRefreshFaild]\n    do: [{ a: {} }]\n"),
        "line 3: `WorkbookRefreshFaild` is no event name; did you mean `WorkbookRefreshFailed`?"
    );
    assert_eq!(
        error(&format!("sites:\n  - luid: {LUID}\n    name: S\n    timezone: Europe/Berlln\n")),
        "line 4: `Europe/Berlln` is no time zone, such as Europe/Berlin"
    );
    assert_eq!(
        error("sites:\n  - { luid: 8b2a95d8-52b9-40a4-8712-cd6da771bd1, name: S }\n"),
        "line 2: `8b2a95d8-52b9-40a4-8712-cd6da771bd1` is no LUID, such as 8b2a95d8-52b9-40a4-8712-cd6da771bd1b"
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
    assert_eq!(with("quiet: { from: 8pm, to: \"07:00\" }"), "line 3: `8pm` is no time of day, such as 22:00");
    assert_eq!(
        with("quiet: { from: \"07:00\", to: \"07:00\" }"),
        "line 3: quiet hours from 07:00 to 07:00 are none"
    );
    assert_eq!(
        with("mute_until: tomorrow"),
        "line 3: `tomorrow` is no time, such as 2026-12-24T18:00:00+01:00"
    );
    let unknown = error("rules:\n  - name: a\n    when: []\n");
    assert!(unknown.starts_with("line 3: rules[0].when: unknown field `when`"), "{unknown}");
    let missing = error("rules:\n  - name: a\n    on: []\n");
    assert!(missing.contains("missing field `do`"), "{missing}");
    let no_yaml = error("rules:\n  - name: [\n");
    assert!(no_yaml.starts_with("line "), "{no_yaml}");
}

#[test]
fn what_has_the_wrong_shape_is_told_with_the_right_one() {
    let rule = |lines: &str| error(&format!("rules:\n  - name: a\n{lines}"));
    for (lines, expected) in [
        ("    quiet: 19:00-08:00\n", "line 3: rules[0].quiet: write { from: 19:00, to: 08:00 }"),
        ("    on: SiteUpdated\n", "line 3: rules[0].on: write a list: [WorkbookCreated]"),
        (
            "    on: [SiteUpdated]\n    do:\n      notify-slack: {}\n",
            "line 5: rules[0].do: write a list, a dash before each entry: `- notify-slack: { channel: data-alerts }`",
        ),
        (
            "    on: [SiteUpdated]\n    do:\n      - notify-slack\n",
            "line 5: rules[0].do[0]: expected one workflow with its settings, as in `- notify-slack: { channel: data-alerts }`",
        ),
        (
            "    on: [SiteUpdated]\n    do:\n      - notify-slack: data-alerts\n",
            "line 5: expected one workflow with its settings, as in `- notify-slack: { channel: data-alerts }`",
        ),
        ("    critical: soon\n", "line 3: rules[0].critical: write true or false"),
        ("    mute_until: [1]\n", "line 3: rules[0].mute_until: write a text"),
        (
            "    on: [SiteUpdated]\n\tdo: []\n",
            "line 4: a tab indents this line or the next one: write spaces",
        ),
    ] {
        assert_eq!(rule(lines), expected, "{lines}");
    }
    assert_eq!(error("rules: {}\n"), "line 1: rules: write a list, a dash before each entry");
    assert_eq!(error("hello\n"), "line 1: write `rules:`, and below it a list of rules");
}
