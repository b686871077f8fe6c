//! What the README says: its commands are run as they are printed, its lists are whole.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "../examples/serve.rs"]
#[allow(dead_code, reason = "its `main` is not called")]
mod serve;
mod support;

use reqwest::Method;
use serde_json::Value;
use simulator::{SAMPLE_CONTENT_URL, SAMPLE_PAT, notes};
use std::process::Command;
use support::Caller;

const README: &str = include_str!("../README.md");

/// The lines in the README's fences for a shell that call this program.
fn commands(program: &str) -> Vec<&'static str> {
    let fences = README.split("```sh\n").skip(1).map(|rest| rest.split_once("```\n").unwrap().0);
    fences.flat_map(str::lines).filter(|line| line.starts_with(program)).collect()
}

#[tokio::test]
async fn every_curl_line_does_what_it_says() {
    let tableau = serve::start(0).await.unwrap();
    let lines = commands("curl ");
    assert_eq!(lines.len(), 7, "{lines:#?}");
    for line in lines {
        let here = line.replace("http://127.0.0.1:8091", &tableau.url());
        assert_ne!(here, line);
        let run = move || Command::new("sh").args(["-c", &here]).output().unwrap();
        let output = tokio::task::spawn_blocking(run).await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert!(answer.is_object() && answer["error"].is_null(), "{line}: {text}");
    }
    assert_eq!((tableau.sign_ins(SAMPLE_PAT.0), tableau.sessions()), (1, 0), "one signed in, all ended");
    assert!(tableau.jobs().iter().any(|job| job.notes.as_deref() == Some(notes::SNOWFLAKE_LOGIN)));
}

#[test]
fn what_cargo_is_asked_to_run_is_there() {
    assert_eq!(commands("cargo "), ["cargo run -p simulator --example serve"]);
    assert!(README.contains("port 8091") && include_str!("../examples/serve.rs").contains("\"8091\""));
}

#[tokio::test]
async fn the_start_prints_how_to_sign_in() {
    let tableau = serve::start(0).await.unwrap();
    let welcome = serve::welcome(&tableau);
    for shown in [&tableau.url(), SAMPLE_PAT.0, SAMPLE_PAT.1, SAMPLE_CONTENT_URL] {
        assert!(welcome.contains(shown), "{welcome}");
    }
    for shown in [SAMPLE_PAT.0, SAMPLE_PAT.1, SAMPLE_CONTENT_URL] {
        assert!(README.contains(&format!("`{shown}`")), "{shown}");
    }
    let ana = Caller::user(&tableau, "ana").await;
    assert!(!ana.token.is_empty() && README.contains("`ana's password`"));
}

#[test]
fn all_notes_are_listed() {
    for (name, _) in notes::ALL {
        assert!(README.contains(&format!("`{name}`")), "{name}");
    }
}

#[tokio::test]
async fn every_code_of_an_error_that_is_named_can_be_asked_for() {
    let tableau = serve::start(0).await.unwrap();
    let caller = Caller::stranger(&tableau);
    let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit());
    for code in README.split(|c: char| !c.is_ascii_alphanumeric()).filter(is_code) {
        let path = format!("/simulator/faults?fault=error:{code}&times=1");
        assert_eq!(caller.call(Method::POST, &path, "").await.status, 200, "{code}");
    }
}
