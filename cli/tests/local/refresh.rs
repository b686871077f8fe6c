//! `refresh` against the local stack, and against a service that loses answers.

use crate::{Home, SOON, stderr, stdout};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

const KEY: &str = "TABLEAU_WEBHOOKS_KEY";
const ID: &str = "3k9x2m4p7q1r8s5t6v0w2y4z";

/// Runs `refresh` with a key.
fn refresh(home: &Home, key: &str, arguments: &[&str]) -> Output {
    home.command(&[&["refresh"], arguments].concat()).env(KEY, key).output().unwrap()
}

/// A key of the local stack.
fn made(home: &Home, arguments: &[&str]) -> String {
    let output = home.run(&[&["keys", "create", "tests", "--json", "--local"], arguments].concat());
    let made: Value =
        serde_json::from_str(&stdout(&output)).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    made["key"].as_str().unwrap().to_owned()
}

/// The value behind the name in the lines that are printed.
fn value(text: &str, name: &str) -> String {
    let start = format!("  {name} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_else(|| panic!("{text}"));
    line.trim().to_owned()
}

#[test]
fn content_is_refreshed_by_name_and_the_end_is_told() {
    let home = Home::new();
    let mut up = home.coming_up(&[]);
    up.show("everything is up after");
    let all = ["--kind", "workbook", "--kind", "datasource", "--kind", "flow", "--project", "**"];
    let key = made(&home, &all);
    let ledger = ["general ledger", "--kind", "datasource", "--project", "Finance/Month End", "--local"];

    let waited = refresh(&home, &key, &[&ledger[..], &["--wait"]].concat());
    let (out, err) = (stdout(&waited), stderr(&waited));
    assert_eq!(waited.status.code(), Some(0), "{out}{err}");
    assert!(out.starts_with("The data source General Ledger was refreshed"), "{out}");
    assert_eq!(
        (value(&out, "status"), value(&out, "path")),
        ("succeeded".to_owned(), "Finance/Month End/General Ledger".to_owned())
    );
    // What is waited for stands on standard error.
    assert!(err.starts_with("queued: ") || err.starts_with("running: "), "{err}");

    let asked = refresh(&home, &key, &["Superstore", "--kind", "workbook", "--local", "--json"]);
    let body: Value = serde_json::from_str(&stdout(&asked)).unwrap();
    assert_eq!((asked.status.code(), stderr(&asked)), (Some(0), String::new()));
    let id = body["id"].as_str().unwrap();
    let later = refresh(&home, &key, &["--id", id, "--wait", "--local", "--json"]);
    let body: Value = serde_json::from_str(&stdout(&later)).unwrap();
    assert_eq!(
        (later.status.code(), &body["status"], &body["name"]),
        (Some(0), &json!("succeeded"), &json!("Superstore"))
    );
    // By another way, and cancelled.
    let api = up.value("  API        ");
    let page = "https://10ay.online.tableau.com/#/site/marketing/flows/1016";
    let flow = refresh(&home, &key, &["--url", page, "--server", &api]);
    assert_eq!(flow.status.code(), Some(0), "{}", stderr(&flow));
    let id = value(&stdout(&flow), "id");
    let hint = format!("`tableau-webhooks refresh --id {id} --wait --server {api}/` shows how it ends");
    assert!(stderr(&flow).contains(&hint), "{}", stderr(&flow));
    let cancelled = refresh(&home, &key, &["--id", &id, "--cancel", "--local"]);
    assert_eq!(cancelled.status.code(), Some(0), "{}", stderr(&cancelled));
    assert_eq!(value(&stdout(&cancelled), "status"), "cancelled");
    // One that was cancelled did not succeed.
    let after = refresh(&home, &key, &["--id", &id, "--wait", "--local"]);
    assert_eq!(after.status.code(), Some(3), "{}", stdout(&after));

    // Near names are listed with their paths.
    let near = refresh(&home, &key, &["Superstor", "--kind", "workbook", "--wait", "--local"]);
    assert_eq!(near.status.code(), Some(1));
    let candidate = "5998aaaf-1abe-4d38-b4d9-bc53e85bdd13  workbook    Sales/Superstore\n";
    assert_eq!(stdout(&near), candidate, "{}", stderr(&near));
    assert!(stderr(&near).starts_with("error: There is no workbook"), "{}", stderr(&near));

    let narrow = made(&home, &["--kind", "workbook", "--project", "Operations"]);
    for (key, arguments, expected) in [
        (narrow.as_str(), &ledger[..], "error: This key may not refresh"),
        (
            &format!("{}x", key.trim_end_matches(char::is_alphanumeric)),
            &ledger[..],
            "error: Send a valid key",
        ),
        ("", &ledger[..], "error: set TABLEAU_WEBHOOKS_KEY to a key of the stack"),
    ] {
        let output = refresh(&home, key, arguments);
        assert_eq!((output.status.code(), stdout(&output)), (Some(1), String::new()), "{expected}");
        assert!(stderr(&output).starts_with(expected), "{}", stderr(&output));
    }
    // Who asked for what, and what was answered, without any key.
    let listed = home.run(&["refreshes", "list", "--local", "--json"]);
    let lines: Vec<Value> = stdout(&listed).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let listed_lines: Vec<(&str, &str, &str)> = lines
        .iter()
        .map(|line| {
            let text = |name: &str| line[name].as_str().unwrap();
            (text("what"), text("name"), text("code"))
        })
        .collect();
    let expected = [
        ("refresh", "general ledger", "not_allowed"),
        ("refresh", "Superstor", "not_found"),
        ("cancel", "Load Ledger", ""),
        ("refresh", "Load Ledger", ""),
        ("refresh", "Superstore", ""),
        ("refresh", "General Ledger", ""),
    ];
    assert_eq!(listed_lines, expected, "{}", stderr(&listed));
    assert!(lines.iter().all(|line| line["caller"] == "tests"));
    let secret = key.splitn(3, '_').nth(2).unwrap();
    assert!(!stdout(&listed).contains(secret));
    let refused = home.run(&["refreshes", "list", "--local", "--refused", "--caller", "tests"]);
    assert_eq!(stdout(&refused).lines().count(), 3, "{}", stdout(&refused));
    for words in [
        &["Superstore"][..],
        &["--wait"],
        &["Superstore", "--kind", "view"],
        &["Superstore", "--kind", "workbook", "--timeout", "25h"],
        &["--id", "../x"],
        &["--id", ID, "--fresh"],
        &["Superstore", "--kind", "workbook", "--cancel"],
        &["Superstore", "--kind", "workbook", "--key", &key],
    ] {
        let output = refresh(&home, &key, words);
        assert_eq!(output.status.code(), Some(2), "{words:?}: {}", stderr(&output));
    }
}

/// A service that gives these answers, one after the other, and then closes each connection without a word.
struct Scripted {
    url: String,
    requests: Receiver<String>,
}

impl Scripted {
    fn start(answers: Vec<Option<(&'static str, Value)>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, requests) = channel();
        std::thread::spawn(move || {
            let mut answers = answers.into_iter();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let Some(request) = request(&mut stream) else { continue };
                if sender.send(request).is_err() {
                    return;
                }
                let Some(Some((head, body))) = answers.next() else { continue };
                let body = body.to_string();
                let length = body.len();
                // The program may have ended.
                let _ = write!(
                    stream,
                    "HTTP/1.1 {head}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
            }
        });
        Self { url, requests }
    }

    fn request(&self) -> String {
        self.requests.recv_timeout(SOON).unwrap()
    }
}

/// A request: its head, and its body.
fn request(stream: &mut TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        let is_last = line == "\r\n";
        head.push_str(&line);
        if is_last {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(format!("{head}{}", String::from_utf8(body).ok()?))
}

fn of_status(status: &str) -> Value {
    json!({
        "id": ID, "status": status, "kind": "datasource", "luid": "c7a2ea20-b2f1-4c94-ae05-319acb5c7427", "name": "Sales Orders",
        "project": ["Sales"], "site": "marketing", "incremental": false, "joined": true, "requested_at": "2026-11-28T10:00:00Z",
        "started_at": "2026-11-28T09:59:00Z", "ended_at": null, "job": null, "waits_for": null,
        "message": format!("The data source Sales Orders: {status}."), "cause": null, "status_url": "https://elsewhere.example/x",
    })
}

fn header<'r>(request: &'r str, name: &str) -> &'r str {
    let line = request.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")));
    line.and_then(|line| line.split_once(':')).unwrap_or_else(|| panic!("{request}")).1.trim()
}

const NAME: [&str; 3] = ["Sales Orders", "--kind", "datasource"];

/// R14: a look that fails is no failed refresh. A lost answer to the request does not make a second one.
#[test]
fn lost_answers_are_asked_for_again_and_end_nothing() {
    let home = Home::new();
    let mut failed = of_status("failed");
    failed["cause"] = json!({ "class": "Schema", "line": "Invalid column name 'region_code'.", "next_step": "Repair the column." });
    let service = Scripted::start(vec![
        None,
        Some(("503 Service Unavailable\r\nretry-after: 1", json!({ "detail": "Tableau does not answer." }))),
        Some(("202 Accepted\r\nretry-after: 1", of_status("queued"))),
        None,
        Some(("429 Too Many Requests\r\nretry-after: 1", json!({}))),
        Some(("200 OK", failed)),
    ]);
    let arguments =
        [&NAME[..], &["--fresh", "--wait", "--timeout", "90s", "--server", &service.url]].concat();

    let output = refresh(&home, "twk_key", &arguments);

    let (out, err) = (stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(3), "{out}{err}");
    assert_eq!(
        out,
        format!(
            "The data source Sales Orders: failed.\n  status   failed\n  path     Sales/Sales Orders\n  \
             began    2026-11-28T09:59:00Z, and this request has joined it\n  \
             cause    Schema: Invalid column name 'region_code'.\n  next     Repair the column.\n  id       {ID}\n"
        )
    );
    for part in
        ["asking again", "Tableau does not answer.", "queued: ", "the refresh goes on, the next look follows"]
    {
        assert!(err.contains(part), "{part}: {err}");
    }
    let requests: Vec<String> = std::iter::repeat_with(|| service.request()).take(6).collect();
    for post in &requests[..3] {
        assert!(post.starts_with("POST /refreshes HTTP/1.1"), "{post}");
        assert_eq!(header(post, "idempotency-key"), header(&requests[0], "idempotency-key"));
        assert_eq!(header(post, "authorization"), "Bearer twk_key");
        let (_, body) = post.split_once("\r\n\r\n").unwrap();
        let body: Value = serde_json::from_str(body).unwrap();
        let expected =
            json!({ "kind": "datasource", "name": "Sales Orders", "fresh": true, "timeout_minutes": 2 });
        assert_eq!(body, expected);
    }
    for look in &requests[3..] {
        assert!(look.starts_with(&format!("GET /refreshes/{ID} HTTP/1.1")), "{look}");
    }
}

#[test]
fn what_is_not_known_is_told_as_that_with_the_id() {
    let home = Home::new();
    let began = Instant::now();
    // No look is answered any more.
    let service = Scripted::start(vec![Some(("202 Accepted\r\nretry-after: 1", of_status("running")))]);
    let arguments = [&NAME[..], &["--wait", "--timeout", "2s", "--server", &service.url]].concat();
    let lost = refresh(&home, "twk_key", &arguments);
    let err = stderr(&lost);
    assert_eq!((lost.status.code(), stdout(&lost)), (Some(4), String::new()), "{err}");
    assert!(
        err.contains(&format!("error: it is not known how the refresh ended (id {ID}): no answer from")),
        "{err}"
    );
    assert!(began.elapsed() < SOON);

    // Its key was revoked meanwhile.
    let service = Scripted::start(vec![
        Some(("202 Accepted\r\nretry-after: 1", of_status("running"))),
        Some(("401 Unauthorized", json!({ "detail": "Send a valid key." }))),
    ]);
    let revoked = refresh(&home, "twk_key", &[&NAME[..], &["--wait", "--server", &service.url]].concat());
    let expected = format!("error: it is not known how the refresh ended (id {ID}): Send a valid key.\n");
    assert!(stderr(&revoked).contains(&expected), "{}", stderr(&revoked));
    assert_eq!(revoked.status.code(), Some(4));

    // Still open when the time is over.
    let open = || Some(("200 OK\r\nretry-after: 1", of_status("running")));
    let service = Scripted::start(vec![open(), open(), open(), open(), open(), open()]);
    let arguments = [&NAME[..], &["--wait", "--timeout", "1s", "--server", &service.url]].concat();
    let late = refresh(&home, "twk_key", &arguments);
    assert_eq!(late.status.code(), Some(4), "{}", stderr(&late));
    assert!(
        stderr(&late).contains("error: the refresh is still open, and its time is over\n"),
        "{}",
        stderr(&late)
    );
    assert_eq!(value(&stdout(&late), "status"), "running");

    // A text of the service cannot steer the terminal, and all that are meant are listed.
    let candidates = json!([
        { "kind": "datasource", "name": "Returns", "project": ["Sales", "A/B"], "luid": "l-1" },
        { "kind": "datasource", "name": "Returns\u{1b}[2J", "project": ["Ops"], "luid": "l-2" },
    ]);
    let problem = json!({ "code": "ambiguous", "detail": "2 objects are meant.", "candidates": candidates });
    let service =
        Scripted::start(vec![Some(("409 Conflict", problem.clone())), Some(("409 Conflict", problem))]);
    let ambiguous = refresh(&home, "twk_key", &[&NAME[..], &["--wait", "--server", &service.url]].concat());
    assert_eq!(stdout(&ambiguous), "l-1  datasource  Sales/A\\/B/Returns\nl-2  datasource  Ops/Returns\n");
    assert_eq!(
        (ambiguous.status.code(), stderr(&ambiguous)),
        (Some(1), "error: 2 objects are meant.\n".to_owned())
    );
    let ambiguous = refresh(&home, "twk_key", &[&NAME[..], &["--json", "--server", &service.url]].concat());
    let problem: Value = serde_json::from_str(&stdout(&ambiguous)).unwrap();
    assert_eq!((ambiguous.status.code(), &problem["code"]), (Some(1), &json!("ambiguous")));
}

#[test]
fn an_address_that_leads_nowhere_or_is_not_safe_is_told_at_once() {
    let home = Home::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for (server, expected) in [
        (url.as_str(), "127.0.0.1 refuses the connection"),
        ("http://abc.example.com", "must begin with https://"),
        ("https://user:hunter2@abc.example.com", "must not hold a user name or password"),
        ("abc.example.com", "must begin with https://"),
        ("https://abc.example.com/?x=1", "ends with the host"),
    ] {
        let output = refresh(&home, "twk_key", &[&NAME[..], &["--server", server]].concat());
        let err = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{server}: {err}");
        assert!(err.contains(expected) && !err.contains("hunter2"), "{server}: {err}");
    }
    let mut of_variable = home.command(&["refresh", "x", "--kind", "flow"]);
    let output = of_variable.env(KEY, "twk_key").env("TABLEAU_WEBHOOKS_URL", &url).output().unwrap();
    assert!(stderr(&output).contains("refuses the connection"), "{}", stderr(&output));
}

#[test]
fn ctrl_c_leaves_the_refresh_and_says_how_to_look() {
    let home = Home::new();
    let service = Scripted::start(vec![Some(("202 Accepted\r\nretry-after: 60", of_status("running")))]);
    let arguments = [&["refresh"], &NAME[..], &["--wait", "--server", &service.url]].concat();
    let mut command = home.command(&arguments);
    command.env(KEY, "twk_key").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "running: The data source Sales Orders: running.");

    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();

    let notes: Vec<String> = lines.map_while(Result::ok).collect();
    let url = &service.url;
    assert_eq!(
        notes,
        [format!(
            "the refresh goes on: `tableau-webhooks refresh --id {ID} --wait --server {url}/` shows how it ends, \
         `tableau-webhooks refresh --id {ID} --cancel --server {url}/` cancels it"
        )]
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(service.request().starts_with("POST"));
    assert!(service.requests.try_recv().is_err(), "nothing is cancelled");
}
