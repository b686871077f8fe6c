//! The event `PdfPublished`, from which rules announce a file.

use crate::support::{BINARY, event, handed, logs, long_ago, noted, only, refreshed, rules};
use serde_json::{Value, json};
use testkit::local_aws::Fault;
use testkit::simulator::{ExportShape, Workbook};
use testkit::{Function, TestEnvironment};

fn sales() -> Workbook {
    Workbook::named("Sales").with_tabs().with_view("Overview").with_view("Details")
}

fn on_the_bus(environment: &TestEnvironment) -> Function {
    environment.queued_with("publish-pdf", BINARY, &[("EVENT_BUS_NAME", "events")])
}

/// What went over the bus.
fn sent(environment: &TestEnvironment) -> Vec<Value> {
    environment.aws.archive("events")
}

#[tokio::test]
async fn each_file_has_one_event_with_its_link() {
    let all = rules(&["{ to: sharepoint, folder: A }", "{ to: s3, bucket: reports, folder: B }"]);
    let environment = TestEnvironment::with_rules(&all).await;
    environment.aws.create_bucket("reports");
    let function = on_the_bus(&environment);
    let event = event(&environment, sales());
    for _ in 0..2 {
        assert!(!handed(&function, &event).await, "{}", logs(&environment, &function));
    }
    let sent = sent(&environment);
    assert_eq!(sent.len(), 2, "{sent:?}");
    for entry in &sent {
        assert_eq!(
            (&entry["source"], &entry["detail-type"]),
            (&json!("tableau.webhooks"), &json!("PdfPublished"))
        );
        for same in ["resource_luid", "site_luid", "resource_name"] {
            assert_eq!(entry["detail"][same], event[same]);
        }
    }
    let pdf = |place: &str| {
        let of = sent.iter().map(|entry| &entry["detail"]["pdf"]);
        of.into_iter()
            .find(|pdf| pdf["place"] == place)
            .cloned()
            .unwrap_or_else(|| panic!("{place} in {sent:?}"))
    };
    let link = pdf("SharePoint")["link"].as_str().unwrap().to_owned();
    assert!(link.starts_with("https://") && link.ends_with("/A/Sales.pdf"), "{link}");
    assert_eq!(
        pdf("s3://reports/B/Sales.pdf"),
        json!({ "file": "Sales.pdf", "place": "s3://reports/B/Sales.pdf" })
    );
}

#[tokio::test]
async fn the_views_of_a_workbook_have_one_event_with_their_folder() {
    let environment = TestEnvironment::with_rules(&rules(&["{ to: sharepoint, folder: A }"])).await;
    let function = on_the_bus(&environment);
    let workbook = Workbook::named("Sales").with_view("Overview").with_view("Details");
    assert!(!handed(&function, &event(&environment, workbook)).await, "{}", logs(&environment, &function));
    let sent = sent(&environment);
    assert_eq!(sent.len(), 1, "{sent:?}");
    let pdf = &sent[0]["detail"]["pdf"];
    assert_eq!((&pdf["file"], &pdf["others"]), (&json!("Sales - Details.pdf"), &json!(1)));
    assert!(pdf["link"].as_str().unwrap().ends_with("/A"), "{pdf}");
}

#[tokio::test]
async fn an_event_that_the_bus_did_not_take_is_sent_later_without_another_upload() {
    let environment = TestEnvironment::with_rules(&rules(&["{ to: sharepoint, if_exists: rename }"])).await;
    let function = on_the_bus(&environment);
    let event = event(&environment, sales());
    environment.aws.fail_next("EventBridge.PutEvents", 3, Fault::InternalError);
    assert!(handed(&function, &event).await);
    assert!(sent(&environment).is_empty());
    assert_eq!(only(&environment).versions, 1);

    assert!(!handed(&function, &event).await, "{}", logs(&environment, &function));
    assert_eq!(sent(&environment).len(), 1);
    assert_eq!(only(&environment).versions, 1);
    assert_eq!(environment.tableau.calls("GET */pdf"), 1);
}

#[tokio::test]
async fn each_attempt_sends_the_event_of_its_own_files_and_a_repeated_event_is_the_same_event() {
    let all = rules(&["{ to: sharepoint, folder: A }", "{ to: sharepoint, folder: B }"]);
    let environment = TestEnvironment::with_rules(&all).await;
    let function = on_the_bus(&environment);
    environment.graph.lock("B/Sales.pdf");
    let event = event(&environment, sales());
    assert!(handed(&function, &event).await);
    let first = sent(&environment);
    assert_eq!(first.len(), 1, "{first:?}");
    // As if the process had died before it was noted that the event was sent.
    environment.change_effects(|effect| effect.starts_with("event-sent/").then(|| format!("lost/{effect}")));
    environment.graph.close_all();
    assert!(!handed(&function, &event).await, "{}", logs(&environment, &function));
    let sent = sent(&environment);
    assert_eq!(sent.len(), 3, "{sent:?}");
    assert_eq!(sent[1]["detail"], first[0]["detail"], "the same event");
    let link = sent[2]["detail"]["pdf"]["link"].as_str().unwrap();
    assert!(link.ends_with("/B/Sales.pdf"), "{link}");
}

#[tokio::test]
async fn an_event_is_sent_later_also_if_the_rules_have_changed() {
    let environment = TestEnvironment::with_rules(&rules(&["{ to: sharepoint }"])).await;
    let function = on_the_bus(&environment);
    let event = event(&environment, sales());
    environment.aws.fail_next("EventBridge.PutEvents", 3, Fault::InternalError);
    assert!(handed(&function, &event).await);
    environment.write_rules(
        &rules(&["{ to: sharepoint, folder: Other, views: [Details] }"])
            .replace("on: [", "mute_until: 2999-01-01T00:00:00Z, on: ["),
    );
    let function = on_the_bus(&environment);
    assert!(!handed(&function, &event).await, "{}", logs(&environment, &function));
    assert_eq!(sent(&environment).len(), 1);
}

#[tokio::test]
async fn a_silent_rule_sends_no_event() {
    let all = rules(&["{ to: sharepoint, folder: A, silent: true }", "{ to: sharepoint, folder: B }"]);
    let environment = TestEnvironment::with_rules(&all).await;
    let function = on_the_bus(&environment);
    assert!(!handed(&function, &event(&environment, sales())).await, "{}", logs(&environment, &function));
    let sent = sent(&environment);
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(sent[0]["detail"]["pdf"]["link"].as_str().unwrap().ends_with("/B/Sales.pdf"));
}

#[tokio::test]
async fn the_event_says_that_a_file_may_lack_data() {
    let environment = TestEnvironment::with_rules(&rules(&["{ to: sharepoint }"])).await;
    let function = on_the_bus(&environment);
    let workbook = environment.tableau.add(sales());
    environment
        .tableau
        .shape_exports("Sales", ExportShape { padding_bytes: 100_000, ..ExportShape::default() });
    assert!(!handed(&function, &refreshed(&environment, workbook.as_str(), 7_200)).await);
    environment.tableau.shape_exports("Sales", ExportShape::default());
    long_ago(&environment);
    let second = refreshed(&environment, workbook.as_str(), 3_600);
    assert!(!handed(&function, &second).await);
    noted(&environment, "doubted/", 66);
    assert!(!handed(&function, &second).await, "{}", logs(&environment, &function));
    let notes: Vec<Value> =
        sent(&environment).into_iter().map(|entry| entry["detail"]["pdf"]["note"].clone()).collect();
    let note = "It may lack data: it is smaller than earlier files, or could not be checked";
    assert_eq!(notes, [Value::Null, json!(note)]);
}

#[tokio::test]
async fn a_file_that_the_rule_keeps_has_no_event() {
    let environment = TestEnvironment::with_rules(&rules(&["{ to: sharepoint, if_exists: keep }"])).await;
    let function = on_the_bus(&environment);
    let workbook = environment.tableau.add(sales());
    for seconds_ago in [7_200, 3_600] {
        long_ago(&environment);
        let refresh = refreshed(&environment, workbook.as_str(), seconds_ago);
        assert!(!handed(&function, &refresh).await, "{}", logs(&environment, &function));
    }
    assert_eq!((only(&environment).versions, sent(&environment).len()), (1, 1));
}

#[tokio::test]
async fn without_a_bus_no_event_is_sent_and_the_file_is_there() {
    let environment = TestEnvironment::with_rules(&rules(&["{ to: sharepoint }"])).await;
    let function = environment.queued("publish-pdf", BINARY);
    assert!(!handed(&function, &event(&environment, sales())).await, "{}", logs(&environment, &function));
    assert_eq!(only(&environment).versions, 1);
    assert!(logs(&environment, &function).contains("there is no event bus"));
}
