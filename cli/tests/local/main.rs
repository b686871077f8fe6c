//! Other commands of the same user find the local stack; other users cannot use it.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod certification;
mod groups;
mod guide;
mod history;
mod others;
mod refresh;
mod resolve;
mod rules;
mod trial;
mod webhooks;

use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_tableau-webhooks");

/// The next line must be printed within this time, even on a busy machine.
const SOON: Duration = Duration::from_secs(120);

/// The home and runtime folders of a test user.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).env_clear().env("XDG_STATE_HOME", self.0.path());
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn up(&self, arguments: &[&str]) -> Up {
        let mut up = self.coming_up(arguments);
        up.show("Routes of the API");
        up
    }

    /// A stack that is about to come up.
    fn coming_up(&self, arguments: &[&str]) -> Up {
        let binaries = Path::new(PROGRAM).parent().unwrap().display().to_string();
        let up = ["up", "--port", "0", "--env-file", "/dev/null", "--binaries", &binaries];
        let mut command = self.command(&[&up, arguments].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (sender, lines) = channel();
        let stdout = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)));
        });
        Up { child, lines, shown: String::new() }
    }

    /// The files that contain keys.
    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder()).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("tableau-webhooks")
    }
}

/// A running local stack and its output.
struct Up {
    child: Child,
    lines: Receiver<String>,
    shown: String,
}

impl Up {
    /// Reads lines up to the one that contains `part`.
    fn show(&mut self, part: &str) {
        self.show_all(&[part]);
    }

    /// Reads lines until each part was in one of them, in any order.
    fn show_all(&mut self, parts: &[&str]) {
        let mut left = parts.to_vec();
        while !left.is_empty() {
            let line = self.lines.recv_timeout(SOON).unwrap_or_else(|error| {
                panic!("no line with {left:?} after {SOON:?} ({error}); printed so far:\n{}", self.shown)
            });
            left.retain(|part| !line.contains(part));
            self.shown.push_str(&line);
            self.shown.push('\n');
        }
    }

    /// The text after `start` in a line.
    fn value(&self, start: &str) -> String {
        let rest = self.shown.lines().find_map(|line| line.strip_prefix(start)).expect(start);
        rest.split_whitespace().next().unwrap().to_owned()
    }

    fn aws(&self) -> String {
        self.value("  AWS        ")
    }

    fn token(&self) -> String {
        self.value("token=")
    }

    fn post(&self, body: &str) -> String {
        let api = self.value("  API        ");
        let address = api.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).unwrap();
        let head = format!(
            "POST /webhook?token={} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            self.token(),
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn signal(&mut self, signal: &str) {
        Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // Sends Ctrl-C, so that the stack stops its functions. The stack may have ended already.
        let _ =
            Command::new("kill").args(["-INT", &self.child.id().to_string()]).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_keys_of_a_run_are_in_a_file_that_only_its_user_reads_and_that_goes_with_it() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let home = Home::new();
        // A file made by an earlier version, or by hand.
        fs::create_dir(home.folder()).unwrap();
        fs::set_permissions(home.folder(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut up = home.up(&[]);

        let files = home.files();
        assert_eq!((files.len(), mode(&home.folder()), mode(&files[0])), (1, 0o700, 0o600), "{files:?}");
        let held: Value = serde_json::from_str(&fs::read_to_string(&files[0]).unwrap()).unwrap();
        assert_eq!(held["webhook_token"], up.token());
        let key = held["secret_access_key"].as_str().unwrap();
        assert!(key.len() == 40 && !up.shown.contains(key), "{}", up.shown);
        let listed = home.run(&["events", "list", "--local", "--wide"]);
        assert!(
            stdout(&listed).contains("DatasourceRefreshFailed"),
            "{}{}",
            stdout(&listed),
            stderr(&listed)
        );
        let sent = home.run(&["send", "AdminPromoted"]);
        // Also when another address is configured.
        let mut elsewhere = home.command(&["send", "AdminPromoted", "--local", "--endpoint-url", &up.aws()]);
        let explicit = elsewhere.env("WEBHOOK_URL", "https://example.com/webhook").output().unwrap();
        assert!(stdout(&explicit).contains("\n202 "), "{}", stderr(&explicit));
        assert!(
            stdout(&sent).contains("\n202 ") && !stdout(&sent).contains(&up.token()),
            "{}",
            stderr(&sent)
        );

        up.signal(signal);
        assert_eq!(home.files(), Vec::<PathBuf>::new(), "after {signal}");
        let everything: Vec<_> =
            fs::read_dir(home.0.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(everything, [home.folder()]);
    }
}

#[test]
fn a_run_for_scripts_leaves_no_file_behind() {
    let home = Home::new();
    let binaries = Path::new(PROGRAM).parent().unwrap().display().to_string();
    let up = ["up", "--once", "--port", "0", "--env-file", "/dev/null", "--binaries", &binaries];
    let output = home.run(&up);
    assert_eq!((output.status.code(), home.files().len()), (Some(0), 0), "{}", stderr(&output));
}

#[test]
fn what_a_killed_run_leaves_behind_is_no_stack_and_the_next_run_removes_it() {
    let home = Home::new();
    let mut killed = home.up(&[]);
    killed.signal("-KILL");
    assert_eq!(home.files().len(), 1);

    for arguments in [&["events", "list", "--local"][..], &["send", "AdminPromoted"]] {
        let output = home.run(arguments);
        assert_eq!(
            stderr(&output),
            "error: no local stack of yours is up; `tableau-webhooks up` starts one\n"
        );
        assert_eq!(output.status.code(), Some(1));
    }
    fs::write(home.folder().join("local-stack-1-1.json"), "half a file").unwrap();
    let up = home.up(&[]);
    assert_eq!(home.files().len(), 1);
    assert_ne!(up.token(), killed.token());
    assert!(home.run(&["events", "list", "--local"]).status.success());
}

#[test]
fn two_stacks_at_once_have_keys_of_their_own() {
    let home = Home::new();
    let one = home.up(&[]);
    let other = home.up(&[]);
    let held: Vec<Value> =
        home.files().iter().map(|file| serde_json::from_slice(&fs::read(file).unwrap()).unwrap()).collect();
    assert_eq!(held.len(), 2);
    for key in ["webhook_token", "access_key_id", "secret_access_key", "session_token", "aws"] {
        assert_ne!(held[0][key], held[1][key], "{key}");
    }

    for up in [&one, &other] {
        let output = home.run(&["events", "list", "--local", "--endpoint-url", &up.aws()]);
        assert!(output.status.success(), "{}", stderr(&output));
    }
    let unclear = stderr(&home.run(&["events", "list", "--local"]));
    assert!(unclear.starts_with("error: several local stacks are up; choose one with "), "{unclear}");
    assert!(unclear.contains(&one.aws()) && unclear.contains(&other.aws()), "{unclear}");
    let nowhere = home.run(&["events", "list", "--local", "--endpoint-url", "http://127.0.0.1:1"]);
    let nowhere = stderr(&nowhere);
    let expected =
        "error: no local stack of yours is up at http://127.0.0.1:1; these are up: http://127.0.0.1:";
    assert!(nowhere.starts_with(expected), "{nowhere}");
    assert!(nowhere.contains(&one.aws()) && nowhere.contains(&other.aws()), "{nowhere}");
    drop(one);
    let nowhere = home.run(&["events", "list", "--local", "--endpoint-url", "http://127.0.0.1:1"]);
    let expected =
        format!("error: no local stack of yours is up at http://127.0.0.1:1; one is up at {}\n", other.aws());
    assert_eq!(stderr(&nowhere), expected);
    assert!(home.run(&["events", "list", "--local"]).status.success(), "there is one now");
}

#[test]
fn rules_are_read_as_they_are_and_the_sample_site_has_its_name_without_keeping_others_out() {
    let rule = "name: a\n    on: [DatasourceRefreshFailed, AdminPromoted]\n    do: [{ notify-slack: { channel: data } }]";
    let json = r#"{ "rules": [ { "name": "a", "on": ["DatasourceRefreshFailed", "AdminPromoted"],
      "do": [ { "notify-slack": { "channel": "data" } } ] } ] }"#;
    for text in [
        json.to_owned(),
        json.lines().map(|line| format!("    {line}\n")).collect(),
        format!("  rules:\n  - {rule}\n"),
        format!("---\nrules:\n  - {rule}\n...\n"),
        format!("rules:\n  - {rule}\n# sites:\n"),
        format!("rules:\n  - {rule}\n    # the last line has no end"),
    ] {
        let home = Home::new();
        let file = home.0.path().join("rules.yaml");
        fs::write(&file, &text).unwrap();
        let up = home.up(&["--rules", &file.display().to_string()]);
        assert!(
            up.shown.contains("Slack #data ") && up.shown.contains("   Marketing"),
            "{text}\n{}",
            up.shown
        );
        let event = r#"{"resource":"USER","event_type":"AdminPromoted","resource_name":"x","resource_luid":"x-1","site_luid":"11111111-1111-1111-1111-111111111111"}"#;
        assert!(up.post(event).starts_with("HTTP/1.1 202 "));
        let finished = (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(100));
            let listed =
                stdout(&home.run(&["events", "list", "--local", "--event", "AdminPromoted", "--json"]));
            assert!(!listed.contains("ignored"), "{text}\n{listed}");
            listed.contains("done")
        });
        assert!(finished, "{text}");
    }
}

/// The simulated Tableau's answer to a request without credentials.
fn asked(up: &Up, method: &str, path: &str, body: &str) -> String {
    asked_at(&up.value("  Tableau    "), method, path, body)
}

fn asked_at(url: &str, method: &str, path: &str, body: &str) -> String {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         accept: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_secret_of_the_simulated_tableau_is_new_in_each_run_and_nothing_else_signs_in() {
    let home = Home::new();
    let one = home.up(&[]);
    let other = home.up(&[]);
    let secret = |up: &Up| {
        let line = up.shown.split_once("secret ").expect("a secret").1;
        line.split_once(", site marketing").expect("a site").0.to_owned()
    };
    let secrets = [secret(&one), secret(&other)];
    assert!(secrets[0] != secrets[1] && secrets[0].len() == 64, "{secrets:?}");

    let sign_in = |credentials: Value| {
        let mut credentials = credentials;
        credentials["site"] = json!({ "contentUrl": "marketing" });
        asked(&one, "POST", "/api/3.29/auth/signin", &json!({ "credentials": credentials }).to_string())
    };
    let token = |secret: &str| json!({ "personalAccessTokenName": "webhook-automations", "personalAccessTokenSecret": secret });
    assert!(sign_in(token(&secrets[0])).starts_with("HTTP/1.1 200 "));
    for credentials in [
        token(&secrets[1]),
        token("pat-secret-for-local-use"),
        token(""),
        json!({ "name": "bea@example.com", "password": "correct horse battery staple" }),
        json!({ "name": "ana@example.com", "password": "ana's password" }),
    ] {
        let answer = sign_in(credentials.clone());
        assert!(answer.contains("401001"), "{credentials}: {answer}");
    }

    // Without a key: the admin page, and the calls of its buttons.
    for (method, path) in [
        ("GET", "/simulator"),
        ("POST", "/simulator/fire/AdminPromoted"),
        ("POST", "/simulator/refresh/c7a2ea20-b2f1-4c94-ae05-319acb5c7427/fail"),
        ("GET", "/simulator/faults"),
        ("GET", "/api/3.29/sites/8b2a95d8-52b9-40a4-8712-cd6da771bd1b/webhooks"),
    ] {
        let answer = asked(&one, method, path, "");
        let is_shown = [&secrets[0], &one.token()].iter().any(|secret| answer.contains(secret.as_str()));
        assert!(!is_shown && answer.len() > 100, "{path}: {answer}");
    }
}
