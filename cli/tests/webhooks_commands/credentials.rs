//! Signing in to a site of any server.

use crate::site::{APP, PASSWORD, PAT, Site};
use crate::{PROGRAM, stderr, stdout};
use simulator::{Fault, RestVersion, TableauSimulator};
use std::process::Command;
use tableau::EventName;

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_credential_signs_in_and_out() {
    for variables in [PAT, PASSWORD, APP] {
        let site = Site::start().await;
        site.add(EventName::SiteUpdated, "updates");
        for command in [&["list"][..], &["list", "--json"]] {
            let output = site.run_with(command, variables).await;
            assert_eq!(output.status.code(), Some(0), "{variables:?}: {}", stderr(&output));
            assert!(stdout(&output).contains("updates"), "{}", stdout(&output));
        }
        assert_eq!(site.tableau.calls("POST /auth/signin"), 2);
        assert_eq!(site.tableau.calls("POST /auth/signout"), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connected_app_does_everything_with_the_scopes_for_webhooks() {
    let site = Site::start().await;
    let url = site.url();
    let variables = [APP, &[("WEBHOOK_URL", url.as_str())]].concat();
    for command in [
        &["create", "SiteUpdated", "--name", "updates"][..],
        &["update", "updates", "--name", "changes"],
        &["test", "--all"],
        &["disable", "changes"],
        &["enable", "changes"],
        &["delete", "changes", "--yes"],
        &["list"],
    ] {
        let output = site.run_with(command, &variables).await;
        assert_eq!(output.status.code(), Some(0), "{command:?}: {}", stderr(&output));
    }
    let scopes =
        ["create", "delete", "read", "test", "update"].map(|what| format!("tableau:webhooks:{what}"));
    let used: Vec<String> = site.tableau.used_scopes().into_iter().map(str::to_owned).collect();
    assert_eq!(used, scopes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_scopes_are_older_is_explained() {
    let old = RestVersion { major: 3, minor: 26 };
    let site = Site::start_as(TableauSimulator::sample().max_version(old)).await;
    let output = site.run_with(&["list"], APP).await;
    let error = stderr(&output);
    let expected = format!(
        "error: REST API 3.26, which the site `marketing` at {} uses, lets no connected app manage webhooks: 3.27 and later do. Use a \
         personal access token\n",
        site.tableau.url()
    );
    assert_eq!((error, output.status.code()), (expected, Some(1)));
    assert_eq!(site.run(&["list"]).await.status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_credential_half_of_one_and_two_of_them_send_nothing() {
    let site = Site::start().await;
    for (variables, expected) in [
        (
            vec![],
            "--server needs a credential in environment variables: TABLEAU_TOKEN_NAME and TABLEAU_TOKEN_SECRET for a",
        ),
        (PAT[1..].to_vec(), "TABLEAU_TOKEN_NAME is missing: "),
        (APP[1..].to_vec(), "TABLEAU_CLIENT_ID is missing: "),
        (
            [PAT, PASSWORD].concat(),
            "TABLEAU_TOKEN_NAME, TABLEAU_TOKEN_SECRET, TABLEAU_USER and TABLEAU_PASSWORD belong to ",
        ),
    ] {
        let output = site.run_with(&["list"], &variables).await;
        assert!(stderr(&output).starts_with(&format!("error: {expected}")), "{}", stderr(&output));
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), ""));
    }
    assert_eq!(site.tableau.calls("*"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_tableau_refuses_comes_with_advice() {
    let site = Site::start().await;
    let place = format!("error: the site `marketing` at {}: ", site.tableau.url());
    let wrong = [PAT[0], ("TABLEAU_TOKEN_SECRET", "hunter2-hunter2")];
    let output = site.run_with(&["list"], &wrong).await;
    let error = stderr(&output);
    assert!(error.starts_with(&place) && error.contains("(401001, "), "{error}");
    assert!(error.contains("check the name and the secret") && !error.contains("hunter2"), "{error}");

    let ana = [("TABLEAU_USER", "ana@example.com"), ("TABLEAU_PASSWORD", "ana's password")];
    let error = stderr(&site.run_with(&["list"], &ana).await);
    assert!(
        error.ends_with("; only administrators of the server or the site may manage webhooks\n"),
        "{error}"
    );

    site.tableau.allow_webhooks(false);
    let output = site.run(&["list", "--json"]).await;
    let error = stderr(&output);
    assert!(
        error
            .ends_with("; webhooks are switched off on this server: a server administrator can allow them\n"),
        "{error}"
    );
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_cannot_be_ended_is_a_note_and_the_command_is_done() {
    let site = Site::start().await;
    site.add(EventName::SiteUpdated, "updates");
    site.tableau.fail_always("POST /auth/signout", Fault::Error("400000"));
    let output = crate::finish(site.command(&["list", "--json"], PAT)).await;
    crate::site::check(&output);
    assert_eq!((output.status.code(), stdout(&output).lines().count()), (Some(0), 1));
    assert!(stderr(&output).starts_with("note: the session at Tableau is still open"), "{}", stderr(&output));
}

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(PROGRAM);
    command.arg("webhooks").args(arguments).env_clear().envs(PAT.iter().copied());
    let output = command.output().unwrap();
    crate::site::check(&output);
    (output.status.code(), stderr(&output))
}

#[test]
fn a_wrong_command_line_does_nothing() {
    for arguments in [
        &["list", "--site", "marketing"][..],
        &["list", "--api-version", "3.24"],
        &["list", "--server", "https://a.example", "--local"],
        &["list", "--server", "https://a.example", "--stack", "x"],
        &["list", "--event", "NoSuchEvent"],
        &["list", "--wide", "--json"],
        &["create"],
        &["update", "x"],
        &["test"],
        &["test", "x", "--all"],
        &["enable"],
        &["delete"],
        &["disable", "x", "--reason", ""],
        &["remove", "x"],
    ] {
        let (code, error) = run(arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {error}");
    }
    let of_server = |server: &str, version: &str| {
        let mut arguments = vec!["list", "--server", server];
        if !version.is_empty() {
            arguments.extend(["--api-version", version]);
        }
        run(&arguments)
    };
    for (server, version, expected) in [
        ("https://u:hunter2@a.example", "", "must not hold a user name or password"),
        ("http://hunter2.example.com", "", "must begin with https://"),
        ("https://a.example/#/site/hunter2", "", "must end with the host"),
        ("https://a.example", "three", "must be two numbers with a dot between"),
    ] {
        let (code, error) = of_server(server, version);
        assert!(
            error.starts_with("error: --server, --site or --api-version: ") && error.contains(expected),
            "{error}"
        );
        assert!(code == Some(1) && !error.contains("hunter2"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_answer_says_why() {
    let (code, error) =
        tokio::task::spawn_blocking(|| run(&["list", "--server", "http://127.0.0.1:1"])).await.unwrap();
    let expected = "error: the default site at http://127.0.0.1:1: ";
    assert!(
        error.starts_with(expected)
            && error.contains("127.0.0.1:1 refuses the connection: check the address"),
        "{error}"
    );
    assert_eq!(code, Some(1));
}
