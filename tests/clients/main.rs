#![doc = include_str!("README.md")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "says out loud what it checked, and what it skipped"
)]

mod airflow;
mod dagster;
mod tabcmd;

use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use testkit::simulator::{SAMPLE_CONTENT_URL, SiteRole, TableauBuilder, TableauSimulator, User};
use tokio::process::Command;
use tokio::time::timeout;

/// How long a refresh takes at the simulator: long enough for a client to poll several times.
const REFRESH: Duration = Duration::from_secs(2);

/// The time limit for a client.
const LONGEST: Duration = Duration::from_secs(150);

/// An administrator with a password, whose sign-ins end no sessions of others.
const NAME: &str = "svc-pipeline@example.com";
const PASSWORD: &str = "svc-pipeline's password";

/// The Python interpreter of a client's virtual environment, if the caller set one.
fn python(variable: &str) -> Option<PathBuf> {
    let python = std::env::var_os(variable);
    if python.is_none() {
        eprintln!("SKIPPED: {variable} is not set; `cargo xtask check --full` sets it");
    }
    python.map(PathBuf::from)
}

/// A Tableau simulator over TLS, and a folder for the client's files.
struct Site {
    tableau: TableauSimulator,
    folder: TempDir,
}

impl Site {
    /// Starts a site with the sample content. Refreshes end by themselves.
    async fn start() -> Self {
        Self::of(TableauSimulator::sample().refreshes_take(REFRESH)).await
    }

    /// Starts a site with the sample content. Refreshes stay queued until a call ends them.
    async fn that_never_ends() -> Self {
        Self::of(TableauSimulator::sample()).await
    }

    async fn of(builder: TableauBuilder) -> Self {
        let tableau = builder.tls().start().await.unwrap();
        let pipeline = User::named("svc-pipeline").with_role(SiteRole::SiteAdministratorExplorer);
        tableau.add(pipeline.with_password(PASSWORD));
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("authority.pem"), tableau.authority().unwrap()).unwrap();
        Self { tableau, folder }
    }

    /// The file with the CA certificate.
    fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// `127.0.0.1:49152`
    fn host(&self) -> String {
        self.tableau.address().to_string()
    }

    /// The environment that a client gets: Tableau's address, the CA certificate, and the user. No other variables of
    /// the caller: no proxy and no settings of the caller's own installation.
    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.folder.path());
        command.env("LANG", "C.UTF-8").env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUNBUFFERED", "1");
        command.env("PYTHONWARNINGS", "ignore");
        command.env("TABLEAU_URL", self.tableau.url()).env("TABLEAU_HOST", self.host());
        command.env("TABLEAU_SITE", SAMPLE_CONTENT_URL).env("TABLEAU_USER", NAME);
        command.env("TABLEAU_PASSWORD", PASSWORD);
        // The setting of Python's `requests`, which all of these clients use.
        command.env("REQUESTS_CA_BUNDLE", self.authority());
        command.current_dir(self.folder.path()).kill_on_drop(true);
        command
    }

    /// How often the client polled a job.
    fn looks(&self) -> u32 {
        self.tableau.calls("GET /sites/{site}/jobs/{id}")
    }

    /// Cancels the refresh with this name once the client has seen it open.
    async fn cancel_once_it_was_looked_at(&self, title: &str) {
        let job = loop {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let open =
                self.tableau.jobs().into_iter().find(|job| job.title == title && job.status == "Pending");
            if let Some(job) = open.filter(|_| self.looks() > 1) {
                break job.luid;
            }
        };
        self.tableau.cancel_job(&job);
    }

    /// The states of the refreshes that the client requested, by the content's name.
    fn asked_for(&self, before: usize) -> Vec<(String, &'static str)> {
        let mut jobs: Vec<_> =
            self.tableau.jobs().split_off(before).into_iter().map(|job| (job.title, job.status)).collect();
        jobs.sort_unstable();
        jobs
    }
}

/// The path of a file in `tests/clients`.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(name)
}

/// The output and exit code of a client.
struct Ended {
    answer: String,
    printed: String,
    code: Option<i32>,
}

impl Ended {
    /// The JSON in the client's output.
    fn json(&self) -> Value {
        serde_json::from_str(&self.answer).unwrap()
    }
}

/// Runs a client and prints its output.
async fn run(mut command: Command) -> Ended {
    let output = timeout(LONGEST, command.output()).await.expect("the client ends in time").unwrap();
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    let printed = format!("{answer}{}", String::from_utf8_lossy(&output.stderr));
    println!("{printed}");
    Ended { answer, printed, code: output.status.code() }
}

/// Runs a Python script of this folder, which prints a line for each passed check.
async fn script(site: &Site, python: &Path, name: &str, arguments: &[&str]) {
    let mut script = site.command(python);
    script.arg(file(name)).args(arguments);
    let ended = run(script).await;
    assert_eq!(ended.code, Some(0), "{}", ended.printed);
}
