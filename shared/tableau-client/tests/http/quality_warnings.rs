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
        let [get, post, delete] = ["GET", "POST", "DELETE"].map(|method| format!("{method} {path}"));
        let [put, delete_one] = ["PUT", "DELETE"].map(|method| format!("{method} /dataQualityWarnings/q-1"));
        let warning =
            json!({"id": "q-1", "type": "STALE", "message": "old", "isActive": "true", "isSevere": false});
        tableau.knows(&get, &json!({"dataQualityWarningList": {"dataQualityWarning": [&warning]}}));
        let one = json!({ "dataQualityWarning": warning });
        tableau.knows(&post, &one).knows(&put, &one);
        tableau.says(&delete, Reply::Full(204, vec![], vec![]));
        tableau.says(&delete_one, Reply::Full(204, vec![], vec![]));
        let client = tableau.client();

        let added = client.add_quality_warning(&content, &new()).await.unwrap().unwrap().id.unwrap();
        client.change_quality_warning(&added, &new()).await.unwrap();
        let warnings = client.quality_warnings(&content).await.unwrap();
        client.remove_quality_warning(&added).await.unwrap();
        client.remove_quality_warnings(&content).await.unwrap();

        assert!(warnings.len() == 1 && warnings[0].is_active && !warnings[0].is_severe, "{kind}");
        let expected = json!({"type": "STALE", "message": "old", "isActive": true, "isSevere": true});
        for call in [post, put] {
            assert_eq!(tableau.heard(&call)[0].json(), json!({ "dataQualityWarning": expected }), "{call}");
        }
        assert_eq!((tableau.heard(&delete).len(), tableau.heard(&delete_one).len()), (1, 1), "{kind}");
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

// Q06
#[tokio::test]
async fn a_message_is_plain_text_and_escaped_where_it_is_taken_for_formatted_text() {
    for (version, sent) in
        [("3.21", "<b>late</b> & &lt;old"), ("3.22", "&lt;b&gt;late&lt;/b&gt; &amp; &amp;lt;old")]
    {
        let tableau = Tableau::start().await;
        let signed_in = json!({"credentials": {"site": {"id": "s-1"}, "user": {"id": "u-1"}, "token": "t"}});
        tableau.knows(&format!("POST /{version}/auth/signin"), &signed_in);
        let post = format!("POST /{version}/sites/s-1/dataQualityWarnings/table/x-1");
        tableau.knows(&post, &json!({ "dataQualityWarning": { "id": "q-1", "message": sent } }));
        let client = client(tableau.settings(version), TableauCredential::personal_access_token("n", "s"));
        let warning = NewQualityWarning { message: "<b>late</b> & &lt;old".to_owned(), ..new() };
        let added = client
            .add_quality_warning(&Warnable::Table("x-1".parse().unwrap()), &warning)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(tableau.heard(&post)[0].json()["dataQualityWarning"]["message"], sent, "{version}");
        if version == "3.22" {
            assert_eq!(added.text(), warning.message);
        }
    }
}

#[tokio::test]
async fn a_warning_that_was_accepted_is_no_failure_whatever_the_form_of_the_answer() {
    let warning = json!({ "id": "q-2", "message": "old" });
    let other = json!({ "id": "q-1", "message": "older" });
    for (answer, id) in [
        (json!({ "dataQualityWarning": warning }), Some("q-2")),
        (json!({ "dataQualityWarning": [other, warning] }), None),
        (json!({ "dataQualityWarningList": { "dataQualityWarning": [other, warning] } }), Some("q-2")),
        (json!({ "dataQualityWarningList": { "dataQualityWarning": warning } }), Some("q-2")),
        (json!({ "dataQualityWarning": {} }), None),
        (json!({}), None),
    ] {
        let tableau = Tableau::start().await;
        tableau.knows("POST /dataQualityWarnings/table/x-1", &answer);
        let table = Warnable::Table("x-1".parse().unwrap());
        let added = tableau.client().add_quality_warning(&table, &new()).await.unwrap();
        let added = added.and_then(|added| added.id);
        assert_eq!(added.as_ref().map(|id| id.as_str()), id, "{answer}");
    }
}
