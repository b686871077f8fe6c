//! Presets, against systems that refuse what the real ones refuse.

use crate::support::{Environment, last_reason, message};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::simulator::{Datasource, ReceiverFault};
use testkit::{Request, fixtures, repository};

const JIRA: &str = "{ target: jira, preset: jira-issue, values: { project: BI, issue_type: Bug } }";

/// Every fixture is sent, and taken.
async fn takes_every_event(action: &str) -> Vec<Value> {
    let environment = Environment::start(action).await;
    let function = environment.inline();
    let failed = environment.failed();
    let mut bodies = vec![failed];
    for file in std::fs::read_dir(repository::root().join("events/tableau")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".json") {
            bodies.push(fixtures::json(&format!("tableau/{name}")));
        }
    }
    assert_eq!(bodies.len(), 23);
    for body in &bodies {
        let answer = function.answer(&Request::post(body.to_string())).await;
        assert_eq!(answer.body["status"], "done", "{body}: {:?}", answer.body);
    }
    environment.assert_no_secret_in(&function);
    environment.receiver.taken().iter().map(testkit::simulator::Received::json).collect()
}

#[tokio::test]
async fn jira_makes_an_issue_of_every_event() {
    let sent = takes_every_event(JIRA).await;
    assert_eq!(sent.len(), 23);
    let fields = &sent[0]["fields"];
    assert_eq!(fields["summary"], "Extract refresh failed: Sales Orders");
    assert_eq!((&fields["project"]["key"], &fields["issuetype"]["name"]), (&json!("BI"), &json!("Bug")));
    assert!(fields["description"].to_string().contains("Cause: Credentials refused"), "{fields}");
    assert_eq!(fields["labels"], json!(["tableau", "project=Sales", "tag=critical"]));
}

// D121, D023
#[tokio::test]
async fn a_summary_is_one_line_of_255_characters_and_a_label_has_no_space() {
    let environment = Environment::start(JIRA).await;
    let function = environment.queued();
    let name = format!("Sales\r\nOrders {}", "ü".repeat(400));
    let luid = environment.base.tableau.add(Datasource::named(&name).tagged("project=Sales EU"));
    let mut event = environment.event("DatasourceUpdated");
    event["resource_luid"] = json!(luid.as_str());
    event["resource_name"] = json!(name);
    assert!(function.failures(&message(&event)).await.is_empty(), "{}", last_reason(&function));
    let taken = environment.receiver.taken();
    assert_eq!(taken.len(), 1, "{}", last_reason(&function));
    let summary = taken[0].json()["fields"]["summary"].as_str().unwrap().to_owned();
    assert_eq!((summary.chars().count(), summary.ends_with('…')), (255, true));
    assert!(!summary.contains(['\r', '\n']));
    let labels = taken[0].json()["fields"]["labels"].to_string();
    assert!(labels.contains("tag=project=Sales-EU"), "{labels}");
}

// D047
#[tokio::test]
async fn a_token_of_jira_that_has_expired_waits_for_a_person_and_makes_no_second_ticket() {
    let environment = Environment::start(JIRA).await;
    let function = environment.queued();
    let not_signed_in = ReceiverFault::Answer(200, &[("x-seraph-loginreason", "AUTHENTICATED_FAILED")], "[]");
    environment.receiver.fail_next(1, not_signed_in);
    let event = environment.failed();
    assert_eq!(function.failures(&message(&event)).await.len(), 1);
    let reason = last_reason(&function);
    assert!(
        reason.starts_with("the target `jira` answered 200; fill in its credential in the forward secret"),
        "{reason}"
    );
    assert!(function.failures(&message(&event).received(2)).await.is_empty());
    assert_eq!(environment.receiver.taken().iter().filter(|request| request.status == 201).count(), 1);

    environment.receiver.rotate_jira();
    environment.advance(60);
    let event = environment.failed();
    assert_eq!(function.failures(&message(&event)).await.len(), 1, "the old token");
    environment.put_secret([]);
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(function.failures(&message(&event).received(2)).await.is_empty(), "{}", last_reason(&function));
    environment.assert_no_secret_in(&function);
}

// D036
#[tokio::test]
async fn matillion_etl_runs_a_job_whose_name_has_a_space_and_a_slash() {
    let sent = takes_every_event("{ target: matillion-job, preset: matillion-job }").await;
    assert_eq!(sent.len(), 23);
    assert_eq!(sent[0]["scalarVariables"]["tableau_object"], "Sales Orders");
    let environment = Environment::start("{ target: matillion-job, preset: matillion-job }").await;
    let function = environment.queued();
    assert!(function.failures(&message(&environment.failed())).await.is_empty());
    assert!(environment.receiver.requests()[0].path.ends_with("/job/name/Load%20Sales%2FEU/run"));
}

#[tokio::test]
async fn the_facts_of_a_caller_are_variables_of_the_job() {
    let rules = "events:\n  - name: MatillionJobRequested\nrules:\n  - name: jobs that Snowflake starts\n    on: [MatillionJobRequested]\n    where: { name: load_sales }\n    do:\n      - forward-event: { target: matillion-job, preset: matillion-job }\n";
    let environment = Environment::with_rules(rules).await;
    let function = environment.queued();
    // What is called as the stack's own variables does not replace them.
    let data = [
        ("environment", "production \"x\""),
        ("day", "2026-11-30"),
        ("tableau_object", "other"),
        ("tableau_x", "y"),
    ];
    let own = tableau::OwnEvent {
        data: data.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        caller: "snowflake".to_owned(),
        ..tableau::OwnEvent::default()
    };
    let event =
        |job| own.payload("MatillionJobRequested", job, "2026-11-30T06:12:40Z".to_owned(), Some("run-1"));
    for job in ["load_sales", "load_costs"] {
        let event: Value = serde_json::from_str(&event(job).canonical_json()).unwrap();
        assert!(function.failures(&message(&event)).await.is_empty(), "{}", last_reason(&function));
    }
    let sent: Vec<Value> =
        environment.receiver.taken().iter().map(testkit::simulator::Received::json).collect();
    assert_eq!(sent.len(), 1, "{}", last_reason(&function));
    let variables = &sent[0]["scalarVariables"];
    assert_eq!(
        (&variables["environment"], &variables["day"]),
        (&json!("production \"x\""), &json!("2026-11-30"))
    );
    assert_eq!(variables["tableau_event"], "MatillionJobRequested");
    assert_eq!(variables["tableau_object"], "load_sales");
    assert!(variables["tableau_x"].is_null());
    let body = String::from_utf8_lossy(&environment.receiver.taken()[0].body).into_owned();
    assert_eq!(body.matches("\"tableau_object\"").count(), 1, "{body}");
}

#[tokio::test]
async fn matillion_runs_a_pipeline_with_a_token_that_is_fetched_once() {
    let action = "{ target: matillion-pipeline, preset: matillion-pipeline, values: { pipeline: Load Sales, environment: Prod } }";
    let environment = Environment::start(action).await;
    let function = environment.queued();
    for name in ["DatasourceRefreshSucceeded", "DatasourceUpdated"] {
        assert!(
            function.failures(&message(&environment.event(name))).await.is_empty(),
            "{}",
            last_reason(&function)
        );
    }
    let paths: Vec<String> =
        environment.receiver.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(
        paths,
        [
            "/oauth/dpc/token",
            "/dpc/v1/projects/5a1f/pipeline-executions",
            "/dpc/v1/projects/5a1f/pipeline-executions"
        ]
    );
    let run = environment.receiver.requests()[1].json();
    assert_eq!((&run["pipelineName"], &run["environmentName"]), (&json!("Load Sales"), &json!("Prod")));

    // A token that is refused, since it has ended before its time, is fetched anew at once.
    let refused = ReceiverFault::Answer(401, &[], "");
    environment.receiver.fail_next_of("/dpc/v1/projects/5a1f/pipeline-executions", 1, refused);
    let event = environment.failed();
    assert!(function.failures(&message(&event)).await.is_empty(), "{}", last_reason(&function));
    let tokens = || {
        let requests = environment.receiver.requests();
        requests.iter().filter(|request| request.path.starts_with("/oauth")).count()
    };
    assert_eq!(tokens(), 2);

    // If the new one is refused as well, a person has to look.
    let refused = ReceiverFault::Answer(401, &[], "");
    environment.receiver.fail_next_of("/dpc/v1/projects/5a1f/pipeline-executions", 2, refused);
    environment.advance(60);
    assert_eq!(function.failures(&message(&environment.failed())).await.len(), 1);
    assert!(last_reason(&function).contains("fill in its credential"), "{}", last_reason(&function));
    assert_eq!(tokens(), 3);
    environment.assert_no_secret_in(&function);
}

#[tokio::test]
async fn a_client_that_gets_no_token_waits_for_a_person() {
    let action = "{ target: matillion-pipeline, preset: matillion-pipeline, values: { pipeline: Load Sales, environment: Prod } }";
    let environment = Environment::start(action).await;
    let function = environment.queued();
    environment.receiver.fail_next_of(
        "/oauth/dpc/token",
        1,
        ReceiverFault::Answer(400, &[], "{\"error\":\"invalid_client\"}"),
    );
    assert_eq!(function.failures(&message(&environment.failed())).await.len(), 1);
    let reason = last_reason(&function);
    assert!(
        reason.contains("the `token_url` of `oauth` gives no token") && reason.contains("invalid_client"),
        "{reason}"
    );
    environment.assert_no_secret_in(&function);
}

#[tokio::test]
async fn a_slack_compatible_url_gets_a_text_in_which_no_name_mentions_anyone() {
    let sent = takes_every_event("{ target: slack, preset: slack-message }").await;
    assert_eq!(sent.len(), 23);
    let text = sent[0]["text"].as_str().unwrap();
    assert!(text.starts_with("Extract refresh failed: Sales Orders\nCause: Credentials refused"), "{text}");
    let environment = Environment::start("{ target: slack, preset: slack-message }").await;
    let function = environment.queued();
    let name = "<!channel> *x*";
    let luid = environment.base.tableau.add(Datasource::named(name));
    let mut event = environment.event("DatasourceUpdated");
    event["resource_luid"] = json!(luid.as_str());
    assert!(function.failures(&message(&event)).await.is_empty());
    let text = environment.receiver.taken()[0].json()["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("Data source changed: &lt;!channel&gt; *x*\n"), "{text}");
}

#[tokio::test]
async fn snowflake_gets_a_row_by_bound_values_and_no_name_becomes_sql() {
    let action = "{ target: snowflake, preset: snowflake-row, values: { table: OPS.PUBLIC.TABLEAU_EVENTS, warehouse: OPS } }";
    let sent = takes_every_event(action).await;
    assert_eq!(sent.len(), 23);
    assert!(
        sent.iter().all(|body| body["statement"] == sent[0]["statement"]),
        "one statement for all events"
    );
    assert_eq!(sent[0]["bindings"]["8"]["value"], "Sales Orders");
    assert_eq!(sent[0]["warehouse"], "OPS");
    let environment = Environment::start(action).await;
    let function = environment.queued();
    let name = "x'); drop table users; --";
    let luid = environment.base.tableau.add(Datasource::named(name));
    let mut event = environment.event("DatasourceUpdated");
    event["resource_luid"] = json!(luid.as_str());
    assert!(function.failures(&message(&event)).await.is_empty());
    let row = environment.receiver.taken()[0].json();
    assert_eq!((&row["statement"], &row["bindings"]["8"]["value"]), (&sent[0]["statement"], &json!(name)));
}

/// The example of the README for Opsgenie, as it stands there.
#[tokio::test]
async fn the_documented_rule_for_opsgenie_sends_what_opsgenie_takes() {
    let readme = include_str!("../../README.md");
    let rules = readme.split("```yaml\n").filter_map(|block| block.split("```").next());
    let rules = rules.filter(|yaml| yaml.contains("target: opsgenie")).collect::<Vec<_>>();
    let environment = Environment::with_rules(rules[0]).await;
    let mut target = environment.receiver.add_hook("opsgenie");
    target["headers"] = json!({ "Authorization": "GenieKey 7d1b5a3e-hunter2" });
    environment.put_secret([("opsgenie", target)]);
    let function = environment.queued();
    assert!(
        function.failures(&message(&environment.failed())).await.is_empty(),
        "{}",
        last_reason(&function)
    );
    let taken = environment.receiver.taken();
    assert_eq!(taken[0].header("authorization"), "GenieKey 7d1b5a3e-hunter2");
    let body = taken[0].json();
    assert_eq!(body["message"], "Extract refresh failed: Sales Orders");
    assert!(body["description"].as_str().unwrap().starts_with("Cause: Credentials refused"), "{body}");
    assert!(body["description"].as_str().unwrap().contains("\nProject: Sales\n"), "{body}");
    assert!(body["source"].as_str().unwrap().starts_with("http"), "{body}");
    assert_eq!(body["responders"], json!([{ "type": "team", "name": "BI" }]));
    assert_eq!((&body["tags"], &body["priority"]), (&json!(["critical"]), &json!("P3")));
    assert_eq!(body["details"]["project"], "Sales");
    assert!(["true", "false"].contains(&body["details"]["certified"].as_str().unwrap()), "{body}");
    assert!(!function.logs().iter().any(|line| line.contains("hunter2")));
}

#[tokio::test]
async fn a_template_of_ones_own_is_a_body_for_every_event() {
    let template =
        r#"{ "what": {{ event.type }}, "name": {{ object.name or "unknown" }}, "team": {{ values.team }} }"#;
    let rules = json!({ "rules": [{ "name": "all", "on": ["Any"], "do": [
        { "forward-event": { "target": "own", "template": template, "values": { "team": "BI \"x\"" } } },
    ] }] });
    let environment = Environment::with_rules(&rules.to_string()).await;
    let function = environment.queued();
    assert!(
        function.failures(&message(&environment.failed())).await.is_empty(),
        "{}",
        last_reason(&function)
    );
    let body = environment.receiver.taken()[0].json();
    assert_eq!(
        body,
        json!({ "what": "datasource.refresh_failed", "name": "Sales Orders", "team": "BI \"x\"" })
    );
}
