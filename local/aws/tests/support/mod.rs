//! Helpers for the tests of this crate.

#![expect(clippy::unwrap_used, reason = "helpers of tests are not known for such")]

use std::path::PathBuf;

/// The folder with the binary of the example `echo-bootstrap`. `cargo test` builds it beside the tests.
pub(crate) fn binaries() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(|deps| deps.parent()).unwrap().join("examples");
    let binary = folder.join(format!("echo-bootstrap{}", std::env::consts::EXE_SUFFIX));
    assert!(binary.is_file(), "first: cargo build -p local-aws --example echo-bootstrap");
    folder
}
