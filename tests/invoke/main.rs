//! Runs `sam local invoke` as the functions' READMEs print it. With Docker it runs that line itself; without, the same
//! package and environment under the Runtime Interface Emulator that SAM puts into its containers.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod emulator;

use emulator::{Built, answer};
use serde_json::Value;
use simulator::{
    GraphSimulator, PagerDutySimulator, ServiceNowSimulator, SlackSimulator, TableauSimulator,
    TeamsSimulator, TwilioSimulator,
};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;
use testkit::repository::{functions as all_functions, pascal, root};
use tokio::process::Command;

/// The arguments that the READMEs print after the function's name.
const OPTIONS: &str = "--env-vars events/local.json --docker-network host";

/// The environment of the run: the tools' folder and the build folder.
struct Run {
    tools: PathBuf,
    built: PathBuf,
    tableau: TableauSimulator,
    slack: SlackSimulator,
    teams: TeamsSimulator,
    servicenow: ServiceNowSimulator,
    pagerduty: PagerDutySimulator,
    twilio: TwilioSimulator,
    graph: GraphSimulator,
    folder: TempDir,
}

/// The functions that take webhooks: all but those that CloudFormation or a schedule invokes, and the one whose callers need a key in the table.
fn functions() -> Vec<String> {
    let others = ["publish-rules", "receive-event", "reconcile-webhooks", "report-history"];
    all_functions().into_iter().filter(|name| !others.contains(&name.as_str())).collect()
}

/// The event file in the command line of a function's README.
fn fixture(function: &str) -> String {
    let path = format!("functions/{function}/README.md");
    let readme = std::fs::read_to_string(root().join(&path)).unwrap();
    let start = format!("sam local invoke {} --event ", pascal(function));
    let line = readme.lines().find_map(|line| line.strip_prefix(&start));
    let fixture = line.and_then(|line| line.strip_suffix(OPTIONS)).map(str::trim);
    fixture.unwrap_or_else(|| panic!("{path} lacks a line\n{start}events/http/… {OPTIONS}")).to_owned()
}

#[test]
fn every_readme_prints_the_line_for_its_function() {
    for function in functions() {
        let fixture = fixture(&function);
        assert!(
            fixture.starts_with("events/http/") && root().join(&fixture).is_file(),
            "{function}: {fixture}"
        );
    }
}

#[test]
fn the_rules_for_a_local_invoke_are_right() {
    let text = std::fs::read_to_string(root().join("events/local.json")).unwrap();
    let values: Value = serde_json::from_str(&text).unwrap();
    let rules = values["Parameters"]["RULES"].as_str().unwrap();
    // JSON is YAML too.
    let checked = rules::Rules::to_json(rules).unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&checked).unwrap(),
        serde_json::from_str::<Value>(rules).unwrap()
    );
}

#[tokio::test]
async fn every_function_answers_its_fixture() {
    let Some(run) = Run::start().await else {
        println!("SKIPPED: nothing built; `cargo xtask check --step invoke` builds first");
        return;
    };
    let docker = run.has_docker().await;
    match docker {
        true => println!("\nDocker answers: `sam local invoke` itself."),
        false => println!(
            "\nNo Docker here: the package under SAM's Runtime Interface Emulator, in SAM's environment."
        ),
    }
    let built = run.built().await;
    for function in functions() {
        let event = std::fs::read_to_string(root().join(fixture(&function))).unwrap();
        let answer = match docker {
            true => run.sam_local_invoke(&function).await,
            false => answer(&built, &pascal(&function), &event).await,
        };
        println!("  {function}: {answer}");
        assert_eq!(answer["statusCode"], 200, "{function}: {answer}");
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        let status = body["status"].as_str().unwrap();
        assert!(["done", "skipped"].contains(&status), "{function} works inline: {body}");
    }
    assert_eq!(run.slack.message_count(), 1, "notify-slack posts");
    assert_eq!(run.teams.posts().len(), 1, "notify-teams posts");
    assert_eq!(run.servicenow.incidents().len(), 1, "track-servicenow-incident opens an incident");
    assert_eq!(run.pagerduty.alerts().len(), 1, "page-on-call pages");
    assert_eq!(run.twilio.messages().len(), 1, "send-sms sends a text");
    assert_eq!(run.graph.files().len(), 2, "publish-pdf publishes a file for each view");
}

impl Run {
    #[expect(
        clippy::disallowed_methods,
        reason = "what was built where, is a matter of the run, not of the code"
    )]
    async fn start() -> Option<Self> {
        let tools = std::env::var("TOOLS").ok()?;
        let built = std::env::var("SAM_BUILD").ok()?;
        let tableau = TableauSimulator::sample().start().await.unwrap();
        let slack = SlackSimulator::start().await.unwrap();
        slack.add_channel("data-alerts", true);
        let teams = TeamsSimulator::start().await.unwrap();
        let servicenow = ServiceNowSimulator::start().await.unwrap();
        let pagerduty = PagerDutySimulator::start().await.unwrap();
        let twilio = TwilioSimulator::start().await.unwrap();
        let graph = GraphSimulator::start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        Some(Self {
            tools: tools.into(),
            built: built.into(),
            tableau,
            slack,
            teams,
            servicenow,
            pagerduty,
            twilio,
            graph,
            folder,
        })
    }

    async fn has_docker(&self) -> bool {
        let mut docker = Command::new("docker");
        let docker = docker.arg("info").stdout(Stdio::null()).stderr(Stdio::null());
        docker.status().await.is_ok_and(|status| status.success())
    }

    /// `events/local.json`, with the URLs of this run's Tableau and Slack instead of the local stack's.
    fn env_vars(&self) -> PathBuf {
        let text = std::fs::read_to_string(root().join("events/local.json")).unwrap();
        let tableau = self.tableau.url();
        let slack = self.slack.url();
        let text = text.replace("http://127.0.0.1:8091", &tableau).replace("http://127.0.0.1:8092", &slack);
        let text = text.replace("http://127.0.0.1:8094", &self.teams.url());
        let text = text.replace("http://127.0.0.1:8095", &self.servicenow.url());
        let text = text.replace("http://127.0.0.1:8096", &self.pagerduty.url());
        let text = text.replace("http://127.0.0.1:8097", &self.twilio.url());
        let token = |token: &str| format!(r#"\"auth_token\":\"{token}\""#);
        let text = text.replace(&token("simulated-not-a-secret"), &token(&self.twilio.token()));
        let text = text.replace("http://127.0.0.1:8098", &self.graph.url());
        let secret = |secret: &str| format!(r#"\"client_secret\":\"{secret}\""#);
        let text = text.replace(&secret("simulated-not-a-secret"), &secret(&self.graph.client_secret()));
        let values: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(values["Parameters"]["TABLEAU_SERVER_URL"], tableau);
        let path = self.folder.path().join("env-vars.json");
        std::fs::write(&path, values.to_string()).unwrap();
        path
    }

    /// The package and environment that SAM would run.
    async fn built(&self) -> Built {
        let mut python = Command::new(self.tools.join("python"));
        python.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("invoke/functions.py"));
        python.arg(self.built.join("template.yaml")).arg(self.env_vars());
        python.env("AWS_DEFAULT_REGION", "us-east-1").env("SAM_CLI_TELEMETRY", "0");
        let output = python.output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Built::read(&output.stdout)
    }

    async fn sam_local_invoke(&self, function: &str) -> Value {
        let mut sam = Command::new(self.tools.join("sam"));
        sam.current_dir(root()).args(["local", "invoke", &pascal(function), "--event", &fixture(function)]);
        sam.args(["--docker-network", "host"]).arg("--env-vars").arg(self.env_vars());
        sam.arg("--template").arg(self.built.join("template.yaml"));
        let architecture = if std::env::consts::ARCH == "aarch64" { "arm64" } else { "x86_64" };
        sam.args(["--parameter-overrides", &format!("Architecture={architecture}")]);
        sam.env("AWS_DEFAULT_REGION", "us-east-1").env("SAM_CLI_TELEMETRY", "0");
        let output = sam.kill_on_drop(true).output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let printed = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(printed.trim()).unwrap()
    }
}
