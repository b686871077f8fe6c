//! What is exported, and what is not published.

use crate::support::{BINARY, event, handed, logs, only, paths, rules, text, with};
use serde_json::json;
use testkit::simulator::{ExportContent, ExportShape, Fault, RestVersion, TableauSimulator, Workbook};
use testkit::{Request, TestEnvironment};

fn sales() -> Workbook {
    Workbook::named("Sales").in_project("Finance/Month End").with_view("Overview").with_view("Details")
}

#[tokio::test]
async fn a_refreshed_workbook_with_tabs_is_one_file_in_the_folder_of_its_project() {
    let environment = with("{ to: sharepoint }").await;
    let function = environment.queued("publish-pdf", BINARY);
    let event = event(&environment, sales().with_tabs());
    assert!(!handed(&function, &event).await, "{}", logs(&environment, &function));
    assert!(!handed(&function, &event).await, "{}", logs(&environment, &function));
    let file = only(&environment);
    assert_eq!((file.path.as_str(), file.versions), ("Finance/Month End/Sales.pdf", 1));
    assert!(text(&file).contains("(Overview) Tj") && text(&file).contains("(Details) Tj"));
    assert_eq!(environment.tableau.calls("GET */pdf"), 1);
    assert_eq!(environment.graph.open_sessions(), 0);
}

// E22
#[tokio::test]
async fn all_listed_sheets_are_exported_also_where_tabs_are_off() {
    let environment = with("{ to: sharepoint, folder: Reports }").await;
    let function = environment.queued("publish-pdf", BINARY);
    let names: Vec<String> = (1..=11).map(|n| format!("Sheet {n:02}")).collect();
    let workbook = names.iter().fold(Workbook::named("Sales"), |workbook, name| workbook.with_view(name));
    let event = event(&environment, workbook);
    assert!(!handed(&function, &event).await, "{}", logs(&environment, &function));
    let expected: Vec<String> = names.iter().map(|name| format!("Reports/Sales - {name}.pdf")).collect();
    assert_eq!(paths(&environment), expected);
    assert!(logs(&environment, &function).contains(r#""sheets":11"#));
}

#[tokio::test]
async fn views_by_rule_are_files_of_their_own_and_one_that_is_not_listed_is_told() {
    let environment = with("{ to: sharepoint, folder: '', views: [Details] }").await;
    let function = environment.queued("publish-pdf", BINARY);
    assert!(!handed(&function, &event(&environment, sales().with_tabs())).await);
    assert_eq!(paths(&environment), ["Sales - Details.pdf"]);
    assert!(!text(&only(&environment)).contains("(Overview) Tj"));

    let environment = with("{ to: sharepoint, views: [Detail] }").await;
    let function = environment.queued("publish-pdf", BINARY);
    assert!(handed(&function, &event(&environment, sales())).await);
    let logs = logs(&environment, &function);
    assert!(
        logs.contains("asks for the view `Detail`") && logs.contains("it lists Overview, Details"),
        "{logs}"
    );
}

// E01, E18
#[tokio::test]
async fn an_export_is_never_older_than_a_minute_and_has_the_paper_of_the_rule() {
    let environment = with("{ to: sharepoint, paper: a4, orientation: landscape }").await;
    let function = environment.queued("publish-pdf", BINARY);
    let workbook = environment.tableau.add(sales().with_tabs());
    let refreshed = crate::support::refreshed(&environment, workbook.as_str(), 0);
    assert!(!handed(&function, &refreshed).await, "{}", logs(&environment, &function));
    assert!(text(&only(&environment)).contains("MediaBox[0 0 842 595]"));
    let asked = environment.tableau.queries("GET */workbooks/*/pdf");
    assert!(asked.iter().all(|query| query.contains("maxAge=1&") && query.contains("type=A4")), "{asked:?}");
}

#[tokio::test]
async fn a_size_of_views_is_sent_since_it_is_known_and_told_before() {
    let settings = "{ to: sharepoint, paper: unspecified, size: { width: 1200, height: 700 } }";
    let environment = with(settings).await;
    let function = environment.queued("publish-pdf", BINARY);
    assert!(!handed(&function, &event(&environment, sales().with_tabs())).await);
    assert!(text(&only(&environment)).contains("MediaBox[0 0 1200 700]"));

    let old = TableauSimulator::sample().max_version(RestVersion { major: 3, minor: 25 });
    let environment = TestEnvironment::with_tableau(&rules(&[settings]), old).await;
    let function = environment.queued("publish-pdf", BINARY);
    assert!(handed(&function, &event(&environment, sales().with_tabs())).await);
    assert!(
        logs(&environment, &function).contains("has a `size`, which Tableau follows since REST API 3.26")
    );
}

// E08, E11, E13, E14
#[tokio::test]
async fn filters_reach_tableau_as_they_are_meant_and_below_3_23_view_by_view() {
    let settings = r#"{ to: sharepoint, folder: "", filters: { Colour: "Red, Green", Note: a=b, Client: Smith & Sons, Active: True, Day: 2025-04-03 }, lift_filters: [Saved] }"#;
    let shown = [
        "Colour = Red\\\\, Green",
        "Note = a=b",
        "Client = Smith & Sons",
        "Active = true",
        "Day = 2025-04-03",
        "Saved = )",
    ];
    for (minor, files) in [(29, vec!["Sales.pdf"]), (21, vec!["Sales - Details.pdf", "Sales - Overview.pdf"])]
    {
        let tableau = TableauSimulator::sample().max_version(RestVersion { major: 3, minor });
        let environment = TestEnvironment::with_tableau(&rules(&[settings]), tableau).await;
        let function = environment.queued("publish-pdf", BINARY);
        assert!(
            !handed(&function, &event(&environment, sales().with_tabs())).await,
            "{}",
            logs(&environment, &function)
        );
        assert_eq!(paths(&environment), files);
        for file in environment.graph.files() {
            for line in shown {
                assert!(text(&file).contains(line), "{line}: {}", text(&file));
            }
        }
    }
}

// E14
#[tokio::test]
async fn an_export_without_data_is_told_and_not_published() {
    let environment = with("{ to: sharepoint, folder: '', filters: { Region: Nowhere } }").await;
    let function = environment.queued("publish-pdf", BINARY);
    let sheet = Workbook::named("Sales").with_tabs().with_view("Overview");
    assert!(!handed(&function, &event(&environment, sheet)).await);
    assert!(paths(&environment).is_empty());
    let said = logs(&environment, &function);
    assert!(said.contains("the export of `Sales` has no data with the filters of the rule"), "{said}");

    // The data of a dashboard is that of its first sheet, which proves nothing about the others.
    let costs = Workbook::named("Costs").with_tabs().with_view("Overview").with_view("Details");
    assert!(!handed(&function, &event(&environment, costs)).await);
    assert_eq!(paths(&environment), ["Costs.pdf"]);
    assert!(logs(&environment, &function).contains(r#""looks_incomplete":true"#));
}

// E14
#[tokio::test]
async fn an_export_whose_data_may_not_be_asked_is_published_and_said_to_look_incomplete() {
    let environment = with("{ to: sharepoint, folder: '', filters: { Region: West } }").await;
    let function = environment.queued("publish-pdf", BINARY);
    environment.tableau.fail_always("GET */data", Fault::Error("403004"));
    assert!(
        !handed(&function, &event(&environment, sales().with_tabs())).await,
        "{}",
        logs(&environment, &function)
    );
    assert_eq!(paths(&environment), ["Sales.pdf"]);
    assert!(logs(&environment, &function).contains(r#""looks_incomplete":true"#));
}

// E20
#[tokio::test]
async fn an_export_that_never_fits_into_an_attempt_is_a_dead_letter_after_three() {
    let environment = with("{ to: sharepoint }").await;
    let function = environment.queued_for("publish-pdf", BINARY, std::time::Duration::from_secs(4));
    let slow = ExportShape {
        padding_bytes: 200_000_000,
        pause: std::time::Duration::from_secs(1),
        ..ExportShape::default()
    };
    environment.tableau.shape_exports("*", slow);
    let event = event(&environment, sales().with_tabs());
    assert!(handed(&function, &event).await);
    environment.change_effects(|text| {
        text.starts_with("late/").then(|| format!("{}1", text.trim_end_matches(|c| c != '/')))
    });
    assert!(handed(&function, &event).await);
    assert!(!handed(&function, &event).await, "{}", logs(&environment, &function));
    let reason = &environment.aws.messages("dead-letters")[0].attributes["reason"];
    assert!(
        reason.contains("the export of `Sales` took longer")
            && reason.contains("3 attempts had too little time"),
        "{reason}"
    );
}

// E03
#[tokio::test]
async fn a_rendering_that_fails_at_random_is_tried_again_and_then_told_with_the_name_of_the_view() {
    let environment = with("{ to: sharepoint, folder: '', views: [Details] }").await;
    let function = environment.queued("publish-pdf", BINARY);
    environment.tableau.fail_next("GET */views/*/pdf", 2, Fault::Error("400080"));
    assert!(!handed(&function, &event(&environment, sales())).await, "{}", logs(&environment, &function));
    assert_eq!((paths(&environment).len(), environment.tableau.calls("GET */views/*/pdf")), (1, 3));

    let environment = with("{ to: sharepoint, folder: '', views: [Details] }").await;
    let patient = environment.queued_for("publish-pdf", BINARY, std::time::Duration::from_secs(60));
    environment.tableau.fail_always("GET */views/*/pdf", Fault::Error("400130"));
    assert!(handed(&patient, &event(&environment, sales())).await);
    assert_eq!(environment.tableau.calls("GET */views/*/pdf"), 4);
    assert!(logs(&environment, &patient).contains("the view `Details` cannot be rendered at the moment"));
    assert!(environment.aws.messages("dead-letters").is_empty());
}

// E05
#[tokio::test]
async fn a_password_that_was_lost_with_the_last_publish_is_named_with_the_owner_and_not_tried_again() {
    let environment = with("{ to: sharepoint }").await;
    let function = environment.queued_for("publish-pdf", BINARY, std::time::Duration::from_secs(60));
    environment.tableau.add(testkit::simulator::Datasource::named("Orders"));
    let workbook = environment.tableau.add(sales().with_tabs().using("Orders").owned_by("Ana Lopez"));
    environment.tableau.forget_passwords(&workbook);
    environment.tableau.fail_always("GET */pdf", Fault::Error("400074"));
    assert!(!handed(&function, &crate::support::refreshed(&environment, workbook.as_str(), 0)).await);
    let dead = environment.aws.messages("dead-letters");
    let reason = &dead[0].attributes["reason"];
    assert!(reason.contains("no password is stored with the connection to sqlproxy localhost"), "{reason}");
    assert!(reason.contains("The owner of the workbook, Ana Lopez, has to store it"), "{reason}");
}

// E24
#[tokio::test]
async fn a_missing_right_on_one_view_is_told_as_that_and_the_others_are_published() {
    for code in ["403004", "404011"] {
        let environment = with("{ to: sharepoint, folder: '' }").await;
        let function = environment.queued("publish-pdf", BINARY);
        let event = event(&environment, Workbook::named("Sales").with_view("First").with_view("Details"));
        let first = environment.tableau.view("First").unwrap();
        environment.tableau.fail_always(&format!("GET */views/{first}/pdf"), Fault::Error(code));
        assert!(handed(&function, &event).await);
        assert_eq!(paths(&environment), ["Sales - Details.pdf"]);
        let said = logs(&environment, &function);
        assert!(said.contains("may not export the view `First`") && said.contains("misconfigured"), "{said}");
        assert!(!said.contains("deleted"), "{said}");

        environment.tableau.clear_faults();
        assert!(!handed(&function, &event).await, "{}", logs(&environment, &function));
        assert_eq!(paths(&environment), ["Sales - Details.pdf", "Sales - First.pdf"]);
        assert!(
            environment.graph.files().iter().all(|file| file.versions == 1),
            "what was there was not sent again"
        );
    }
}

// E02
#[tokio::test]
async fn an_answer_that_is_no_whole_pdf_is_not_published() {
    for content in [ExportContent::Cut, ExportContent::Text] {
        let environment = with("{ to: sharepoint }").await;
        let function = environment.queued("publish-pdf", BINARY);
        environment.tableau.shape_exports("*", ExportShape { content, ..ExportShape::default() });
        assert!(handed(&function, &event(&environment, sales().with_tabs())).await);
        assert!(paths(&environment).is_empty() && environment.graph.count("create") == 0);
        let said = logs(&environment, &function);
        assert!(
            said.contains("Tableau returned an incomplete PDF of `Sales`; nothing was published"),
            "{said}"
        );
    }
}

// E20
#[tokio::test]
async fn a_slow_export_ends_by_itself_and_leaves_no_half_file() {
    let environment = with("{ to: sharepoint }").await;
    let function = environment.queued_for("publish-pdf", BINARY, std::time::Duration::from_secs(8));
    let slow = ExportShape {
        padding_bytes: 200_000_000,
        pause: std::time::Duration::from_secs(1),
        ..ExportShape::default()
    };
    environment.tableau.shape_exports("*", slow);
    assert!(handed(&function, &event(&environment, sales().with_tabs())).await);
    assert!(paths(&environment).is_empty() && environment.graph.count("create") == 0);
    let said = logs(&environment, &function);
    assert!(said.contains("the export of `Sales` took longer than this attempt has time"), "{said}");
}

#[tokio::test]
async fn a_workbook_that_is_gone_and_other_events_are_skipped() {
    let environment = with("{ to: sharepoint }").await;
    let function = environment.inline("publish-pdf", BINARY);
    let gone = crate::support::refreshed(&environment, "9f8e7d6c-5b4a-4392-8170-6f5e4d3c2b1a", 0);
    let answer = function.answer(&Request::post(gone.to_string())).await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("skipped")), "{:?}", answer.body);
    assert_eq!(answer.body["reason"], "Tableau does not have the workbook any more");
    for name in ["workbook-refresh-failed", "datasource-refresh-succeeded"] {
        let answer = function.answer(&Request::of_fixture(name)).await;
        assert_eq!((answer.status, &answer.body["status"]), (200, &json!("skipped")), "{name}");
    }
    assert_eq!(environment.tableau.calls("GET */pdf"), 0);
}

#[tokio::test]
async fn nothing_happens_without_a_rule_or_while_it_is_muted() {
    let until =
        (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24)).strftime("%Y-%m-%dT%H:%M:%SZ");
    let muted = &format!(
        "rules: [{{ name: r, on: [WorkbookRefreshSucceeded], mute_until: {until}, do: [{{ publish-pdf: {{ to: sharepoint }} }}] }}]\n"
    );
    for (rules, said) in [("rules: []\n", "no rule publishes PDF files"), (muted, "the rule `r` is muted")] {
        let environment = TestEnvironment::with_rules(rules).await;
        let function = environment.inline("publish-pdf", BINARY);
        let event = event(&environment, sales());
        let answer = function.answer(&Request::post(event.to_string())).await;
        assert!(answer.body["reason"].as_str().unwrap_or_default().contains(said), "{:?}", answer.body);
        assert_eq!(environment.tableau.calls("GET */pdf"), 0);
    }
}
