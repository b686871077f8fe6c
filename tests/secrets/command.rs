//! The command line with doubles that repeat every request.

use crate::echo::{Echo, Part, Place, Well, every};
use crate::environment::{Environment, binary};
use crate::search::assert_none;
use std::process::{Command, Stdio};
use std::time::Duration;

const TOKEN: &str = "q1w2E3r4T5y6U7i8O9p0q1w2E3r4T5y6U7i8O9p0abc";
const PAT: &str = "qlE1g9MMh9vbrjjg==:rZTHhPpP2tUW1kfn4tjg8";

#[tokio::test]
async fn what_send_prints_of_an_answer_that_repeats_the_request_has_no_token() {
    let echo = Echo::start(Well::Nothing).await;
    for (at, repeat) in every(2).into_iter().enumerate() {
        echo.plan(&[repeat]);
        let url = match at % 2 {
            0 => format!("{}/webhook?token={TOKEN}", echo.url),
            _ => format!("{}/webhooks/notify-slack/{TOKEN}", echo.url),
        };
        let mut command = Command::new(binary("tableau-webhooks"));
        command.args(["send", "WorkbookCreated"]).env_clear().env("WEBHOOK_URL", url);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(text.contains(&format!("{} ", repeat.status)), "{repeat:?}: {text}");
        assert_none("send", &text, &[TOKEN.to_owned()]);
    }
}

#[tokio::test]
async fn send_gives_its_token_to_no_address_that_is_not_secure_and_repeats_nothing_of_it() {
    let mut environment = Environment::start(&[TOKEN]).await;
    for to in [
        format!("http://example.com/webhook?token={TOKEN}"),
        format!("http://127.0.0.1.evil.example/webhook/{TOKEN}"),
        format!("https://{TOKEN}@example.com/"),
        format!("ftp://127.0.0.1/{TOKEN}"),
    ] {
        let shown = environment.command(&["send", "WorkbookCreated", "--to", &to]).await;
        assert!(shown.contains("the URL in --to must"), "{shown}");
        assert_none("send", &shown, &[TOKEN.to_owned()]);
    }
}

#[tokio::test]
async fn the_local_stack_before_a_tableau_and_a_slack_that_repeat_each_request_shows_no_secret() {
    let tableau = Echo::start(Well::Version).await;
    let slack = Echo::start(Well::Nothing).await;
    let plan = every(0).into_iter().filter(|repeat| repeat.place == Place::Words);
    let plan: Vec<_> = plan.filter(|repeat| matches!(repeat.status, 401 | 403)).collect();
    // The text of a refused sign-in is shown, so the effect of the first answer is visible.
    tableau
        .plan(&plan.iter().rev().copied().filter(|repeat| repeat.part == Part::Secret).collect::<Vec<_>>());
    slack.plan(&plan);
    let path = "T024BE7LD/B024BE7LD/q1w2E3r4T5y6U7i8O9p0a1s2";
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("settings.env");
    let text = format!(
        "TABLEAU_SERVER_URL={}\nTABLEAU_SITE=marketing\nTABLEAU_TOKEN_NAME=n\nTABLEAU_TOKEN_SECRET={PAT}\n\
         SLACK_WEBHOOK_URL={}/services/{path}\n",
        tableau.url, slack.url
    );
    std::fs::write(&settings, text).unwrap();
    let written = folder.path().join("written");
    let file = std::fs::File::create(&written).unwrap();
    let mut command = tokio::process::Command::new(binary("tableau-webhooks"));
    command.args(["up", "--port", "0", "--env-file"]).arg(&settings).arg("--binaries");
    command
        .arg(binary("notify-slack").parent().unwrap())
        .env_clear()
        .current_dir(testkit::repository::root());
    command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file).kill_on_drop(true);
    let mut up = command.spawn().unwrap();
    let read = || std::fs::read_to_string(&written).unwrap();
    for _ in 0..150 {
        if read().contains("Tableau refused with 4") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    up.kill().await.unwrap();
    let shown = read();
    assert!(shown.contains("Tableau refused with 4"), "{shown}");
    let secrets = [PAT, path].map(str::to_owned).into_iter().chain(tableau.secrets());
    assert_none("up", &shown, &secrets.collect::<Vec<_>>());
}
