//! The vendors' own clients run against our simulators of the vendors.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "says out loud what it checked, and what it skipped"
)]

mod forward;
mod graph;
mod pagerduty;
mod posts;
mod s3;
mod servicenow;
mod ses;
mod slack;
mod tableau;
mod teams;
mod twilio;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// An environment variable of the test run, such as the path of Python. It is no setting of the product.
fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "a setting of the run")]
    std::env::var(name).ok()
}

/// The Python interpreter with the packages of requirements.txt, if the caller set one.
fn python() -> Option<PathBuf> {
    let python = variable("CONFORMANCE_PYTHON");
    if python.is_none() {
        eprintln!("SKIPPED: CONFORMANCE_PYTHON is not set; `cargo xtask check` sets it");
    }
    python.map(PathBuf::from)
}

/// Runs a Python script of this folder, which prints a line per check.
async fn script(python: &Path, name: &str, arguments: &[impl AsRef<OsStr>]) {
    let mut script = tokio::process::Command::new(python);
    script.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance").join(name)).args(arguments);
    // Python must not write bytecode files into the checkout.
    script.env("PYTHONDONTWRITEBYTECODE", "1");
    let output = script.kill_on_drop(true).output().await.unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
