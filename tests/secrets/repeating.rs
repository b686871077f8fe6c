//! Tableau and Slack repeat every request; what comes out of the workflows has no secret.

use crate::echo::{Echo, Repeat, Well, every};
use crate::stand::{AWS_TOKEN, Stand, event};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// So many answers a stack gets: fewer than make it leave a destination alone.
const ANSWERS: usize = 8;
const PAT: &str = "qlE1g9MMh9vbrjjg==:rZTHhPpP2tUW1kfn4tjg8";
/// It could be a word, a code or a name.
const LETTERS: &str = "correcthorsebatterystaple";
const PASSWORD: &str = "pa/ss \"wörd\" & 1 + <2>";

/// Each with what is secret in it.
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

/// Handles events until every answer of the plan was given, and looks at all that came out.
async fn run(stand: &mut Stand, name: &str, variables: &[(&str, &str)], echo: &Echo, plan: &[Repeat]) {
    echo.plan(plan);
    let function = stand.queued(name, variables);
    let mut number = 0;
    while echo.repeated() < plan.len() {
        number += 1;
        assert!(number <= plan.len() * 3, "{name} asks for nothing: {}", function.logs().join("\n"));
        let kind = if name == "update-broadcast" { "WorkbookUpdated" } else { EVENTS[number % EVENTS.len()] };
        stand.handle(&function, &[event(kind, number)]).await;
    }
    stand.assert_no_secret(&function, &echo.secrets()).await;
    // There is something to look at, and it says what went wrong.
    assert!(stand.text().contains("\"outcome\":"), "{}", stand.text());
}

/// So many stacks run beside each other: most of their time they wait before they try again.
const BESIDE: usize = 5;

/// Runs `one` with each part of the plan, a few at a time.
async fn in_parts<F>(plan: Vec<Repeat>, one: impl Fn(usize, Vec<Repeat>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut parts = plan.chunks(ANSWERS).map(<[Repeat]>::to_vec).enumerate();
    let mut running = JoinSet::new();
    loop {
        while running.len() < BESIDE
            && let Some((at, part)) = parts.next()
        {
            running.spawn(one(at, part));
        }
        match running.join_next().await {
            Some(ended) => ended.unwrap(),
            None => return,
        }
    }
}

async fn of_tableau(name: &'static str, well: Well, turn: usize) {
    in_parts(every(turn), |at, part| {
        let well = well.clone();
        async move {
            let (credential, secret) = &tableau_credentials()[at % 4];
            let echo = Echo::start(well).await;
            let mut stand = Stand::start(&[secret, AWS_TOKEN]).await;
            stand.stage.aws.create_secret("tableau", credential.clone());
            run(&mut stand, name, &[("TABLEAU_SERVER_URL", &echo.url)], &echo, &part).await;
        }
    })
    .await;
}

// 12-S1
#[tokio::test]
async fn a_tableau_that_repeats_each_sign_in_is_told_nowhere() {
    of_tableau("notify-slack", Well::Nothing, 0).await;
}

// 12-S1
#[tokio::test]
async fn a_tableau_that_repeats_each_call_of_a_session_is_told_nowhere() {
    of_tableau("notify-slack", Well::SignIn, 1).await;
}

// 12-S1
#[tokio::test]
async fn a_tableau_that_repeats_each_call_about_broadcasts_is_told_nowhere() {
    of_tableau("update-broadcast", Well::SignIn, 2).await;
}

// 12-S1
#[tokio::test]
async fn a_slack_that_repeats_each_message_is_told_nowhere() {
    let paths = [
        "T024BE7LD/B024BE7LD/q1w2E3r4T5y6U7i8O9p0a1s2",
        "tsecretworkspace/bsecretbot/correcthorsebatterystaple",
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
        let mut stand = Stand::start(&[secret, AWS_TOKEN]).await;
        stand.stage.aws.create_secret("slack", credential);
        run(&mut stand, "notify-slack", &[("SLACK_API_URL", &echo.url)], &echo, &part).await;
    })
    .await;
}
