//! Exports: PDFs, images and data.

#![expect(clippy::unwrap_used, reason = "helpers of tests are not known for such")]

mod support;

use reqwest::Method;
use simulator::{Fault, Feature, TableauSimulator};
use std::sync::Arc;
use std::time::Duration;
use support::{Caller, SOON, manual_clock};

async fn file(caller: &Caller, path: &str) -> (String, Vec<u8>) {
    let path = format!("/api/3.29/sites/{}{path}", caller.site);
    let response = caller.send(Method::GET, &path, "").await.unwrap();
    assert_eq!(response.status().as_u16(), 200, "{path}");
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(
        response.headers()["content-disposition"].to_str().unwrap().starts_with("attachment; filename=\"")
    );
    (kind, response.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn each_file_is_of_its_kind() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let workbook = format!("/workbooks/{}", tableau.workbook("Superstore").unwrap());
    let view = format!("/views/{}", tableau.view("Overview").unwrap());
    let office = "application/vnd.openxmlformats-officedocument";

    for (path, kind, start) in [
        (format!("{workbook}/pdf"), "application/pdf".to_owned(), &b"%PDF-1.4"[..]),
        (format!("{workbook}/powerpoint"), format!("{office}.presentationml.presentation"), b"PK\x03\x04"),
        (format!("{workbook}/previewImage"), "image/png".to_owned(), b"\x89PNG\r\n\x1a\n"),
        (format!("{workbook}{view}/previewImage"), "image/png".to_owned(), b"\x89PNG\r\n\x1a\n"),
        (format!("{view}/pdf?type=A4&orientation=Landscape"), "application/pdf".to_owned(), b"%PDF-1.4"),
        (format!("{view}/image"), "image/png".to_owned(), b"\x89PNG\r\n\x1a\n"),
        (format!("{view}/image?format=svg"), "image/svg+xml".to_owned(), b"<svg "),
        (
            format!("{view}/data?vf_Region=West"),
            "text/csv;charset=utf-8".to_owned(),
            b"Region,Sales\nWest,725458\n",
        ),
        (format!("{view}/crosstab/excel"), format!("{office}.spreadsheetml.sheet"), b"PK\x03\x04"),
    ] {
        let (found, bytes) = file(&caller, &path).await;
        assert_eq!(found, kind, "{path}");
        assert!(bytes.starts_with(start), "{path}");
    }
    for (version, parameters) in [("3.22", "vizWidth=100&vizHeight=100"), ("3.28", "format=svg")] {
        let old = format!("/api/{version}/sites/{}{view}/image?{parameters}", caller.site);
        let refused = caller.call(Method::GET, &old, "").await;
        assert_eq!(refused.code(), "400000", "sizes came with 3.23, SVG with 3.29");
    }
    for path in ["pdf?type=A9", "pdf?orientation=up", "pdf?maxAge=0"] {
        assert_eq!(caller.get(&format!("{view}/{path}")).await.code(), "400008", "{path}");
    }
    tableau.allow(Feature::Exports, false);
    assert_eq!(caller.get(&format!("{workbook}/pdf")).await.code(), "403105");
    assert_eq!(caller.get(&format!("{view}/data")).await.code(), "403105");
}

#[tokio::test]
async fn a_site_has_20_exports_under_way_at_once() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Arc::new(Caller::administrator(&tableau).await);
    let view = format!("/views/{}", tableau.view("Overview").unwrap());
    tableau.fail_next("GET */views/*", 20, Fault::Delay(Duration::from_secs(1)));
    let kinds = ["pdf", "image", "data", "crosstab/excel"];
    let slow: Vec<_> = kinds
        .iter()
        .cycle()
        .take(20)
        .map(|kind| {
            let caller = Arc::clone(&caller);
            let path = format!("{view}/{kind}");
            tokio::spawn(async move { caller.get(&path).await.status })
        })
        .collect();
    let all = async {
        while tableau.exports_under_way() < 20 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, all).await.unwrap();

    let refused = caller.get(&format!("{view}/data")).await;
    let other = caller.get(&view).await;
    let preview =
        caller.get(&format!("/workbooks/{}/previewImage", tableau.workbook("Superstore").unwrap())).await;

    assert_eq!((refused.status, refused.code()), (429, "429000"));
    assert_eq!((other.status, preview.status), (200, 200), "what does not take long is not counted");
    for call in slow {
        assert_eq!(call.await.unwrap(), 200);
    }
    assert_eq!(tableau.exports_under_way(), 0);
    assert_eq!(caller.get(&format!("{view}/data")).await.status, 200, "there is room again");
}

#[tokio::test]
async fn an_export_that_goes_wrong_gives_its_place_back_and_strangers_take_none() {
    let tableau = TableauSimulator::sample().exports_at_once(1).start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let data = format!("/views/{}/data", tableau.view("Overview").unwrap());
    tableau.fail_next("GET */data", 1, Fault::Status(503));
    tableau.fail_next("GET */data", 1, Fault::Error("403105"));

    assert_eq!(caller.get(&data).await.status, 503);
    assert_eq!(caller.get(&data).await.code(), "403105");
    assert_eq!(Caller::stranger(&tableau).get(&data).await.code(), "401000");
    assert_eq!(caller.get("/views/none/pdf").await.code(), "404011");

    assert_eq!(caller.get(&data).await.status, 200);
}

#[tokio::test]
async fn the_pdf_of_a_workbook_holds_all_sheets_only_if_they_are_tabs() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    for (name, pages) in [("Superstore", 1), ("Month-End Close", 2)] {
        let path = format!("/workbooks/{}/pdf", tableau.workbook(name).unwrap());
        let text = String::from_utf8(file(&caller, &path).await.1).unwrap();
        assert!(text.contains(&format!("/Count {pages}>>")), "{name}");
    }
}

#[tokio::test]
async fn an_export_is_an_hour_old_at_most_and_fresh_when_asked() {
    let clock = manual_clock();
    let tableau = TableauSimulator::sample().clock(clock.clone()).start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let luid = tableau.workbook("Superstore").unwrap();
    let export = async |query: &str| {
        let text =
            String::from_utf8(file(&caller, &format!("/workbooks/{luid}/pdf{query}")).await.1).unwrap();
        let (_, rest) = text.split_once("Data as of ").unwrap();
        rest[..20].to_owned()
    };
    let before = export("").await;
    clock.advance(Duration::from_secs(5 * 60));

    tableau.succeed_refresh(&luid).unwrap();

    assert_eq!(export("").await, before, "the old one");
    let fresh = export("?maxAge=1").await;
    assert_eq!(fresh, "2026-03-02T06:19:43Z");
    clock.advance(Duration::from_secs(5 * 60));
    tableau.succeed_refresh(&luid).unwrap();
    clock.advance(Duration::from_secs(61 * 60));
    assert_eq!(export("").await, "2026-03-02T06:24:43Z", "an hour later");
}
