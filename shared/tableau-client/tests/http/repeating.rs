//! A server whose answers repeat the request: no secret appears in an error, a name or a session.

use crate::server::{Reply, Tableau, client};
use serde_json::{Value, json};
use tableau_client::{
    ActAs, ConnectedApp, Error, EventName, Filter, NewWebhook, TableauClient, TableauCredential, chain,
};

const SIGN_IN: &str = "POST /auth/signin";
const CALL: &str = "GET /workbooks/w-1";
const PAT: &str = "qlE1g9MMh9vbrjjg==:rZTHhPpP2tUW1kfn4tjg8";
/// A secret that looks like an error code or a name of Tableau's.
const PLAIN: &str = "abcdefghijklmnopqrstuvwxyz";
const DIGITS: &str = "404006";
/// The session's token, as the server gives it.
const TOKEN: &str = "HvZM|5fI6=:_-|a946";

fn app() -> TableauCredential {
    TableauCredential::ConnectedApp(ConnectedApp {
        client_id: "c".to_owned(),
        secret_id: "i".to_owned(),
        secret_value: PAT.into(),
        user: "ana@example.com".to_owned(),
        scopes: ConnectedApp::SCOPES.map(str::to_owned).to_vec(),
    })
}

fn credentials() -> Vec<(TableauCredential, &'static str)> {
    let pat = |secret| TableauCredential::personal_access_token("n", secret);
    let password =
        |password: &str| TableauCredential::Password { user: "u".to_owned(), password: password.into() };
    vec![
        (pat(PAT), PAT),
        (pat(PLAIN), PLAIN),
        (password("pa/ss \"wörd\" & 1"), "pa/ss \"wörd\" & 1"),
        (password(DIGITS), DIGITS),
        (app(), PAT),
    ]
}

/// Answers that repeat a text in every field that an error or a record could quote.
fn repeating(text: &str) -> Vec<Reply> {
    let escaped = json!(text).to_string().replace('/', "\\/");
    let xml = text.replace('&', "&amp;").replace('<', "&lt;");
    let mut replies = Vec::new();
    for status in [200, 302, 400, 401, 403, 404, 409, 429, 500, 503] {
        let json = |body: Value| Reply::json(status, &body);
        let full = |body: &str| Reply::Full(status, vec![], body.as_bytes().to_vec());
        replies.extend([
            full(text),
            full(&format!("<html>{text}</html>")),
            json(json!({"error": {"code": text, "summary": text, "detail": text}})),
            json(json!({"error": {"code": "401001", "summary": text, "detail": text}})),
            json(json!({"error": {"code": "404006", "summary": "x", "detail": format!("{}{text}", "y".repeat(290))}})),
            full(&format!(r#"{{"error":{{"code":"409093","summary":{escaped},"detail":{escaped}}}}}"#)),
            full(&format!("<?xml version='1.0'?><tsResponse><error code=\"400006\"><summary>{xml}</summary><detail>{xml}</detail></error>")),
            json(json!({"workbook": text})),
            json(json!({"workbook": {"id": text, "name": text}})),
            json(json!({"workbook": {"id": "w-1", "name": text}})),
            full(&format!(r#"{{{escaped}: tru}}"#)),
            json(json!({"credentials": text})),
            json(json!({"credentials": {"token": text, "site": {"id": text}, "user": {"id": text}}})),
            json(json!({"credentials": {"token": text, "site": {"id": "s-1"}, "user": {"id": "u-1"}}})),
            Reply::Full(status, vec![("retry-after", text.replace(['\r', '\n', 'ö'], "")), ("content-type", text.replace(['\r', '\n', 'ö'], ""))], vec![]),
            Reply::Full(status, vec![("location", format!("https://{}.example/{}", text.replace(|c: char| !c.is_ascii_alphanumeric(), "-"), text.replace(['\r', '\n', 'ö'], "")))], vec![]),
        ]);
    }
    replies
}

fn assert_nothing_of(secret: &str, error: &Error) {
    let text = format!("{} {error} {error:?} {:?}", chain(error), error.code()).to_lowercase();
    let secret = secret.to_lowercase();
    let pieces: Vec<String> = match secret.chars().count() {
        0..=8 => vec![secret.clone()],
        _ => secret.chars().collect::<Vec<_>>().windows(8).map(String::from_iter).collect(),
    };
    for piece in pieces {
        assert!(!text.contains(&piece), "`{piece}` in {text}");
    }
}

async fn read(client: &TableauClient) -> Result<String, Error> {
    Ok(client.workbook(&"w-1".parse().unwrap()).await?.name)
}

#[tokio::test]
async fn the_error_of_a_sign_in_whose_answer_repeats_the_credential_holds_nothing_of_it() {
    for (credential, secret) in credentials() {
        for reply in repeating(secret) {
            let tableau = Tableau::start().await;
            tableau.forgets(SIGN_IN).says(SIGN_IN, reply.clone());
            let client = client(tableau.settings("3.29"), credential.clone());
            let error =
                client.within(std::time::Duration::from_millis(60)).workbook(&"w-1".parse().unwrap()).await;
            assert_nothing_of(secret, &error.unwrap_err());
        }
    }
}

#[tokio::test]
async fn the_error_of_a_call_whose_answer_repeats_the_session_or_the_credential_holds_nothing_of_them() {
    for (credential, secret) in credentials().into_iter().filter(|(_, secret)| *secret != DIGITS) {
        for secret in [secret, TOKEN] {
            for reply in repeating(secret) {
                let tableau = Tableau::start().await;
                tableau.says(CALL, reply.clone());
                let client = client(tableau.settings("3.29"), credential.clone());
                match read(&client.within(std::time::Duration::from_millis(60))).await {
                    Ok(name) => assert_eq!(name, "[redacted]", "{reply:?}"),
                    Err(error) => assert_nothing_of(secret, &error),
                }
            }
        }
    }
}

#[tokio::test]
async fn no_error_holds_the_jwt_of_a_sign_in_when_the_answer_repeats_it() {
    let tableau = Tableau::start().await;
    tableau.repeats(SIGN_IN);
    let error = read(&client(tableau.settings("3.29"), app())).await.unwrap_err();
    let jwt = tableau.heard(SIGN_IN)[0].json()["credentials"]["jwt"].as_str().unwrap().to_owned();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
    for part in jwt.split('.') {
        assert_nothing_of(part, &error);
    }
    assert!(error.to_string().contains("[redacted]"), "{error}");
}

#[tokio::test]
async fn no_error_holds_a_webhooks_url_that_tableau_refuses_and_the_url_comes_back_when_it_is_made() {
    let url = "https://hooks.example.com/webhook?token=q1w2e3r4t5z6u7i8o9p0";
    let new = NewWebhook {
        name: "n".to_owned(),
        url: url.to_owned(),
        event: EventName::WorkbookCreated,
        is_enabled: true,
    };
    let tableau = Tableau::start().await;
    tableau.says("POST /webhooks", Reply::error("400118", &format!("{url} is not taken")));
    let error = tableau.client().create_webhook(&new).await.unwrap_err();
    assert_nothing_of("q1w2e3r4t5z6u7i8o9p0", &error);
    assert!(
        error.to_string().contains("https://hooks.example.com/webhook?token=[redacted] is not taken"),
        "{error}"
    );
    let made = json!({"webhook": {"id": "h-1", "name": "n", "event": "WorkbookCreated",
        "webhook-destination": {"webhook-destination-http": {"method": "POST", "url": url}}}});
    tableau.forgets("POST /webhooks").says("POST /webhooks", Reply::json(201, &made));
    let made = tableau.client().create_webhook(&new).await.unwrap();
    assert_eq!(made.url, url);
}

#[tokio::test]
async fn notes_of_a_job_and_errors_of_the_metadata_api_lose_the_session_token() {
    let tableau = Tableau::start().await;
    let note = format!("X-Tableau-Auth: {TOKEN} was refused, {}", json!(TOKEN));
    tableau.knows("GET /jobs/j-1", &json!({"job": {"id": "j-1", "extractRefreshJob": {"notes": note}}}));
    let job = tableau.client().job(&"j-1".parse().unwrap()).await.unwrap();
    assert_eq!(job.notes().unwrap(), "X-Tableau-Auth: [redacted] was refused, \"[redacted]\"");
    let errors = json!({"errors": [{"message": note, "extensions": {"code": TOKEN}}]});
    tableau.knows("POST /metadata/graphql", &errors);
    let error = tableau.client().metadata::<Value>("{ a }", &json!({})).await.unwrap_err();
    assert_nothing_of(TOKEN, &error);
    tableau.knows(
        "GET /workbooks",
        &json!({"pagination": TOKEN, "workbooks": {"workbook": [{TOKEN: 1}, {"id": TOKEN}]}}),
    );
    let error = tableau.client().workbooks(Filter::all()).all(10).await.unwrap_err();
    assert_nothing_of(TOKEN, &error);
}

#[tokio::test]
async fn who_is_acted_for_stays_in_the_refusal() {
    let tableau = Tableau::start().await;
    tableau
        .forgets(SIGN_IN)
        .says(SIGN_IN, Reply::error("401001", "Login failed for user bea@example.com (pass abc1)."));
    let password =
        TableauCredential::Password { user: "bea@example.com".to_owned(), password: "abc1".into() };
    let settings = tableau.settings("3.29").acting_as(ActAs::User("u-1".parse().unwrap()));
    let error = read(&client(settings, password)).await.unwrap_err();
    assert!(
        error.to_string().contains("Login failed for user bea@example.com (pass [redacted])."),
        "{error}"
    );
}

#[tokio::test]
async fn the_site_in_a_sessions_token_is_no_secret_and_stays_in_answers() {
    let site = "8b2a95d8-52b9-40a4-8712-cd6da771bd1b";
    let token = format!("HvZMqFFfQQmOM4L-AZNIQA|5fI6T54OPK1Gn1p4w0RtHv6EkojWRTwq|{}", site.to_uppercase());
    let tableau = Tableau::start().await;
    let signed_in = json!({"credentials": {"token": token, "site": {"id": site}, "user": {"id": "u-1"}}});
    tableau.forgets(SIGN_IN).knows(SIGN_IN, &signed_in);
    let call = format!("GET /sites/{site}/workbooks/w-1");
    let name = format!("{site} of {token}");
    tableau.knows(&call, &json!({"workbook": {"id": "w-1", "name": name}}));
    let client = client(tableau.settings("3.29"), credentials()[0].0.clone());
    assert_eq!(read(&client).await.unwrap(), format!("{site} of [redacted]{}", site.to_uppercase()));
}
