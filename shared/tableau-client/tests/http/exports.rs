//! Exports.

use crate::server::{Reply, Tableau};
use std::time::Duration;
use tableau_client::{Error, ExportOptions, Freshness, Orientation, PageType};

fn file(bytes: Vec<u8>) -> Reply {
    Reply::Full(200, vec![("content-type", "application/pdf".to_owned())], bytes)
}

#[tokio::test]
async fn an_export_comes_piece_by_piece() {
    let tableau = Tableau::start().await;
    tableau.says("GET /workbooks/w-1/pdf", file(vec![b'x'; 300_000]));
    let options = ExportOptions::fresh();
    let mut pdf = tableau.client().workbook_pdf(&"w-1".parse().unwrap(), &options, 1 << 20).await.unwrap();
    assert_eq!((pdf.content_type(), pdf.size_bytes()), (Some("application/pdf"), Some(300_000)));
    let mut pieces = 0;
    let mut length = 0;
    while let Some(piece) = pdf.piece().await.unwrap() {
        (pieces, length) = (pieces + 1, length + piece.len());
    }
    assert!(pieces > 1 && length == 300_000, "{length} bytes in {pieces} pieces");
}

#[tokio::test]
async fn an_export_is_not_read_past_its_limit() {
    let tableau = Tableau::start().await;
    tableau.says("GET /views/v-1/data", file(vec![b'x'; 1_001]));
    let client = tableau.client();
    let view = "v-1".parse().unwrap();
    let options = ExportOptions::default();
    assert!(matches!(
        client.view_csv(&view, &options, 1_000).await,
        Err(Error::TooLarge { limit_bytes: 1_000, .. })
    ));
    assert_eq!(client.view_csv(&view, &options, 1_001).await.unwrap().bytes().await.unwrap().len(), 1_001);
}

#[tokio::test]
async fn each_export_sends_the_options_that_it_knows() {
    let tableau = Tableau::start().await;
    let options = ExportOptions {
        svg: true,
        freshness: Freshness::FRESH,
        filters: vec![("Region & Co".to_owned(), "East,West".to_owned())],
        page_type: Some(PageType::A4),
        orientation: Some(Orientation::Landscape),
        viz_size: Some((800, 600)),
        high_resolution: true,
    };
    let client = tableau.client();
    let workbook = "w-1".parse().unwrap();
    let view = "v-1".parse().unwrap();
    let filter = "vf_Region & Co=East,West";
    let size = ["vizHeight=600", "vizWidth=800"];
    let pdf = ["maxAge=1", "orientation=Landscape", "type=A4", filter, size[0], size[1]];
    let cases: [(&str, Vec<&str>); 7] = [
        ("GET /workbooks/w-1/pdf", pdf.to_vec()),
        ("GET /workbooks/w-1/powerpoint", vec!["maxAge=1"]),
        ("GET /workbooks/w-1/previewImage", vec![]),
        ("GET /views/v-1/pdf", pdf.to_vec()),
        ("GET /views/v-1/image", vec!["format=svg", "maxAge=1", "resolution=high", filter, size[0], size[1]]),
        ("GET /views/v-1/data", vec!["maxAge=1", filter]),
        ("GET /views/v-1/crosstab/excel", vec!["maxAge=1", filter]),
    ];
    for (call, _) in &cases {
        tableau.says(call, file(vec![1]));
    }
    client.workbook_pdf(&workbook, &options, 9).await.unwrap();
    client.workbook_powerpoint(&workbook, &options, 9).await.unwrap();
    client.workbook_preview(&workbook, &options, 9).await.unwrap();
    client.view_pdf(&view, &options, 9).await.unwrap();
    client.view_image(&view, &options, 9).await.unwrap();
    client.view_csv(&view, &options, 9).await.unwrap();
    client.view_crosstab(&view, &options, 9).await.unwrap();
    for (call, expected) in cases {
        let mut asked: Vec<String> =
            tableau.heard(call)[0].query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        asked.sort();
        assert_eq!(asked, expected, "{call}");
    }
}

#[tokio::test]
async fn an_export_that_is_refused_is_an_error_with_its_code() {
    let tableau = Tableau::start().await;
    tableau.says("GET /workbooks/w-1/powerpoint", Reply::error("403105", "exports are off"));
    let options = ExportOptions::default();
    let refused = tableau.client().workbook_powerpoint(&"w-1".parse().unwrap(), &options, 9).await;
    assert_eq!(refused.unwrap_err().code(), Some("403105"));
    let accept = &tableau.heard("GET /workbooks/w-1/powerpoint")[0].headers["accept"];
    assert!(accept.starts_with("application/json,"), "{accept}");
}

#[tokio::test]
async fn an_export_that_breaks_off_or_stops_is_an_error() {
    let tableau = Tableau::start().await;
    tableau.says("GET /views/v-1/image", Reply::CutOff).says("GET /views/v-1/image", Reply::Stuck);
    let client = tableau.client().within(Duration::from_secs(1));
    let view = "v-1".parse().unwrap();
    let options = ExportOptions::default();
    let cut_off = client.view_image(&view, &options, 1_000).await.unwrap().bytes().await.unwrap_err();
    assert!(matches!(cut_off, Error::Unreachable { .. }), "{cut_off:?}");
    let stuck = client.view_image(&view, &options, 1_000).await.unwrap().bytes().await.unwrap_err();
    assert!(matches!(stuck, Error::OutOfTime { .. }), "{stuck:?}");
}

#[tokio::test]
async fn an_export_that_repeats_the_request_shows_no_secret_in_an_error_or_its_media_type() {
    // The session's token, as the server gives it.
    const TOKEN: &str = "HvZM|5fI6=:_-|a946";
    const CALLS: [&str; 7] = [
        "GET /workbooks/w-1/pdf",
        "GET /workbooks/w-1/powerpoint",
        "GET /workbooks/w-1/previewImage",
        "GET /views/v-1/pdf",
        "GET /views/v-1/image",
        "GET /views/v-1/data",
        "GET /views/v-1/crosstab/excel",
    ];
    let error = format!(r#"{{"error":{{"code":"403105","summary":"{TOKEN}","detail":"{TOKEN}"}}}}"#);
    let html = format!("<html>{TOKEN}</html>");
    let page = vec![("content-type", "text/html".to_owned())];
    let named = vec![("content-type", format!("text/csv; of={TOKEN}"))];
    let data = format!("Region,Token\nEast,{TOKEN}\n").into_bytes();
    for (reply, is_file) in [
        (Reply::Full(403, vec![], error.into_bytes()), false),
        (Reply::Full(400, vec![], TOKEN.as_bytes().to_vec()), false),
        (Reply::Full(404, page.clone(), html.clone().into_bytes()), false),
        (Reply::Full(200, page, html.into_bytes()), false),
        (Reply::Full(302, vec![("location", format!("https://{TOKEN}.example/{TOKEN}"))], vec![]), false),
        (Reply::Full(200, named.clone(), data.clone()), true),
    ] {
        let tableau = Tableau::start().await;
        for call in CALLS {
            tableau.says(call, reply.clone());
        }
        let client = tableau.client();
        let workbook = "w-1".parse().unwrap();
        let view = "v-1".parse().unwrap();
        let options = ExportOptions::default();
        for export in [
            client.workbook_pdf(&workbook, &options, 999).await,
            client.workbook_powerpoint(&workbook, &options, 999).await,
            client.workbook_preview(&workbook, &options, 999).await,
            client.view_pdf(&view, &options, 999).await,
            client.view_image(&view, &options, 999).await,
            client.view_csv(&view, &options, 999).await,
            client.view_crosstab(&view, &options, 999).await,
        ] {
            let shown = match export {
                Err(error) => format!("{} {error:?}", tableau_client::chain(&error)),
                Ok(download) => {
                    assert!(is_file, "{reply:?}");
                    let shown = format!("{download:?} {:?}", download.content_type());
                    assert!(shown.contains("text/csv"), "{shown}");
                    // The exported file is unchanged.
                    assert_eq!(download.bytes().await.unwrap(), data);
                    shown
                }
            };
            assert!(!shown.contains(TOKEN) && !shown.contains("5fI6"), "{reply:?}: {shown}");
        }
    }
}
