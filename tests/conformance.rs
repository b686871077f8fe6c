//! Our doubles of vendors, met by clients that the vendors wrote.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "says out loud what it checked, and what it skipped"
)]

use serde_json::Value;
use std::path::{Path, PathBuf};
use testkit::simulator::{SlackFault, SlackRecorder};
use testkit::{Batch, Stage, fixtures};

/// The Python with the packages of requirements.txt, if the caller has one.
fn python() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "where Python is, is a matter of the run, not of the code")]
    let python = std::env::var("CONFORMANCE_PYTHON").ok();
    if python.is_none() {
        eprintln!("SKIPPED: CONFORMANCE_PYTHON is not set; `cargo xtask check` sets it");
    }
    python.map(PathBuf::from)
}

fn binary(name: &str) -> PathBuf {
    let ours = std::env::current_exe().unwrap();
    ours.parent().and_then(Path::parent).expect("target/debug/deps/conformance-…").join(name)
}

/// What notify-slack posts about every event there is.
async fn messages(stage: &Stage) -> Vec<Value> {
    let function = stage.queued("notify-slack", binary("notify-slack"));
    for file in std::fs::read_dir(fixtures::root().join("events/tableau")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        if let Some(name) = name.strip_suffix(".json") {
            assert!(function.failures(&Batch::of_fixture(name)).await.is_empty(), "{name}");
        }
    }
    let odd = fixtures::bytes("tableau/odd/resource-name-markup.json");
    assert!(function.failures(&Batch::default().message(&String::from_utf8(odd).unwrap())).await.is_empty());
    stage.slack.messages().into_iter().map(|message| message.raw).collect()
}

/// Runs a part of `conformance/slack.py`, which prints a line per check.
async fn slack_script(python: &Path, arguments: &[&str]) {
    let mut script = tokio::process::Command::new(python);
    script.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/slack.py")).args(arguments);
    let output = script.kill_on_drop(true).output().await.unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn slacks_own_client_finds_in_the_recorder_what_it_expects() {
    let Some(python) = python() else { return };
    let slack = SlackRecorder::start().await.unwrap();
    slack_script(&python, &["webhook", &slack.webhook_url()]).await;
    slack.fail_next(1, SlackFault::RateLimited { retry_after: 1 });
    slack_script(&python, &["web-api", &slack.api_url(), &slack.token(), "data-alerts"]).await;
}

#[tokio::test]
async fn slacks_own_models_take_our_messages() {
    let Some(python) = python() else { return };
    let stage = Stage::start().await;
    let messages = messages(&stage).await;
    assert!(messages.len() >= 22, "{}", messages.len());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), Value::from(messages).to_string()).unwrap();
    slack_script(&python, &["models", file.path().to_str().unwrap()]).await;
}
