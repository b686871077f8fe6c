//! The action that a rules file gives for an event.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use jiff::Timestamp;
use rules::settings::NotifySlack;
use rules::{Action, Facts, Rules, SUSPENDS_AFTER, Schedule};
use tableau::{Event, Payload};

const SAMPLE: &str = "
sites:
  - { luid: 8b2a95d8-52b9-40a4-8712-cd6da771bd1b, name: Marketing, timezone: Europe/Berlin }
rules:
  - name: failures
    on: [WorkbookRefreshFailed, DatasourceRefreshFailed]
    do:
      - notify-slack: { channel: data-alerts }
      - notify-slack: { channel: oncall }
      - update-broadcast: {}
  - name: news
    on: [WorkbookCreated]
    do: [ { notify-slack: { channel: data-news } } ]
";

fn event(name: &str) -> Event {
    let payload = Payload {
        event_type: Some(name.to_owned()),
        site_luid: Some("8b2a95d8-52b9-40a4-8712-cd6da771bd1b".to_owned()),
        resource_luid: Some("r-1".to_owned()),
        ..Payload::default()
    };
    Event::try_from(&payload).unwrap()
}

/// The actions of all rules for an event, none of which has a condition.
fn actions(rules: &Rules, name: &str) -> Vec<Action<NotifySlack>> {
    let event = event(name);
    let matched = rules.matching("notify-slack", &event, &Facts::default(), Timestamp::now()).unwrap();
    rules.actions::<NotifySlack>(&matched, &event.site).unwrap()
}

fn channels(rules: &Rules, name: &str) -> Vec<String> {
    let actions = actions(rules, name);
    actions.into_iter().map(|action| action.settings.channel).collect()
}

const LUID: &str = "8b2a95d8-52b9-40a4-8712-cd6da771bd1b";

#[test]
fn every_rule_for_the_event_has_its_say() {
    let rules = Rules::parse(SAMPLE).unwrap();
    assert_eq!(channels(&rules, "WorkbookRefreshFailed"), ["data-alerts", "oncall"]);
    assert_eq!(channels(&rules, "WorkbookCreated"), ["data-news"]);
    assert!(channels(&rules, "SiteUpdated").is_empty());
}

#[test]
fn a_rule_says_when_it_speaks() {
    let rules = Rules::parse(
        "
sites: [{ luid: 8b2a95d8-52b9-40a4-8712-cd6da771bd1b, name: Marketing, timezone: Europe/Berlin }]
rules:
  - name: quiet
    quiet: { from: 22:00, to: 07:00 }
    on: [SiteUpdated]
    do: [{ notify-slack: { channel: a } }]
  - name: muted
    mute_until: 2026-12-24T18:00:00+01:00
    on: [SiteUpdated]
    do: [{ notify-slack: { channel: b } }]
  - name: critical
    critical: true
    quiet: { from: 22:00, to: 07:00, timezone: UTC }
    on: [SiteUpdated]
    do: [{ notify-slack: { channel: c } }]
",
    )
    .unwrap();
    let now = "2026-12-24T02:00:00Z".parse().unwrap();
    let actions = actions(&rules, "SiteUpdated");
    let schedules: Vec<Schedule> = actions.iter().map(|action| action.schedule(now)).collect();
    let morning = "2026-12-24T06:00:00Z".parse().unwrap();
    let evening = "2026-12-24T17:00:00Z".parse().unwrap();
    assert_eq!(schedules, [Schedule::DeferUntil(morning), Schedule::Muted(evening), Schedule::Critical]);
}

#[test]
fn a_file_without_sites_accepts_every_site() {
    assert!(Rules::default().accepts("anything"));
    let rules = Rules::parse(SAMPLE).unwrap();
    assert!(rules.accepts("8b2a95d8-52b9-40a4-8712-cd6da771bd1b") && !rules.accepts("s-2"));
    assert_eq!(
        rules.site(&"8b2a95d8-52b9-40a4-8712-cd6da771bd1b".parse().unwrap()).unwrap().name,
        "Marketing"
    );
}

// 16, item 5
#[test]
fn a_site_says_after_how_many_failures_tableau_suspends_a_refresh() {
    for (written, expected) in [
        ("", Some(SUSPENDS_AFTER)),
        (", suspends_after: 10", Some(10)),
        (", suspends_after: 1", Some(1)),
        (", suspends_after: 0", None),
        (", suspends_after: never", None),
    ] {
        let rules =
            Rules::parse(&format!("sites: [{{ luid: {LUID}, name: S{written} }}]\nrules:\n")).unwrap();
        assert_eq!(rules.site(&LUID.parse().unwrap()).unwrap().suspends_after, expected, "{written}");
    }
    assert_eq!(SUSPENDS_AFTER, 5);
    // A newer version may write another form.
    let newer =
        format!(r#"{{"sites":[{{"luid":"{LUID}","name":"S","suspends_after":{{"full":3}}}}],"rules":[]}}"#);
    let newer = Rules::of_json(&newer).unwrap();
    assert_eq!(newer.site(&LUID.parse().unwrap()).unwrap().suspends_after, Some(SUSPENDS_AFTER));
}

#[test]
fn a_site_that_is_known_without_being_listed_has_a_name_and_keeps_no_other_out() {
    let site = format!(r#"{{"luid":"{LUID}","name":"Marketing","timezone":"Europe/Berlin"}}"#);
    let rules = Rules::parse("{\"rules\": []}").unwrap().knowing(&site).unwrap();
    assert_eq!(rules.site(&LUID.parse().unwrap()).unwrap().name, "Marketing");
    assert!(rules.accepts(LUID) && rules.accepts("s-2") && rules.sites().is_empty());
    let listed = Rules::parse(SAMPLE)
        .unwrap()
        .knowing(r#"{"luid":"11111111-1111-1111-1111-111111111111","name":"X"}"#);
    let listed = listed.unwrap();
    assert!(!listed.accepts("11111111-1111-1111-1111-111111111111"));
    assert!(Rules::default().knowing(r#"{"luid":"x"}"#).is_err());
}

#[test]
fn an_empty_file_is_a_file_without_rules() {
    assert!(Rules::parse("# nothing yet\n").unwrap().is_empty());
    assert!(Rules::parse("").unwrap().is_empty());
}

#[test]
fn settings_that_the_workflow_does_not_understand_are_named_with_line_and_rule() {
    let does = |settings: &str| {
        let text =
            format!("rules:\n  - name: a\n    on: [SiteUpdated]\n    do:\n      - notify-slack:{settings}\n");
        Rules::parse(&text).unwrap().settings::<NotifySlack>()
    };
    let misspelt = does(" { chanel: x }").unwrap_err().to_string();
    assert!(misspelt.starts_with("line 5, rule `a`: unknown field `chanel`"), "{misspelt}");
    let missing = does("").unwrap_err().to_string();
    assert_eq!(missing, "line 5, rule `a`: missing field `channel`");
    assert_eq!(
        does(" { channel: x }").unwrap(),
        [NotifySlack { channel: "x".to_owned(), ..NotifySlack::default() }]
    );
}

#[test]
fn quiet_hours_without_any_time_zone_are_in_utc() {
    let rules = "rules:
  - { name: a, quiet: { from: 22:00, to: 07:00 }, on: [SiteUpdated], do: [{ notify-slack: { channel: a } }] }
  - { name: b, quiet: { from: 22:00, to: 07:00, timezone: UTC }, on: [SiteUpdated], do: [{ notify-slack: { channel: a } }] }
";
    let without = Rules::parse(rules).unwrap();
    assert_eq!(without.without_timezone(), ["the quiet hours of rule `a`"]);
    let actions = actions(&without, "SiteUpdated");
    let late = "2026-12-24T06:59:00Z".parse().unwrap();
    let end = "2026-12-24T07:00:00Z".parse().unwrap();
    assert_eq!(actions[0].schedule(late), Schedule::DeferUntil(end));
    let with =
        Rules::parse(&format!("sites: [{{ luid: {LUID}, name: S, timezone: UTC }}]\n{rules}")).unwrap();
    assert!(with.without_timezone().is_empty());
    let site_without = Rules::parse(&format!("sites: [{{ luid: {LUID}, name: S }}]\n{rules}")).unwrap();
    assert_eq!(site_without.without_timezone(), ["the quiet hours of rule `a`"]);
}

// 15-6
#[test]
fn quiet_hours_maintenance_and_times_without_any_time_zone_are_named() {
    let rules = "maintenance: [{ name: m, days: [Sun] }, { name: n, days: [Sun], timezone: Europe/Berlin }]
rules:
  - { name: a, where: { time: { days: [Mon] } }, on: [SiteUpdated], do: [{ notify-slack: { channel: a } }] }
  - { name: b, unless: { time: { days: [Mon] } }, on: [SiteUpdated], do: [{ notify-slack: { channel: a } }] }
  - { name: c, where: { time: { days: [Mon], timezone: UTC } }, on: [SiteUpdated], do: [{ notify-slack: { channel: a } }] }
";
    assert_eq!(
        Rules::parse(rules).unwrap().without_timezone(),
        [
            "the times of the condition `time` of rule `a`",
            "the times of the condition `time` of rule `b`",
            "the times of the maintenance `m`",
        ]
    );
}

#[test]
fn a_rule_that_was_muted_until_an_earlier_time_is_named_and_one_that_is_muted_still_is_not() {
    let rule = |name: &str, until: &str| {
        format!(
            "  - {{ name: {name}, mute_until: {until}, on: [SiteUpdated], do: [{{ notify-slack: {{ channel: a }} }}] }}\n"
        )
    };
    let text =
        format!("rules:\n{}{}", rule("past", "2026-01-01T00:00:00Z"), rule("future", "2026-01-03T00:00:00Z"));
    let rules = Rules::check_text(&text).unwrap();
    let muted: Vec<_> = rules.muted_before("2026-01-02T00:00:00Z".parse().unwrap()).collect();
    assert_eq!(muted, [("past", "2026-01-01T00:00:00Z".parse().unwrap())]);
}
