//! Which file is whose.

use crate::support::{BINARY, event, handed, logs, paths, rules, with};
use testkit::TestEnvironment;
use testkit::simulator::{GraphSimulator, SiteRole, User, Workbook};

fn sales() -> Workbook {
    Workbook::named("Sales").with_tabs().with_view("Overview")
}

#[tokio::test]
async fn what_two_users_see_never_gets_into_one_file() {
    let all = rules(&["{ to: sharepoint, as: ann@example.com }", "{ to: sharepoint, as: ben@example.com }"]);
    let environment = TestEnvironment::with_rules(&all).await;
    let (client_id, secret_id, secret) = testkit::simulator::SAMPLE_CONNECTED_APP;
    let app = serde_json::json!({ "client_id": client_id, "secret_id": secret_id, "secret_value": secret, "user_name": "bea@example.com" });
    environment.aws.create_secret("tableau", app);
    for name in ["ann@example.com", "ben@example.com"] {
        environment.tableau.add(User::named(name).with_role(SiteRole::Viewer));
    }
    let function = environment.queued("publish-pdf", BINARY);
    assert!(handed(&function, &event(&environment, sales())).await);
    let said = logs(&environment, &function);
    assert!(said.contains("the rules `r0` and `r1` want two different exports in the same file"), "{said}");
    assert!(said.contains(r#""outcome":"misconfigured""#), "{said}");
    assert_eq!((environment.tableau.calls("GET */pdf"), paths(&environment).len()), (0, 0));
}

#[tokio::test]
async fn two_workbooks_of_one_name_are_two_files() {
    for place in ["sharepoint", "s3, bucket: reports"] {
        let environment = with(&format!("{{ to: {place}, folder: Reports }}")).await;
        environment.aws.create_bucket("reports");
        let function = environment.queued("publish-pdf", BINARY);
        for project in ["A", "B"] {
            let event = event(&environment, sales().in_project(project));
            assert!(!handed(&function, &event).await, "{}", logs(&environment, &function));
        }
        let mut all = paths(&environment);
        all.extend(environment.aws.objects().iter().map(|object| object.key.clone()));
        all.sort();
        assert_eq!(all.len(), 2, "{all:?}");
        assert!(all[0].starts_with("Reports/Sales (") && all[1] == "Reports/Sales.pdf", "{all:?}");
        assert!(logs(&environment, &function).contains("another workbook has this name there"));
    }
}

#[tokio::test]
async fn a_rule_that_asks_for_what_is_not_there_does_not_stop_the_others() {
    let all = rules(&["{ to: sharepoint, folder: A, views: [Gone] }", "{ to: sharepoint, folder: B }"]);
    let environment = TestEnvironment::with_rules(&all).await;
    let function = environment.queued("publish-pdf", BINARY);
    assert!(handed(&function, &event(&environment, sales())).await);
    assert_eq!(paths(&environment), ["B/Sales.pdf"]);
    let said = logs(&environment, &function);
    assert!(
        said.contains("asks for the view `Gone`") && said.contains(r#""outcome":"misconfigured""#),
        "{said}"
    );
}

#[tokio::test]
async fn views_whose_names_differ_only_in_case_or_not_at_all_are_files_of_their_own() {
    for (one, two) in [("Total", "TOTAL"), ("Total", "Total")] {
        let environment = with("{ to: sharepoint, folder: '' }").await;
        let function = environment.queued("publish-pdf", BINARY);
        let workbook = Workbook::named("Sales").with_view(one).with_view(two);
        assert!(
            !handed(&function, &event(&environment, workbook)).await,
            "{}",
            logs(&environment, &function)
        );
        let files = paths(&environment);
        assert!(files.len() == 2 && files.iter().all(|path| path.ends_with(").pdf")), "{files:?}");
    }
}

#[tokio::test]
async fn the_library_of_the_secret_is_the_same_when_a_rule_names_it() {
    let named = format!("{{ to: sharepoint, folder: A, drive: '{}' }}", GraphSimulator::REPORTS);
    let environment = TestEnvironment::with_rules(&rules(&["{ to: sharepoint, folder: a }", &named])).await;
    let function = environment.queued("publish-pdf", BINARY);
    assert!(!handed(&function, &event(&environment, sales())).await, "{}", logs(&environment, &function));
    assert_eq!((paths(&environment).len(), environment.graph.files()[0].versions), (1, 1));
}
