//! The environment of a function's process: Lambda's variables and the function's own.

use super::LogLine;
use crate::Error;
use crate::aws::{Keys, REGION};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::sync::mpsc::UnboundedSender;

/// A function to run as a process.
#[derive(Clone, Debug)]
pub struct FunctionSpec {
    /// The function's name, as in `AWS_LAMBDA_FUNCTION_NAME`.
    pub name: String,
    /// The path of the function's binary (its bootstrap).
    pub binary: PathBuf,
    /// The function's own environment variables; they override Lambda's.
    pub environment: BTreeMap<String, String>,
    /// The timeout of one invocation.
    pub timeout: Duration,
    /// The memory limit, in MB. The limit is not enforced.
    pub memory_mb: u32,
    /// The AWS endpoint that the function's clients use.
    pub endpoint_url: Option<String>,
    /// The AWS keys that the function's clients sign with.
    pub keys: Keys,
    /// The receiver of the lines that the function writes.
    pub logs: Option<UnboundedSender<LogLine>>,
}

impl FunctionSpec {
    /// A function with Lambda's defaults of 3 seconds and 128 MB, no variables of its own, and keys that no service
    /// accepts.
    pub fn new(name: impl Into<String>, binary: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            binary: binary.into(),
            environment: BTreeMap::new(),
            timeout: Duration::from_secs(3),
            memory_mb: 128,
            endpoint_url: None,
            keys: Keys::new(),
            logs: None,
        }
    }

    /// The same settings with the binary's absolute path, since the function has its own working directory. Fails when
    /// the binary does not exist.
    pub(super) fn absolute(mut self) -> Result<Self, Error> {
        if let Ok(absolute) = std::path::absolute(&self.binary) {
            self.binary = absolute;
        }
        if self.binary.is_file() {
            return Ok(self);
        }
        Err(Error::NoBinary {
            binary: self.binary.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            folder: self.binary.parent().map(PathBuf::from).unwrap_or_default(),
        })
    }

    /// Source: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
    fn variables(&self, runtime_api: SocketAddr) -> BTreeMap<String, String> {
        let day = Timestamp::now().strftime("%Y/%m/%d").to_string();
        let root = self.binary.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
        let mut variables: BTreeMap<String, String> = [
            ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", self.name.clone()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", self.memory_mb.to_string()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", self.name)),
            ("AWS_LAMBDA_LOG_STREAM_NAME", format!("{day}/[$LATEST]{}", uuid::Uuid::new_v4().simple())),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_DEFAULT_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", self.keys.access_key_id().to_owned()),
            ("AWS_SECRET_ACCESS_KEY", self.keys.secret_access_key().to_owned()),
            ("AWS_SESSION_TOKEN", self.keys.session_token().to_owned()),
            ("LAMBDA_TASK_ROOT", root),
            ("LAMBDA_RUNTIME_DIR", "/var/runtime".to_owned()),
            ("LANG", "en_US.UTF-8".to_owned()),
            ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin".to_owned()),
            ("TZ", ":UTC".to_owned()),
            ("_HANDLER", "bootstrap".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        if let Some(url) = &self.endpoint_url {
            variables.insert("AWS_ENDPOINT_URL".to_owned(), url.clone());
        }
        variables.extend(self.environment.clone());
        variables
    }

    /// The command that starts the function, without this process's own environment.
    pub(super) fn command(&self, runtime_api: SocketAddr) -> Command {
        let mut command = Command::new(&self.binary);
        command.env_clear().envs(self.variables(runtime_api));
        // Windows has no sockets without `SystemRoot`.
        #[cfg(windows)]
        if let Some(root) = std::env::var_os("SystemRoot") {
            command.env("SystemRoot", root);
        }
        if let Some(folder) = self.binary.parent() {
            command.current_dir(folder);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }
}
