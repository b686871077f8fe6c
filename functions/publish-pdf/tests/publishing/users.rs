//! What another user sees.

use crate::support::{BINARY, event, handed, logs, only, paths, rules, text, with};
use serde_json::json;
use std::collections::BTreeSet;
use testkit::TestEnvironment;
use testkit::repository;
use testkit::simulator::{PatCredential, SAMPLE_CONNECTED_APP, SiteRole, TableauSimulator, User, Workbook};

const VIEWER: &str = "ben@example.com";

fn sales() -> Workbook {
    Workbook::named("Sales").with_tabs().with_view("Overview")
}

/// The signs of a session in the table.
fn sessions(environment: &TestEnvironment) -> Vec<String> {
    let items = environment.aws.items("deliveries");
    let keys =
        items.iter().filter_map(|item| item["pk"]["S"].as_str()).filter(|key| key.starts_with("session#"));
    keys.map(str::to_owned).collect()
}

const APP_USER: &str = "bea@example.com";

// Issue 19, 5
#[tokio::test]
async fn a_connected_app_exports_what_the_named_user_sees_with_exactly_the_scopes_of_its_calls() {
    let all = format!(
        "rules:\n  - {{ name: r, on: [WorkbookRefreshSucceeded], unless: {{ owner_group: Contractors }}, do: [{{ publish-pdf: {{ to: \
         sharepoint, as: {VIEWER} }} }}] }}\n  - {{ name: s, on: [WorkbookRefreshSucceeded], unless: {{ owner: zoe@example.com }}, do: [{{ \
         publish-pdf: {{ to: sharepoint, folder: Own }} }}] }}\n"
    );
    let environment = TestEnvironment::with_rules(&all).await;
    let (client_id, secret_id, secret) = SAMPLE_CONNECTED_APP;
    environment.aws.create_secret(
        "tableau",
        json!({ "client_id": client_id, "secret_id": secret_id, "secret_value": secret, "user_name": APP_USER }),
    );
    environment.tableau.add(User::named(VIEWER).with_role(SiteRole::Viewer));
    let function = environment.queued("publish-pdf", BINARY);
    assert!(!handed(&function, &event(&environment, sales())).await, "{}", logs(&environment, &function));
    let without_tabs = Workbook::named("Costs").with_view("One").with_view("Two");
    assert!(
        !handed(&function, &event(&environment, without_tabs)).await,
        "{}",
        logs(&environment, &function)
    );
    assert_eq!(paths(&environment).len(), 6);
    assert_eq!(environment.tableau.exported_by(), BTreeSet::from([VIEWER.to_owned(), APP_USER.to_owned()]));
    let kept = sessions(&environment);
    assert!(kept.len() == 1 && !kept[0].contains(VIEWER), "{kept:?}");

    let used: Vec<&str> = environment.tableau.used_scopes().into_iter().collect();
    assert_eq!(used, publish_pdf::SCOPES);
    let readme = std::fs::read_to_string(repository::root().join("functions/publish-pdf/README.md")).unwrap();
    assert!(used.iter().all(|scope| readme.contains(&format!("`{scope}`"))), "{used:?}");
}

#[tokio::test]
async fn a_token_of_a_server_administrator_signs_in_with_the_id_of_the_user() {
    let tableau = TableauSimulator::sample().pats_may_impersonate(true);
    let all = rules(&[&format!("{{ to: sharepoint, as: {VIEWER} }}")]);
    let environment = TestEnvironment::with_tableau(&all, tableau).await;
    environment.tableau.add(User::named("root").with_role(SiteRole::ServerAdministrator));
    environment.tableau.add(PatCredential::new("server", "token-of-the-server-not-a-secret", "root"));
    environment.tableau.add(User::named(VIEWER).with_role(SiteRole::Viewer));
    environment.aws.create_secret(
        "tableau",
        json!({ "token_name": "server", "token_secret": "token-of-the-server-not-a-secret" }),
    );
    let function = environment.queued("publish-pdf", BINARY);
    assert!(!handed(&function, &event(&environment, sales())).await, "{}", logs(&environment, &function));
    assert!(text(&only(&environment)).contains("(Overview) Tj"));
    assert_eq!(environment.tableau.exported_by(), BTreeSet::from([VIEWER.to_owned()]));
    let kept = sessions(&environment);
    assert!(kept.len() == 1 && !kept[0].contains("#id/"), "{kept:?}");
}

#[tokio::test]
async fn a_user_who_is_not_there_or_sees_nothing_is_told() {
    let environment = with("{ to: sharepoint, as: nobody@example.com }").await;
    let function = environment.queued("publish-pdf", BINARY);
    assert!(handed(&function, &event(&environment, sales())).await);
    let said = logs(&environment, &function);
    assert!(
        said.contains("the site has no user `nobody@example.com`, who is named by `as` in a rule"),
        "{said}"
    );
    assert!(paths(&environment).is_empty());
}

#[tokio::test]
async fn a_name_that_cannot_sign_in_is_told_with_its_rule() {
    let environment = with("{ to: sharepoint, as: nobody@example.com }").await;
    let (client_id, secret_id, secret) = SAMPLE_CONNECTED_APP;
    environment.aws.create_secret(
        "tableau",
        json!({ "client_id": client_id, "secret_id": secret_id, "secret_value": secret, "user_name": APP_USER }),
    );
    let function = environment.queued("publish-pdf", BINARY);
    assert!(handed(&function, &event(&environment, sales())).await);
    let said = logs(&environment, &function);
    assert!(
        said.contains("`nobody@example.com`, who is named by `as` in the rule `r0`, cannot sign in"),
        "{said}"
    );
    assert!(said.contains(r#""outcome":"misconfigured""#), "{said}");
}
