//! Who is asked, about what, and when no one is.

use crate::support::{ORDERS, STEWARD, Stage, links};
use testkit::simulator::{Datasource, Fault, TableauSimulator};

#[tokio::test]
async fn the_steward_of_a_new_data_source_gets_one_mail_with_all_that_is_known_and_two_links() {
    let stage = Stage::asked().await;
    assert_eq!(stage.last(), ("done".to_owned(), String::new()));
    let mails = stage.mails();
    let mail = &mails[0];
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice()),
        ("alerts@example.com", [STEWARD.to_owned()].as_slice())
    );
    assert_eq!(mail.shown_subject(), "Certify the data source Sales Orders?");
    for part in [
        "Data source: Sales Orders",
        "Project: Sales",
        "Owner: Ana Ferreira (ana@example.com)",
        "Reads from: snowflake at ",
        "Used by: Pipeline Review, Superstore",
        "Open in Tableau: http",
        "a rule of tableau-webhooks names you",
        "CET",
    ] {
        assert!(mail.text.contains(part), "no {part} in\n{}", mail.text);
    }
    assert_eq!(mail.header("Auto-Submitted"), Some("auto-generated"));
    assert!(
        mail.reply_to.is_empty(),
        "an answer that quotes the links goes to no one else: {:?}",
        mail.reply_to
    );
    assert!(mail.header("References").is_some_and(|id| id.starts_with("<tableau-certification-")));
    assert!(stage.datasource().await.certification_note.is_none());
    stage.assert_no_secret_in_the_log();
}

// M08, M09, M10, M12
#[tokio::test]
async fn the_links_are_short_one_segment_the_same_in_both_parts_and_no_service_rewrites_them() {
    let stage = Stage::asked().await;
    let mails = stage.mails();
    let links = links(&mails[0]);
    assert_eq!(links.len(), 2);
    assert_ne!(links[0], links[1]);
    for link in &links {
        assert!(link.len() <= 100, "{} characters", link.len());
        assert!(!link.contains(['&', '?', '%', ';']), "{link}");
        assert_eq!(link.matches('/').count(), 4, "{link}");
        assert_eq!(mails[0].text.lines().filter(|line| line.ends_with(link)).count(), 1, "{}", mails[0].text);
        assert_eq!(mails[0].html.matches(&format!("href=\"{link}\" ses:no-track")).count(), 1);
        assert_eq!(
            mails[0].html.matches(link.as_str()).count(),
            1,
            "the address is not shown, so it is not copied"
        );
    }
}

// C01
#[tokio::test]
async fn a_data_source_that_is_certified_is_not_asked_about() {
    let stage = Stage::new("{ steward: steward@example.com }").await;
    for name in ["DatasourceCreated", "DatasourceUpdated"] {
        let (outcome, reason) = stage.handle(&stage.event(name, "General Ledger")).await;
        assert_eq!((outcome.as_str(), reason.as_str()), ("skipped", "the data source is certified already"));
    }
    assert_eq!(stage.mails().len(), 0);
    assert_eq!(stage.all_stored().len(), 0);
}

#[tokio::test]
async fn a_second_event_sends_no_second_mail_and_the_page_says_what_is_known_now() {
    let stage = Stage::asked().await;
    let (certify, _) = stage.tokens();
    stage
        .environment
        .tableau
        .add(testkit::simulator::Workbook::named("Quarterly Review").in_project("Sales").using(ORDERS));
    let (outcome, reason) = stage.handle(&stage.event("DatasourceUpdated", ORDERS)).await;
    assert_eq!(outcome, "skipped", "{reason}");
    assert!(
        reason.starts_with("s…@example.com was asked on ") && reason.ends_with("has not decided yet"),
        "{reason}"
    );
    assert_eq!(stage.mails().len(), 1);
    assert!(stage.get(&certify).await.html.contains("Quarterly Review"));
    assert_eq!(stage.history(), ["requested"]);
}

#[tokio::test]
async fn two_events_at_the_same_time_make_one_request_and_one_mail() {
    let stage = Stage::new("{ steward: steward@example.com }").await;
    let other = stage.environment.queued_with(
        crate::support::NAME,
        crate::support::BINARY,
        &[("EMAIL_RECIPIENTS_PER_SECOND", "1000")],
    );
    let message = |name: &str| testkit::Batch::default().message(&stage.event(name, ORDERS).to_string());
    let (created, updated) = (message("DatasourceCreated"), message("DatasourceUpdated"));
    let both = tokio::join!(stage.function.failures(&created), other.failures(&updated));
    // Who comes second is tried again, or finds the request.
    for (function, batch, failed) in [(&stage.function, created, both.0), (&other, updated, both.1)] {
        if !failed.is_empty() {
            assert_eq!(function.failures(&batch.received(2)).await, Vec::<String>::new());
        }
    }
    assert_eq!(stage.mails().len(), 1);
    assert_eq!(stage.items("certification-of#").len(), 1);
    assert_eq!(stage.all_stored().len(), 1);
}

#[tokio::test]
async fn the_owner_or_the_project_leader_is_asked_if_a_rule_says_so() {
    for (steward, expected, reason) in [
        ("owner", "ana@example.com", "you own the data source"),
        ("project-leader", "bea@example.com", "you own the project"),
    ] {
        let stage = Stage::new(&format!("{{ steward: {steward} }}")).await;
        stage.handle(&stage.event("DatasourceCreated", ORDERS)).await;
        let mails = stage.mails();
        assert_eq!(mails.len(), 1, "{}", stage.log());
        assert_eq!(mails[0].to, [expected]);
        assert!(mails[0].text.contains(reason), "{}", mails[0].text);
    }
}

#[tokio::test]
async fn where_tableau_has_no_address_another_one_is_asked_or_a_person_has_to_say_whom() {
    let tableau = TableauSimulator::sample;
    let add = |stage: &Stage| {
        let user = testkit::simulator::User::named("nameless").with_plain_name("nameless");
        stage.environment.tableau.add(user);
        let luid = stage.environment.tableau.add(Datasource::named("Orphans").owned_by("nameless"));
        stage.event_about("DatasourceCreated", "Orphans", luid.as_str())
    };
    let stage = Stage::with("{ steward: owner, steward_if_unknown: bi@example.com }", tableau()).await;
    let event = add(&stage);
    stage.handle(&event).await;
    assert_eq!(stage.mails().len(), 1, "{}", stage.log());
    assert_eq!(stage.mails()[0].to, ["bi@example.com"]);
    assert!(stage.mails()[0].text.contains("in the place of"), "{}", stage.mails()[0].text);

    let stage = Stage::with("{ steward: owner }", tableau()).await;
    let event = add(&stage);
    let (outcome, reason) = stage.handle(&event).await;
    assert_eq!(outcome, "misconfigured", "{reason}");
    assert!(
        reason.contains("no one to ask: of the owner") && reason.contains("`steward_if_unknown`"),
        "{reason}"
    );
    assert_eq!(stage.mails().len(), 0);
}

#[tokio::test]
async fn what_cannot_be_found_out_is_said_and_nothing_waits_for_it() {
    let stage = Stage::new("{ steward: steward@example.com }").await;
    stage.environment.tableau.fail_always("GET */connections", Fault::Error("403004"));
    let luid = stage.environment.tableau.add(Datasource::named("Fresh").owned_by("ana"));
    stage.environment.tableau.fail_always("POST /graphql", Fault::Html(404));
    stage.handle(&stage.event_about("DatasourceCreated", "Fresh", luid.as_str())).await;
    let mails = stage.mails();
    assert_eq!(mails.len(), 1, "{}", stage.log());
    for part in ["Reads from: not known: ", "Used by: not known: Tableau has no Metadata API"] {
        assert!(mails[0].text.contains(part), "no {part} in {}", mails[0].text);
    }
}

#[tokio::test]
async fn a_mail_that_was_not_sent_is_sent_by_the_next_attempt_with_the_same_links() {
    let stage = Stage::new("{ steward: steward@example.com }").await;
    stage.environment.aws.fail_next("SES.SendEmail", 1, testkit::local_aws::Fault::InternalError);
    let event = stage.event("DatasourceCreated", ORDERS);
    let batch = testkit::Batch::default().message(&event.to_string());
    assert_eq!(stage.function.failures(&batch).await.len(), 1);
    assert_eq!(stage.mails().len(), 0);
    let id = stage.stored()["id"].clone();
    assert_eq!(stage.function.failures(&batch.received(2)).await, Vec::<String>::new(), "{}", stage.log());
    assert_eq!(stage.mails().len(), 1);
    assert_eq!(stage.stored()["id"], id);
}

#[tokio::test]
async fn another_steward_by_rule_gets_links_of_their_own_and_the_earlier_links_end() {
    let stage = Stage::asked().await;
    let (old, _) = stage.tokens();
    stage.environment.write_rules(&crate::support::rules("{ steward: other@example.com }"));
    let second = stage.environment.queued_with(
        crate::support::NAME,
        crate::support::BINARY,
        &[("EMAIL_RECIPIENTS_PER_SECOND", "1000")],
    );
    let event = stage.event("DatasourceUpdated", ORDERS);
    assert!(second.failures(&testkit::Batch::default().message(&event.to_string())).await.is_empty());
    assert_eq!(stage.mails().len(), 2, "{}", second.logs().join("\n"));
    assert_eq!(stage.mails()[1].to, ["other@example.com"]);

    let answer = stage.get(&old).await;
    assert_eq!((answer.status, answer.title().as_str()), (410, "Another person is asked now"));
    let (new, _) = stage.tokens();
    assert_eq!(stage.choose(&new, "yes", "").await.title(), "Sales Orders is certified");
    assert_eq!(stage.history(), ["requested", "superseded", "requested", "certified"]);
}

#[tokio::test]
async fn names_make_no_header_no_element_and_no_link() {
    let stage = Stage::new("{ steward: steward@example.com }").await;
    let name = "Sales\r\nBcc: x@example.org\u{202e}<img src=x onerror=alert(1)>\"'&{{7*7}}";
    let luid = stage.environment.tableau.add(Datasource::named(name).owned_by("ana").in_project("Sales"));
    stage.handle(&stage.event_about("DatasourceCreated", name, luid.as_str())).await;
    let mails = stage.mails();
    assert_eq!(mails.len(), 1, "{}", stage.log());
    assert_eq!(mails[0].to, [STEWARD]);
    assert!(mails[0].shown_subject().starts_with("Certify the data source Sales Bcc: x@example.org"));
    assert!(!mails[0].html.contains("<img"), "{}", mails[0].html);
    let (certify, _) = stage.tokens();
    for page in [stage.get(&certify).await, stage.choose(&certify, "yes", "<b>fine</b>").await] {
        assert_eq!(page.status, 200);
        assert!(!page.html.contains("<img") && !page.html.contains("<b>"), "{}", page.html);
        assert!(
            page.html.contains("&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;{{7*7}}"),
            "{}",
            page.html
        );
        assert!(!page.html.contains('\u{202e}'), "{}", page.html);
    }
}

#[tokio::test]
async fn a_muted_rule_asks_no_one() {
    let stage = Stage::new("{ steward: steward@example.com }").await;
    let muted = crate::support::rules("{ steward: steward@example.com }")
        .replace("    on: [", "    mute_until: 2999-01-01T00:00:00Z\n    on: [");
    stage.environment.write_rules(&muted);
    let function = stage.environment.queued_with(crate::support::NAME, crate::support::BINARY, &[]);
    let event = stage.event("DatasourceCreated", ORDERS);
    assert!(function.failures(&testkit::Batch::default().message(&event.to_string())).await.is_empty());
    assert_eq!(stage.mails().len(), 0);
    let log = function.logs().join("\n");
    assert!(log.contains("the rule certify is muted until 2999-01-01"), "{log}");
}

#[tokio::test]
async fn a_test_mails_the_stewards_that_rules_name_and_has_no_link() {
    let stage = Stage::new("{ steward: owner, steward_if_unknown: bi@example.com }").await;
    let test = serde_json::json!({ "test": {} });
    let answer = stage.function.invoke(&test).await.unwrap();
    assert_eq!(answer["targets"][0]["target"], "bi@example.com", "{answer}");
    assert_eq!(answer["targets"][0]["outcome"], "accepted", "{answer}");
    let mails = stage.mails();
    assert_eq!((mails.len(), links(&mails[0]).len()), (1, 0));
    let other = serde_json::json!({ "test": { "target": "ana@example.com" } });
    let answer = stage.function.invoke(&other).await.unwrap();
    assert!(answer["reason"].as_str().unwrap().contains("no rule names this address"), "{answer}");
    assert_eq!(stage.mails().len(), 1);
}

#[tokio::test]
async fn the_address_in_a_name_becomes_no_link() {
    let stage = Stage::new("{ steward: steward@example.com }").await;
    let name = "Sales https://login.example.org/tableau";
    let luid = stage.environment.tableau.add(Datasource::named(name).owned_by("ana").in_project("Sales"));
    stage.handle(&stage.event_about("DatasourceCreated", name, luid.as_str())).await;
    let mail = &stage.mails()[0];
    for text in [&mail.text, &mail.html, &mail.shown_subject()] {
        assert!(!text.contains("://login.example.org") || text.contains(" : //login.example.org"), "{text}");
        assert!(!text.contains("https://login.example.org"), "{text}");
    }
}

#[tokio::test]
async fn the_first_rule_that_is_not_muted_counts() {
    let stage = Stage::new("{ steward: steward@example.com }").await;
    let rules = crate::support::rules("{ steward: steward@example.com }");
    let second = "  - name: second\n    on: [DatasourceCreated]\n    do: [{ request-certification: { steward: second@example.com } }]\n";
    let rules = rules
        .replace("    on: [", "    mute_until: 2999-01-01T00:00:00Z\n    on: [")
        .replace("sites:", &format!("{second}sites:"));
    stage.environment.write_rules(&rules);
    let function = stage.environment.queued_with(crate::support::NAME, crate::support::BINARY, &[]);
    let event = stage.event("DatasourceCreated", ORDERS);
    assert!(function.failures(&testkit::Batch::default().message(&event.to_string())).await.is_empty());
    assert_eq!(stage.mails().len(), 1, "{}", function.logs().join("\n"));
    assert_eq!(stage.mails()[0].to, ["second@example.com"]);
}

// A link certifies with the credential of this service: it goes to the steward of a rule that matches for certain.
#[tokio::test]
async fn a_condition_that_cannot_be_looked_up_mails_no_one() {
    for (fault, expected) in [(Fault::Status(503), "transient"), (Fault::Error("403004"), "misconfigured")] {
        let stage = Stage::new("{ steward: steward@example.com }").await;
        let rules = crate::support::rules("{ steward: steward@example.com }")
            .replace("    do: [", "    where: { project: \"Finance/**\" }\n    do: [");
        stage.environment.write_rules(&rules);
        let fast = [("EMAIL_RECIPIENTS_PER_SECOND", "1000")];
        let function = stage.environment.queued_with(crate::support::NAME, crate::support::BINARY, &fast);
        stage.environment.tableau.fail_always("GET */projects*", fault);
        let event = stage.event("DatasourceCreated", ORDERS).to_string();
        let batch = testkit::Batch::default().message(&event);
        for attempt in 1..=3 {
            function.failures(&batch.clone().received(attempt)).await;
        }
        assert_eq!(stage.mails().len(), 0);
        let log = function.logs().join("\n");
        assert!(log.contains(expected) && log.contains("project"), "{log}");
        assert_eq!(stage.all_stored().len(), 0);
    }
}
