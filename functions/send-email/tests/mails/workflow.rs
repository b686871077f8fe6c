//! Events in, mails out.

use crate::support::{BINARY, STEWARD, environment, handle, inline, message, queued, refreshed};
use serde_json::json;
use testkit::local_aws::Mail;
use testkit::{Batch, TestEnvironment, fixtures, repository};

/// Who uses the data source `Sales Orders` of the sample site.
const USED_BY: &str = "2 workbooks of 2 owners use it: Pipeline Review, Superstore";

#[tokio::test]
async fn a_queued_event_becomes_a_mail_with_cause_owner_and_link() {
    let environment = environment(STEWARD).await;
    let function = queued(&environment);
    let failures = function.failures(&message(&refreshed(&environment, "Sales Orders", "Failed"))).await;
    assert!(failures.is_empty(), "{}", function.logs().join("\n"));

    let mails = environment.aws.mails();
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    assert_eq!(mail.shown_subject(), "Extract refresh failed: Sales Orders");
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice()),
        ("alerts@example.com", ["steward@example.com".to_owned()].as_slice())
    );
    for part in [
        "Credentials refused",
        "NEXT STEP",
        "Project: Sales",
        "Owner: Ana Ferreira (ana@example.com)",
        "Open in Tableau: http",
    ] {
        assert!(mail.text.contains(part), "no {part} in\n{}", mail.text);
    }
    for part in [
        "<h1>",
        "Credentials refused",
        "<h2>Next step</h2>",
        "Ana Ferreira (ana@example.com)",
        ">Open in Tableau</a>",
    ] {
        assert!(mail.html.contains(part), "no {part} in\n{}", mail.html);
    }
    assert_eq!(mail.header("Auto-Submitted"), Some("auto-generated"));
    environment.assert_no_secret_in(&function.logs());
    let log = function.logs().join("\n");
    assert!(log.contains("Amazon SES has taken a mail"), "{log}");
}

#[tokio::test]
async fn a_mail_says_how_bad_it_is_and_its_recovery_what_it_was() {
    let environment = environment(STEWARD).await;
    let function = environment.queued_with("send-email", BINARY, &[("EMAIL_RECIPIENTS_PER_SECOND", "1000")]);
    let mut event = refreshed(&environment, "Sales Orders", "Failed");
    let failed_at: jiff::Timestamp = event["created_at"].as_str().unwrap().parse().unwrap();
    let at = |minute| json!((failed_at + jiff::SignedDuration::from_mins(minute)).to_string());
    for minute in 0..5 {
        event["created_at"] = at(minute - 6);
        assert_eq!(function.failures(&message(&event)).await, Vec::<String>::new());
    }
    let mails = environment.aws.mails();
    let job = environment.tableau.jobs().last().map(|job| job.luid.to_string()).unwrap();
    // At the first failure, and when their number has doubled; at the fifth Tableau suspends the refresh.
    assert_eq!(mails.len(), 4);
    for (n, parts) in [
        (0, ["First failure.", "at the earliest after 4 more failures in a row.", &job]),
        (2, ["4 failures in a row within 3 min, since ", "after 1 more failure in a row.", &job]),
        (3, ["5 failures in a row", "Tableau has probably suspended the scheduled refresh.", "Resume"]),
    ] {
        let Mail { text, html, .. } = &mails[n];
        for part in parts.into_iter().chain([USED_BY]) {
            assert!(text.contains(part) && html.contains(part), "no {part} in\n{text}\n{html}");
        }
        let order = ["CAUSE", "NEXT STEP", "Owner: ", "in a row", USED_BY, "Open in Tableau", &job];
        let places: Vec<usize> = order.iter().map(|part| text.find(part).unwrap()).collect();
        assert!(places.is_sorted(), "{places:?} of {order:?} in\n{text}");
    }

    event["event_type"] = json!("DatasourceRefreshSucceeded");
    event["created_at"] = at(-1);
    assert_eq!(function.failures(&message(&event)).await, Vec::<String>::new());
    let mails = environment.aws.mails();
    assert_eq!(mails.len(), 5);
    assert_eq!(mails[4].shown_subject(), "Recovered after 5 failures in 5 min: Sales Orders");
    for part in ["IT WAS\nCredentials refused\n", "\nIt had 5 failures, from "] {
        assert!(mails[4].text.contains(part), "no {part} in\n{}", mails[4].text);
    }
    environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn every_event_name_gets_a_mail_that_ses_takes() {
    let names: Vec<String> = std::fs::read_dir(repository::root().join("events/tableau"))
        .unwrap()
        .filter_map(|file| {
            file.unwrap().file_name().into_string().ok()?.strip_suffix(".json").map(str::to_owned)
        })
        .collect();
    assert_eq!(names.len(), 22);
    let payload = |name: &String| fixtures::json(&format!("tableau/{name}.json"));
    let kinds: Vec<String> =
        names.iter().map(|name| payload(name)["event_type"].as_str().unwrap().to_owned()).collect();
    let rules = format!(
        "rules: [{{ name: all, on: [{}], do: [{{ send-email: {{ to: s@example.com }} }}] }}]\n",
        kinds.join(", ")
    );
    let environment = TestEnvironment::with_rules(&rules).await;
    let fast = [("EMAIL_RECIPIENTS_PER_SECOND", "1000")];
    let function = environment.function("send-email", BINARY.as_ref(), &fast);
    let mut names = names;
    names.sort_by_key(|name| (!name.ends_with("started"), name.clone()));
    for name in &names {
        assert_eq!(
            handle(&function, &payload(name)).await["status"],
            "done",
            "{name}: {}",
            function.logs().join("\n")
        );
    }
    // Those who got a failure get the recovery or deletion too, and this rule names the success itself.
    assert!(environment.aws.mails().len() >= 22, "{}", environment.aws.mails().len());
}

// D090
#[tokio::test]
async fn no_odd_payload_breaks_the_function_or_a_header() {
    let rules = "rules: [{ name: all, on: [WorkbookCreated, WorkbookUpdated, DatasourceCreated, DatasourceUpdated, \
                 DatasourceRefreshFailed, WorkbookRefreshFailed, ViewDeleted], do: [{ send-email: { to: s@example.com } }] }]\n";
    let environment = TestEnvironment::with_rules(rules).await;
    let fast = [("EMAIL_RECIPIENTS_PER_SECOND", "1000")];
    let function = environment.queued_with("send-email", BINARY, &fast);
    let folder = repository::root().join("events/tableau/odd");
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let Ok(body) = String::from_utf8(std::fs::read(&path).unwrap()) else { continue };
        let failures = function.failures(&Batch::default().message(&body)).await;
        assert!(failures.is_empty(), "{}: {failures:?} {}", path.display(), function.logs().join("\n"));
    }
    let injected = json!({
        "resource": "WORKBOOK", "event_type": "WorkbookCreated", "resource_name": "Sales\r\nBcc: x@example.org\u{0}<img src=x>",
        "site_luid": environment.tableau.site().as_str(), "resource_luid": "4cdd2055-930d-4eaf-94f4-733f3e7d1b00",
        "created_at": "2025-01-15T17:14:45Z",
    });
    let inline = inline(&environment);
    assert_eq!(handle(&inline, &injected).await["status"], "done");
    let mails = environment.aws.mails();
    let mail = mails.last().unwrap();
    assert_eq!(mail.shown_subject(), "Workbook published: Sales Bcc: x@example.org <img src=x>");
    assert_eq!(mail.to, ["s@example.com"]);
    assert!(!mail.html.contains("<img") && mail.html.contains("&lt;img"), "{}", mail.html);
}
