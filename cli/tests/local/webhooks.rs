//! `webhooks` against the local stack: the commands of the docs, as printed.

use crate::{Home, stderr, stdout};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use testkit::repository::root;

/// The lines of a section's commands for the local stack.
fn commands() -> Vec<String> {
    let docs = std::fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let (_, section) = docs.split_once("\n## Webhooks at Tableau\n").expect("the section");
    let (section, _) = section.split_once("\n## ").expect("its end");
    let lines =
        section.lines().filter(|line| line.starts_with("tableau-webhooks ") && line.contains("--local"));
    lines.map(str::to_owned).collect()
}

/// Runs a line as a shell does.
fn shell(home: &Home, line: &str) -> Output {
    let folder = Path::new(crate::PROGRAM).parent().unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).env_clear().env("XDG_STATE_HOME", home.0.path());
    // With --local the variable does not count.
    shell
        .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
        .env("WEBHOOK_URL", "https://elsewhere.example.com/webhook/hunter2");
    shell.output().unwrap()
}

#[test]
fn the_commands_of_the_docs_work_as_printed_and_print_no_token() {
    let home = Home::new();
    let mut up = home.coming_up(&[]);
    up.show("everything is up after");
    up.show("Routes of the API");
    let token = up.token();
    let commands = commands();
    assert!(commands.len() >= 8, "{commands:?}");
    let mut shown = String::new();
    for command in &commands {
        let output = shell(&home, command);
        assert_eq!(output.status.code(), Some(0), "{command}: {}{}", stdout(&output), stderr(&output));
        assert!(!stdout(&output).is_empty(), "{command}");
        shown.push_str(&(stdout(&output) + &stderr(&output)));
    }
    for never in [token.as_str(), "hunter2", "elsewhere", "token="] {
        assert!(!shown.contains(never), "{never}: {shown}");
    }
    // The local stack has registered what its rules need.
    assert!(shown.contains("local DatasourceRefreshFailed #4cf0306b"), "{shown}");
    assert!(
        shown.contains("(from the stack `local`)") && shown.contains("Keep disabled: too many messages\n"),
        "{shown}"
    );
    assert!(shown.contains("\nnext step: see whether the destination answers, then enable:\n"), "{shown}");
    assert!(shown.contains("    {\"status\":\"test\"}\n"), "{shown}");

    // The stack takes the events of another one.
    let created = home.run(&["webhooks", "create", "WorkbookRefreshStarted", "--local", "--json"]);
    let webhook: Value = serde_json::from_str(&stdout(&created)).unwrap();
    assert_eq!(webhook["result"], "created", "{}", stderr(&created));
    let tested = home.run(&["webhooks", "test", webhook["luid"].as_str().unwrap(), "--local", "--json"]);
    let tested: Value = serde_json::from_str(&stdout(&tested)).unwrap();
    assert_eq!((&tested["status"], &tested["answer"]["status"]), (&Value::from(200), &Value::from("test")));
    // The token is another one now, which `send` finds.
    let sent = home.run(&["send", "AdminPromoted"]);
    assert!(stdout(&sent).contains("\n202 "), "{}{}", stdout(&sent), stderr(&sent));
    let unknown = home.run(&["webhooks", "test", "no such", "--local"]);
    assert!(stderr(&unknown).starts_with("error: there is no webhook `no such`; "), "{}", stderr(&unknown));
    assert_eq!(unknown.status.code(), Some(1));
}
