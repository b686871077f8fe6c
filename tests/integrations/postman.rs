//! The collection for Postman: what its files contain, and how newman replays it at the simulator of Tableau and at the stack.
//! The tests with newman are of the full check: it takes long to install.

use super::newman::{Newman, collection, environment, files, names, names_in, requests};
use super::scene::Scene;
use serde_json::{Value, json};
use simulator::{ConnectedApp, PatCredential, Recorder, SAMPLE_CONTENT_URL, SiteRole, User, WebhookRecord};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use tableau::{EventId, EventName, Payload};
use testkit::TOKEN;
use testkit::repository::root;

/// Values with characters that end a text in JSON or XML.
const NAME: &str = r#"Überwachung "A&B" <test>\"#;
const PASSWORD: &str = r#"a"b'c\d&e<f>g"#;
const PAT: (&str, &str) = ("collection & co", "x+y/z==:a-secret-of-this-test-alone");
const APP: (&str, &str, &str) = ("client", "secret-id", "sécret-of-this-app");

const WAYS: [&str; 3] = ["Personal access token", "User and password", "Connected app"];

/// The bodies of the sample events, by the events' names.
fn samples() -> BTreeMap<String, String> {
    let files = std::fs::read_dir(root().join("events/tableau")).unwrap().map(|file| file.unwrap().path());
    let bodies = files.filter(|path| path.is_file()).map(|path| std::fs::read_to_string(path).unwrap());
    let name =
        |body: &str| serde_json::from_str::<Value>(body).unwrap()["event_type"].as_str().unwrap().to_owned();
    bodies.map(|body| (name(&body), body)).collect()
}

#[test]
fn each_sample_event_is_in_the_collection_byte_for_byte() {
    let deliveries = requests("Deliveries").into_iter().filter_map(|item| {
        let event = item["name"].as_str().unwrap().strip_prefix("Deliver ")?.to_owned();
        Some((event, item["request"]["body"]["raw"].as_str().unwrap().to_owned()))
    });
    let deliveries: BTreeMap<String, String> = deliveries.collect();

    assert_eq!(deliveries, samples(), "run: python integrations/postman/build.py");
    assert_eq!(deliveries.len(), EventName::KNOWN.len());
}

#[test]
fn no_file_contains_the_value_of_a_variable_that_is_secret() {
    let environment = environment();
    let values = environment["values"].as_array().unwrap();
    let secrets: BTreeMap<_, _> = values
        .iter()
        .filter(|variable| variable["type"] == "secret")
        .map(|variable| (variable["key"].as_str().unwrap(), variable["value"].as_str().unwrap()))
        .collect();

    let expected = ["connected_app_secret_value", "new_webhook_url", "password", "pat_secret", "webhook_url"];
    assert_eq!(secrets, expected.map(|name| (name, "")).into());
    assert_eq!(collection().get("variable"), None, "variables get their values when the collection runs");
    let samples =
        [simulator::SAMPLE_PAT.1, simulator::SAMPLE_CONNECTED_APP.2, "correct horse battery staple"];
    assert_in_no_file(samples.into_iter().chain([TOKEN]));
}

fn assert_in_no_file<'a>(secrets: impl IntoIterator<Item = &'a str>) {
    let files = files();
    assert!(files.len() > 5, "{files:?}");
    for secret in secrets {
        let found = files.iter().find(|(_, text)| text.contains(secret));
        assert!(found.is_none(), "a secret is in {:?}", found.map(|(path, _)| path));
    }
}

#[test]
fn the_page_explains_each_variable() {
    let page = std::fs::read_to_string(root().join("integrations/postman/README.md")).unwrap();
    for variable in environment()["values"].as_array().unwrap() {
        let name = variable["key"].as_str().unwrap();
        assert!(page.contains(&format!("`{name}`")), "{name} is not in the README");
    }
}

#[test]
fn names_of_requests_are_unique() {
    let names = names();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "newman's --folder takes a name");
}

/// A stack, whose Tableau knows credentials of each kind, and newman with these credentials.
async fn start() -> Option<(Scene, Newman)> {
    let newman = Newman::installed()?;
    let scene = Scene::start().await;
    let tableau = scene.tableau();
    let collector = User::named("collector").with_role(SiteRole::SiteAdministratorExplorer);
    tableau.add(collector.with_password(PASSWORD));
    tableau.add(PatCredential::new(PAT.0, PAT.1, "collector"));
    tableau.add(ConnectedApp::new(APP.0, APP.1, APP.2));
    let newman = newman
        .with("server_url", &tableau.url())
        .with("site_content_url", SAMPLE_CONTENT_URL)
        .with("pat_name", PAT.0)
        .with("pat_secret", PAT.1)
        .with("user_name", "collector@example.com")
        .with("password", PASSWORD)
        .with("connected_app_client_id", APP.0)
        .with("connected_app_secret_id", APP.1)
        .with("connected_app_secret_value", APP.2)
        .with("connected_app_user_name", "collector@example.com")
        .with("webhook_name", NAME)
        .with("webhook_url", &format!("{}/webhook?token={TOKEN}", scene.url()))
        .with("new_webhook_url", &new_url(&scene));
    Some((scene, newman))
}

fn new_url(scene: &Scene) -> String {
    format!("{}/webhook?source=postman&token={TOKEN}", scene.url())
}

/// The webhooks that the collection has made.
fn made(scene: &Scene) -> Vec<WebhookRecord> {
    scene.tableau().webhooks().into_iter().filter(|webhook| webhook.name.starts_with(NAME)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_request_passes_at_tableau_and_at_the_stack() {
    let Some((scene, newman)) = start().await else { return };
    let before = scene.tableau().webhooks().len();

    let report = newman.run(&[]).await;

    assert_eq!(report.failures(), []);
    assert_eq!(report.answered(), names());
    assert_eq!(scene.tableau().webhooks().len(), before);
    let accepted = report.bodies().into_iter().filter(|(name, _)| name.starts_with("Deliver "));
    let accepted: BTreeMap<String, String> = accepted.map(|(name, body)| (name.to_owned(), body)).collect();
    let expected = samples().into_iter().map(|(event, body)| {
        let id = EventId::of(&Payload::parse(body.as_bytes()).unwrap());
        (format!("Deliver {event}"), json!({ "status": "accepted", "event_id": id.as_str() }).to_string())
    });
    let same = |bodies: BTreeMap<String, String>| -> BTreeMap<String, Value> {
        bodies.into_iter().map(|(name, body)| (name, serde_json::from_str(&body).unwrap())).collect()
    };
    assert_eq!(same(accepted), same(expected.collect()));
    let tokens = report.session_tokens();
    assert_eq!(tokens.len(), 1, "the last session");
    assert_in_no_file(tokens.iter().map(String::as_str).chain([PASSWORD, PAT.1, APP.2, TOKEN]));
    scene.assert_no_key_in_logs();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_way_to_sign_in_manages_webhooks_in_json_and_in_xml() {
    let Some((scene, newman)) = start().await else { return };
    let tableau = scene.tableau();
    let mut tokens = BTreeSet::new();
    for way in WAYS {
        for format in ["JSON", "XML"] {
            let before = (tableau.sessions(), tableau.calls("*"));
            let sign_in = format!("{way} ({format})");
            let folder = format!("Webhooks ({format})");

            let report = newman.run(&[&sign_in, &folder, "Sign out"]).await;

            assert_eq!(report.failures(), [], "{sign_in}");
            let mut expected = vec![sign_in];
            expected.extend(names_in(&folder));
            expected.push("Sign out".to_owned());
            assert_eq!(report.answered(), expected);
            assert_eq!(made(&scene).len(), 0);
            assert_eq!(tableau.sessions(), before.0, "the session is closed");
            assert!(tableau.calls("*") >= before.1 + 13);
            tokens.extend(report.session_tokens());
        }
    }
    assert_eq!(tokens.len(), 6, "each has a session of its own");
    let scopes =
        ["read", "create", "update", "delete", "test"].map(|what| format!("tableau:webhooks:{what}"));
    let used = tableau.used_scopes();
    assert!(scopes.iter().all(|scope| used.contains(scope.as_str())), "{used:?}");
    assert_in_no_file(tokens.iter().map(String::as_str));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tableau_has_the_webhooks_that_the_collection_makes_and_no_longer_those_that_it_deletes() {
    let Some((scene, newman)) = start().await else { return };
    for format in ["JSON", "XML"] {
        let of = |names: &[&str]| -> Vec<String> {
            names.iter().map(|name| format!("{name} ({format})")).collect()
        };
        let sign_in = "User and password";
        let first = of(&[
            sign_in,
            "Create a webhook",
            "Create a webhook by its source element",
            "Update its name and URL",
            "Disable it with a reason",
        ]);

        let report = newman.run(&first.iter().map(String::as_str).collect::<Vec<_>>()).await;

        assert_eq!(report.failures(), []);
        let webhooks = made(&scene);
        let [changed, second] = &webhooks[..] else { panic!("{webhooks:?}") };
        assert_eq!(
            (changed.name.clone(), second.name.clone()),
            (format!("{NAME} (new)"), format!("{NAME} (element)"))
        );
        assert_eq!(
            (&changed.event, &second.event),
            (&EventName::WorkbookRefreshFailed, &EventName::WorkbookRefreshFailed)
        );
        assert_eq!((&changed.url, changed.enabled, second.enabled), (&new_url(&scene), false, true));
        assert_eq!(changed.status_change_reason, "Keep disabled: maintenance");

        let newman = newman.with("webhook_id", &changed.luid).with("second_webhook_id", &second.luid);
        let then = of(&[sign_in, "Enable it", "Delete it"]);
        let report = newman.run(&then.iter().map(String::as_str).collect::<Vec<_>>()).await;
        assert_eq!(report.failures(), []);
        assert_eq!(made(&scene).iter().map(|one| &one.luid).collect::<Vec<_>>(), [&second.luid]);

        let last = of(&[sign_in, "Delete the second one"]);
        let report = newman.run(&last.iter().map(String::as_str).collect::<Vec<_>>()).await;
        assert_eq!(report.failures(), []);
        assert_eq!(made(&scene).len(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_source_element_of_each_event_is_the_one_that_tableau_takes() {
    let Some((_scene, newman)) = start().await else { return };
    let events: Vec<&str> = EventName::KNOWN.iter().map(EventName::as_str).collect();
    for format in ["JSON", "XML"] {
        let names =
            ["Personal access token", "Create a webhook by its source element", "Delete the second one"];
        let names = names.map(|name| format!("{name} ({format})"));

        let report = newman.run_for_each(&names.each_ref().map(String::as_str), "event", &events).await;

        assert_eq!(report.failures(), []);
        assert_eq!(report.answered().len(), events.len() * names.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_answer_fails_the_requests_that_it_is_wrong_for() {
    let Some((scene, newman)) = start().await else { return };
    let tableau = scene.tableau();
    let all = |folder: &str| BTreeSet::from_iter(names_in(folder));
    let folders = ["Personal access token (JSON)", "Webhooks (JSON)", "Webhooks (XML)"];

    // The call of the test is answered 200, and the destination's own answer is 403.
    let refusing = format!("{}/webhook?token=wrong", scene.url());
    let report = newman.with("webhook_url", &refusing).with("new_webhook_url", "").run(&folders).await;
    assert_eq!(report.failed(), ["Test it (JSON)", "Test it (XML)"].map(str::to_owned).into());

    let unscoped = newman.with(
        "connected_app_scopes",
        "tableau:webhooks:read,tableau:webhooks:create,tableau:webhooks:delete",
    );
    let report = unscoped.run(&["Connected app (XML)", "Webhooks (XML)"]).await;
    let need_more = [
        "Disable it with a reason (XML)",
        "Enable it (XML)",
        "Test it (XML)",
        "Update its name and URL (XML)",
    ];
    assert_eq!(report.failed(), need_more.map(str::to_owned).into());

    let wrong = newman.with("pat_secret", "x").with("password", "x").with("connected_app_secret_value", "x");
    let report = wrong.run(&["Sign in"]).await;
    assert_eq!(report.failed(), all("Sign in"));

    let destination = Recorder::start().await.unwrap();
    destination.answer(200, "{}");
    let report = newman.with("webhook_url", &destination.url()).run(&["Deliveries"]).await;
    assert_eq!(report.failed(), all("Deliveries"));

    tableau.allow_webhooks(false);
    let report = newman.run(&folders).await;
    let managing = &all("Webhooks (JSON)") | &all("Webhooks (XML)");
    assert_eq!(report.failed(), managing);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_without_a_secret_is_left_out() {
    let Some((_scene, newman)) = start().await else { return };
    let only = newman.with("password", "").with("connected_app_secret_value", "");

    let report = only.run(&["Sign in", "List webhooks (JSON)"]).await;

    assert_eq!(report.failures(), []);
    let expected = ["Personal access token (JSON)", "Personal access token (XML)", "List webhooks (JSON)"];
    assert_eq!(report.answered(), expected);
}

#[tokio::test]
async fn the_files_are_as_the_generator_writes_them() {
    if Newman::installed().is_none() {
        return;
    }
    let check = Command::new("python3")
        .args(["integrations/postman/build.py", "--check"])
        .current_dir(root())
        .output();

    let check = check.unwrap();

    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
}
