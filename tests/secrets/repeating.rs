//! Tableau and Slack repeat every request; the workflows' output contains no secret.

use crate::echo::{Echo, Repeat, Well, every};
use crate::environment::{Environment, event, in_parts};
use serde_json::{Value, json};

const PAT: &str = "qlE1g9MMh9vbrjjg==:rZTHhPpP2tUW1kfn4tjg8";
/// A secret that could be a word, a code or a name.
const LETTERS: &str = "correcthorsebatterystaple";
const PASSWORD: &str = "pa/ss \"wörd\" & 1 + <2>";

/// Each credential, with its secret parts.
fn tableau_credentials() -> [(Value, &'static str); 4] {
    let app =
        json!({ "client_id": "c", "secret_id": "i", "secret_value": PAT, "user_name": "ana@example.com" });
    [
        (json!({ "token_name": "n", "token_secret": PAT }), PAT),
        (json!({ "token_name": "n", "token_secret": LETTERS }), LETTERS),
        (json!({ "user_name": "ana", "password": PASSWORD }), PASSWORD),
        (app, PAT),
    ]
}

const EVENTS: [&str; 3] = ["WorkbookCreated", "WorkbookRefreshFailed", "WorkbookRefreshSucceeded"];

/// A function with a double that repeats requests.
struct Case {
    function: &'static str,
    /// The setting with the double's address.
    address: &'static str,
    /// The credential: the secret's name, its content, and the secret parts of the content.
    name: &'static str,
    credential: Value,
    secret: &'static str,
}

impl Case {
    /// Handles events until every planned answer was given, and searches all output. A refused credential is not
    /// retried for a minute, so a stack that makes no more calls is replaced by a new one.
    async fn run(&self, echo: &Echo, plan: &[Repeat]) {
        echo.plan(plan);
        for stack in 0..plan.len() {
            let before = echo.repeated();
            if before >= plan.len() {
                return;
            }
            let mut environment = Environment::start(&[self.secret]).await;
            environment.services.aws.create_secret(self.name, self.credential.clone());
            let function = environment.queued(self.function, &[(self.address, &echo.url)]);
            for number in 0..plan.len() {
                let so_far = echo.repeated();
                let kind = match self.function {
                    "update-broadcast" => "WorkbookUpdated",
                    _ => EVENTS[number % EVENTS.len()],
                };
                environment.handle(&function, &[event(kind, stack * plan.len() + number)]).await;
                if echo.repeated() == so_far || so_far >= plan.len() {
                    break;
                }
            }
            environment.assert_no_secret(&function, &echo.secrets()).await;
            // There is output to search, and it names the error.
            assert!(environment.text().contains("\"outcome\":"), "{}", environment.text());
            assert!(echo.repeated() > before, "it asks for nothing: {}", environment.text());
        }
    }
}

async fn of_tableau(function: &'static str, well: Well, turn: usize) {
    in_parts(every(turn), |at, part| {
        let well = well.clone();
        async move {
            let (credential, secret) = tableau_credentials()[at % 4].clone();
            let name = "tableau";
            let address = "TABLEAU_SERVER_URL";
            let echo = Echo::start(well).await;
            Case { function, address, name, credential, secret }.run(&echo, &part).await;
        }
    })
    .await;
}

#[tokio::test]
async fn secrets_that_tableau_repeats_at_sign_in_appear_nowhere() {
    of_tableau("notify-slack", Well::Version, 0).await;
    of_tableau("update-broadcast", Well::Version, 3).await;
}

#[tokio::test]
async fn secrets_that_tableau_repeats_in_calls_of_a_session_appear_nowhere() {
    of_tableau("notify-slack", Well::SignIn, 1).await;
}

#[tokio::test]
async fn secrets_that_tableau_repeats_in_calls_about_broadcasts_appear_nowhere() {
    of_tableau("update-broadcast", Well::SignIn, 2).await;
}

#[tokio::test]
async fn secrets_that_slack_repeats_appear_nowhere() {
    let paths = [
        "T024BE7LD/B024BE7LD/q1w2E3r4T5y6U7i8O9p0a1s2",
        "tsecretworkspace/bsecretbot/correct_horse_battery_staple",
    ];
    let tokens = ["xoxb-1234567890-0987654321-q1w2E3r4T5y6U7i8", LETTERS];
    in_parts(every(3), move |at, part| async move {
        let echo = Echo::start(Well::Nothing).await;
        let (secret, credential) = match at % 4 {
            0 | 2 => {
                let path = paths[at / 2 % 2];
                (path, json!({ "webhook_urls": { "default": format!("{}/services/{path}", echo.url) } }))
            }
            _ => (tokens[at / 2 % 2], json!({ "bot_token": tokens[at / 2 % 2] })),
        };
        let function = "notify-slack";
        let name = "slack";
        let address = "SLACK_API_URL";
        Case { function, address, name, credential, secret }.run(&echo, &part).await;
    })
    .await;
}
