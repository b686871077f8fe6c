//! How much memory a large file takes.

use crate::support::{BINARY, event, handed, logs, only, with};
use std::fs;
use std::time::{Duration, Instant};
use testkit::simulator::{ExportShape, GraphFault, Workbook};

/// The most memory that the function may have had at any time.
const LIMIT_KIB: u64 = 40 * 1024;
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

    let seconds = began.elapsed().as_secs_f64();
    let status = fs::read_to_string(format!("/proc/{}/status", function.process().pid().unwrap())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().trim_end_matches("kB").trim().parse().unwrap();
    let sent = only(&environment).sent_bytes;
    println!(
        "publish-pdf: {sent} bytes in {seconds:.1} s, {} pieces, peak memory {:.1} MiB of {} MiB",
        environment.graph.count("piece"),
        peak as f64 / 1024.0,
        LIMIT_KIB / 1024
    );
    assert!(
        sent > SIZE_BYTES && environment.graph.count("ask") == 1 && environment.graph.count("create") == 1
    );
    assert!(peak <= LIMIT_KIB, "{peak} KiB");
}
