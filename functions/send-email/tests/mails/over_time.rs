//! Threads, groups and digests.

use crate::support::{BINARY, STEWARD, environment, handle, message, refreshed, wait_for_mails};
use std::time::Duration;
use testkit::local_aws::Mail;
use testkit::{Batch, TestEnvironment, quiet_until_soon};

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
    let quiet = quiet_until_soon(Duration::from_secs(20));
    let rules = format!(
        "rules:\n  - name: quiet\n    {quiet}\n    on: [WorkbookCreated, SiteUpdated]\n    \
         do: [{{ send-email: {{ to: s@example.com, reply_to: bi@example.com }} }}]\n"
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
