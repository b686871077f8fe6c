//! The commands of the docs for a site of any server, as printed.

use crate::site::{Site, check};
use crate::{PROGRAM, stderr, stdout};
use simulator::SAMPLE_PAT;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use tableau::EventName;
use testkit::repository::root;

const PRINTED: &str = "https://10ay.online.tableau.com";

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_read_into_variables_and_the_site_is_listed() {
    let docs = std::fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let (_, block) = docs.split_once("```sh\nread -r TABLEAU_TOKEN_NAME").expect("the commands");
    let (block, _) = block.split_once("```").expect("their end");
    let site = Site::start().await;
    site.add(EventName::SiteUpdated, "site");
    let script = format!("read -r TABLEAU_TOKEN_NAME{block}").replace(PRINTED, &site.tableau.url());
    let folder = Path::new(PROGRAM).parent().unwrap().to_owned();
    let output = tokio::task::spawn_blocking(move || {
        let mut bash = Command::new("bash");
        bash.args(["--norc", "-c", &script])
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", folder.display()));
        bash.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = bash.spawn().unwrap();
        let (name, secret) = SAMPLE_PAT;
        child.stdin.take().unwrap().write_all(format!("{name}\n{secret}\n").as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    });
    let output = output.await.unwrap();
    check(&output);
    assert!(stdout(&output).contains("site  "), "{}{}", stdout(&output), stderr(&output));
    assert_eq!((output.status.code(), site.tableau.sessions()), (Some(0), 0));
}
