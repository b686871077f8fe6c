//! The AWS emulator and the tools that talk to it as an administrator does: `sam`, boto3, our command line.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;

/// The time limit of a tool.
const TIMEOUT: Duration = Duration::from_secs(300);

/// The region of all resources.
pub(crate) const REGION: &str = "us-east-1";

/// The emulated AWS account.
pub(crate) struct Cloud {
    url: String,
    tools: PathBuf,
    /// The release's template for this machine's processor, with the zip files beside it and the rules in `../rules`.
    pub(crate) bundle: PathBuf,
    /// A folder for everything that is written: the home folder of the tools, rules files, copies of the template.
    pub(crate) folder: TempDir,
    boto: Mutex<Boto>,
}

/// A running `aws.py`.
struct Boto {
    _process: Child,
    requests: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

/// The error answer of AWS to a refused call.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The error code, such as `AccessDeniedException`.
    pub(crate) code: String,
    /// The error text, which is printed when a test fails.
    #[expect(dead_code, reason = "for `Debug`")]
    message: String,
}

impl Cloud {
    /// The emulator that `cargo xtask check --step deployed` started; `None` without one.
    #[expect(
        clippy::disallowed_methods,
        reason = "where the emulator is, is a matter of the run, not of the code"
    )]
    pub(crate) fn of_this_run() -> Option<Self> {
        let variable = |name| std::env::var(name).ok();
        let url = variable("EMULATOR_URL")?;
        let tools = variable("TOOLS")?;
        let bundle = variable("BUNDLE")?;
        let folder = tempfile::tempdir().unwrap();
        let tools = PathBuf::from(tools);
        let bundle = PathBuf::from(bundle);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("deployed/aws.py");
        let mut python = command(&tools.join("python"), &tools, &url, folder.path());
        let mut process = python.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let requests = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap()).lines();
        let boto = Mutex::new(Boto { _process: process, requests, answers });
        Some(Self { url, tools, bundle, folder, boto })
    }

    /// The URL of a path at the emulator.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Calls AWS and returns the answer.
    pub(crate) async fn call(&self, service: &str, operation: &str, arguments: Value) -> Value {
        let request = json!({ "service": service, "operation": operation, "arguments": arguments });
        self.request(&request).await.unwrap_or_else(|refused| panic!("{service}.{operation}: {refused:?}"))
    }

    /// Calls AWS with the role of a function.
    pub(crate) async fn call_as(
        &self,
        role: &str,
        service: &str,
        operation: &str,
        arguments: Value,
    ) -> Result<Value, Refused> {
        let call =
            json!({ "service": service, "operation": operation, "arguments": arguments, "role": role });
        self.request(&call).await
    }

    async fn request(&self, request: &Value) -> Result<Value, Refused> {
        let mut boto = self.boto.lock().await;
        boto.requests.write_all(format!("{request}\n").as_bytes()).await.unwrap();
        let line = tokio::time::timeout(TIMEOUT, boto.answers.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("no answer to {request}"));
        let line = line.unwrap().expect("aws.py goes on");
        let mut answer: Value = serde_json::from_str(&line).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match answer.get_mut("ok") {
            Some(ok) => Ok(ok.take()),
            None => Err(Refused { code: text(&answer["error"]), message: text(&answer["message"]) }),
        }
    }

    /// Runs `sam` in `folder`. Panics with its output when it fails.
    pub(crate) async fn sam(&self, folder: &Path, arguments: &[&str]) -> String {
        let mut sam = self.program(&self.tools.join("sam"));
        let output = tokio::time::timeout(TIMEOUT, sam.current_dir(folder).args(arguments).output()).await;
        let output = output.unwrap_or_else(|_| panic!("sam {} does not end", arguments[0])).unwrap();
        succeeded(&format!("sam {}", arguments[0]), &output)
    }

    /// Runs `sam` in `folder`, expects it to fail, and returns its output.
    pub(crate) async fn sam_refuses(&self, folder: &Path, arguments: &[&str]) -> String {
        let mut sam = self.program(&self.tools.join("sam"));
        let output = tokio::time::timeout(TIMEOUT, sam.current_dir(folder).args(arguments).output()).await;
        let output = output.unwrap_or_else(|_| panic!("sam {} does not end", arguments[0])).unwrap();
        let printed =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!output.status.success(), "sam {}: {printed}", arguments[0]);
        printed
    }

    /// Runs our command line. Panics with its output when it fails.
    pub(crate) async fn tableau_webhooks(&self, arguments: &[&str]) -> String {
        let ours = std::env::current_exe().unwrap();
        let folder = ours.parent().and_then(Path::parent).expect("target/debug/deps/deployed-…");
        let mut program = self.program(&folder.join("tableau-webhooks"));
        let output = tokio::time::timeout(TIMEOUT, program.args(arguments).output()).await;
        let output = output.unwrap_or_else(|_| panic!("tableau-webhooks {} does not end", arguments[0]));
        let output = output.expect("`cargo test --workspace --no-run` builds it");
        succeeded(&format!("tableau-webhooks {}", arguments.join(" ")), &output)
    }

    fn program(&self, program: &Path) -> Command {
        command(program, &self.tools, &self.url, self.folder.path())
    }
}

/// A command that uses the emulator, and no settings or credentials of this machine's user.
fn command(program: &Path, tools: &Path, url: &str, home: &Path) -> Command {
    let mut command = Command::new(program);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(tools.to_owned()).chain(std::env::split_paths(&path)));
    command.env_clear().env("PATH", path.unwrap()).env("HOME", home).env("AWS_ENDPOINT_URL", url);
    command.envs([
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", REGION),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("SAM_CLI_TELEMETRY", "0"),
        // The interval at which SAM polls CloudFormation, in seconds; the emulator needs none.
        ("SAM_CLI_POLL_DELAY", "0.3"),
    ]);
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

fn succeeded(what: &str, output: &Output) -> String {
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {}\n{printed}\n{complaint}", output.status);
    printed
}
