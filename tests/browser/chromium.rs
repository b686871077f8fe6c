//! Runs the Chromium browser.

use std::path::PathBuf;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::process::{Child, Command};

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The path of Chromium; `None` and a printed note when it is not installed.
pub(crate) fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut candidates = NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let found = candidates.find(|candidate| candidate.is_file());
    if found.is_none() {
        let message = "there is no Chromium: install it, on Debian with `apt-get install chromium`";
        assert!(std::env::var_os("BROWSER_REQUIRED").is_none(), "{message}");
        testkit::dynamodb::say(&format!("SKIPPED: {message}"));
    }
    found
}

/// A running browser. It is closed when dropped.
pub(crate) struct Chromium {
    child: Child,
    _profile: TempDir,
}

impl Chromium {
    /// Opens `url`. The host name `site` resolves to this machine; no other name resolves.
    pub(crate) async fn start(program: &PathBuf, site: &str, url: &str) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        command.args([
            "--headless",
            // Root has no sandbox, and the browser only opens this test's own pages.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ]);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        command.arg(format!("--host-resolver-rules=MAP {site} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"));
        command.arg(url);
        // The browser gets its own process group, since it consists of several processes.
        command.process_group(0).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { child: command.spawn().unwrap(), _profile: profile }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        if let Some(id) = self.child.id() {
            let _ = std::process::Command::new("kill").args(["-KILL", "--", &format!("-{id}")]).status();
        }
    }
}
