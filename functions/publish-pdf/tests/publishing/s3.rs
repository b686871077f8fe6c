//! PDF files in Amazon S3.

use crate::support::{BINARY, event, handed, logs, rules, with};
use testkit::TestEnvironment;
use testkit::simulator::{ExportShape, Workbook};

fn sales() -> Workbook {
    Workbook::named("Sales & Costs: 100 %").in_project("Finance").with_tabs().with_view("Overview")
}

#[tokio::test]
async fn a_bucket_needs_no_secret_of_sharepoint() {
    let environment = with("{ to: s3, bucket: reports }").await;
    environment.aws.create_bucket("reports");
    let function = environment.queued_with("publish-pdf", BINARY, &[("SHAREPOINT_SECRET", "no-such-secret")]);
    let event = event(&environment, sales());
    assert!(!handed(&function, &event).await, "{}", logs(&environment, &function));
    assert_eq!(environment.aws.objects().len(), 1);
}

#[tokio::test]
async fn a_small_file_is_an_object_of_its_bucket() {
    let environment =
        with(r#"{ to: s3, bucket: reports, folder: "pdf/{project}", name: "{workbook} {luid}" }"#).await;
    environment.aws.create_bucket("reports");
    let function = environment.queued("publish-pdf", BINARY);
    let event = event(&environment, sales());
    assert!(!handed(&function, &event).await, "{}", logs(&environment, &function));
    assert!(!handed(&function, &event).await);
    let objects = environment.aws.objects();
    assert_eq!((objects.len(), objects[0].parts, objects[0].versions), (1, 0, 1));
    assert!(objects[0].key.starts_with("pdf/Finance/Sales & Costs_ 100 _ "), "{}", objects[0].key);
    assert!(objects[0].content.starts_with(b"%PDF-") && objects[0].content_type == "application/pdf");
    assert_eq!(environment.graph.calls().len(), 0);
}

// E20
#[tokio::test]
async fn a_large_file_goes_in_parts_and_one_that_breaks_off_leaves_nothing() {
    let environment = with("{ to: s3, bucket: reports, folder: '' }").await;
    environment.aws.create_bucket("reports");
    environment
        .tableau
        .shape_exports("*", ExportShape { padding_bytes: 12_000_000, ..ExportShape::default() });
    let function = environment.queued("publish-pdf", BINARY);
    let event = event(&environment, Workbook::named("Sales").with_tabs());
    environment.aws.fail_parts_after(Some(1));
    assert!(handed(&function, &event).await);
    assert_eq!((environment.aws.objects().len(), environment.aws.open_uploads()), (0, 0));
    let said = logs(&environment, &function);
    assert!(
        said.contains("S3 did not take a part, with status 503") && said.contains(r#""outcome":"transient""#),
        "{said}"
    );

    environment.aws.fail_parts_after(None);
    environment.change_documents("circuit", |circuit| *circuit = serde_json::json!({}));
    let function = environment.queued("publish-pdf", BINARY);
    assert!(!handed(&function, &event).await, "{}", logs(&environment, &function));
    let objects = environment.aws.objects();
    assert_eq!((objects.len(), objects[0].parts, objects[0].key.as_str()), (1, 3, "Sales.pdf"));
    assert!(objects[0].content.len() > 12_000_000 && objects[0].content.trim_ascii_end().ends_with(b"%%EOF"));
}

#[tokio::test]
async fn a_bucket_that_is_not_there_or_not_allowed_is_a_person_to_help_and_others_get_their_file() {
    for (bucket, said_of) in [
        ("foreign", "add arn:aws:s3:::foreign/* to the parameter PdfObjectArns"),
        ("missing", "there is no bucket `missing`"),
    ] {
        let all = rules(&[
            &format!("{{ to: s3, bucket: {bucket} }}"),
            "{ to: s3, bucket: reports }",
            "{ to: sharepoint }",
        ]);
        let environment = TestEnvironment::with_rules(&all).await;
        environment.aws.create_bucket("reports");
        environment.aws.create_foreign_bucket("foreign");
        let function = environment.queued("publish-pdf", BINARY);
        assert!(handed(&function, &event(&environment, sales())).await);
        let said = logs(&environment, &function);
        assert!(said.contains(said_of) && said.contains(r#""outcome":"misconfigured""#), "{said}");
        assert_eq!((environment.aws.objects().len(), environment.graph.files().len()), (1, 1));
        assert_eq!(environment.tableau.calls("GET */pdf"), 1);
    }
}
