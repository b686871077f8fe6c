//! A site of a server that is no stack's.

use crate::{PROGRAM, TOKEN, finish, stderr, stdout};
use simulator::{
    Recorder, SAMPLE_CONNECTED_APP, SAMPLE_CONTENT_URL, SAMPLE_PAT, TableauBuilder, TableauSimulator,
    Webhook, WebhookRecord,
};
use std::process::{Command, Output};
use tableau::EventName;

/// The variables of each kind of credential.
pub(crate) const PAT: &[(&str, &str)] =
    &[("TABLEAU_TOKEN_NAME", SAMPLE_PAT.0), ("TABLEAU_TOKEN_SECRET", SAMPLE_PAT.1)];
pub(crate) const PASSWORD: &[(&str, &str)] =
    &[("TABLEAU_USER", "bea@example.com"), ("TABLEAU_PASSWORD", "correct horse battery staple")];
pub(crate) const APP: &[(&str, &str)] = &[
    ("TABLEAU_CLIENT_ID", SAMPLE_CONNECTED_APP.0),
    ("TABLEAU_SECRET_ID", SAMPLE_CONNECTED_APP.1),
    ("TABLEAU_SECRET_VALUE", SAMPLE_CONNECTED_APP.2),
    ("TABLEAU_USER", "bea@example.com"),
];

/// What no output may have.
const SECRETS: [&str; 4] = [TOKEN, SAMPLE_PAT.1, SAMPLE_CONNECTED_APP.2, "correct horse battery staple"];

/// A simulated site, and a destination for its webhooks.
pub(crate) struct Site {
    pub(crate) tableau: TableauSimulator,
    pub(crate) destination: Recorder,
}

impl Site {
    pub(crate) async fn start() -> Self {
        Self::start_as(TableauSimulator::sample()).await
    }

    pub(crate) async fn start_as(builder: TableauBuilder) -> Self {
        Self { tableau: builder.start().await.unwrap(), destination: Recorder::start().await.unwrap() }
    }

    /// The URL of the destination, with the token.
    pub(crate) fn url(&self) -> String {
        format!("{}/webhook/{TOKEN}", self.destination.url())
    }

    /// Adds a webhook that posts to the destination.
    pub(crate) fn add(&self, event: EventName, name: &str) -> String {
        self.tableau.add(Webhook::on(event, &self.url()).named(name))
    }

    /// The webhook at Tableau with this LUID.
    pub(crate) fn webhook(&self, luid: &str) -> Option<WebhookRecord> {
        self.tableau.webhooks().into_iter().find(|webhook| webhook.luid == luid)
    }

    /// The program with these variables.
    pub(crate) fn command(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg("webhooks").args(arguments).args(["--server", &self.tableau.url()]).env_clear();
        command.args(["--site", SAMPLE_CONTENT_URL]).envs(variables.iter().copied());
        command
    }

    /// Runs the program with a personal access token, and checks its output.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, PAT).await
    }

    /// Runs the program with the URL of the destination in its variable, and checks its output.
    pub(crate) async fn run_to(&self, url: &str, arguments: &[&str]) -> Output {
        self.run_with(arguments, &[PAT, &[("WEBHOOK_URL", url)]].concat()).await
    }

    /// Runs the program. Its output has no secret, and no session is left at Tableau.
    pub(crate) async fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let output = finish(self.command(arguments, variables)).await;
        check(&output);
        assert_eq!(self.tableau.sessions(), 0, "a session is left: {arguments:?}");
        output
    }
}

/// What no output may have.
pub(crate) fn secrets() -> [&'static str; 4] {
    SECRETS
}

/// Neither stream has a secret, or the path or query of a webhook's URL.
pub(crate) fn check(output: &Output) {
    let shown = stdout(output) + &stderr(output);
    for secret in SECRETS.into_iter().chain(["/webhook/", "?token", "token="]) {
        assert!(!shown.contains(secret), "{secret} is in {shown}");
    }
}
