//! A data source is published at the local stack, and the steward's mail appears in the terminal with links that work.

use crate::{Home, stderr, stdout};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;

const RULES: &str = "
rules:
  - name: certification
    on: [DatasourceCreated]
    do: [{ request-certification: { steward: steward@example.com } }]
";

/// Sends a request to an address, as `curl` does.
fn call(method: &str, url: &str, body: &str) -> String {
    let (address, path) = url.trim_start_matches("http://").split_once('/').unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "{method} /{path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_mail_appears_with_links_that_work_and_the_command_lists_what_happened() {
    let home = Home::new();
    let rules = home.0.path().join("rules.yaml");
    std::fs::write(&rules, RULES).unwrap();
    let mut up = home.coming_up(&["--rules", &rules.display().to_string()]);
    up.show("Routes of the API");
    let sent = home.run(&["send", "DatasourceCreated", "--object", "Shipments"]);
    assert!(stdout(&sent).contains("\n202 "), "{}{}", stdout(&sent), stderr(&sent));
    up.show("Decline…: http");
    let links: Vec<&str> = ["Certify…: ", "Decline…: "]
        .iter()
        .map(|label| up.shown.split(label).nth(1).unwrap().split_whitespace().next().unwrap())
        .collect();

    let page = call("GET", links[0], "");
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("Certify Shipments?"), "{page}");
    let form = page.split("name=\"form\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    // As long as a person needs to choose.
    std::thread::sleep(std::time::Duration::from_secs(2));
    let done = call("POST", links[0], &format!("form={form}&choice=yes&note=Looks+good"));
    assert!(done.contains("Shipments is certified</h1>"), "{done}");
    let again = call("GET", links[1], "");
    assert!(again.contains("Shipments is certified</h1>"), "{again}");

    let listed = home.run(&["certifications", "--local", "--json"]);
    let lines: Vec<Value> = stdout(&listed).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let what: Vec<&str> = lines.iter().map(|line| line["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["certified", "requested"], "{}", stderr(&listed));
    assert_eq!(
        (&lines[0]["steward"], &lines[0]["note"]),
        (&"steward@example.com".into(), &"Looks good".into())
    );
    let shown =
        stdout(&home.run(&["certifications", "--local", "--datasource", "Shipments", "--limit", "1"]));
    assert!(
        shown.contains("certified") && shown.contains("steward@ex") && !shown.contains("requested"),
        "{shown}"
    );
    let none = home.run(&["certifications", "--local", "--datasource", "Elsewhere"]);
    assert!(stderr(&none).contains("no request was made"), "{}", stderr(&none));
}
