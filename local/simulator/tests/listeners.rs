//! Every listener of this crate refuses requests from other web pages.

use serde_json::json;
use simulator::{
    PagerDutySimulator, Recorder, ServiceNowSimulator, SlackSimulator, TableauSimulator, TeamsSimulator,
    TwilioSimulator,
};
use std::net::SocketAddr;
use std::time::Duration;
use testkit::foreign::{FOREIGN, address, ask};

#[tokio::test]
async fn no_listener_answers_a_foreign_host_or_origin() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let slack = SlackSimulator::start().await.unwrap();
    let teams = TeamsSimulator::start().await.unwrap();
    let flow = teams.add_flow("finance").replace(&teams.url(), "POST ");
    let pagerduty = PagerDutySimulator::start().await.unwrap();
    let servicenow = ServiceNowSimulator::start().await.unwrap();
    let twilio = TwilioSimulator::start().await.unwrap();
    let recorder = Recorder::start().await.unwrap();
    let luid = tableau.datasource("Sales Orders").unwrap();
    let jobs = tableau.jobs().len();
    let webhook = slack.webhook_url().replace(&slack.url(), "POST ");
    let fail = format!("POST /simulator/refresh/{luid}/fail");
    let start_lines = [
        (address(&tableau.url()), "GET /"),
        (address(&tableau.url()), "GET /simulator"),
        (address(&tableau.url()), "GET /simulator/page.js"),
        (address(&tableau.url()), "POST /simulator/faults?fault=reset"),
        (address(&tableau.url()), "POST /simulator/fire/WorkbookCreated"),
        (address(&tableau.url()), &fail),
        (address(&tableau.url()), "GET /api/3.29/serverinfo"),
        (address(&tableau.url()), "OPTIONS /api/3.29/auth/signin"),
        (address(&slack.url()), &webhook),
        (address(&slack.url()), "POST /api/chat.postMessage"),
        (address(&slack.url()), "POST /simulator/faults?fault=archived"),
        (address(&slack.url()), "DELETE /simulator/faults"),
        (address(&teams.url()), &flow),
        (address(&teams.url()), "POST /simulator/faults?fault=403"),
        (address(&pagerduty.url()), "POST /v2/enqueue"),
        (address(&pagerduty.url()), "POST /simulator/faults?fault=400"),
        (address(&servicenow.url()), "POST /api/now/table/incident"),
        (address(&servicenow.url()), "GET /simulator/incidents"),
        (address(&servicenow.url()), "POST /simulator/faults?fault=429"),
        (
            address(&twilio.url()),
            "POST /2010-04-01/Accounts/AC00000000000000000000000000000001/Messages.json",
        ),
        (address(&twilio.url()), "POST /simulator/faults?fault=21610"),
        (address(&recorder.url()), "GET /anything"),
        (address(&recorder.url()), "POST /anything"),
    ];
    for (at, start_line) in start_lines {
        assert!(at.ip().is_loopback(), "{at}");
        for headers in FOREIGN {
            let answer = ask(at, start_line, headers, r#"{"text":"forged"}"#).await;
            assert!(answer.starts_with("HTTP/1.1 403 "), "{start_line} {headers:?}: {answer}");
            assert!(!answer.to_ascii_lowercase().contains("access-control-"), "{answer}");
        }
    }
    assert_eq!((tableau.calls("*"), tableau.jobs().len(), tableau.deliveries().len()), (0, jobs, 0));
    assert_eq!((teams.calls(), teams.posts().len()), (0, 0));
    assert_eq!(pagerduty.calls(), 0);
    assert_eq!((servicenow.calls_since(0).len(), twilio.messages_since(0).len()), (0, 0));
    assert_eq!((slack.calls(), slack.message_count(), recorder.requests().len()), (0, 0, 0));
    // The same requests without these headers succeed, so it was the headers that were refused.
    let own = ["Host: localhost:PORT"];
    assert!(ask(address(&slack.url()), &webhook, &own, r#"{"text":"mine"}"#).await.ends_with("ok"));
    let faults = ask(address(&tableau.url()), "GET /simulator/faults", &own, "").await;
    assert!(faults.ends_with(&json!({ "faults": [] }).to_string()), "{faults}");
    let page = ["Host: localhost:PORT", "Origin: http://localhost:PORT", "Sec-Fetch-Site: same-origin"];
    assert!(ask(address(&tableau.url()), &fail, &page, "").await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn an_address_that_other_machines_reach_is_not_served() {
    let anywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    for result in [
        TableauSimulator::sample().address(anywhere).start().await.map(drop),
        SlackSimulator::start_at(anywhere).await.map(drop),
        TeamsSimulator::start_at(anywhere).await.map(drop),
        PagerDutySimulator::start_at(anywhere).await.map(drop),
        ServiceNowSimulator::start_at(anywhere).await.map(drop),
        TwilioSimulator::start_at(anywhere).await.map(drop),
        Recorder::start_at(anywhere).await.map(drop),
    ] {
        assert_eq!(
            result.unwrap_err().to_string(),
            "0.0.0.0 is not a loopback address: other machines could connect"
        );
    }
}

#[tokio::test]
async fn what_the_page_for_people_shows_holds_no_address_of_a_webhook() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let url = "http://127.0.0.1:9/webhook?token=hunter2";
    tableau.add(simulator::Webhook::on(tableau::EventName::WorkbookCreated, url));
    let luid = tableau.workbook("Superstore").unwrap();
    tableau.fire(&tableau::EventName::WorkbookCreated, &luid).unwrap();
    tableau.settled(Duration::from_secs(20)).await.unwrap();
    for path in ["GET /simulator", "GET /simulator/faults", "POST /simulator/fire/WorkbookCreated"] {
        let answer = ask(address(&tableau.url()), path, &["Host: HOST"], "").await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && !answer.contains("hunter2"), "{answer}");
    }
}
