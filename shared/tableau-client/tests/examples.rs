//! One example per REST resource: each is run as a program against the simulator.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use simulator::TableauSimulator;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// How long an example may run.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The longest example, in lines.
const LONGEST: usize = 40;

/// The output of each example; `*` stands for parts that differ from run to run.
const PRINTED: &[(&str, &[&str])] = &[
    ("broadcasts", &["Overview is public"]),
    ("connections", &["Sales Orders reads from snowflake at *"]),
    ("datasources", &["certified: true, Checked against the ledger", "certified: false"]),
    ("exports", &["application/pdf, * bytes", "Region,Sales"]),
    (
        "find",
        &[
            "data source Finance/Month End/General Ledger: 4cdd2055-*",
            "workbook Sales/Superstore: 5998aaaf-*",
            "there is no workbook, data source or flow `Superstore` in the project Finance; there is Sales/Superstore",
            "there is no workbook `Superstor`; near names: Sales/Superstore",
        ],
    ),
    ("flows", &["Clean Customers: Success *"]),
    (
        "groups",
        &[
            "ana@example.com is in All Users",
            "ana@example.com is in Finance Analysts",
            "ana@example.com is in Data Stewards",
        ],
    ),
    (
        "jobs",
        &[
            "General Ledger: *Login failed for user *",
            "Inventory Positions: *Connection refused",
            "Customer Master: Tableau Bridge: *",
            "Sales Orders: *",
            "Shipments: *",
            "Superstore: *",
            "Pipeline Review: *",
        ],
    ),
    ("labels", &["certified: Reviewed by the sales data stewards", "stale: The warehouse is being moved"]),
    ("metadata", &["feeds Pipeline Review", "feeds Superstore", "in \"Sales\""]),
    (
        "projects",
        &[
            "Finance/Cash Flow Forecast",
            "Operations/Delivery Punctuality",
            "Finance/Month End/Month-End Close",
            "Sales/Pipeline Review",
            "Finance/R&D <Spend> | Q3 *",
            "Sales/Superstore",
            "Operations/Warehouse Throughput",
            "Finance/Month End is *",
        ],
    ),
    ("quality_warnings", &["STALE: The refresh has failed since Monday", "0 left"]),
    ("recycle_bin", &["Old Forecast: the Recycle Bin does not show it; *"]),
    ("refreshes", &["refreshed"]),
    ("sites", &["Tableau *, REST API up to 3.*", "Marketing at /site/marketing, *"]),
    ("tags", &["Superstore: critical, broadcast, month end"]),
    ("tasks", &["12 scheduled refreshes", "running: true"]),
    (
        "users",
        &[
            "Ana Ferreira, Creator, ana@example.com",
            "Bea Larsson, SiteAdministratorCreator, bea@example.com",
            "Jonas Weber, Creator, jonas@example.com",
            "Marcus O'Brien, Creator, marcus@example.com",
            "Priya Nair, ExplorerCanPublish, priya@example.com",
            "Yuki Tanaka, Viewer, yuki@example.com",
        ],
    ),
    ("views", &["Overview, owned by Ana Ferreira"]),
    ("webhooks", &["failed refreshes: on: false", "failed refreshes: on: true", "0 left"]),
    (
        "workbooks",
        &[
            "Month-End Close in Month End",
            "- Close Checklist",
            "- Accruals",
            "Superstore in Sales",
            "- Overview",
            "- Returns by Region",
        ],
    ),
];

fn binary(example: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap().join("examples");
    let binary = folder.join(example);
    assert!(binary.is_file(), "first: cargo build --workspace --examples");
    binary
}

/// The names of the Rust files and folders in a folder of this crate.
fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
    let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    entries.map(|entry| stem(entry.unwrap().path())).collect()
}

fn is_like(line: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        Some((before, after)) => line.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().any(|(at, _)| is_like(&rest[at..], after)) || is_like("", after)
        }),
        None => line == pattern,
    }
}

#[test]
fn each_rest_resource_has_a_short_example() {
    let mut resources = names("src/resources");
    resources.remove("mod");
    // It looks in several resources.
    resources.insert("find".to_owned());
    let shown: BTreeSet<String> = PRINTED.iter().map(|(example, _)| (*example).to_owned()).collect();
    assert_eq!(shown, resources);
    for resource in resources {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/{resource}.rs"));
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= LONGEST, "{}: {lines} lines", file.display());
    }
}

#[tokio::test]
async fn each_example_prints_what_it_says_it_does() {
    for (example, printed) in PRINTED {
        let simulator = TableauSimulator::sample();
        let simulator = simulator.refreshes_take(Duration::from_millis(100)).start().await.unwrap();
        let mut command = Command::new(binary(example));
        command.arg(simulator.url()).kill_on_drop(true).stdin(Stdio::null());
        let output = tokio::time::timeout(TIMEOUT, command.output()).await.unwrap().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{example}: {stderr}");
        let lines: Vec<&str> = stdout.lines().collect();
        let fits = lines.len() == printed.len()
            && lines.iter().zip(*printed).all(|(line, pattern)| is_like(line, pattern));
        assert!(fits, "{example} printed {lines:#?}, not {printed:#?}");
        assert_eq!(stderr, "", "{example}");
    }
}

#[tokio::test]
async fn an_example_that_fails_says_why_and_ends_with_an_error() {
    let output = Command::new(binary("sites")).arg("tableau.example.com").output().await.unwrap();
    assert!(!output.status.success());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr, "the Tableau server's address must begin with https://\n");
}
