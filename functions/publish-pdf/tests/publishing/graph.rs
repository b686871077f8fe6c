//! What SharePoint answers, and what is done then.

use crate::support::{BINARY, event, handed, logs, long_ago, noted, only, paths, refreshed, with};
use serde_json::json;
use std::time::Duration;
use testkit::simulator::{ExportShape, GraphFault, GraphSimulator, Workbook};
use testkit::{Function, TestEnvironment};

const FILE: &str = "Sales.pdf";

fn sales() -> Workbook {
    Workbook::named("Sales").with_tabs().with_view("Overview")
}

/// An environment with a rule for the top of the library, and a file of three pieces.
async fn large() -> (TestEnvironment, Function) {
    let environment = with("{ to: sharepoint, folder: '' }").await;
    environment
        .tableau
        .shape_exports("*", ExportShape { padding_bytes: 12_000_000, ..ExportShape::default() });
    let function = environment.queued("publish-pdf", BINARY);
    (environment, function)
}

#[tokio::test]
async fn a_large_file_is_sent_in_pieces_without_the_token_and_under_our_name() {
    let (environment, function) = large().await;
    assert!(!handed(&function, &event(&environment, sales())).await, "{}", logs(&environment, &function));
    let calls = environment.graph.calls();
    let pieces: Vec<_> = calls.iter().filter(|call| call.kind == "piece").collect();
    assert_eq!(pieces.len(), 3);
    assert!(pieces[0].range.starts_with("bytes 0-5242879/120"), "{:?}", pieces[0]);
    assert!(pieces.iter().all(|call| !call.authorized));
    let named = calls.iter().filter(|call| call.kind != "token");
    assert!(named.clone().all(|call| call.agent.starts_with("NONISV|tableau-webhooks|publish-pdf/")));
    let kinds: Vec<&str> = calls.iter().map(|call| call.kind.as_str()).collect();
    assert_eq!(kinds, ["token", "drive", "create", "piece", "piece", "piece"]);
    assert!(only(&environment).sent_bytes > 12_000_000);

    // The token and the library are known; a second workbook needs neither.
    assert!(!handed(&function, &event(&environment, Workbook::named("Costs").with_tabs())).await);
    assert_eq!((environment.graph.count("token"), environment.graph.count("drive")), (1, 1));
}

// G03
#[tokio::test]
async fn a_session_that_is_gone_is_replaced_with_its_offset() {
    let (environment, function) = large().await;
    environment.graph.fail_next("piece", 1, GraphFault::Slow(Duration::ZERO));
    environment.graph.fail_next("piece", 1, GraphFault::SessionGone);
    assert!(!handed(&function, &event(&environment, sales())).await, "{}", logs(&environment, &function));
    let pieces: Vec<_> = environment.graph.calls().into_iter().filter(|call| call.kind == "piece").collect();
    let firsts: Vec<&str> =
        pieces.iter().map(|call| call.range.split('-').next().unwrap_or_default()).collect();
    assert_eq!(firsts, ["bytes 0", "bytes 5242880", "bytes 0", "bytes 5242880", "bytes 10485760"]);
    let targets: std::collections::BTreeSet<_> = pieces[2..].iter().map(|call| &call.target).collect();
    assert!(targets.len() == 1 && !targets.contains(&pieces[0].target), "{pieces:?}");
    assert_eq!(environment.graph.count("create"), 2);
    assert_eq!(only(&environment).versions, 1);
}

// G04
#[tokio::test]
async fn after_an_answer_that_was_lost_the_service_is_asked_how_much_it_has() {
    for fault in [GraphFault::DoneThen(503), GraphFault::AnswerLost, GraphFault::DoneThen(416)] {
        let (environment, function) = large().await;
        environment.graph.fail_next("piece", 1, GraphFault::Slow(Duration::ZERO));
        environment.graph.fail_next("piece", 1, fault.clone());
        assert!(!handed(&function, &event(&environment, sales())).await, "{}", logs(&environment, &function));
        assert_eq!((environment.graph.count("piece"), environment.graph.count("ask")), (3, 1), "{fault:?}");
        assert_eq!(environment.graph.count("create"), 1);
    }
}

// G04
#[tokio::test]
async fn a_last_answer_that_was_lost_is_made_good_by_a_look_at_the_file() {
    let (environment, function) = large().await;
    environment.graph.fail_next("piece", 2, GraphFault::Slow(Duration::ZERO));
    environment.graph.fail_next("piece", 1, GraphFault::AnswerLost);
    assert!(!handed(&function, &event(&environment, sales())).await, "{}", logs(&environment, &function));
    assert_eq!((environment.graph.count("create"), environment.graph.count("item")), (1, 1));
    assert_eq!(only(&environment).versions, 1);
}

// G08, G09
#[tokio::test]
async fn a_size_that_differs_later_is_not_looked_at_and_starts_no_second_upload() {
    let environment = with("{ to: sharepoint, folder: '' }").await;
    let function = environment.queued("publish-pdf", BINARY);
    assert!(!handed(&function, &event(&environment, sales())).await);
    assert_eq!((environment.graph.count("create"), environment.graph.count("piece")), (1, 1));
    assert_eq!((environment.graph.count("item"), environment.graph.count("ask")), (0, 0));
    assert_eq!(only(&environment).versions, 1);
}

// G02, G16, G17
#[tokio::test]
async fn a_file_in_use_is_tried_again_later_and_then_published_under_a_name_with_the_time() {
    type Lock = fn(&GraphSimulator);
    let ways: [(&str, Lock); 3] = [
        ("423", |graph| graph.lock(FILE)),
        ("409", |graph| graph.open_in_browser(FILE)),
        ("403", |graph| graph.lock_hidden(FILE)),
    ];
    for (status, lock) in ways {
        let environment = with("{ to: sharepoint, folder: '' }").await;
        let function = environment.queued("publish-pdf", BINARY);
        lock(&environment.graph);
        let event = event(&environment, sales());
        assert!(handed(&function, &event).await);
        assert!(paths(&environment).is_empty());
        let said = logs(&environment, &function);
        assert!(
            said.contains(&format!("SharePoint did not begin an upload, with status {status}")),
            "{said}"
        );
        assert!(said.contains(r#""outcome":"transient""#), "{said}");

        noted(&environment, "in-use/", 3_000);
        assert!(!handed(&function, &event).await, "{}", logs(&environment, &function));
        let path = only(&environment).path;
        assert!(path.starts_with("Sales 20") && path.ends_with(".pdf"), "{path}");
        let said = logs(&environment, &function);
        assert!(said.contains("the file `Sales` has been in use since"), "{said}");
    }
}

// G10
#[tokio::test]
async fn a_site_without_room_is_a_person_to_help() {
    let environment = with("{ to: sharepoint }").await;
    let function = environment.queued("publish-pdf", BINARY);
    environment.graph.fill(true);
    assert!(handed(&function, &event(&environment, sales())).await);
    let said = logs(&environment, &function);
    assert!(
        said.contains("quotaLimitReached") && said.contains("Each version of a file counts in full"),
        "{said}"
    );
    assert!(said.contains(r#""outcome":"misconfigured""#), "{said}");
}

// G12, G13, G15
#[tokio::test]
async fn names_arrive_as_names_that_sharepoint_takes() {
    for (workbook, file) in [
        ("R&#D", "R&_D ("),
        ("Test#1", "Test#1.pdf"),
        ("A%2FB", "A_2FB ("),
        ("Q1/Q2: 100 %?", "Q1_Q2_ 100 __ ("),
        ("Größe + Ärger; 'x' @home [1] {2} ~`^$=,!()", "Größe + Ärger; 'x' @home [1] {2} ~`^$=,!().pdf"),
    ] {
        let environment = with("{ to: sharepoint, folder: '' }").await;
        let function = environment.queued("publish-pdf", BINARY);
        assert!(
            !handed(&function, &event(&environment, Workbook::named(workbook).with_tabs())).await,
            "{}",
            logs(&environment, &function)
        );
        let path = only(&environment).path;
        assert!(path.starts_with(file) && path.ends_with(".pdf"), "{path}");
        assert!(!logs(&environment, &function).contains("stored the file under another name"));
    }
}

// G23
#[tokio::test]
async fn a_path_that_is_too_long_loses_the_middle_of_its_names() {
    let environment = with("{ to: sharepoint }").await;
    let function = environment.queued("publish-pdf", BINARY);
    let project: Vec<String> = (0..9).map(|n| format!("Level {n} {}", "x".repeat(40))).collect();
    let workbook = Workbook::named(&"y".repeat(120)).in_project(&project.join("/")).with_tabs();
    assert!(!handed(&function, &event(&environment, workbook)).await, "{}", logs(&environment, &function));
    let path = only(&environment).path;
    assert!("/sites/finance/Reports/".len() + path.chars().count() <= 400, "{}", path.len());
    assert!(path.contains('…') && path.split('/').count() == 10 && path.ends_with(").pdf"), "{path}");
}

// G18, G19
#[tokio::test]
async fn an_hour_is_waited_for_in_the_queue_and_nothing_is_sent_meanwhile() {
    for kind in ["create", "piece"] {
        let environment = with("{ to: sharepoint }").await;
        let function = environment.queued("publish-pdf", BINARY);
        environment.graph.fail_next(kind, 1, GraphFault::TooManyRequests(Some(3_600)));
        let event = event(&environment, sales());
        let began = std::time::Instant::now();
        assert!(handed(&function, &event).await);
        assert!(began.elapsed() < Duration::from_secs(10), "the function does not wait");
        let said = logs(&environment, &function);
        assert!(said.contains("It is delayed until 20"), "{said}");
        assert_eq!(environment.graph.open_sessions(), 0);
        let calls = environment.graph.calls().len();
        assert!(handed(&function, &event).await);
        assert_eq!(environment.graph.calls().len(), calls);
        assert!(logs(&environment, &function).contains("circuit open, SharePoint is not called until"));
    }
}

// G18
#[tokio::test]
async fn a_short_wait_is_waited_for_in_the_function() {
    let (environment, function) = large().await;
    environment.graph.fail_next("piece", 1, GraphFault::TooManyRequests(Some(1)));
    assert!(!handed(&function, &event(&environment, sales())).await, "{}", logs(&environment, &function));
    assert_eq!((environment.graph.count("piece"), environment.graph.count("create")), (4, 1));
}

// G21
#[tokio::test]
async fn a_library_that_is_not_there_is_told_with_the_names_of_those_that_are() {
    let environment = with("{ to: sharepoint, drive: b!other }").await;
    let function = environment.queued("publish-pdf", BINARY);
    assert!(handed(&function, &event(&environment, sales())).await);
    let said = logs(&environment, &function);
    let names = "The site has: Documents (b!simulated-documents), Reports (b!simulated-reports)";
    assert!(said.contains(names) && said.contains(r#""outcome":"misconfigured""#), "{said}");

    let environment = with("{ to: sharepoint }").await;
    let mut secret = environment.graph.secret();
    secret["drive"] = json!("");
    environment.aws.create_secret("sharepoint", secret);
    let function = environment.queued("publish-pdf", BINARY);
    assert!(handed(&function, &event(&environment, sales())).await);
    let said = logs(&environment, &function);
    assert!(said.contains("no document library is named") && said.contains(names), "{said}");
}

// G25
#[tokio::test]
async fn a_second_401_without_json_is_about_the_name_and_no_reason_for_a_third_token() {
    let environment = with("{ to: sharepoint }").await;
    let function = environment.queued("publish-pdf", BINARY);
    environment.graph.fail_always("create", GraphFault::Text(401));
    let long = Workbook::named(&"x".repeat(150)).with_tabs().with_view("Overview");
    assert!(!handed(&function, &event(&environment, long)).await);
    assert_eq!((environment.graph.count("token"), environment.graph.count("create")), (2, 2));
    let reason = &environment.aws.messages("dead-letters")[0].attributes["reason"];
    assert!(reason.contains("as for a name or path that is too long"), "{reason}");
}

#[tokio::test]
async fn a_token_that_ended_early_is_replaced_once_and_a_wrong_secret_is_a_person_to_help() {
    let environment = with("{ to: sharepoint, folder: '' }").await;
    let function = environment.queued("publish-pdf", BINARY);
    assert!(!handed(&function, &event(&environment, sales())).await);
    environment.graph.end_tokens();
    assert!(!handed(&function, &event(&environment, Workbook::named("Costs").with_tabs())).await);
    assert_eq!(environment.graph.count("token"), 2);

    environment.graph.rotate_secret();
    environment.graph.end_tokens();
    assert!(handed(&function, &event(&environment, Workbook::named("Other").with_tabs())).await);
    let said = logs(&environment, &function);
    assert!(
        said.contains("invalid_client") && said.contains("check `tenant`, `client_id` and `client_secret`"),
        "{said}"
    );
    assert!(said.contains(r#""outcome":"misconfigured""#), "{said}");
}

#[tokio::test]
async fn a_token_is_replaced_before_it_ends() {
    let environment = with("{ to: sharepoint, folder: '' }").await;
    environment.graph.tokens_live(Duration::from_secs(5));
    let function = environment.queued("publish-pdf", BINARY);
    assert!(!handed(&function, &event(&environment, sales())).await);
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(!handed(&function, &event(&environment, Workbook::named("Costs").with_tabs())).await);
    assert_eq!(environment.graph.count("token"), 2);
    assert!(environment.graph.calls().iter().all(|call| call.status != 401));
}

#[tokio::test]
async fn a_rule_can_keep_what_is_there_or_give_the_new_file_a_number() {
    for (existing, expected, versions) in
        [("keep", vec![FILE], 1), ("rename", vec!["Sales 1.pdf", FILE], 1), ("replace", vec![FILE], 2)]
    {
        let environment = with(&format!("{{ to: sharepoint, folder: '', if_exists: {existing} }}")).await;
        let function = environment.queued("publish-pdf", BINARY);
        let workbook = environment.tableau.add(sales());
        assert!(!handed(&function, &refreshed(&environment, workbook.as_str(), 7_200)).await);
        long_ago(&environment);
        let later = refreshed(&environment, workbook.as_str(), 3_600);
        assert!(!handed(&function, &later).await, "{}", logs(&environment, &function));
        assert_eq!(paths(&environment), expected, "{existing}");
        assert_eq!(environment.graph.files()[0].versions, versions, "{existing}");
    }
}

#[tokio::test]
async fn a_sharepoint_that_is_down_leaves_no_session_and_the_event_in_the_queue() {
    for fault in [
        GraphFault::Status(500),
        GraphFault::Html(200),
        GraphFault::Reset,
        GraphFault::Error { status: 500, code: "generalException", inner: None },
    ] {
        let environment = with("{ to: sharepoint }").await;
        let function = environment.queued("publish-pdf", BINARY);
        environment.graph.fail_always("piece", fault.clone());
        assert!(handed(&function, &event(&environment, sales())).await, "{fault:?}");
        assert_eq!((paths(&environment).len(), environment.graph.open_sessions()), (0, 0), "{fault:?}");
        let said = logs(&environment, &function);
        assert!(said.contains(r#""outcome":"transient""#), "{fault:?}: {said}");
    }
}

// G01, G02
#[tokio::test]
async fn what_a_rule_keeps_is_kept_only_if_it_is_there() {
    let environment = with("{ to: sharepoint, folder: '', if_exists: keep }").await;
    let function = environment.queued("publish-pdf", BINARY);
    let workbook = environment.tableau.add(sales());
    // A session that nothing can end is told in the same words as a file that is there.
    environment.graph.leave_session(FILE);
    let first = refreshed(&environment, workbook.as_str(), 7_200);
    assert!(handed(&function, &first).await);
    assert!(logs(&environment, &function).contains(r#""outcome":"transient""#));
    environment.graph.end_sessions();
    assert!(!handed(&function, &first).await, "{}", logs(&environment, &function));
    assert_eq!(only(&environment).versions, 1);

    long_ago(&environment);
    environment.graph.lock(FILE);
    let second = refreshed(&environment, workbook.as_str(), 3_600);
    assert!(!handed(&function, &second).await, "{}", logs(&environment, &function));
    assert_eq!(only(&environment).versions, 1);
    assert!(logs(&environment, &function).contains("the rule keeps it"));
}

// G03
#[tokio::test]
async fn a_401_or_403_of_an_upload_address_is_the_end_of_its_session_and_not_of_the_secret() {
    for fault in [GraphFault::Text(401), GraphFault::Status(403)] {
        let (environment, function) = large().await;
        environment.graph.fail_next("piece", 1, fault);
        assert!(!handed(&function, &event(&environment, sales())).await, "{}", logs(&environment, &function));
        assert_eq!((environment.graph.count("create"), only(&environment).versions), (2, 1));
    }
}

// G21
#[tokio::test]
async fn an_id_of_a_library_that_sharepoint_cannot_read_waits_for_a_person() {
    let environment = with("{ to: sharepoint }").await;
    let function = environment.queued("publish-pdf", BINARY);
    let malformed = GraphFault::Error { status: 400, code: "invalidRequest", inner: None };
    environment.graph.fail_next("drive", 1, malformed);
    assert!(handed(&function, &event(&environment, sales())).await);
    let said = logs(&environment, &function);
    assert!(
        said.contains("The site has: Documents") && said.contains(r#""outcome":"misconfigured""#),
        "{said}"
    );
}

#[tokio::test]
async fn a_page_in_place_of_an_answer_is_tried_again() {
    for kind in ["token", "drive"] {
        let environment = with("{ to: sharepoint, folder: '' }").await;
        let function = environment.queued("publish-pdf", BINARY);
        environment.graph.fail_next(kind, 1, GraphFault::Html(200));
        let event = event(&environment, sales());
        assert!(handed(&function, &event).await);
        assert!(logs(&environment, &function).contains(r#""outcome":"transient""#));
        assert!(!handed(&function, &event).await, "{}", logs(&environment, &function));
        assert_eq!(paths(&environment), [FILE]);
    }
}

// G25
#[tokio::test]
async fn a_401_that_cannot_be_about_a_name_waits_for_a_person() {
    for kind in ["drive", "create"] {
        let environment = with("{ to: sharepoint, folder: '' }").await;
        let function = environment.queued("publish-pdf", BINARY);
        environment.graph.fail_always(kind, GraphFault::Text(401));
        assert!(handed(&function, &event(&environment, sales())).await);
        assert!(logs(&environment, &function).contains(r#""outcome":"misconfigured""#));
    }
}

#[tokio::test]
async fn a_secret_that_was_replaced_is_read_again_at_once() {
    let environment = with("{ to: sharepoint, folder: '' }").await;
    let function = environment.queued("publish-pdf", BINARY);
    assert!(!handed(&function, &event(&environment, sales())).await);
    // The secret is read again if what is known of it is not quite new.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let renewed = environment.graph.rotate_secret();
    environment.aws.create_secret("sharepoint", renewed);
    environment.graph.end_tokens();
    let costs = Workbook::named("Costs").with_tabs().with_view("Overview");
    assert!(!handed(&function, &event(&environment, costs)).await, "{}", logs(&environment, &function));
    assert_eq!(paths(&environment).len(), 2);
}

// G04
#[tokio::test]
async fn a_last_piece_that_is_only_accepted_is_made_good_by_a_look() {
    let (environment, function) = large().await;
    environment.graph.fail_next("piece", 2, GraphFault::Slow(Duration::ZERO));
    environment.graph.fail_next("piece", 1, GraphFault::DoneThenAccepted);
    assert!(!handed(&function, &event(&environment, sales())).await, "{}", logs(&environment, &function));
    assert_eq!((environment.graph.count("piece"), environment.graph.count("create")), (3, 1));
    assert_eq!(only(&environment).versions, 1);
}

// G04, G18
#[tokio::test]
async fn a_look_that_must_wait_sends_nothing_again() {
    let environment = with("{ to: sharepoint, folder: '' }").await;
    let function = environment.queued("publish-pdf", BINARY);
    environment.graph.fail_next("piece", 1, GraphFault::AnswerLost);
    environment.graph.fail_next("item", 1, GraphFault::TooManyRequests(Some(1)));
    let event = event(&environment, sales());
    assert!(handed(&function, &event).await);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    environment.change_documents("circuit", |circuit| *circuit = json!({}));
    let function = environment.queued("publish-pdf", BINARY);
    assert!(!handed(&function, &event).await, "{}", logs(&environment, &function));
    assert_eq!((environment.graph.count("create"), only(&environment).versions), (1, 1));
}
