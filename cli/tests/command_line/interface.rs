//! The command line's conventions: exit codes, completions, examples.

use crate::{command, occupied, run, stderr, stdout};
use std::path::Path;
use std::process::{Command, Stdio};

/// The exit codes that a help text documents: lines with a number and then words.
fn codes(text: &str, mark: char) -> Vec<i32> {
    let lines = text.lines().map(|line| line.trim_start_matches([mark, ' ']));
    lines.filter_map(|line| line.split_once([' ', mark])?.0.parse().ok()).collect()
}

#[test]
fn exit_codes_are_as_help_and_the_docs_say() {
    let help = stdout(&run(&["--help"]));
    let (_, of_help) = help.split_once("Exit codes:\n").expect("exit codes");
    assert_eq!(codes(of_help, ' '), [0, 1, 2, 3, 4, 130]);
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let (_, of_docs) = docs.split_once("| Exit code |").expect("a table");
    let (of_docs, _) = of_docs.split_once("\n\n").expect("its end");
    assert_eq!(codes(of_docs, '|'), [0, 1, 2, 3, 4, 130]);

    let (listener, port) = occupied();
    drop(listener);
    for (arguments, expected) in [
        (&["send", "AdminPromoted", "--dry-run"][..], 0),
        (&["rules", "check"], 0),
        (&["--help"], 0),
        (&["--version"], 0),
        (&["completions", "bash"], 0),
        (&["rules", "check", "no-such.yaml"], 1),
        (&["send", "NoSuchEvent"], 1),
        (&["send", "AdminPromoted", "--to", &format!("http://127.0.0.1:{port}/webhook")], 1),
        (&["events", "list", "--local", "--endpoint-url", "http://127.0.0.1:1"], 1),
        (&["events", "lst"], 2),
        (&["events", "show"], 2),
        (&["events", "list", "--limit", "x"], 2),
        (&["send", "AdminPromoted", "--local", "--to", "http://127.0.0.1:1/webhook"], 2),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(expected), "{arguments:?}: {}", stderr(&output));
        assert_eq!(stderr(&output).is_empty(), expected == 0, "{arguments:?}");
    }
}

/// Whether this shell is installed.
fn is_there(shell: &str) -> bool {
    Command::new(shell).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

#[test]
fn completions_are_printed_for_each_shell_and_name_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let output = run(&["completions", shell]);
        let script = stdout(&output);
        assert!(output.status.success(), "{shell}: {}", stderr(&output));
        for word in ["send", "events", "dead-letters", "redrive", "rules", "completions", "outcome", "local"]
        {
            assert!(script.contains(word), "{shell}: no {word}");
        }
    }
    let unknown = run(&["completions", "cmd"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        stderr(&unknown).contains("bash") && stderr(&unknown).contains("powershell"),
        "{}",
        stderr(&unknown)
    );
}

#[test]
fn bash_completes_commands_and_outcomes_with_the_script() {
    if !is_there("bash") {
        return;
    }
    let script = stdout(&run(&["completions", "bash"]));
    let function =
        script.lines().find_map(|line| line.trim().strip_prefix("complete -F ")).expect("a function");
    let function = function.split(' ').next().unwrap();
    for (words, expected) in [
        ("tableau-webhooks ev", "events"),
        ("tableau-webhooks events dead-letters re", "redrive"),
        ("tableau-webhooks events list --outcome fai", "failed"),
    ] {
        let count = words.split(' ').count();
        let asks = format!(
            "{script}\nCOMP_WORDS=({words}); COMP_CWORD={}; COMP_LINE='{words}'; {function} tableau-webhooks '{}' '{}'; \
             echo \"${{COMPREPLY[*]}}\"",
            count - 1,
            words.rsplit(' ').next().unwrap(),
            words.rsplit(' ').nth(1).unwrap(),
        );
        // It is longer than an argument may be.
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), asks).unwrap();
        let output = Command::new("bash").arg("--norc").arg(file.path()).output().unwrap();
        assert_eq!(stdout(&output).trim(), expected, "{words}: {}", stderr(&output));
    }
}

#[test]
fn help_is_coloured_as_the_option_says_wherever_it_stands() {
    for (arguments, expected) in [
        (&["--help"][..], false),
        (&["--color", "always", "--help"], true),
        (&["--color=always", "events", "--help"], true),
        (&["events", "list", "--help", "--color", "always"], true),
        (&["--color", "never", "events", "--help"], false),
    ] {
        let shown = stdout(&run(arguments));
        assert_eq!(shown.contains('\u{1b}'), expected, "{arguments:?}: {shown}");
        assert!(shown.contains("Examples:"), "{arguments:?}: {shown}");
    }
    let error = stderr(&run(&["--color", "always", "events", "lst"]));
    assert!(error.contains('\u{1b}'), "{error}");
    let wrong = run(&["--color", "sometimes", "events", "list"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", stderr(&wrong));
}

#[test]
fn commands_in_sentences_are_those_that_the_user_typed() {
    let home = tempfile::tempdir().unwrap();
    let mut command = command(&["events", "list", "--local"]);
    command.env("XDG_STATE_HOME", home.path());
    let installed = stderr(&command.output().unwrap());
    assert!(installed.ends_with("; `tableau-webhooks up` starts one\n"), "{installed}");
    let in_clone = stderr(&command.env("TABLEAU_WEBHOOKS_TYPED_AS", "cargo run --").output().unwrap());
    assert!(in_clone.ends_with("; `cargo run` starts one\n"), "{in_clone}");
}

#[test]
fn the_docs_name_the_command_and_say_in_one_place_how_to_run_it_from_a_clone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    // The first commands in the README are for a clone of the repository, and run there as printed.
    for file in ["docs/operations.md", "docs/security.md", "events/README.md", "rules.yaml"] {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        let commands =
            ["events", "send", "rules", "table", "…"].map(|command| format!("cargo run -- {command}"));
        let lines =
            text.lines().filter(|line| commands.iter().any(|command| line.contains(command.as_str())));
        found.extend(lines.map(|line| format!("{file}: {line}")));
    }
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with("docs/operations.md: "), "{found:#?}");
}
