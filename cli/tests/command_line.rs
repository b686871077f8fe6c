//! The command line as a person meets it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::net::TcpListener;
use std::path::Path;
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
    command.env("XDG_STATE_HOME", env!("CARGO_TARGET_TMPDIR"));
    command
}

/// The stack takes the binaries that cargo has put beside the program, and no settings of a `.env`.
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

/// A rules file with this text, for as long as the folder is there.
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
        "token webhook-automations, secret ",
        ", site marketing\n",
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
fn a_message_that_waits_for_quiet_hours_to_end_is_what_the_first_run_ends_with() {
    // Quiet hours that it is always in, but in the minute before they begin anew, twelve hours from now.
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
    assert!(end.starts_with("No message now; by the rules it waits until "), "{end}");
    let note =
        "in Europe/Berlin here, where the simulated site is; deployed without `sites` they are in UTC\n";
    assert!(stderr(&output).ends_with(note), "{}", stderr(&output));
}

#[test]
fn settings_that_have_no_use_are_told_and_a_file_of_them_has_to_be_there() {
    let missing = run(&["up", "--once", "--port", "0", "--env-file", "no-such.env"]);
    assert_eq!(
        (missing.status.code(), stderr(&missing).as_str()),
        (Some(1), "error: there is no no-such.env\n")
    );
    let output = command(&["up", "--once", "--port", "0"]).env("TABLEAU_SITE", "marketing").output().unwrap();
    assert_eq!(stderr(&output), "note: TABLEAU_SITE is not used: TABLEAU_SERVER_URL is not set\n");
    let both = command(&["up", "--once", "--port", "0", "--slack", "bot"])
        .env("SLACK_BOT_TOKEN", "xoxb-nobodys")
        .output()
        .unwrap();
    assert_eq!(stderr(&both), "error: --slack is for the simulated Slack, and SLACK_BOT_TOKEN is set\n");
}

/// What is said on standard error with this as the file of settings. The file is called `.env` there, wherever it is.
fn with_settings(text: impl AsRef<[u8]>) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(".env");
    std::fs::write(&file, text).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let file = file.display().to_string();
    let output = run(&["up", "--once", "--port", "0", "--env-file", &file]);
    (output.status.code(), stderr(&output).replace(&file, ".env"))
}

#[test]
fn a_misspelt_setting_is_told_with_the_nearest_known_name() {
    let (code, told) = with_settings("SLACK_BOT_TOKN=hunter2\nAWS_PROFILE=ours\nTABLEAU_SERVR_URL=hunter2\n");
    let expected = "warning: .env:1: `SLACK_BOT_TOKN` is not known; did you mean SLACK_BOT_TOKEN?\n\
                    warning: .env:3: `TABLEAU_SERVR_URL` is not known; did you mean TABLEAU_SERVER_URL?\n";
    assert_eq!((code, told.as_str()), (Some(0), expected));
}

// 11-B12
#[test]
fn a_pasted_setting_is_cleaned_or_told_by_name() {
    // A mark before the first name, CRLF, and blanks: the name is known all the same.
    let mark = with_settings("\u{feff}TABLEAU_SITE=\" marketing \"\r\n");
    assert_eq!(mark, (Some(0), "note: TABLEAU_SITE is not used: TABLEAU_SERVER_URL is not set\n".to_owned()));
    for (text, expected) in [
        (
            "SLACK_BOT_TOKEN=\"xoxb-1\nhunter2\"\n",
            "error: .env:1: SLACK_BOT_TOKEN: `bot_token` has a line break in it: write it on one line\n",
        ),
        (
            "\nSLACK_WEBHOOK_URL=hunter2\n",
            "error: .env:2: SLACK_WEBHOOK_URL: `webhook_urls`: the URL of `default` is not a URL\n",
        ),
        (
            "TABLEAU_SERVER_URL=https://x.example\nTABLEAU_TOKEN_NAME=n\nTABLEAU_TOKEN_SECRET='hunter2 x'\n",
            "error: .env:2: TABLEAU_TOKEN_NAME and .env:3: TABLEAU_TOKEN_SECRET: `token_secret` of the credential has a \
             space, a line break or another character that Tableau does not use there: paste it anew\n",
        ),
    ] {
        assert_eq!(with_settings(text), (Some(1), expected.to_owned()));
    }
}

// 12-C
#[test]
fn a_setting_for_slack_that_slack_gives_to_nobody_is_refused_at_the_start_without_its_value() {
    for (text, expected) in [
        (
            "SLACK_BOT_TOKEN=hunter2\n",
            "error: .env:1: SLACK_BOT_TOKEN: this is no bot token; a bot token begins with xoxb- and is on the app's page \
             “OAuth & Permissions”\n",
        ),
        (
            "# mine\nSLACK_BOT_TOKEN=https://hooks.slack.com/services/hunter2\n",
            "error: .env:2: SLACK_BOT_TOKEN: this is a URL; the URL of an incoming webhook goes into SLACK_WEBHOOK_URL\n",
        ),
        (
            "SLACK_WEBHOOK_URL=xoxb-hunter2\n",
            "error: .env:1: SLACK_WEBHOOK_URL: this is a token; a bot token goes into SLACK_BOT_TOKEN\n",
        ),
        (
            "SLACK_WEBHOOK_URL=https://example.com/hunter2\n",
            "error: .env:1: SLACK_WEBHOOK_URL: this is no incoming webhook of Slack; its URL begins with \
             https://hooks.slack.com/services/\n",
        ),
    ] {
        assert_eq!(with_settings(text), (Some(1), expected.to_owned()));
    }
    let of_environment =
        command(&["up", "--once", "--port", "0"]).env("SLACK_BOT_TOKEN", "hunter2").output().unwrap();
    let told = stderr(&of_environment);
    assert!(told.starts_with("error: SLACK_BOT_TOKEN: this is no bot token; "), "{told}");
}

// 12-C
#[test]
fn a_wrong_line_of_the_settings_is_named_with_its_number_and_without_what_it_holds() {
    for (text, expected) in [
        ("TABLEAU_SITE=a\nhunter2\n", "error: .env:2: this is not NAME=value\n"),
        (
            "# mine\nTABLEAU_TOKEN_SECRET=hunter2 x\n",
            "error: .env:2: a value with a space goes between single quotes: NAME='value'\n",
        ),
        (
            "SLACK_BOT_TOKEN='hunter2\nTABLEAU_SITE=a\n",
            "error: .env:1: the quotation mark that begins the value is not closed: end the value with the same mark\n",
        ),
    ] {
        assert_eq!(with_settings(text), (Some(1), expected.to_owned()));
    }
    let (code, told) = with_settings(b"TABLEAU_SITE=\xff\n");
    assert_eq!((code, told.as_str()), (Some(1), "error: .env is not UTF-8 text: save it as UTF-8\n"));
}

#[test]
fn a_file_of_settings_that_is_far_too_large_is_not_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.env");
    std::fs::File::create(&file).unwrap().set_len(10_000_000_000).unwrap();
    let file = file.display().to_string();
    let output = run(&["up", "--once", "--port", "0", "--env-file", &file]);
    assert_eq!(stderr(&output), format!("error: cannot read {file}: it is larger than 1 MiB\n"));
}

#[test]
fn sites_of_a_rules_file_with_a_byte_order_mark_are_seen() {
    let sites = "\u{feff}sites: []\r\nrules:\r\n  - name: a\r\n    on: [DatasourceRefreshFailed]\r\n    do: [{ notify-slack: { \
                 channel: data-alerts } }]\r\n";
    let (_folder, file) = rules_file(sites);
    let output = run(&["up", "--once", "--port", "0", "--rules", &file]);
    assert!(stdout(&output).contains("Slack #data-alerts"), "{}{}", stdout(&output), stderr(&output));
}

#[test]
fn the_shipped_rules_are_right_wherever_one_stands() {
    for folder in [".", "docs"] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let output = command(&["rules", "check"]).current_dir(root.join(folder)).output().unwrap();
        let told = (output.status.code(), stdout(&output), stderr(&output));
        let expected = "rules.yaml: 4 rules; events of every site are taken\n";
        assert_eq!(told, (Some(0), expected.to_owned(), String::new()), "in {folder}");
    }
    let missing = run(&["rules", "check", "no-such.yaml"]);
    assert_eq!(stderr(&missing), "error: there is no no-such.yaml here or in a folder above\n");
}

#[test]
fn what_is_wrong_in_a_rules_file_is_told_with_file_and_line() {
    for (does, expected) in [
        (
            "on: [WorkbookCreatd], do: [{ notify-slack: { channel: a } }]",
            "line 2: `WorkbookCreatd` is no event name; did you mean `WorkbookCreated`?",
        ),
        (
            "on: [WorkbookCreated], do: [{ notify-slak: {} }]",
            "line 2: there is no workflow `notify-slak`; did you mean `notify-slack`?",
        ),
        (
            "on: [WorkbookCreated], do: [{ notify-slack: { chanel: data } }]",
            "line 2, rule `a`: unknown field `chanel`; did you mean `channel`?",
        ),
        ("on: [WorkbookCreated], do: [{ notify-slack: {} }]", "line 2, rule `a`: missing field `channel`"),
        (
            "on: [WorkbookUpdated], do: [{ update-broadcast: { tabs: 1 } }]",
            "line 2, rule `a`: tabs: write true or false, not `1`",
        ),
        // 13, step 6
        (
            "on: [WorkbookCreated], do: [{ notify-slack: { channel: ' ' } }]",
            "line 2, rule `a`: channel: it is empty: write a channel's name, such as data-alerts",
        ),
        (
            "on: [SiteUpdated], do: [{ update-broadcast: {} }]",
            "line 2, rule `a`: update-broadcast never acts on SiteUpdated; it acts on WorkbookRefreshSucceeded and \
             WorkbookUpdated",
        ),
        (
            "quiet: {}, on: [WorkbookCreated], do: [{ notify-slack: { channel: a } }]",
            "line 2: rules[0].quiet: write both times: { from: 19:00, to: 08:00 }",
        ),
    ] {
        let (_folder, file) = rules_file(&format!("rules:\n  - {{ name: a, {does} }}\n"));
        let output = run(&["rules", "check", &file]);
        let told = (output.status.code(), stderr(&output));
        assert_eq!(told, (Some(1), format!("error: {file}, {expected}\n")));
        // The local stack says the same before it starts.
        assert_eq!(stderr(&run(&["up", "--once", "--port", "0", "--rules", &file])), told.1);
    }
}

// 13, step 6
#[test]
fn every_mistake_of_a_rules_file_is_reported_at_once() {
    let text = "rules:\n  - { name: a, on: [SiteUpdatd], do: [{ notify-slack: { chanel: a } }] }\n  - { name: b, on: [], do: [] }\n";
    let (_folder, file) = rules_file(text);
    let expected = [
        "line 2: `SiteUpdatd` is no event name; did you mean `SiteUpdated`?",
        "line 2, rule `a`: unknown field `chanel`; did you mean `channel`?",
        "line 3: the rule `b` does nothing: fill in `on` and `do`",
    ];
    let expected = expected.map(|line| format!("error: {file}, {line}\n")).concat();
    let output = run(&["rules", "check", &file]);
    assert_eq!((output.status.code(), stdout(&output), stderr(&output)), (Some(1), String::new(), expected));
}

// 13, step 6
#[test]
fn a_workflow_that_the_template_does_not_have_is_named() {
    let (folder, file) =
        rules_file("rules: [{ name: a, on: [WorkbookUpdated], do: [{ update-broadcast: {} }] }]\n");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let template = std::fs::read_to_string(root.join("template.yaml")).unwrap();
    // Another workflow in its place, in the part of the template that `rules check` reads.
    let other = template.replace("Binary: update-broadcast", "Binary: tag-workbook");
    let other = other.replace("update-broadcast", "tag-workbook").replace("UpdateBroadcast", "TagWorkbook");
    let path = folder.path().join("template.yaml");
    std::fs::write(&path, other).unwrap();
    let path = path.display().to_string();
    let output = run(&["rules", "check", &file, "--template", &path]);
    let expected = format!(
        "error: {file}, line 1: {path} has no workflow `update-broadcast`; it has: notify-slack, tag-workbook\n"
    );
    assert_eq!((output.status.code(), stderr(&output)), (Some(1), expected));
}

#[test]
fn what_is_right_in_a_rules_file_and_may_surprise_is_a_note() {
    let muted = "rules:\n  - name: a\n    mute_until: 2026-01-01T00:00:00Z\n    on: [SiteUpdated]\n    do: [{ notify-slack: { channel: a } }]\n";
    let rule = "rules:\n  - name: a\n    quiet: { from: 19:00, to: 08:00 }\n    on: [SiteUpdated]\n    do: [{ notify-slack: { channel: a } }]\n";
    for (text, expected, note) in [
        (rule, "1 rule; events of every site are taken", "note: the quiet hours of rule `a` are in UTC"),
        // 13, step 6
        (
            muted,
            "1 rule; events of every site are taken",
            "note: the rule `a` is not muted any more: its `mute_until` was 2026-01-01T00:00:00Z; remove it, or write a later time",
        ),
        (
            "",
            "0 rules; events of every site are taken",
            "note: without a rule nothing happens about any event",
        ),
        (
            "sites: []\nrules:\n  - { name: a, on: [SiteUpdated], do: [{ notify-slack: { channel: a } }] }\n",
            "1 rule; events of every site are taken",
            "note: `sites` is empty, so events of every site are taken, as without `sites`: list the sites whose events count\n",
        ),
    ] {
        let (_folder, file) = rules_file(text);
        let output = run(&["rules", "check", &file]);
        assert_eq!((output.status.code(), stdout(&output)), (Some(0), format!("{file}: {expected}\n")));
        assert!(stderr(&output).starts_with(note), "{}", stderr(&output));
    }
}

#[test]
fn a_payload_can_be_looked_at_before_it_is_sent() {
    let output = run(&["send", "AdminPromoted", "--dry-run"]);
    let payload: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(payload["event_type"], "AdminPromoted");
}

// 12-S1
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
