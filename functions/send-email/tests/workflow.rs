//! The real binary: events in, mails out.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]
#![allow(dead_code, reason = "tests share helpers")]

mod support;

use serde_json::{Value, json};
use std::time::Duration;
use support::{
    BINARY, DEAD_LETTERS, dead_letter, environment, handle, inline, message, queued, recipients, refreshed,
    wait_for_mails,
};
use testkit::local_aws::{Fault, Mail, SesAccount};
use testkit::{Batch, Request, TestEnvironment, fixtures, repository};

const STEWARD: &str = "{ to: steward@example.com }";
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

// D053: what SES calls too many in a second goes back to the queue, and nothing is sent meanwhile.
#[tokio::test]
async fn a_throttle_and_an_outage_are_tried_again_and_the_mail_goes_out_once() {
    let environment = environment(STEWARD).await;
    let function = queued(&environment);
    let batch = Batch::of_fixture("workbook-created");
    for fault in [Fault::InternalError, Fault::InternalError] {
        environment.aws.fail_next("SES.SendEmail", 1, fault);
        let calls = environment.aws.calls("SES.SendEmail");
        assert_eq!(function.failures(&batch).await, ["m-1"]);
        assert_eq!(environment.aws.calls("SES.SendEmail"), calls + 1, "nothing is repeated within a call");
    }
    assert!(function.failures(&batch).await.is_empty(), "{}", function.logs().join("\n"));
    assert_eq!(environment.aws.mails().len(), 1);

    environment.aws.fail_next("SES.SendEmail", 1, Fault::Throttled);
    let other = Batch::default().message(&refreshed(&environment, "Sales Orders", "Failed").to_string());
    assert_eq!(function.failures(&other).await, ["m-1"]);
    let calls = environment.aws.calls("SES.SendEmail");
    assert_eq!(function.failures(&other).await, ["m-1"], "the circuit of the account is open");
    assert_eq!(environment.aws.calls("SES.SendEmail"), calls);
    let log = function.logs().join("\n");
    assert!(log.contains("more recipients a second than the account may have"), "{log}");
}

#[tokio::test]
async fn an_answer_that_is_lost_is_not_repeated_within_the_call() {
    let environment = environment(STEWARD).await;
    let function = queued(&environment);
    environment.aws.fail_next("SES.SendEmail", 1, Fault::Hang(Duration::from_secs(12)));
    let batch = Batch::of_fixture("workbook-created");
    assert_eq!(function.failures(&batch).await, ["m-1"]);
    assert_eq!(environment.aws.calls("SES.SendEmail"), 1);
    let log = function.logs().join("\n");
    assert!(log.contains("Amazon SES gave no answer in us-east-1, and may have taken the mail"), "{log}");
    assert!(function.failures(&batch).await.is_empty());
}

/// What the account or the request has, and what an operator reads.
async fn refused(
    prepare: impl Fn(&TestEnvironment),
    variables: &[(&str, &str)],
    settings: &str,
) -> (TestEnvironment, String) {
    let environment = environment(settings).await;
    prepare(&environment);
    let function = environment.queued_with("send-email", BINARY, variables);
    assert!(
        function.failures(&Batch::of_fixture("workbook-created")).await.is_empty(),
        "{}",
        function.logs().join("\n")
    );
    let reason = dead_letter(&environment);
    environment.assert_no_secret_in(&function.logs());
    (environment, reason)
}

// D138
#[tokio::test]
async fn a_sender_that_is_not_verified_is_told_from_a_recipient_in_the_sandbox() {
    // A person has to verify the sender, and every mail waits for that.
    let environment = environment(STEWARD).await;
    let function = environment.queued_with("send-email", BINARY, &[("EMAIL_FROM", "alerts@example.net")]);
    assert_eq!(function.failures(&Batch::of_fixture("workbook-created")).await, ["m-1"]);
    let log = function.logs().join("\n");
    assert!(log.contains("the sender alerts@example.net is not verified in us-east-1"), "{log}");
    assert!(log.contains("The recipients are not the problem") && log.contains("misconfigured"), "{log}");
    assert!(environment.aws.messages("dead-letters").is_empty());

    let sandbox = |environment: &TestEnvironment| {
        environment.aws.set_ses_account(SesAccount { is_in_sandbox: true, ..SesAccount::default() });
    };
    let (_, reason) = refused(sandbox, &[], STEWARD).await;
    assert!(reason.contains("the account is in the sandbox of SES in us-east-1"), "{reason}");
    assert!(
        reason.contains("s…@example.com is not one") && reason.contains("The sender is not the problem"),
        "{reason}"
    );
    assert!(!reason.contains("steward@"), "a whole address in {reason}");
}

// D033
#[tokio::test]
async fn a_configuration_set_that_is_not_there_is_named_with_its_region() {
    let (environment, reason) = refused(|_| {}, &[("EMAIL_CONFIGURATION_SET", "alerts")], STEWARD).await;
    assert!(reason.contains("there is no configuration set `alerts` in us-east-1"), "{reason}");
    environment.aws.create_configuration_set("alerts");
    let function =
        environment.function("send-email", BINARY.as_ref(), &[("EMAIL_CONFIGURATION_SET", "alerts")]);
    assert_eq!(function.answer(&Request::of_fixture("workbook-created")).await.body["status"], "done");
    assert_eq!(environment.aws.mails()[0].configuration_set.as_deref(), Some("alerts"));
}

// D069: the role has no secret that could be replaced; a new permission counts with the next attempt, without a restart.
#[tokio::test]
async fn a_missing_permission_waits_for_a_person_names_what_is_missing_and_counts_once_it_is_there() {
    let environment = environment(STEWARD).await;
    let function = queued(&environment);
    let batch = Batch::of_fixture("workbook-created");
    for (account, expected) in [
        (
            SesAccount { denied: Some("configuration-set/alerts".to_owned()), ..SesAccount::default() },
            "the function's role may not use the configuration-set/alerts: put alerts into EmailConfigurationSet of the stack",
        ),
        (
            SesAccount { denied: Some("identity/example.com".to_owned()), ..SesAccount::default() },
            "the function's role may not send for identity/example.com",
        ),
        (SesAccount { is_paused: true, ..SesAccount::default() }, "sending is paused in us-east-1"),
        (
            SesAccount { is_suspended: true, ..SesAccount::default() },
            "the account may not send any more in us-east-1",
        ),
    ] {
        environment.aws.set_ses_account(account);
        assert_eq!(function.failures(&batch).await, ["m-1"], "{expected}");
        let log = function.logs().join("\n");
        assert!(log.contains(expected), "{expected}\n{log}");
    }
    let misconfigured = function
        .logs()
        .iter()
        .filter(|line| line.contains("\"Attempts\":1") && line.contains("misconfigured"))
        .count();
    assert_eq!(misconfigured, 4, "the alarm counts these");
    environment.aws.set_ses_account(SesAccount::default());
    assert!(function.failures(&batch).await.is_empty());
    assert_eq!(environment.aws.mails().len(), 1);
    assert!(environment.aws.messages(DEAD_LETTERS).is_empty());
}

#[tokio::test]
async fn a_daily_quota_that_is_used_up_waits_in_the_queue_and_tells_the_operator() {
    let environment = environment(STEWARD).await;
    environment.aws.set_ses_account(SesAccount { daily_quota: Some(0), ..SesAccount::default() });
    let function = queued(&environment);
    assert_eq!(function.failures(&Batch::of_fixture("workbook-created")).await, ["m-1"]);
    let log = function.logs().join("\n");
    assert!(log.contains("the account has reached its quota of recipients within 24 hours"), "{log}");
    assert!(log.contains("circuit open"), "{log}");
}

#[tokio::test]
async fn while_ses_is_down_it_is_not_called() {
    let environment = environment(STEWARD).await;
    let variables = [("TABLE_NAME", "deliveries"), ("EMAIL_RECIPIENTS_PER_SECOND", "1000")];
    let function = environment.function("send-email", BINARY.as_ref(), &variables);
    environment.aws.fail_next("SES.SendEmail", 100, Fault::InternalError);
    let created = |n: usize| {
        json!({
            "resource": "WORKBOOK", "event_type": "WorkbookCreated", "resource_name": format!("Weekly {n}"),
            "site_luid": environment.tableau.site().as_str(), "resource_luid": format!("00000000-0000-4000-8000-{n:012}"),
            "created_at": "2025-01-15T17:14:45Z",
        })
    };
    let mut last = Value::Null;
    for n in 0..14 {
        last = handle(&function, &created(n)).await;
    }
    assert_eq!(environment.aws.calls("SES.SendEmail"), 10);
    let reason = last["reason"].as_str().unwrap();
    assert!(reason.starts_with("circuit open, SES is not called until"), "{reason}");
}

#[tokio::test]
async fn a_rule_without_a_sender_keeps_its_events_and_says_what_is_missing() {
    let environment = environment(STEWARD).await;
    for (from, expected) in
        [("", "EMAIL_FROM"), ("Alerts <a@example.com>", "EMAIL_FROM: write the address alone")]
    {
        let function = environment.queued_with("send-email", BINARY, &[("EMAIL_FROM", from)]);
        assert_eq!(function.answer(&Request::of_fixture("workbook-created")).await.status, 202);
        assert_eq!(function.failures(&Batch::of_fixture("workbook-created")).await, ["m-1"]);
        let log = function.logs().join("\n");
        assert!(log.contains(expected), "{log}");
    }
}

// D088, D089
#[tokio::test]
async fn failure_and_recovery_refer_to_the_same_id_and_another_incident_to_another_one() {
    let environment = environment(STEWARD).await;
    let function = environment.function("send-email", BINARY.as_ref(), &[("TABLE_NAME", "deliveries")]);
    for (name, how) in [
        ("Sales Orders", "Failed"),
        ("Sales Orders", "Failed"),
        ("Shipments", "Failed"),
        ("Sales Orders", "Succeeded"),
    ] {
        let outcome = handle(&function, &refreshed(&environment, name, how)).await;
        assert_eq!(outcome["status"], "done", "{outcome} {}", function.logs().join("\n"));
        tokio::time::sleep(Duration::from_millis(1_100)).await;
    }
    let mails = environment.aws.mails();
    let subjects: Vec<String> = mails.iter().map(Mail::shown_subject).collect();
    assert_eq!(mails.len(), 4, "{subjects:?}");
    assert!(
        subjects[3].starts_with("Recovered after ") && subjects[3].ends_with(": Sales Orders"),
        "{subjects:?}"
    );
    let ids: Vec<&str> = mails.iter().map(|mail| mail.header("References").unwrap()).collect();
    assert!(ids[0].starts_with("<tableau-") && ids[0].ends_with("@example.com>"), "{ids:?}");
    assert_eq!((ids[1], ids[3]), (ids[0], ids[0]));
    assert_ne!(ids[2], ids[0]);
    for mail in &mails {
        assert_eq!(mail.header("In-Reply-To"), mail.header("References"));
        assert_eq!((mail.header("X-Entity-Ref-ID"), mail.header("Message-ID")), (None, None));
        assert_eq!(mail.header("List-Unsubscribe"), None);
    }
}

#[tokio::test]
async fn several_failures_within_a_minute_are_one_mail_and_so_is_their_recovery() {
    let environment = environment(STEWARD).await;
    let function = environment.queued_with("send-email", BINARY, &[("EMAIL_RECIPIENTS_PER_SECOND", "1000")]);
    let names = ["Sales Orders", "Shipments", "General Ledger", "Budget"];
    for name in names {
        let failures = function.failures(&message(&refreshed(&environment, name, "Failed"))).await;
        assert!(failures.is_empty(), "{}", function.logs().join("\n"));
    }
    let longest = Duration::from_secs(60);
    let mails = wait_for_mails(&environment, &function, 2, longest).await;
    assert_eq!(mails[1].shown_subject(), "4 extract refreshes failed");
    let listed = [
        "Budget (Finance, Jonas Weber)",
        "General Ledger (Month End, Jonas Weber)",
        "Sales Orders (Sales, Ana Ferreira)",
        "Shipments (Operations, Marcus O'Brien)",
    ];
    let lines = listed.map(|line| format!("- {line}\n")).concat();
    let items = listed.map(|line| format!("<li>{}</li>\n", line.replace('\'', "&#39;"))).concat();
    assert!(mails[1].text.contains(&format!("CREDENTIALS REFUSED – 4\n{lines}")), "{}", mails[1].text);
    assert!(mails[1].html.contains(&items), "{}", mails[1].html);
    assert_eq!(
        mails[1].header("References"),
        mails[0].header("References"),
        "its first failure began the group"
    );
    for name in names {
        assert!(function.failures(&message(&refreshed(&environment, name, "Succeeded"))).await.is_empty());
    }
    let mails = wait_for_mails(&environment, &function, 3, longest).await;
    let subject = mails[2].shown_subject();
    assert!(subject.starts_with("All 4 recovered after "), "{subject}");
    let what = format!("IT WAS: CREDENTIALS REFUSED – 4\n{lines}");
    assert!(mails[2].text.contains(&what), "{}", mails[2].text);
    assert!(mails.iter().all(|mail| mail.header("References") == mails[0].header("References")));
}

#[tokio::test]
async fn what_happens_in_quiet_hours_is_one_digest_that_can_be_unsubscribed() {
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let minutes = if now.second() < 40 { 1 } else { 2 };
    let clock =
        |minutes: i64| (&now + jiff::SignedDuration::from_mins(minutes)).strftime("%H:%M").to_string();
    let rules = format!(
        "rules:\n  - name: quiet\n    quiet: {{ from: \"{}\", to: \"{}\", timezone: UTC }}\n    on: [WorkbookCreated, SiteUpdated]\n    \
         do: [{{ send-email: {{ to: s@example.com, reply_to: bi@example.com }} }}]\n",
        clock(-5),
        clock(minutes)
    );
    let environment = TestEnvironment::with_rules(&rules).await;
    let variables =
        [("EMAIL_UNSUBSCRIBE_URL", "https://example.com/mails"), ("EMAIL_FROM_NAME", "Überwachung, BI")];
    let function = environment.queued_with("send-email", BINARY, &variables);
    for fixture in ["workbook-created", "site-updated"] {
        assert!(function.failures(&Batch::of_fixture(fixture)).await.is_empty());
    }
    assert!(environment.aws.mails().is_empty());
    let mails = wait_for_mails(&environment, &function, 1, Duration::from_secs(150)).await;
    assert_eq!(mails[0].shown_subject(), "2 events in quiet hours");
    assert_eq!(mails[0].header("References"), None);
    let unsubscribe = "<https://example.com/mails>, <mailto:bi@example.com?subject=unsubscribe>";
    assert_eq!(mails[0].header("List-Unsubscribe"), Some(unsubscribe));
    assert_eq!(mails[0].reply_to, ["bi@example.com"]);
    // D085
    assert_eq!(mails[0].shown_from(), "Überwachung, BI <alerts@example.com>");
}

// D006
#[tokio::test]
async fn a_recipient_on_the_suppression_list_is_taken_and_gets_nothing() {
    let environment = environment("{ to: [lee@example.com, s@example.com] }").await;
    environment.aws.suppress("lee@example.com");
    let function = inline(&environment);
    assert_eq!(function.answer(&Request::of_fixture("workbook-created")).await.body["status"], "done");
    let mails = environment.aws.mails();
    assert_eq!(recipients(&environment), [["lee@example.com", "s@example.com"]]);
    assert_eq!(
        (mails[0].suppressed.as_slice(), mails[0].delivered_to.len()),
        (["lee@example.com".to_owned()].as_slice(), 1)
    );
}
