//! Drives Chromium as a person does, with mouse and keyboard, through its DevTools protocol over a pair of named pipes.
//!
//! Source: <https://chromedevtools.github.io/devtools-protocol/>

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

/// The time limit for one answer of Chromium.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A tab of Chromium.
pub(crate) struct Tab {
    child: Child,
    to: File,
    from: File,
    session: Option<String>,
    number: u64,
    read: Vec<u8>,
    _folder: TempDir,
}

impl Tab {
    /// Opens an empty tab. No name resolves but this machine's.
    pub(crate) async fn open(program: &PathBuf) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pipe = |name: &str| folder.path().join(name);
        let made = Command::new("mkfifo").args([pipe("to"), pipe("from")]).status().await.unwrap();
        assert!(made.success());
        // Chromium reads commands from descriptor 3 and writes answers to 4, which a shell can connect.
        let mut command = Command::new("sh");
        command.args(["-c", r#"exec "$@" 3<"$TO" 4>"$FROM""#, "sh"]).arg(program);
        command.args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--hide-scrollbars",
            "--remote-debugging-pipe",
        ]);
        command.arg(format!("--user-data-dir={}", folder.path().join("profile").display()));
        command.arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost");
        command.env("TO", pipe("to")).env("FROM", pipe("from"));
        command.process_group(0).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        // Both are opened to read and write, since a named pipe otherwise waits for its other end.
        let open = async |path: &Path| OpenOptions::new().read(true).write(true).open(path).await.unwrap();
        let (to, from) = (open(&pipe("to")).await, open(&pipe("from")).await);
        let mut tab = Self { child, to, from, session: None, number: 0, read: Vec::new(), _folder: folder };
        let target = tab.call("Target.createTarget", json!({ "url": "about:blank" })).await;
        let attached = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = tab.call("Target.attachToTarget", attached).await;
        tab.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        tab.call("Page.enable", json!({})).await;
        tab
    }

    async fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.number += 1;
        let mut command = json!({ "id": self.number, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        self.to.write_all(format!("{command}\0").as_bytes()).await.unwrap();
        self.to.flush().await.unwrap();
        let answered = async {
            loop {
                let message = self.message().await;
                if message["id"] == json!(self.number) {
                    return message;
                }
            }
        };
        let message = tokio::time::timeout(TIMEOUT, answered).await;
        let message = message.unwrap_or_else(|_| panic!("{method}: no answer"));
        assert!(message["error"].is_null(), "{method}: {}", message["error"]);
        message["result"].clone()
    }

    async fn message(&mut self) -> Value {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == 0) {
                let rest = self.read.split_off(end + 1);
                let message = std::mem::replace(&mut self.read, rest);
                return serde_json::from_slice(&message[..end]).unwrap();
            }
            let mut chunk = vec![0; 64 * 1024];
            let size = self.from.read(&mut chunk).await.unwrap();
            self.read.extend_from_slice(&chunk[..size]);
        }
    }

    /// Goes to an address, as if it was typed.
    pub(crate) async fn go(&mut self, url: &str) {
        self.call("Page.navigate", json!({ "url": url })).await;
        self.loaded(url).await;
    }

    /// Waits until a page is there.
    pub(crate) async fn loaded(&mut self, url: &str) {
        let began = Instant::now();
        while self.run("document.readyState").await != "complete" || self.run("location.href").await != url {
            assert!(began.elapsed() < TIMEOUT, "{url} is not loaded");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The value of an expression in the page. The page's own policy does not bind it.
    pub(crate) async fn run(&mut self, expression: &str) -> Value {
        let parameters = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", parameters).await;
        assert!(answer["exceptionDetails"].is_null(), "{}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// The heading of the page.
    pub(crate) async fn title(&mut self) -> String {
        let title = self.run("document.querySelector('h1')?.textContent ?? document.body.textContent").await;
        title.as_str().unwrap_or_default().to_owned()
    }

    /// Presses a key.
    pub(crate) async fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, None),
            "Enter" => (13, Some("\r")),
            " " => (32, Some(" ")),
            "ArrowDown" => (40, None),
            other => panic!("{other}"),
        };
        let event = |kind: &str| {
            let name = if key == " " { "Space" } else { key };
            let mut event = json!({ "type": kind, "key": key, "code": name, "windowsVirtualKeyCode": code });
            if let (Some(text), "keyDown") = (text, kind) {
                event["text"] = json!(text);
            }
            event
        };
        self.call("Input.dispatchKeyEvent", event("keyDown")).await;
        self.call("Input.dispatchKeyEvent", event("keyUp")).await;
    }

    /// Types a text into what has the focus.
    pub(crate) async fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text })).await;
    }

    /// Shows the page on a screen of this width, in light or dark mode.
    pub(crate) async fn screen(&mut self, width: u32, dark: bool) {
        let metrics = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", metrics).await;
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Writes a picture of the whole page.
    pub(crate) async fn picture(&mut self, file: &Path) {
        let shot = json!({ "format": "png", "captureBeyondViewport": true });
        let shot = self.call("Page.captureScreenshot", shot).await;
        let decoded = bytes_of(shot["data"].as_str().unwrap());
        std::fs::write(file, decoded).unwrap();
    }
}

/// The bytes of a picture.
fn bytes_of(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

impl Drop for Tab {
    fn drop(&mut self) {
        if let Some(id) = self.child.id() {
            let _ = std::process::Command::new("kill").args(["-KILL", "--", &format!("-{id}")]).status();
        }
    }
}
