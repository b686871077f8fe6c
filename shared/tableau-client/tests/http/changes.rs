//! Tags, certification, refreshes, labels.

use crate::server::{Reply, Tableau, client};
use serde_json::json;
use tableau::Subject;
use tableau_client::{Error, NewLabel, RefreshKind, RefreshNow, TableauCredential};

fn workbook() -> Subject {
    Subject::Workbook("w-1".parse().unwrap())
}

fn user() -> Subject {
    Subject::User("u-1".parse().unwrap())
}

#[tokio::test]
async fn tags_are_added_and_what_there_is_now_comes_back() {
    let tableau = Tableau::start().await;
    tableau.knows("PUT /workbooks/w-1/tags", &json!({"tags": {"tag": [{"label": "a"}, {"label": "b c"}]}}));
    let tags = tableau.client().add_tags(&workbook(), &["b c"]).await.unwrap();
    assert_eq!(tags, ["a", "b c"]);
    let sent = tableau.heard("PUT /workbooks/w-1/tags")[0].json();
    assert_eq!(sent, json!({"tags": {"tag": [{"label": "\"b c\""}]}}));
}

#[tokio::test]
async fn a_tag_stays_one_segment_of_the_path() {
    for (tag, encoded) in [
        ("b c", "b%20c"),
        ("a/b", "a%2Fb"),
        ("50%", "50%25"),
        ("q?x=1#y", "q%3Fx%3D1%23y"),
        ("été", "%C3%A9t%C3%A9"),
        ("...", "%2E%2E%2E"),
    ] {
        let tableau = Tableau::start().await;
        let call = format!("DELETE /workbooks/w-1/tags/{encoded}");
        tableau.says(&call, Reply::Full(204, vec![], vec![]));
        tableau.client().remove_tag(&workbook(), tag).await.unwrap();
        assert_eq!(tableau.heard(&call).len(), 1, "{tag}");
    }
}

#[tokio::test]
async fn a_tag_that_is_a_step_in_the_path_deletes_no_workbook() {
    let tableau = Tableau::start().await;
    for tag in ["", ".", ".."] {
        let error = tableau.client().remove_tag(&workbook(), tag).await.unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    }
    assert!(matches!(tableau.client().add_tags(&user(), &["x"]).await, Err(Error::Invalid { .. })));
}

#[tokio::test]
async fn a_data_source_is_certified_and_not() {
    let tableau = Tableau::start().await;
    tableau.knows("PUT /datasources/d-1", &json!({"datasource": {"id": "d-1", "name": "Sales"}}));
    let client = tableau.client();
    let luid = "d-1".parse().unwrap();
    client.certify(&luid, "checked by Ana").await.unwrap();
    client.decertify(&luid).await.unwrap();
    let sent: Vec<_> = tableau.heard("PUT /datasources/d-1").iter().map(|request| request.json()).collect();
    assert_eq!(sent[0], json!({"datasource": {"isCertified": true, "certificationNote": "checked by Ana"}}));
    assert_eq!(sent[1], json!({"datasource": {"isCertified": false, "certificationNote": ""}}));
}

#[tokio::test]
async fn a_refresh_is_a_job_or_waits_already() {
    let tableau = Tableau::start().await;
    let job = json!({"job": {"id": "j-1", "mode": "Asynchronous", "type": "RefreshExtract",
        "createdAt": "2020-03-05T22:05:32Z", "extractRefreshJob": {"workbook": {"id": "w-1", "name": "A"}}}});
    let call = "POST /workbooks/w-1/refresh";
    tableau.says(call, Reply::json(202, &job)).says(call, Reply::error("409093", "already queued"));
    let client = tableau.client();

    let RefreshNow::Queued(job) = client.refresh_now(&workbook(), RefreshKind::Full).await.unwrap() else {
        panic!("not queued")
    };
    assert_eq!((job.subject(), job.end()), (Some(workbook()), None));
    let again = client.refresh_now(&workbook(), RefreshKind::Incremental).await.unwrap();
    assert_eq!(again, RefreshNow::AlreadyQueued);

    let sent: Vec<_> = tableau.heard(call).iter().map(|request| request.json()).collect();
    assert_eq!(sent, [json!({}), json!({"extractRefresh": {"incremental": true}})]);
}

#[tokio::test]
async fn a_refresh_that_cannot_be_is_not_asked_for() {
    let tableau = Tableau::start().await;
    let signed_in = json!({"credentials": {"site": {"id": "s-1"}, "user": {"id": "u-1"}, "token": "t"}});
    tableau.knows("POST /3.27/auth/signin", &signed_in);
    let old = client(tableau.settings("3.27"), TableauCredential::personal_access_token("n", "s"));
    for (subject, kind) in [(user(), RefreshKind::Full), (workbook(), RefreshKind::Incremental)] {
        let error = old.refresh_now(&subject, kind).await.unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn labels_are_read_set_and_removed() {
    let tableau = Tableau::start().await;
    let label = json!({"id": "l-1", "value": "certified", "category": "certification", "active": "true",
        "elevated": "false", "contentId": "d-1", "contentType": "datasource"});
    tableau.knows("POST /labels", &json!({"labelList": {"label": label}}));
    tableau.knows("PUT /labels", &json!({}));
    tableau.says("DELETE /labels/l-1", Reply::Full(204, vec![], vec![]));
    let client = tableau.client();
    let datasource = "d-1".parse().unwrap();

    let labels = client.labels(&datasource).await.unwrap();
    assert!(labels[0].active && !labels[0].elevated && labels[0].content_id == Some(datasource.clone()));
    let new = NewLabel { value: "stale".into(), message: "old".into(), active: true, elevated: false };
    client.set_label(&datasource, &new).await.unwrap();
    client.remove_label(&labels[0].id).await.unwrap();

    let sent = tableau.heard("PUT /labels")[0].json();
    assert_eq!(sent["contentList"]["content"][0], json!({"contentType": "datasource", "id": "d-1"}));
    assert_eq!(sent["label"]["value"], "stale");
}
