//! Quality warnings on every kind of content that can have them.

use crate::server::{Reply, Tableau, client};
use serde_json::json;
use tableau_client::{Error, NewQualityWarning, TableauCredential, Warnable, WarningKind};

/// One content id of each kind, and Tableau's name for the kind.
fn every_kind() -> [(Warnable, &'static str); 7] {
    [
        (Warnable::Datasource("x-1".parse().unwrap()), "datasource"),
        (Warnable::Database("x-1".parse().unwrap()), "database"),
        (Warnable::Table("x-1".parse().unwrap()), "table"),
        (Warnable::Column("x-1".parse().unwrap()), "column"),
        (Warnable::Flow("x-1".parse().unwrap()), "flow"),
        (Warnable::VirtualConnection("x-1".parse().unwrap()), "virtualconnection"),
        (Warnable::VirtualConnectionTable("x-1".parse().unwrap()), "virtualconnectiontable"),
    ]
}

fn new() -> NewQualityWarning {
    NewQualityWarning { kind: WarningKind::Stale, message: "old".into(), is_active: true, is_severe: true }
}

#[tokio::test]
async fn whatever_can_carry_a_warning_is_warned_of() {
    for (content, kind) in every_kind() {
        let tableau = Tableau::start().await;
        let path = format!("/dataQualityWarnings/{kind}/x-1");
        let [get, post, put, delete] =
            ["GET", "POST", "PUT", "DELETE"].map(|method| format!("{method} {path}"));
        let warning =
            json!({"id": "q-1", "type": "STALE", "message": "old", "isActive": "true", "isSevere": false});
        tableau.knows(&get, &json!({"dataQualityWarningList": {"dataQualityWarning": [warning]}}));
        tableau.knows(&post, &json!({})).knows(&put, &json!({}));
        tableau.says(&delete, Reply::Full(204, vec![], vec![]));
        let client = tableau.client();

        client.add_quality_warning(&content, &new()).await.unwrap();
        client.change_quality_warning(&content, &new()).await.unwrap();
        let warnings = client.quality_warnings(&content).await.unwrap();
        client.remove_quality_warnings(&content).await.unwrap();

        assert!(warnings.len() == 1 && warnings[0].is_active && !warnings[0].is_severe, "{kind}");
        let expected = json!({"type": "STALE", "message": "old", "isActive": true, "isSevere": true});
        for call in [post, put] {
            assert_eq!(tableau.heard(&call)[0].json(), json!({ "dataQualityWarning": expected }), "{call}");
        }
        assert_eq!(tableau.heard(&delete).len(), 1, "{kind}");
    }
}

#[tokio::test]
async fn warnings_on_columns_are_not_asked_of_a_version_without_them() {
    for (version, knows) in [("3.15", false), ("3.16", true)] {
        let tableau = Tableau::start().await;
        let signed_in = json!({"credentials": {"site": {"id": "s-1"}, "user": {"id": "u-1"}, "token": "t"}});
        tableau.knows(&format!("POST /{version}/auth/signin"), &signed_in);
        for kind in ["column", "table"] {
            tableau.knows(
                &format!("GET /{version}/sites/s-1/dataQualityWarnings/{kind}/x-1"),
                &json!({"dataQualityWarningList": {}}),
            );
        }
        let old = client(tableau.settings(version), TableauCredential::personal_access_token("n", "s"));
        let column = old.quality_warnings(&Warnable::Column("x-1".parse().unwrap())).await;
        assert!(
            if knows { column.is_ok() } else { matches!(column, Err(Error::Invalid { .. })) },
            "{version}"
        );
        assert!(old.quality_warnings(&Warnable::Table("x-1".parse().unwrap())).await.is_ok(), "{version}");
    }
}
