//! Secrets as users paste them, parsed by the types that use them.

use destinations::slack::SlackCredential;
use secrets::{MemorySecrets, Secret, SecretStore, SecretsFile};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt::Debug;
use std::sync::Arc;
use tableau_client::TableauCredential;
use workflow::{CredentialError, CredentialSource, Failure, chain};

const SECRET: &str = "hunter2-0123456789-0123456789-0123456789";

/// A kind of secret: its JSON with `SECRET` for the value, and the value's key.
struct Kind {
    json: Value,
    key: &'static str,
    misspelt: &'static str,
}

fn slack() -> Vec<Kind> {
    let bot = json!({ "bot_token": SECRET });
    vec![Kind { json: bot, key: "bot_token", misspelt: "bot_tokn" }]
}

fn slack_urls() -> Vec<Kind> {
    let url = format!("https://hooks.slack.com/services/T0/B0/{SECRET}");
    let json = json!({ "webhook_urls": { "data-alerts": url, "default": url } });
    vec![Kind { json, key: "webhook_urls", misspelt: "webhookUrls" }]
}

fn tableau() -> Vec<Kind> {
    let token = json!({ "token_name": "webhook automations", "token_secret": SECRET });
    let password = json!({ "user_name": "ana ferreira", "password": SECRET });
    let app = json!({
        "client_id": "c", "secret_id": "s", "secret_value": SECRET, "user_name": "ana@example.com",
        "scopes": ["tableau:content:read"],
    });
    vec![
        Kind { json: token, key: "token_secret", misspelt: "token_secrt" },
        Kind { json: password, key: "password", misspelt: "pasword" },
        Kind { json: app, key: "secret_value", misspelt: "secretValue" },
    ]
}

async fn of_store<T>(store: impl SecretStore + 'static) -> Result<T, CredentialError>
where
    T: DeserializeOwned + PartialEq + Send + Sync + Clone,
{
    let secret = Secret::<T>::new(Arc::new(store), "the-secret");
    secret.current().await.map(|value| (*value).clone())
}

async fn read<T>(text: &str) -> Result<T, CredentialError>
where
    T: DeserializeOwned + PartialEq + Send + Sync + Clone,
{
    let store = MemorySecrets::default();
    store.put("the-secret", text);
    of_store(store).await
}

/// The value with every string in it changed.
fn each_text(value: &Value, change: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(text)),
        Value::Array(values) => values.iter().map(|value| each_text(value, change)).collect(),
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (key.clone(), each_text(value, change)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// Pasted variants of a correct secret.
fn pasted(json: &Value) -> Vec<(&'static str, String)> {
    let text = json.to_string();
    let pretty = serde_json::to_string_pretty(json).unwrap();
    let changed = |change: &dyn Fn(&str) -> String| each_text(json, &|text: &str| change(text)).to_string();
    let with_null = |key: &str| {
        let mut with = json.clone();
        with[key] = Value::Null;
        with.to_string()
    };
    // A console for key-value pairs turns every value into a string.
    let flat: serde_json::Map<String, Value> = json
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, value)| {
            (key.clone(), if value.is_string() { value.clone() } else { value.to_string().into() })
        })
        .collect();
    let mut forms = vec![
        ("a byte order mark", format!("\u{feff}{text}")),
        ("a byte order mark read as Latin-1", format!("\u{ef}\u{bb}\u{bf}{text}")),
        ("white space around it", format!(" \r\n\t{text}\r\n\r\n")),
        ("lines that end in CRLF", pretty.replace('\n', "\r\n")),
        ("JSON in a JSON string", Value::from(text.clone()).to_string()),
        ("JSON in a JSON string, twice", Value::from(Value::from(text.clone()).to_string()).to_string()),
        (
            "indented JSON with a mark in a JSON string",
            Value::from(format!("\u{feff}{pretty}\n")).to_string(),
        ),
        ("a line break behind each value", changed(&|text| format!("{text}\n"))),
        ("CRLF behind each value", changed(&|text| format!("{text}\r\n"))),
        ("blanks around each value", changed(&|text| format!(" \t{text}\u{a0}"))),
        ("a mark before each value", changed(&|text| format!("\u{feff}{text}"))),
        ("a zero-width space behind each value", changed(&|text| format!("{text}\u{200b}"))),
        ("a line break that is not escaped", text.replace(SECRET, &format!("{SECRET}\n"))),
        ("objects as texts", Value::Object(flat).to_string()),
    ];
    let unused = if json.get("token_name").is_some() { "user_name" } else { "token_name" };
    match json.get("webhook_urls").or(json.get("bot_token")) {
        None => forms.push(("null for what is not filled in", with_null(unused))),
        Some(_) if json.get("bot_token").is_some() => {
            forms.push(("null for what is not filled in", with_null("webhook_urls")));
        }
        Some(_) => forms.push(("null for what is not filled in", with_null("bot_token"))),
    }
    forms
}

async fn are_cleaned<T>(kinds: &[Kind])
where
    T: DeserializeOwned + PartialEq + Send + Sync + Clone + Debug,
{
    for kind in kinds {
        let right: T = read(&kind.json.to_string()).await.unwrap();
        for (form, text) in pasted(&kind.json) {
            let read = read::<T>(&text).await;
            let read = read.unwrap_or_else(|error| panic!("{form}, {}: {}", kind.key, chain(&error)));
            assert!(read == right, "{form}, {}", kind.key);
            // The secret files for local work contain secrets as a part of their own JSON.
            let all = format!("\u{feff}{}\r\n", json!({ "the-secret": text }));
            let local = of_store::<T>(MemorySecrets::from_json(&all).unwrap()).await;
            assert!(local.unwrap() == right, "{form}, {}, in SECRETS", kind.key);
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("secrets.json"), &all).unwrap();
            let local = of_store::<T>(SecretsFile::new(folder.path().join("secrets.json"))).await;
            assert!(local.unwrap() == right, "{form}, {}, in a file", kind.key);
        }
    }
}

/// Wrong secrets, each with a part of the error message.
fn wrong(kind: &Kind) -> Vec<(&'static str, String, String)> {
    let text = kind.json.to_string();
    let key = kind.key;
    let in_value = |inner: &str| text.replace(SECRET, &SECRET.replacen('-', inner, 1));
    let instead = |value: Value| {
        let mut json = kind.json.clone();
        json[key] = value;
        json.to_string()
    };
    let misspelt = text.replace(&format!("\"{key}\""), &format!("\"{}\"", kind.misspelt));
    let confused = text.replace(&format!("\"{key}\""), &format!("\"{SECRET}\""));
    let quoted = text.replace('"', "\u{201d}");
    let line_break = format!("`{key}` has a line break in it");
    vec![
        ("a line break in it", in_value("\\n"), line_break.clone()),
        ("a line break that is not escaped", in_value("\r\n"), line_break.clone()),
        ("a line break in JSON in a string", Value::from(in_value("\\n")).to_string(), line_break),
        ("a mark in it", in_value("\u{feff}"), format!("`{key}` has an invisible character in it")),
        ("a control character", in_value("\\u001b"), format!("`{key}` has an invisible character in it")),
        ("a word for nothing", instead("null".into()), format!("`{key}` is a placeholder, not a value")),
        ("a number", instead(4711.into()), format!("`{key}`")),
        ("a misspelt key", misspelt, format!("`{}`; did you mean `{key}`?", kind.misspelt)),
        ("a secret for a key", confused, "a key is not known: there are `".to_owned()),
        ("typographic quotation marks", quoted, "a typographic quotation mark in place of \"".to_owned()),
        (
            "no JSON",
            SECRET.to_owned(),
            "not JSON, at line 1, column 1: write a JSON object with `".to_owned(),
        ),
        (
            "a JSON string",
            Value::from(SECRET).to_string(),
            "it is a text: write a JSON object with `".to_owned(),
        ),
        ("null", "null".to_owned(), "it is null: write a JSON object with `".to_owned()),
        ("nothing", "\u{feff} \n".to_owned(), "it is empty: write a JSON object with `".to_owned()),
        (
            "a list",
            json!([SECRET]).to_string(),
            "it is no JSON object: write a JSON object with `".to_owned(),
        ),
        ("half of it", text[..text.len() - 2].to_owned(), "not JSON, at line 1, column".to_owned()),
    ]
}

async fn are_named<T>(kinds: &[Kind])
where
    T: DeserializeOwned + PartialEq + Send + Sync + Clone + Debug,
{
    for kind in kinds {
        for (form, text, expected) in wrong(kind) {
            let error = read::<T>(&text).await.unwrap_err();
            let message = format!("{} {error:?}", chain(&error));
            assert!(message.starts_with("cannot read the secret `the-secret`: "), "{form}: {message}");
            assert!(chain(&error).contains(&expected), "{form}, {}: {message}", kind.key);
            for part in SECRET.split('-').filter(|part| !part.is_empty()).chain(["4711"]) {
                assert!(!message.contains(part), "{form}: {message}");
            }
            assert!(!error.transient, "{form}");
            assert_eq!(Failure::from(error).kind(), "misconfigured", "{form}");
        }
    }
}

#[tokio::test]
async fn what_pasting_leaves_in_a_secret_is_taken_off() {
    are_cleaned::<SlackCredential>(&slack()).await;
    are_cleaned::<SlackCredential>(&slack_urls()).await;
    are_cleaned::<TableauCredential>(&tableau()).await;
}

#[tokio::test]
async fn a_secret_that_is_wrong_is_named_with_its_field_and_without_its_value() {
    are_named::<SlackCredential>(&slack()).await;
    are_named::<SlackCredential>(&slack_urls()).await;
    are_named::<TableauCredential>(&tableau()).await;
}

#[tokio::test]
async fn a_token_that_no_header_can_carry_is_the_secrets_fault() {
    for character in [" ", "ü", "…", "\u{201c}", "\\\""] {
        for text in [
            format!(r#"{{"bot_token":"xoxb{character}{SECRET}"}}"#),
            format!(r#"{{"bot_token":"{character}"}}"#),
        ] {
            let error = read::<SlackCredential>(&text).await.err();
            let Some(error) = error.map(|error| chain(&error)) else { panic!("{text}") };
            assert!(error.starts_with("cannot read the secret `the-secret`: "), "{error}");
            assert!(error.contains("`bot_token`") && !error.contains("hunter2"), "{error}");
        }
    }
    let blank = read::<TableauCredential>(r#"{"token_name":"a b","token_secret":"hunter 2"}"#).await;
    let expected = "cannot read the secret `the-secret`: `token_secret` of the credential has a space";
    assert!(chain(&blank.unwrap_err()).starts_with(expected));
}
