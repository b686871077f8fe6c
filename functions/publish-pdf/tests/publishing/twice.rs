//! Several rules, several refreshes, several attempts.

use crate::support::{BINARY, event, handed, logs, long_ago, noted, only, paths, refreshed, rules, text};
use std::time::Duration;
use testkit::TestEnvironment;
use testkit::simulator::{ExportShape, GraphFault, GraphSimulator, Workbook};

fn sales() -> Workbook {
    Workbook::named("Sales").with_tabs().with_view("Overview").with_view("Details")
}

#[tokio::test]
async fn rules_that_want_the_same_share_one_export() {
    let all = rules(&[
        "{ to: sharepoint, folder: A }",
        "{ to: sharepoint, folder: B, name: Report }",
        &format!("{{ to: sharepoint, folder: A, drive: '{}' }}", GraphSimulator::DOCUMENTS),
        "{ to: sharepoint, folder: A, name: Other, orientation: landscape }",
    ]);
    let environment = TestEnvironment::with_rules(&all).await;
    let function = environment.queued("publish-pdf", BINARY);
    assert!(!handed(&function, &event(&environment, sales())).await, "{}", logs(&environment, &function));
    assert_eq!(paths(&environment), ["A/Sales.pdf", "A/Other.pdf", "A/Sales.pdf", "B/Report.pdf"]);
    assert_eq!(environment.tableau.calls("GET */pdf"), 2);
}

#[tokio::test]
async fn two_different_exports_for_one_file_are_told() {
    let all =
        rules(&["{ to: sharepoint, folder: A }", "{ to: sharepoint, folder: A, orientation: landscape }"]);
    let environment = TestEnvironment::with_rules(&all).await;
    let function = environment.queued("publish-pdf", BINARY);
    assert!(handed(&function, &event(&environment, sales())).await);
    let said = logs(&environment, &function);
    assert!(said.contains("the rules `r0` and `r1` want two different exports in the same file"), "{said}");
    assert_eq!(environment.tableau.calls("GET */pdf"), 0);
}

#[tokio::test]
async fn another_attempt_sends_only_what_is_missing() {
    let all = rules(&["{ to: sharepoint, folder: A }", "{ to: sharepoint, folder: B }"]);
    let environment = TestEnvironment::with_rules(&all).await;
    let function = environment.queued("publish-pdf", BINARY);
    environment.graph.lock("B/Sales.pdf");
    let event = event(&environment, sales());
    assert!(handed(&function, &event).await);
    assert_eq!(paths(&environment), ["A/Sales.pdf"]);
    environment.graph.close_all();
    assert!(!handed(&function, &event).await, "{}", logs(&environment, &function));
    assert_eq!(paths(&environment), ["A/Sales.pdf", "B/Sales.pdf"]);
    assert!(environment.graph.files().iter().all(|file| file.versions == 1));
}

// E27
#[tokio::test]
async fn of_two_refreshes_within_a_minute_the_later_export_waits() {
    let environment = TestEnvironment::with_rules(&rules(&["{ to: sharepoint }"])).await;
    let function = environment.queued("publish-pdf", BINARY);
    let workbook = environment.tableau.add(sales());
    assert!(!handed(&function, &refreshed(&environment, workbook.as_str(), 40)).await);
    // The first export began after this refresh, and shows it.
    assert!(!handed(&function, &refreshed(&environment, workbook.as_str(), 20)).await);
    assert_eq!(environment.tableau.calls("GET */pdf"), 1);
    let said = logs(&environment, &function);
    assert!(said.contains("shows this refresh too, and is published"), "{said}");
    // This one came after it: Tableau could return the same file again.
    assert!(!handed(&function, &refreshed(&environment, workbook.as_str(), 0)).await);
    assert_eq!(environment.tableau.calls("GET */pdf"), 1);
    let said = logs(&environment, &function);
    assert!(said.contains("Tableau could return the export of the refresh before"), "{said}");
}

// E02
#[tokio::test]
async fn a_file_much_smaller_than_the_last_good_one_is_made_again_and_then_said_to_look_incomplete() {
    let environment = TestEnvironment::with_rules(&rules(&["{ to: sharepoint }"])).await;
    let function = environment.queued("publish-pdf", BINARY);
    environment
        .tableau
        .shape_exports("Sales", ExportShape { padding_bytes: 100_000, ..ExportShape::default() });
    let workbook = environment.tableau.add(sales());
    assert!(!handed(&function, &refreshed(&environment, workbook.as_str(), 7_200)).await);
    assert_eq!(only(&environment).versions, 1);

    environment.tableau.shape_exports("Sales", ExportShape::default());
    long_ago(&environment);
    let second = refreshed(&environment, workbook.as_str(), 3_600);
    assert!(!handed(&function, &second).await);
    assert_eq!(only(&environment).versions, 1);
    let said = logs(&environment, &function);
    assert!(said.contains("the export of `Sales` is much smaller than before: it is made again"), "{said}");
    // Sooner, Tableau would return the same file, whatever brings the next attempt about.
    assert!(!handed(&function, &second).await);
    assert_eq!((only(&environment).versions, environment.tableau.calls("GET */pdf")), (1, 2));
    noted(&environment, "doubted/", 66);

    assert!(!handed(&function, &second).await, "{}", logs(&environment, &function));
    assert_eq!(only(&environment).versions, 2);
    assert!(logs(&environment, &function).contains(r#""looks_incomplete":true"#));
    assert!(text(&only(&environment)).contains("(Overview) Tj"));
}

// E02
#[tokio::test]
async fn a_file_with_fewer_pages_is_made_again_and_published_as_good_when_they_are_back() {
    let environment = TestEnvironment::with_rules(&rules(&["{ to: sharepoint }"])).await;
    let function = environment.queued("publish-pdf", BINARY);
    let workbook = environment.tableau.add(sales());
    environment.tableau.shape_exports("Sales", ExportShape { pages: 3, ..ExportShape::default() });
    assert!(!handed(&function, &refreshed(&environment, workbook.as_str(), 7_200)).await);
    environment
        .tableau
        .shape_exports("Sales", ExportShape { pages: 2, padding_bytes: 5_000, ..ExportShape::default() });
    long_ago(&environment);
    let second = refreshed(&environment, workbook.as_str(), 3_600);
    assert!(!handed(&function, &second).await);
    assert!(logs(&environment, &function).contains("event deferred"));
    noted(&environment, "doubted/", 66);
    environment.tableau.shape_exports("Sales", ExportShape { pages: 3, ..ExportShape::default() });
    assert!(!handed(&function, &second).await);
    assert_eq!(only(&environment).versions, 2);
    assert!(!logs(&environment, &function).contains(r#""looks_incomplete":true"#));
}

// G01
#[tokio::test]
async fn a_process_that_dies_between_two_pieces_leaves_a_session_that_the_next_one_ends() {
    let environment = TestEnvironment::with_rules(&rules(&["{ to: sharepoint, folder: '' }"])).await;
    environment
        .tableau
        .shape_exports("Sales", ExportShape { padding_bytes: 12_000_000, ..ExportShape::default() });
    let lasts = Duration::from_secs(6);
    let function = environment.queued_for("publish-pdf", BINARY, lasts);
    let event = event(&environment, sales());
    environment.graph.fail_next("piece", 1, GraphFault::Slow(Duration::ZERO));
    environment.graph.fail_next("piece", 1, GraphFault::Slow(Duration::from_secs(30)));
    let process = async {
        while environment.graph.count("piece") < 1 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        function.process().kill().await;
    };
    let message = testkit::Batch::default().message(&event.to_string()).event();
    let (died, ()) = tokio::join!(function.invoke(&message), process);
    assert!(died.is_err(), "{died:?}");
    assert_eq!((paths(&environment).len(), environment.graph.open_sessions()), (0, 1));
    environment.graph.recover();
    // The claim of the process that died ends with its invocation.
    tokio::time::sleep(lasts).await;

    let function = environment.queued("publish-pdf", BINARY);
    assert!(!handed(&function, &event).await, "{}", logs(&environment, &function));
    assert_eq!((paths(&environment), environment.graph.open_sessions()), (vec!["Sales.pdf".to_owned()], 0));
    assert_eq!(environment.graph.count("cancel"), 1);
    let items = serde_json::to_string(&environment.aws.items("deliveries")).unwrap();
    assert!(!items.contains("/upload/") && !items.contains("tempauth"), "{items}");
}

// E27
#[tokio::test]
async fn of_two_refreshes_at_once_one_is_exported_and_no_upload_is_broken_off() {
    let environment = TestEnvironment::with_rules(&rules(&["{ to: sharepoint, folder: '' }"])).await;
    let slow =
        ExportShape { padding_bytes: 2_000_000, pause: Duration::from_millis(300), ..ExportShape::default() };
    environment.tableau.shape_exports("*", slow);
    let (one, two) = (environment.queued("publish-pdf", BINARY), environment.queued("publish-pdf", BINARY));
    let workbook = environment.tableau.add(sales());
    let first = refreshed(&environment, workbook.as_str(), 40);
    let second = refreshed(&environment, workbook.as_str(), 20);
    let (a, b) = tokio::join!(handed(&one, &first), handed(&two, &second));
    assert!(!a && !b, "{}{}", logs(&environment, &one), logs(&environment, &two));
    assert_eq!(environment.tableau.calls("GET */pdf"), 1);
    assert_eq!((environment.graph.count("create"), environment.graph.count("cancel")), (1, 0));
    // When its turn has come, the later one finds that the export shows it too, and the one that was exported has ended.
    assert!(!handed(&two, &second).await && !handed(&one, &first).await);
    assert_eq!((only(&environment).versions, environment.tableau.calls("GET */pdf")), (1, 1));
}

// E02
#[tokio::test]
async fn uploads_that_fail_do_not_make_an_incomplete_file_the_usual_one() {
    let environment = TestEnvironment::with_rules(&rules(&["{ to: sharepoint }"])).await;
    let function = environment.queued("publish-pdf", BINARY);
    let large = ExportShape { padding_bytes: 100_000, ..ExportShape::default() };
    environment.tableau.shape_exports("Sales", large);
    let workbook = environment.tableau.add(sales());
    assert!(!handed(&function, &refreshed(&environment, workbook.as_str(), 7_200)).await);
    environment.tableau.shape_exports("Sales", ExportShape::default());
    long_ago(&environment);
    let second = refreshed(&environment, workbook.as_str(), 3_600);
    assert!(!handed(&function, &second).await);
    noted(&environment, "doubted/", 66);
    environment.graph.fail_next("create", 4, GraphFault::Status(503));
    for _ in 0..4 {
        assert!(handed(&function, &second).await);
    }
    assert!(!handed(&function, &second).await, "{}", logs(&environment, &function));
    assert_eq!(only(&environment).versions, 2);
    assert!(logs(&environment, &function).contains(r#""looks_incomplete":true"#));
}

// G04
#[tokio::test]
async fn a_process_that_dies_after_the_last_piece_makes_no_second_file() {
    for existing in ["replace", "rename"] {
        let settings = format!("{{ to: sharepoint, folder: '', if_exists: {existing} }}");
        let environment = TestEnvironment::with_rules(&rules(&[&settings])).await;
        let workbook = environment.tableau.add(sales());
        let function = environment.queued("publish-pdf", BINARY);
        assert!(!handed(&function, &refreshed(&environment, workbook.as_str(), 7_200)).await);
        long_ago(&environment);
        // The file of the refresh before is older than this attempt by more than clocks differ.
        tokio::time::sleep(Duration::from_secs(6)).await;

        let lasts = Duration::from_secs(5);
        let function = environment.queued_for("publish-pdf", BINARY, lasts);
        let event = refreshed(&environment, workbook.as_str(), 3_600);
        environment.graph.fail_next("piece", 1, GraphFault::DoneThen(503));
        environment.graph.fail_next("ask", 1, GraphFault::Slow(Duration::from_secs(30)));
        let process = async {
            while environment.graph.count("piece") < 2 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
            function.process().kill().await;
        };
        let message = testkit::Batch::default().message(&event.to_string()).event();
        let (died, ()) = tokio::join!(function.invoke(&message), process);
        assert!(died.is_err(), "{died:?}");
        environment.graph.recover();
        tokio::time::sleep(lasts).await;

        let function = environment.queued("publish-pdf", BINARY);
        assert!(!handed(&function, &event).await, "{}", logs(&environment, &function));
        let written: u32 = environment.graph.files().iter().map(|file| file.versions).sum();
        assert_eq!(
            (written, environment.graph.count("create")),
            (2, 2),
            "{existing}: {:?}",
            paths(&environment)
        );
        let said = logs(&environment, &function);
        assert!(said.contains("an earlier attempt has published the file"), "{existing}: {said}");
    }
}

// G04
#[tokio::test]
async fn a_number_is_given_once_also_when_the_last_answer_was_lost() {
    let environment =
        TestEnvironment::with_rules(&rules(&["{ to: sharepoint, folder: A, if_exists: rename }"])).await;
    let workbook = environment.tableau.add(sales());
    let function = environment.queued("publish-pdf", BINARY);
    assert!(!handed(&function, &refreshed(&environment, workbook.as_str(), 7_200)).await);
    long_ago(&environment);
    tokio::time::sleep(Duration::from_secs(6)).await;
    environment.graph.fail_next("piece", 1, GraphFault::AnswerLost);
    assert!(!handed(&function, &refreshed(&environment, workbook.as_str(), 3_600)).await);
    assert_eq!(paths(&environment), ["A/Sales 1.pdf", "A/Sales.pdf"]);
}
