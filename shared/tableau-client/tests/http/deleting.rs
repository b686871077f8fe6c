//! Deletions: a "not found" answer counts as our own deletion only after an attempt whose answer was lost.

use crate::server::{Reply, Tableau};
use tableau::Subject;
use tableau_client::{Error, Warnable};

const CALL: &str = "DELETE /webhooks/h-1";
const GONE: &str = "404034";

/// Deletes a webhook at a server that gives these answers in turn.
async fn delete(replies: &[Reply]) -> (Result<(), Error>, usize) {
    let tableau = Tableau::start().await;
    for reply in replies {
        tableau.says(CALL, reply.clone());
    }
    let deleted = tableau.client().delete_webhook(&"h-1".parse().unwrap()).await;
    (deleted, tableau.heard(CALL).len())
}

fn gone() -> Reply {
    Reply::error(GONE, "gone")
}

#[tokio::test]
async fn what_a_lost_delete_deleted_is_deleted() {
    for lost in [Reply::Nothing, Reply::CutOff, Reply::html(502), Reply::error("500000", "Internal")] {
        let (deleted, tries) = delete(&[lost.clone(), gone()]).await;
        assert!(deleted.is_ok() && tries == 2, "{lost:?}: {deleted:?}");
    }
}

#[tokio::test]
async fn what_was_never_there_is_not_deleted() {
    let (deleted, tries) = delete(&[gone()]).await;
    assert_eq!((deleted.unwrap_err().code(), tries), (Some(GONE), 1));
}

#[tokio::test]
async fn what_a_refused_delete_did_not_delete_was_never_there() {
    let Reply::Full(status, _, body) = Reply::error("429000", "Too many requests.") else { unreachable!() };
    let busy = Reply::Full(status, vec![("retry-after", "0".to_owned())], body);
    let (deleted, tries) = delete(&[busy, gone()]).await;
    assert_eq!((deleted.unwrap_err().code(), tries), (Some(GONE), 2));
}

#[tokio::test]
async fn another_404_after_a_lost_delete_stays_an_error() {
    for (other, code) in [
        (Reply::error("404000", "no such site"), Some("404000")),
        (Reply::error("404002", "no such user"), Some("404002")),
        (Reply::error("404003", "no such resource"), Some("404003")),
        (Reply::error("404006", "no such workbook"), Some("404006")),
        (Reply::html(404), None),
        (Reply::Full(404, vec![], vec![]), None),
    ] {
        let (deleted, tries) = delete(&[Reply::Nothing, other]).await;
        let error = deleted.unwrap_err();
        assert!(
            matches!(error, Error::Refused { status: 404, .. } | Error::Foreign { status: 404, .. }),
            "{error:?}"
        );
        assert_eq!((error.code(), tries), (code, 2));
    }
}

#[tokio::test]
async fn a_lost_delete_is_remembered_over_a_session_that_ends() {
    let over = Reply::error("401002", "Invalid authentication credentials were provided.");
    let (deleted, tries) = delete(&[Reply::Nothing, over, gone()]).await;
    assert!(deleted.is_ok() && tries == 3, "{deleted:?}");
}

#[tokio::test]
async fn each_thing_is_gone_by_its_own_code_and_no_other() {
    for (call, own, other) in [
        ("DELETE /workbooks/w-1/tags/a", "404007", "404006"),
        ("DELETE /labels/x-1", "400105", "404030"),
        ("DELETE /dataQualityWarnings/datasource/x-1", "404030", "404029"),
    ] {
        for code in [own, other] {
            let tableau = Tableau::start().await;
            tableau.says(call, Reply::Nothing).says(call, Reply::error(code, "not there"));
            let client = tableau.client();
            let workbook = Subject::Workbook("w-1".parse().unwrap());
            let deleted = match call {
                "DELETE /workbooks/w-1/tags/a" => client.remove_tag(&workbook, "a").await,
                "DELETE /labels/x-1" => client.remove_label(&"x-1".parse().unwrap()).await,
                _ => client.remove_quality_warnings(&Warnable::Datasource("x-1".parse().unwrap())).await,
            };
            assert_eq!(
                deleted.err().as_ref().and_then(Error::code),
                Some(code).filter(|code| *code != own),
                "{call}"
            );
        }
    }
}
