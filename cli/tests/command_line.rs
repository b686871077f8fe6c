//! The command line as a person meets it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tableau-webhooks");

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn command(arguments: &[&str]) -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    // Settings of whoever runs the tests must not turn into real destinations.
    let mut command = Command::new(PROGRAM);
    command.args(arguments).args(extra(arguments)).current_dir(root).env_clear();
    command
}

/// The stack takes the binaries that cargo has put beside the program, and no settings of a `.env`.
fn extra(arguments: &[&str]) -> Vec<String> {
    if arguments.first() != Some(&"up") {
        return Vec::new();
    }
    let folder = Path::new(PROGRAM).parent().expect("a folder");
    vec![
        "--binaries".to_owned(),
        folder.display().to_string(),
        "--env-file".to_owned(),
        "no-such.env".to_owned(),
    ]
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Two free ports beyond one that is taken, so that the taken one is the reason.
fn occupied() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[test]
fn the_first_run_shows_the_event_and_the_message_and_ends() {
    let output = run(&["up", "--once", "--port", "0"]);
    let shown = stdout(&output);
    assert!(output.status.success(), "{shown}{}", stderr(&output));
    for part in [
        "token webhook-automations, secret pat-secret-for-local-use, site marketing",
        "event bus        DatasourceRefreshFailed → NotifySlackQueue",
        "DatasourceRefreshFailed accepted, event ",
        "Slack #data-alerts",
        "Extract refresh failed: Sales Orders",
        "Cause – Credentials refused",
        "Ana Ferreira (ana@example.com)",
        "Next step – ",
    ] {
        assert!(shown.contains(part), "no {part} in\n{shown}");
    }
}

#[test]
fn an_occupied_port_is_one_clear_line() {
    let (_listener, port) = occupied();
    let output = run(&["up", "--once", "--port", &port.to_string()]);
    assert_eq!(output.status.code(), Some(1));
    let expected = format!("error: 127.0.0.1:{port} is in use by another process");
    assert!(stderr(&output).starts_with(&expected), "{}", stderr(&output));
    assert_eq!(stderr(&output).lines().count(), 1);
}

#[test]
fn a_bad_flag_says_which() {
    let output = run(&["up", "--prot", "1"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).starts_with("error: unexpected argument '--prot' found"), "{}", stderr(&output));
    let output = run(&["up", "--port", "70000"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_missing_file_is_one_clear_line() {
    let output = run(&["up", "--once", "--template", "no-such.yaml"]);
    assert_eq!(stderr(&output), "error: there is no no-such.yaml here or in a folder above\n");
}

#[test]
fn a_rules_file_is_checked() {
    let output = run(&["rules", "check"]);
    assert_eq!(
        (output.status.code(), stdout(&output).as_str()),
        (Some(0), "rules.yaml: 5 rules; events of every site are taken\n")
    );

    let folder = tempfile::tempdir().unwrap();
    let file: PathBuf = folder.path().join("rules.yaml");
    std::fs::write(&file, "rules:\n  - name: a\n    on: [WorkbookCreatd]\n    do: [{ notify-slack: {} }]\n")
        .unwrap();
    let output = run(&["rules", "check", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let expected = "line 3: `WorkbookCreatd` is no event name; did you mean `WorkbookCreated`?\n";
    assert!(stderr(&output).ends_with(expected), "{}", stderr(&output));

    std::fs::write(&file, "rules:\n  - name: a\n    on: [WorkbookCreated]\n    do: [{ notify-slak: {} }]\n")
        .unwrap();
    let output = run(&["rules", "check", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let expected = "line 4: there is no workflow `notify-slak`; there are: notify-slack, update-broadcast\n";
    assert!(stderr(&output).ends_with(expected), "{}", stderr(&output));
}

#[test]
fn a_payload_can_be_looked_at_before_it_is_sent() {
    let output = run(&["send", "AdminPromoted", "--dry-run"]);
    let payload: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(payload["event_type"], "AdminPromoted");
}

#[test]
fn sending_to_nobody_says_so_without_the_token() {
    let (listener, port) = occupied();
    drop(listener);
    let token = "t".repeat(43);
    let output = run(&["send", "AdminPromoted", "--to", &format!("http://127.0.0.1:{port}/webhook/{token}")]);
    assert_eq!(output.status.code(), Some(1));
    let expected = format!(
        "error: no answer from http://127.0.0.1:{port}/webhook; is the local stack up? `cargo run` starts it\n"
    );
    assert_eq!(stderr(&output), expected);
}

#[test]
fn a_reader_that_goes_away_ends_the_program_without_a_word() {
    for arguments in [&["send", "AdminPromoted", "--dry-run"][..], &["rules", "check"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command(arguments).stdout(writer).stderr(std::process::Stdio::piped()).output().unwrap();
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{arguments:?}");
    }
}
