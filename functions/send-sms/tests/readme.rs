//! The README names tests that there are.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::Path;
use testkit::repository::root;

/// The code below a folder.
fn code(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| if path.is_dir() { code(&path) } else { fs::read_to_string(path).unwrap_or_default() })
        .collect()
}

#[test]
fn each_case_of_the_readme_has_a_test_of_that_name() {
    let folders = [
        "functions/send-sms/tests",
        "shared/destinations/src/twilio",
        "shared/rules/src/settings/send_sms.rs",
    ];
    let all: String = folders
        .iter()
        .map(|folder| root().join(folder))
        .map(|path| if path.is_dir() { code(&path) } else { fs::read_to_string(path).unwrap() })
        .collect();
    let readme = include_str!("../README.md");
    let rows: Vec<&str> = readme.lines().filter(|line| line.starts_with("| D")).collect();
    assert_eq!(rows.len(), 10, "{rows:?}");
    for row in rows {
        let names: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "{row}");
        for name in names {
            assert!(all.contains(&format!("fn {name}()")), "there is no test {name}");
        }
    }
}
