//! Settings of the local stack, from environment variables and from a file.

use crate::{command, run, stderr};

#[test]
fn settings_without_use_are_named_and_their_file_must_exist() {
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
    assert_eq!(
        stderr(&both),
        "error: --slack is only for the simulated Slack, but SLACK_BOT_TOKEN is set: remove one of the two\n"
    );
}

/// Standard error of a run with this text as the settings file. The error texts call the file `.env`.
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
fn a_misspelt_setting_is_named_with_the_nearest_known_name() {
    let (code, printed) =
        with_settings("SLACK_BOT_TOKN=hunter2\nAWS_PROFILE=ours\nTABLEAU_SERVR_URL=hunter2\n");
    let expected = "warning: .env:1: `SLACK_BOT_TOKN` is not known; did you mean SLACK_BOT_TOKEN?\n\
                    warning: .env:3: `TABLEAU_SERVR_URL` is not known; did you mean TABLEAU_SERVER_URL?\n";
    let (misspelt, unknown): (Vec<&str>, Vec<&str>) =
        printed.split_inclusive('\n').partition(|line| !line.contains("AWS_PROFILE"));
    assert_eq!((code, misspelt.concat().as_str()), (Some(0), expected));
    let start = "warning: .env:2: `AWS_PROFILE` is not known; there are PAGERDUTY_REGION, ";
    assert!(unknown.len() == 1 && unknown[0].starts_with(start), "{unknown:?}");
    let (_, printed) = with_settings("FORWARD_LOCAL_NAMES=hunter2\n");
    assert_eq!(
        printed,
        "warning: .env:1: `FORWARD_LOCAL_NAMES` has no effect: the local stack sets it itself\n"
    );
}

#[test]
fn a_pasted_setting_is_cleaned_or_named() {
    // A byte order mark, CRLF line ends and blanks around a name do not matter.
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
             space, a line break or another character that Tableau does not use there: paste it again\n",
        ),
    ] {
        assert_eq!(with_settings(text), (Some(1), expected.to_owned()));
    }
}

#[test]
fn a_setting_that_slack_does_not_give_out_is_refused_at_the_start_without_its_value() {
    for (text, expected) in [
        (
            "SLACK_BOT_TOKEN=hunter2\n",
            "error: .env:1: SLACK_BOT_TOKEN: this is not a bot token; a bot token begins with xoxb- and is on the app's page \
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
            "error: .env:1: SLACK_WEBHOOK_URL: this is not an incoming webhook URL of Slack; its URL begins with \
             https://hooks.slack.com/services/\n",
        ),
    ] {
        assert_eq!(with_settings(text), (Some(1), expected.to_owned()));
    }
    let of_environment =
        command(&["up", "--once", "--port", "0"]).env("SLACK_BOT_TOKEN", "hunter2").output().unwrap();
    let error = stderr(&of_environment);
    assert!(error.starts_with("error: SLACK_BOT_TOKEN: this is not a bot token; "), "{error}");
}

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
    let (code, printed) = with_settings(b"TABLEAU_SITE=\xff\n");
    assert_eq!((code, printed.as_str()), (Some(1), "error: .env is not UTF-8 text: save it as UTF-8\n"));
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
