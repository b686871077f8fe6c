//! How much memory a large file takes.

use crate::support::{BINARY, event, handed, logs, only, with};
use std::fs;
use std::time::{Duration, Instant};
use testkit::Function;
use testkit::simulator::{ExportShape, GraphFault, Workbook};

/// The most memory that the function may have had at any time, in MiB.
const LIMIT: u64 = 40;
/// In a build without optimisation, the code of the SDK of S3 alone takes some MiB more.
const LIMIT_TO_S3: u64 = if cfg!(debug_assertions) { 44 } else { LIMIT };
const SIZE_BYTES: u64 = 200_000_000;

#[tokio::test]
async fn two_hundred_megabytes_pass_through_forty_and_go_on_after_a_broken_upload() {
    let environment = with("{ to: sharepoint, folder: '' }").await;
    let shape = ExportShape { padding_bytes: SIZE_BYTES, ..ExportShape::default() };
    environment.tableau.shape_exports("*", shape);
    let function = environment.queued_for("publish-pdf", BINARY, Duration::from_secs(300));
    environment.graph.fail_next("piece", 20, GraphFault::Slow(Duration::ZERO));
    environment.graph.fail_next("piece", 1, GraphFault::AnswerLost);
    let event = event(&environment, Workbook::named("Sales").with_tabs().with_view("Overview"));
    let began = Instant::now();

    assert!(!handed(&function, &event).await, "{}", logs(&environment, &function));

    let sent = only(&environment).sent_bytes;
    let pieces = environment.graph.count("piece");
    within_the_limit(&function, "SharePoint", LIMIT, sent, pieces, began);
    assert!(environment.graph.count("ask") == 1 && environment.graph.count("create") == 1);
}

#[tokio::test]
async fn two_hundred_megabytes_pass_through_forty_to_s3() {
    let environment = with("{ to: s3, bucket: reports, folder: '' }").await;
    environment.aws.create_bucket("reports");
    let shape = ExportShape { padding_bytes: SIZE_BYTES, ..ExportShape::default() };
    environment.tableau.shape_exports("*", shape);
    let function = environment.queued_for("publish-pdf", BINARY, Duration::from_secs(300));
    let event = event(&environment, Workbook::named("Sales").with_tabs().with_view("Overview"));
    let began = Instant::now();

    assert!(!handed(&function, &event).await, "{}", logs(&environment, &function));

    let objects = environment.aws.objects();
    within_the_limit(&function, "S3", LIMIT_TO_S3, objects[0].content.len() as u64, objects[0].parts, began);
}

/// Checks the most memory that the process has had, and prints it.
#[expect(clippy::print_stdout, reason = "the figures are the result of the test")]
fn within_the_limit(
    function: &Function,
    service: &str,
    limit: u64,
    sent: u64,
    pieces: usize,
    began: Instant,
) {
    let seconds = began.elapsed().as_secs_f64();
    let status = fs::read_to_string(format!("/proc/{}/status", function.process().pid().unwrap())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().trim_end_matches("kB").trim().parse().unwrap();
    println!(
        "publish-pdf to {service}: {sent} bytes in {seconds:.1} s, {pieces} pieces, peak memory {:.1} MiB of {limit} MiB",
        peak as f64 / 1024.0,
    );
    assert!(sent > SIZE_BYTES && peak <= limit * 1024, "{sent} bytes, {peak} KiB");
}
