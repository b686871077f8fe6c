//! The commands `keys`.

use crate::environment::{Environment, STACK, stderr, stdout};
use serde_json::Value;

fn without_times(text: &str) -> String {
    let is_time =
        |word: &&str| word.len() == 10 && word.starts_with("20") || word.len() == 5 && word.contains(':');
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().filter(|word| !is_time(word)).collect();
        words.join(" ")
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_made_shown_once_listed_and_revoked() {
    let environment = Environment::start().await;
    let create = [
        "keys",
        "create",
        "nightly load",
        "--kind",
        "datasource",
        "--project",
        "Finance/**",
        "--project",
        r"Ops/Q1\/Q2",
        "--events",
        "--rate",
        "60",
        "--json",
    ];

    let made = environment.run(&create).await;

    assert!(made.status.success(), "{}", stderr(&made));
    let made: Value = serde_json::from_str(&stdout(&made)).unwrap();
    let key = made["key"].as_str().unwrap();
    let id = made["id"].as_str().unwrap();
    assert!(key.starts_with(&format!("twk_{id}_")) && key.len() == 60, "{key}");
    assert!(made["callback_secret"].as_str().unwrap().starts_with("whsec_"));
    let secret = &key[17..];
    let stored = format!("{:?}", environment.aws.items("DeliveryTable"));
    assert!(!stored.contains(secret), "the secret is stored");

    let list = environment.run(&["keys", "list"]).await;
    let shown = environment.run(&["keys", "show", id]).await;
    let listed = environment.run(&["keys", "list", "--json"]).await;
    for output in [&list, &shown, &listed] {
        assert!(output.status.success() && !stdout(output).contains(secret), "{}", stderr(output));
    }
    let expected =
        format!("ID CALLER MAY A MINUTE MADE (UTC) REVOKED (UTC)\n{id} nightly… refresh dat… 60 -");
    assert_eq!(without_times(&stdout(&list)), expected);
    let expected = format!(
        "Id {id}\nCaller nightly load\nMay refresh datasource in Finance/**, Ops/Q1\\/Q2; send events\nA minute 60\nMade\nRevoked -"
    );
    assert_eq!(without_times(&stdout(&shown)), expected);
    let listed: Value = serde_json::from_str(&stdout(&listed)).unwrap();
    let fields: Vec<&String> = listed.as_object().unwrap().keys().collect();
    let expected =
        ["caller", "created_at", "events", "id", "kinds", "luids", "per_minute", "projects", "revoked_at"];
    assert_eq!(fields, expected);

    // A whole key may be pasted.
    let revoked = environment.run(&["keys", "revoke", key, "--json"]).await;
    assert!(revoked.status.success(), "{}", stderr(&revoked));
    let revoked: Value = serde_json::from_str(&stdout(&revoked)).unwrap();
    assert!(revoked["revoked_at"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_permissions_and_an_unknown_one_are_refused() {
    let environment = Environment::start().await;
    let says = "say what the key may do: --kind with --project or --luid, and --events if it may send events";
    for (arguments, expected) in [
        (&["create", "x"][..], says),
        (&["create", "x", "--kind", "workbook"], says),
        (&["create", "x", "--project", "**"], says),
        (&["create", "x", "--kind", "workbook", "--events"], says),
        (&["create", "", "--events"], "1 to 100 characters"),
        (&["create", "x", "--kind", "view", "--project", "**"], "a kind is `workbook`"),
        (&["create", "x", "--kind", "flow", "--project", "A//B"], "no pattern of a project's path"),
        (&["create", "x", "--kind", "flow", "--luid", "../x"], "not a LUID"),
        (&["create", "x", "--events", "--rate", "0"], "0 is not in 1..=6000"),
        (&["show", "0a1b2c3d4e5f"], "has no key `0a1b2c3d4e5f`"),
        (&["revoke", "0a1b2c3d4e5f"], "has no key `0a1b2c3d4e5f`"),
    ] {
        let output = environment.run(&[&["keys"], arguments].concat()).await;
        assert!(!output.status.success(), "{arguments:?}");
        let error = stderr(&output);
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
    let none = environment.run(&["keys", "list"]).await;
    assert!(none.status.success() && stdout(&none).is_empty());
    assert!(stderr(&none).contains(&format!("the stack `{STACK}` has no keys")), "{}", stderr(&none));
    assert!(environment.aws.items("DeliveryTable").is_empty());
}
