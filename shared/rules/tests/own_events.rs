//! Events that callers of the stack send, in a rules file.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use jiff::Timestamp;
use rules::{Facts, Rules};
use tableau::{Event, OwnEvent};

fn file(events: &str, on: &str) -> String {
    format!(
        "events:\n{events}rules:\n  - name: pipelines\n    on: [{on}]\n    do:\n      - notify-slack: {{ channel: data }}\n"
    )
}

const DECLARED: &str =
    "  - name: PipelineFinished\n    description: A pipeline has loaded its tables.\n  - name: LoadAsked\n";

fn problem(events: &str, on: &str) -> String {
    Rules::check_text(&file(events, on)).map(|_| String::new()).unwrap_or_else(|error| error.to_string())
}

fn event(name: &str) -> Event {
    let own = OwnEvent { caller: "snowflake".to_owned(), ..OwnEvent::default() };
    let payload = own.payload(name, "nightly load", "2026-11-30T06:12:40Z".to_owned(), None);
    Event::try_from(&payload).unwrap()
}

/// The rules that match an event of this name, by the form that functions read.
fn matching(text: &str, name: &str) -> Vec<String> {
    let rules = Rules::of_json(&Rules::to_json(text).unwrap()).unwrap();
    rules.matching("notify-slack", &event(name), &Facts::default(), Timestamp::UNIX_EPOCH).unwrap().rules
}

#[test]
fn a_rule_is_for_an_event_that_the_file_declares() {
    let text = file(DECLARED, "PipelineFinished, WorkbookCreated");
    assert_eq!(matching(&text, "PipelineFinished"), ["pipelines"]);
    assert_eq!(matching(&text, "LoadAsked"), [""; 0]);
    assert_eq!(matching(&file(DECLARED, "Any"), "PipelineFinished"), [""; 0], "no family holds it");
}

#[test]
fn a_name_that_the_file_does_not_declare_is_an_error() {
    let misspelt = problem(DECLARED, "PipelineFinishd");
    assert!(
        misspelt.contains("`PipelineFinishd` is not an event; did you mean `PipelineFinished`?"),
        "{misspelt}"
    );
    let other = problem(DECLARED, "TransformEnded");
    assert!(other.contains("write it at the top: events: [{ name: TransformEnded }]"), "{other}");
    let of_tableau = problem(DECLARED, "WorkbookCreatd");
    assert!(of_tableau.contains("did you mean `WorkbookCreated`?"), "{of_tableau}");
    assert_eq!(problem(DECLARED, "PipelineFinished"), "");
}

#[test]
fn a_name_that_means_something_else_is_no_name_of_an_own_event() {
    for (name, part) in [
        ("WorkbookUpdated", "is an event of Tableau or of this stack"),
        ("PdfPublished", "is an event of Tableau or of this stack"),
        ("WebhookDisabled", "is an event of Tableau or of this stack"),
        ("WeeklyReport", "is an event of Tableau or of this stack"),
        ("Created", "is a family of events"),
        ("RefreshFailed", "is a family of events"),
        ("Unreadable", "has another meaning"),
        ("WorkbookMoved", "begins as events of Tableau do"),
        ("pipelineFinished", "has to have 3 to 50 letters and digits"),
        ("Pipeline finished", "has to have 3 to 50 letters and digits"),
    ] {
        let found = problem(&format!("  - name: {name}\n"), "WorkbookCreated");
        assert!(found.contains(part) && found.contains("line 2"), "{name}: {found}");
    }
    let twice = problem("  - name: LoadAsked\n  - name: LoadAsked\n", "LoadAsked");
    assert!(twice.contains("an event named `LoadAsked` stands above already"), "{twice}");
    let nameless = problem("  - description: x\n", "WorkbookCreated");
    assert!(nameless.contains("the event has no `name`"), "{nameless}");
}

#[test]
fn a_workflow_that_acts_on_some_events_acts_on_none_of_a_caller() {
    let text =
        file(DECLARED, "PipelineFinished").replace("notify-slack: { channel: data }", "update-broadcast: {}");
    let problem = Rules::check_text(&text).unwrap_err().to_string();
    assert!(problem.contains("update-broadcast never acts on PipelineFinished"), "{problem}");
}

#[test]
fn an_event_of_a_caller_is_welcome_whatever_sites_there_are() {
    let text = format!(
        "sites:\n  - luid: 8b2a95d8-52b9-40a4-8712-cd6da771bd1b\n    name: Marketing\n    timezone: Europe/Berlin\n{}",
        file(DECLARED, "LoadAsked")
    );
    let rules = Rules::check_text(&text).unwrap();
    let event = event("LoadAsked");
    assert!(rules.welcomes(&event) && !rules.accepts(event.site.as_str()));
    assert_eq!(rules.site(&event.site).unwrap().name, "Marketing");
}

#[test]
fn a_template_has_the_facts_of_a_caller_and_null_for_what_is_missing() {
    let forward = |template: &str| {
        let action = format!("forward-event: {{ target: x, template: '{template}' }}");
        file(DECLARED, "LoadAsked").replace("notify-slack: { channel: data }", &action)
    };
    Rules::check_text(&forward("{\"day\": {{ data.day }}, \"env\": {{ data[\"environment\"] }}}")).unwrap();
    Rules::check_text(&forward("{\"x\": 1{% for name in data %}, {{ name }}: {{ data[name] }}{% endfor %}}"))
        .unwrap();
    let wrong = Rules::check_text(&forward("{\"day\": {{ dat.day }}}")).unwrap_err().to_string();
    assert!(wrong.contains("there is no variable `dat`; did you mean `data`?"), "{wrong}");
}
