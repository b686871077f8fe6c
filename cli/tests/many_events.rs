//! `up` while thousands of events arrive.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_tableau-webhooks");
/// The next line must be printed within this time, even on a busy machine.
const SOON: Duration = Duration::from_secs(60);
const EVENTS: usize = 80;
/// The data source whose refresh fails when the stack starts.
const FAILING: &str = "c7a2ea20-b2f1-4c94-ae05-319acb5c7427";

/// The local stack and its output.
struct Up {
    child: Child,
    lines: Receiver<String>,
    api: String,
    token: String,
    /// Starts the stack and fails the first refresh.
    began: String,
}

impl Up {
    fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let folder = Path::new(PROGRAM).parent().expect("a folder").display().to_string();
        let mut command = Command::new(PROGRAM);
        command.args([
            "up",
            "--slack",
            "bot",
            "--port",
            "0",
            "--env-file",
            "/dev/null",
            "--binaries",
            &folder,
        ]);
        command
            .current_dir(root)
            .env_clear()
            .env("XDG_STATE_HOME", env!("CARGO_TARGET_TMPDIR"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let began = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let mut child = command.spawn().unwrap();
        let (sender, lines) = channel();
        let stdout = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)));
        });
        let mut up = Self { child, lines, api: String::new(), token: String::new(), began };
        let api = up.line_with("  API        ");
        up.api = api.trim().rsplit("//").next().unwrap_or_default().to_owned();
        up.token = up.line_with("token=").split_off("token=".len());
        up.line_with("Routes of the API");
        up
    }

    fn line_with(&self, part: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(SOON).expect("a line");
            if line.contains(part) {
                return line;
            }
        }
    }

    /// Sends failures of one object, each of which edits the object's message, and waits until each edit is shown.
    /// Returns the processor time of `up` in ticks. Events of several objects would be grouped.
    fn send(&self, name: &str, count: usize) -> u64 {
        let before = self.ticks();
        let at = &self.began;
        for n in 0..count {
            let body = format!(
                r#"{{"resource":"EXTRACTS","event_type":"DatasourceRefreshFailed","resource_name":"Sales Orders","resource_luid":"{FAILING}","site_luid":"8b2a95d8-52b9-40a4-8712-cd6da771bd1b","created_at":"{at}","text":"{name} {n}"}}"#
            );
            self.post(&body);
            self.line_with("┌─ Slack #data-alerts, changed");
        }
        self.ticks() - before
    }

    fn post(&self, body: &str) {
        let mut stream = std::net::TcpStream::connect(&self.api).unwrap();
        let token = &self.token;
        let request = format!(
            "POST /webhook?token={token} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            self.api,
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut status = String::new();
        BufReader::new(stream).read_line(&mut status).unwrap();
        assert!(status.contains(" 202 "), "{status}");
    }

    fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        // `utime` and `stime` are fields 14 and 15 of `/proc/PID/stat`.
        fields[11..13].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // Sends Ctrl-C, so that the stack stops its functions.
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

#[test]
fn an_event_costs_no_more_after_hundreds_of_others() {
    let up = Up::start();
    // The functions start with the first events.
    up.send("warm", 20);
    let early = up.send("early", EVENTS);
    up.send("more", 5 * EVENTS);
    let late = up.send("late", EVENTS);
    // When `up` copied all messages for every line, the processor time was more than twice as high and grew without
    // limit.
    assert!(
        late < early * 3 / 2 + 10,
        "{early} ticks for {EVENTS} events, and {late} after six times as many"
    );
}
