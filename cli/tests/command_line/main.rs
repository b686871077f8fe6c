//! The command line as a user runs it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod interface;
mod network;
mod rules;
mod settings;

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tableau-webhooks");

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn command(arguments: &[&str]) -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    // The settings of the user who runs the tests must not point the tests to real destinations.
    let mut command = Command::new(PROGRAM);
    command.args(arguments).args(extra(arguments)).current_dir(root).env_clear();
    command.env("XDG_STATE_HOME", env!("CARGO_TARGET_TMPDIR"));
    command
}

/// Runs the local stack with the binaries that cargo built beside the program, and without a `.env` file.
fn extra(arguments: &[&str]) -> Vec<String> {
    if arguments.first() != Some(&"up") {
        return Vec::new();
    }
    let folder = Path::new(PROGRAM).parent().expect("a folder").display().to_string();
    let mut extra = vec!["--binaries".to_owned(), folder];
    if !arguments.contains(&"--env-file") {
        let empty = Path::new(env!("CARGO_TARGET_TMPDIR")).join("empty.env");
        std::fs::write(&empty, "").unwrap();
        extra.extend(["--env-file".to_owned(), empty.display().to_string()]);
    }
    extra
}

/// A rules file with this text; it exists until the returned folder is dropped.
fn rules_file(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.yaml");
    std::fs::write(&file, text).unwrap();
    (folder, file.display().to_string())
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Two free ports beside the occupied port, so that only the occupied port can be the error's cause.
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
        "token webhook-automations, secret ",
        ", site marketing\n",
        "event bus        DatasourceRefreshFailed → ForwardEventQueue, NotifySlackQueue, ",
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
fn a_message_stands_in_the_channel_of_its_rule() {
    let rules = "rules:
  - name: finance
    on: [DatasourceRefreshFailed]
    do: [{ notify-slack: { channel: '#finance-data' } }, { notify-slack: { channel: marketing-data } }]
";
    let (_folder, file) = rules_file(rules);
    for by in ["webhooks", "bot"] {
        let output = run(&["up", "--once", "--port", "0", "--rules", &file, "--slack", by]);
        let shown = stdout(&output);
        assert!(output.status.success(), "{shown}{}", stderr(&output));
        let titles: Vec<&str> = shown.lines().filter_map(|line| line.split("┌─ ").nth(1)).collect();
        let titles: Vec<&str> = titles.iter().map(|title| title.trim_end_matches(['─', ' '])).collect();
        assert_eq!(titles, ["Slack #finance-data", "Slack #marketing-data"], "by {by}");
    }
}

#[test]
fn the_first_run_ends_with_the_digest_that_has_its_event_when_hours_are_quiet() {
    // Quiet hours that cover the whole day, except for one minute twelve hours from now.
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::get("Europe/Berlin").unwrap());
    let begin = now.time().wrapping_add(jiff::SignedDuration::from_hours(12));
    let end = begin.wrapping_sub(jiff::SignedDuration::from_mins(1));
    let rules = format!(
        "rules:
  - name: night
    quiet: {{ from: {}, to: {} }}
    on: [DatasourceRefreshFailed]
    do: [{{ notify-slack: {{ channel: data-alerts }} }}]
",
        begin.strftime("%H:%M"),
        end.strftime("%H:%M"),
    );
    let (_folder, file) = rules_file(&rules);
    let output = run(&["up", "--once", "--port", "0", "--rules", &file]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    let end = stdout(&output).lines().rfind(|line| !line.is_empty()).unwrap_or_default().to_owned();
    assert!(end.starts_with("No message now: the event is in the digest of the quiet hours until "), "{end}");
    let note =
        "in Europe/Berlin here, where the simulated site is; deployed without `sites` they are in UTC\n";
    assert!(stderr(&output).ends_with(note), "{}", stderr(&output));
}

#[test]
fn a_payload_can_be_looked_at_before_it_is_sent() {
    let output = run(&["send", "AdminPromoted", "--dry-run"]);
    let payload: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(payload["event_type"], "AdminPromoted");
}

#[test]
fn what_is_no_url_is_not_repeated_because_it_may_hold_the_token() {
    let token = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfG";
    for url in
        [format!("/{token}"), format!("abc.example.com/webhook/{token}"), format!("http://[::1/{token}")]
    {
        let by_option = command(&["send", "AdminPromoted", "--to", &url]).output().unwrap();
        let by_variable = command(&["send", "AdminPromoted"]).env("WEBHOOK_URL", &url).output().unwrap();
        for output in [by_option, by_variable] {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success() && text.contains("it must begin with https://"), "{text}");
            assert!(!text.contains(token) && output.stdout.is_empty(), "{text}");
        }
    }
}

#[test]
fn sending_to_a_closed_port_says_so_without_the_token() {
    let (listener, port) = occupied();
    drop(listener);
    let token = "t".repeat(43);
    let output = run(&["send", "AdminPromoted", "--to", &format!("http://127.0.0.1:{port}/webhook/{token}")]);
    assert_eq!(output.status.code(), Some(1));
    let expected = format!(
        "error: no answer from http://127.0.0.1:{port}/webhook: 127.0.0.1 refuses the connection: check the address and the port; is the local stack up? `tableau-webhooks up` starts it\n"
    );
    assert_eq!(stderr(&output), expected);
}

#[test]
fn a_reader_that_goes_away_ends_the_program_without_a_word() {
    let up = ["up", "--once", "--port", "0"];
    let send = ["send", "AdminPromoted", "--dry-run"];
    for arguments in [&send[..], &["rules", "check"], &["--help"], &["events", "--help"], &["--version"], &up]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command(arguments).stdout(writer).stderr(std::process::Stdio::piped()).output().unwrap();
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{arguments:?}");
    }
}
