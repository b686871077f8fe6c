//! Labels on data sources.

#![expect(clippy::unwrap_used, reason = "helpers of tests are not known for such")]

mod support;

use serde_json::{Value, json};
use simulator::{Recorder, TableauSimulator, Webhook};
use support::{Caller, SOON};
use tableau::EventName;

fn on(luids: &[&str]) -> Value {
    let content: Vec<Value> =
        luids.iter().map(|luid| json!({ "contentType": "datasource", "id": luid })).collect();
    json!({ "content": content })
}

async fn labels(caller: &Caller, luids: &[&str]) -> Vec<Value> {
    let answer = caller.post("/labels", &json!({ "contentList": on(luids) })).await;
    assert_eq!(answer.status, 200);
    answer.json["labelList"]["label"].as_array().cloned().unwrap_or_default()
}

/// The value, category and message of each label.
fn says(labels: &[Value]) -> Vec<[String; 3]> {
    let text = |label: &Value, name: &str| label[name].as_str().unwrap().to_owned();
    labels.iter().map(|l| ["value", "category", "message"].map(|name| text(l, name))).collect()
}

#[tokio::test]
async fn a_label_is_set_changed_and_taken_off() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let owner = Caller::user(&tableau, "jonas").await;
    let budget = tableau.datasource("Budget").unwrap();
    let set = |label: Value| json!({ "contentList": on(&[budget.as_str()]), "label": label });

    let made = owner.put("/labels", &set(json!({ "value": "stale", "message": "From May" }))).await;
    let label = made.json["labelList"]["label"][0].clone();
    assert_eq!((made.status, &label["active"], &label["elevated"]), (200, &json!(true), &json!(false)));
    assert_eq!((&label["contentId"], &label["contentType"]), (&json!(budget), &json!("datasource")));
    assert_eq!(label["owner"]["id"], tableau.user("jonas").unwrap().as_str());
    let loud = set(json!({ "value": "stale", "message": "From June", "elevated": "true" }));
    let again = owner.put("/labels", &loud).await.json["labelList"]["label"].clone();
    assert_eq!((&again[0]["id"], again.as_array().unwrap().len()), (&label["id"], 1), "one of each value");
    owner.put("/labels", &set(json!({ "value": "sensitive-data" }))).await;

    let all = labels(&owner, &[budget.as_str()]).await;
    let expected = [["stale", "warning", "From June"], ["sensitive-data", "sensitivity", ""]];
    assert_eq!(says(&all), expected);
    let path = format!("/labels/{}", label["id"].as_str().unwrap());
    assert_eq!(owner.delete(&path).await.status, 204);
    assert_eq!(owner.delete(&path).await.code(), "400105", "the label is gone");
    assert_eq!(says(&labels(&owner, &[budget.as_str()]).await), expected[1..]);
}

#[tokio::test]
async fn certifications_and_quality_warnings_are_labels() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let luid = tableau.datasource("Sales Orders").unwrap();
    let path = format!("/datasources/{luid}");
    let warnings = format!("/dataQualityWarnings/datasource/{luid}");
    let warning = json!({ "dataQualityWarning": { "type": "MAINTENANCE", "message": "Till noon" } });
    caller.post(&warnings, &warning).await;

    let all = labels(&caller, &[luid.as_str()]).await;
    let mut found = says(&all);
    found.sort();
    let certified = ["certified", "certification", "Reviewed by the sales data stewards"];
    assert_eq!(found, [certified, ["maintenance", "warning", "Till noon"]]);
    for label in &all {
        caller.delete(&format!("/labels/{}", label["id"].as_str().unwrap())).await;
    }
    assert_eq!(caller.get(&path).await.json["datasource"]["isCertified"], false);
    assert_eq!(caller.get(&warnings).await.json["dataQualityWarningList"], json!({}));

    let label = json!({ "value": "certified", "message": "Again" });
    caller.put("/labels", &json!({ "contentList": on(&[luid.as_str()]), "label": label })).await;
    let datasource = caller.get(&path).await.json["datasource"].clone();
    assert_eq!(
        (&datasource["isCertified"], &datasource["certificationNote"]),
        (&json!(true), &json!("Again"))
    );
    caller.put(&path, &json!({ "datasource": { "isCertified": false } })).await;
    assert!(labels(&caller, &[luid.as_str()]).await.is_empty());
}

#[tokio::test]
async fn labels_are_for_who_may_change_and_certifications_for_project_leaders() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let owner = Caller::user(&tableau, "jonas").await;
    let yuki = Caller::user(&tableau, "yuki").await;
    let budget = tableau.datasource("Budget").unwrap();
    let set = |value: &str| json!({ "contentList": on(&[budget.as_str()]), "label": { "value": value } });

    assert_eq!(yuki.put("/labels", &set("stale")).await.code(), "403004");
    assert_eq!(owner.put("/labels", &set("certified")).await.code(), "403004");
    assert_eq!(owner.put("/labels", &set("stale")).await.status, 200);
    assert_eq!(labels(&yuki, &[budget.as_str()]).await.len(), 1, "everybody sees them");
    let id = labels(&yuki, &[budget.as_str()]).await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(yuki.delete(&format!("/labels/{id}")).await.code(), "403004");
}

#[tokio::test]
async fn what_is_wrong_with_a_label_has_a_code_of_its_own() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let budget = tableau.datasource("Budget").unwrap();
    let workbook = tableau.workbook("Superstore").unwrap();
    let stale = json!({ "value": "stale" });
    let put = async |contents: Value, label: &Value| {
        caller.put("/labels", &json!({ "contentList": contents, "label": label })).await
    };

    for (label, code) in [
        (json!({ "value": "extract_refresh_failure" }), "409004"),
        (json!({ "value": "boring" }), "409004"),
        (json!({}), "400108"),
    ] {
        assert_eq!(put(on(&[budget.as_str()]), &label).await.code(), code, "{label}");
    }
    assert_eq!(put(json!({}), &stale).await.code(), "400108");
    assert_eq!(put(on(&[budget.as_str(), "none"]), &stale).await.code(), "404029", "all or none");
    let of_a_workbook = json!({ "content": { "contentType": "workbook", "id": workbook } });
    assert_eq!(put(of_a_workbook, &stale).await.code(), "404029");
    assert!(labels(&caller, &[budget.as_str()]).await.is_empty());
    let none = "00000000-0000-4000-8000-000000000000";
    assert_eq!(caller.delete(&format!("/labels/{none}")).await.code(), "400105");
    assert_eq!(caller.delete("/labels/none").await.code(), "409004", "no LUID");
}

#[tokio::test]
async fn labels_fire_events_about_what_they_are_on() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let destination = Recorder::start().await.unwrap();
    let events = [EventName::LabelCreated, EventName::LabelUpdated, EventName::LabelDeleted];
    for event in &events {
        tableau.add(Webhook::on(event.clone(), &destination.url()));
    }
    let budget = tableau.datasource("Budget").unwrap();
    let stale = json!({ "contentList": on(&[budget.as_str()]), "label": { "value": "stale" } });

    let made = caller.put("/labels", &stale).await.json["labelList"]["label"][0].clone();
    caller.put("/labels", &stale).await;
    caller.delete(&format!("/labels/{}", made["id"].as_str().unwrap())).await;

    let requests = destination.wait_for(3, SOON).await.unwrap();
    for event in &events {
        let name = format!(r#""event_type":"{event}""#);
        let of_event: Vec<_> = requests.iter().filter(|request| request.text().contains(&name)).collect();
        assert_eq!(of_event.len(), 1, "{event}");
        assert!(of_event[0].text().contains(budget.as_str()));
    }
}

#[tokio::test]
async fn labels_are_spoken_of_in_xml_too() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let budget = tableau.datasource("Budget").unwrap();
    let body = format!(
        r#"<tsRequest><contentList><content contentType="datasource" id="{budget}"/></contentList>
        <label value="deprecated" message="Use &lt;Plan&gt;" active="true" elevated="true"/></tsRequest>"#
    );
    let path = format!("{}/api/3.29/sites/{}/labels", caller.base, caller.site);
    let request = caller.http.put(path).header("x-tableau-auth", &caller.token);

    let text =
        request.header("content-type", "text/xml").body(body).send().await.unwrap().text().await.unwrap();

    assert!(text.contains("<labelList><label id="), "{text}");
    assert!(text.contains(r#"message="Use &lt;Plan&gt;" value="deprecated" category="warning""#), "{text}");
    assert!(text.contains(r#"active="true" elevated="true""#), "{text}");
}
