//! The real binary: events in, incidents out.

use crate::support::{
    NOTE, RESOLVE, count, done, event, everything, failed, inline, message, only, queued, readable, start,
    succeeded,
};
use serde_json::{Value, json};
use testkit::simulator::Datasource;
use testkit::{Batch, Request, fixtures, repository};

// D123, D124
#[tokio::test]
async fn a_failure_is_one_incident_that_gets_work_notes_while_it_lasts_and_one_at_its_end() {
    let environment = start(NOTE).await;
    let function = queued(&environment);
    let first = failed(&environment);
    done(&function, &first).await;
    done(&function, &first).await;
    let incident = only(&environment);
    for (field, value) in [
        ("short_description", "Extract refresh failed: Sales Orders (Sales)"),
        ("category", "software"),
        ("urgency", "2"),
        ("impact", "1"),
        ("priority", "2"),
        ("state", "1"),
        ("correlation_display", "Tableau"),
    ] {
        assert_eq!(incident.field(field), value, "{field}");
    }
    for (field, name) in [("assignment_group", "BI Platform"), ("caller_id", "Tableau Service")] {
        assert_eq!(environment.servicenow.name_of(incident.field(field)).as_deref(), Some(name), "{field}");
    }
    let description = incident.field("description");
    for part in
        ["Cause – Credentials refused", "Next step – ", "Project: ", "Owner: ", "Open in Tableau: https://"]
    {
        assert!(description.contains(part), "no {part} in\n{description}");
    }
    assert_eq!(environment.servicenow.kinds(), ["search", "create"], "a second delivery asks nothing");

    done(&function, &failed(&environment)).await;
    let notes = only(&environment);
    assert_eq!(notes.work_notes().len(), 1, "{}", readable(&environment));
    assert!(notes.work_notes()[0].contains("2 failures in a row"), "{}", readable(&environment));

    done(&function, &succeeded(&environment)).await;
    let ended = only(&environment);
    assert_eq!((ended.work_notes().len(), ended.field("state")), (2, "1"), "{}", readable(&environment));
    assert!(
        ended.work_notes()[1].starts_with("Recovered after 2 failures in "),
        "{}",
        readable(&environment)
    );
    assert_eq!(environment.servicenow.refusals(), []);
    let next = ["read", "update", "read", "update"];
    assert_eq!(environment.servicenow.kinds()[2..], next, "our own record is looked at, and no search made");
    environment.assert_no_secret_in(&function.logs());
}

// D124
#[tokio::test]
async fn a_rule_may_resolve_the_incident_in_one_call_or_leave_it_alone() {
    let environment = start(RESOLVE).await;
    let function = queued(&environment);
    done(&function, &failed(&environment)).await;
    done(&function, &succeeded(&environment)).await;
    let incident = only(&environment);
    assert_eq!((incident.field("state"), incident.field("close_code")), ("6", "Solution provided"));
    let notes = incident.field("close_notes");
    assert!(
        notes.starts_with("Ended by itself.\nRecovered after ") && notes.contains(": Sales Orders"),
        "{notes}"
    );
    assert_eq!((count(&environment, "update"), environment.servicenow.refusals()), (1, Vec::new()));

    let environment = start("on_recovery: nothing").await;
    let function = queued(&environment);
    done(&function, &failed(&environment)).await;
    done(&function, &succeeded(&environment)).await;
    assert_eq!(environment.servicenow.kinds(), ["search", "create"]);
    assert!(only(&environment).work_notes().is_empty());
}

// D064
#[tokio::test]
async fn a_changed_instance_has_its_own_numbers_and_active_decides() {
    let settings = format!("{RESOLVE}, impact: 5, resolved_state: 16");
    let environment = start(&settings).await;
    environment.servicenow.set_resolved_state(16);
    let function = queued(&environment);
    done(&function, &failed(&environment)).await;
    let number = only(&environment).number().to_owned();
    assert_eq!(only(&environment).field("impact"), "5");
    environment.servicenow.set(&number, "state", "-2");
    done(&function, &succeeded(&environment)).await;
    let incident = only(&environment);
    assert_eq!((incident.field("state"), incident.field("close_code")), ("16", "Solution provided"));
    assert_eq!(environment.servicenow.refusals(), []);
}

#[tokio::test]
async fn a_group_and_a_caller_may_be_ids_and_further_fields_are_filled_in() {
    let environment = start("assignment_group: BI Platform").await;
    let group = environment.servicenow.id_of("Service Desk").unwrap();
    environment.servicenow.add_column("u_service", true);
    environment.write_rules(&format!(
        "rules: [{{ name: a, on: [RefreshFailed], do: [{{ track-servicenow-incident: {{ assignment_group: \"{group}\", \
         fields: {{ u_service: Reporting }} }} }}] }}]\n"
    ));
    let function = queued(&environment);
    done(&function, &failed(&environment)).await;
    let incident = only(&environment);
    assert_eq!(
        (incident.field("assignment_group"), incident.field("u_service")),
        (group.as_str(), "Reporting")
    );
    assert_eq!(environment.servicenow.refusals(), []);
}

#[tokio::test]
async fn every_event_can_have_an_incident() {
    let environment = everything("assignment_group: BI Platform").await;
    // In queue mode the second failure would wait for its group.
    let function = inline(&environment);
    let files = std::fs::read_dir(repository::root().join("events/tableau")).unwrap();
    let names = files.filter_map(|file| file.unwrap().file_name().into_string().ok());
    let mut names: Vec<String> =
        names.filter_map(|name| name.strip_suffix(".json").map(str::to_owned)).collect();
    assert_eq!(names.len(), 22);
    // The events are about the same objects: a start event after the end would be late.
    names.sort_by_key(|name| (!name.ends_with("started"), name.clone()));
    for name in &names {
        let event = fixtures::json(&format!("tableau/{name}.json"));
        let answer = function.answer(&Request::post(event.to_string())).await;
        assert_eq!(answer.body["status"], "done", "{name}: {}", answer.body);
    }
    assert_eq!(environment.servicenow.incidents().len(), 22, "{}", readable(&environment));
    assert_eq!(environment.servicenow.refusals(), []);
    environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn no_name_and_no_odd_payload_becomes_html_or_is_too_long() {
    let environment = everything(NOTE).await;
    let function = queued(&environment);
    for name in
        ["[code]<script>x</script>[/code]".to_owned(), "[CODE]".to_owned() + &"Größe & Zahl ".repeat(200)]
    {
        let luid = environment.tableau.add(Datasource::named(&name));
        let mut failure = event(&environment, "DatasourceUpdated", "Sales Orders");
        failure["resource_luid"] = json!(luid.as_str());
        failure["resource_name"] = json!(name);
        // In queue mode the second one would wait for its group.
        let answer = inline(&environment).answer(&Request::post(failure.to_string())).await;
        assert_eq!(answer.body["status"], "done", "{}", answer.body);
    }
    for file in std::fs::read_dir(repository::root().join("events/tableau/odd")).unwrap() {
        let Ok(body) = String::from_utf8(std::fs::read(file.unwrap().path()).unwrap()) else { continue };
        assert!(function.failures(&Batch::default().message(&body)).await.is_empty(), "{body}");
    }
    assert_eq!(environment.servicenow.refusals(), []);
    for incident in environment.servicenow.incidents() {
        assert!(incident.html().is_empty(), "{}", readable(&environment));
        let texts = format!("{}{}", incident.field("short_description"), incident.field("description"));
        assert!(!texts.to_lowercase().contains("[code"), "{texts}");
    }
    let cut =
        environment.servicenow.incidents().iter().any(|one| one.field("short_description").ends_with('…'));
    assert!(cut, "{}", readable(&environment));
}

// D068, D147
#[tokio::test]
async fn a_test_writes_an_incident_with_one_note_and_asks_a_person_to_look() {
    let environment = start(NOTE).await;
    let function = queued(&environment);
    for denied in [false, true] {
        if denied {
            environment.servicenow.deny_journals();
        }
        let answer = function.invoke(&json!({ "test": { "target": "BI Platform" } })).await.unwrap();
        let tested = &answer["targets"][0];
        assert_eq!(tested["outcome"], "accepted", "{answer}");
        let said = tested["answer"].as_str().unwrap();
        let incidents = environment.servicenow.incidents();
        let incident = incidents.last().unwrap();
        assert!(said.starts_with(&format!("created {} and added a work note", incident.number())), "{said}");
        assert!(said.contains("lacks the right to write `work_notes`"), "{said}");
        // The answer of the instance is the same: only a person sees the difference.
        assert_eq!(incident.work_notes().len(), usize::from(!denied));
    }
    assert_eq!(environment.servicenow.incidents().len(), 2);
    environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn the_fixture_for_a_local_invoke_is_an_incident() {
    let environment = start(NOTE).await;
    let function = inline(&environment);
    let answer = function.answer_to(&fixtures::json("http/track-servicenow-incident.json")).await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("done")));
    only(&environment);
    let metrics = function.logs().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    let attempts =
        metrics.filter(|line| line["Attempts"] == 1.0 && line["workflow"] == "track-servicenow-incident");
    assert_eq!(attempts.count(), 1);
}

#[tokio::test]
async fn two_rules_with_two_groups_have_two_incidents_of_one_failure() {
    let environment = start("assignment_group: BI Platform").await;
    environment.write_rules(
        "rules:\n  - { name: a, on: [RefreshFailed], do: [{ track-servicenow-incident: { assignment_group: BI Platform } }] }\n  \
         - { name: b, on: [RefreshFailed], do: [{ track-servicenow-incident: { assignment_group: Service Desk } }] }\n",
    );
    let function = queued(&environment);
    let failure = failed(&environment);
    assert!(function.failures(&message(&failure)).await.is_empty());
    assert_eq!(environment.servicenow.incidents().len(), 2, "{}", readable(&environment));
    done(&function, &succeeded(&environment)).await;
    for incident in environment.servicenow.incidents() {
        assert_eq!(incident.work_notes().len(), 1, "{}", readable(&environment));
    }
}
