use super::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn parse(json: serde_json::Value) -> Result<ForwardCredential, String> {
    serde_json::from_value(json).map_err(|error| error.to_string())
}

fn problem(entry: serde_json::Value) -> String {
    let credential = parse(serde_json::json!({ "targets": { "a": entry } })).unwrap();
    credential.target("a").err().map(|problem| problem.to_string()).unwrap_or_default()
}

#[test]
fn a_target_is_what_a_request_needs() {
    let json = serde_json::json!({ "targets": {
        "jira": { "url": "https://acme.atlassian.net/rest/api/3/issue", "basic": { "user": "ana@example.com", "password": "hunter2" } },
        "own": { "url": " https://hooks.example.com/in ", "secrets": [SECRET, SECRET], "headers": { "X-Key": "k" } },
    } });
    let credential = parse(json).unwrap();
    let jira = credential.target("jira").unwrap();
    assert_eq!(jira.headers["authorization"], "Basic YW5hQGV4YW1wbGUuY29tOmh1bnRlcjI=");
    assert!(jira.headers["authorization"].is_sensitive());
    assert!(jira.secrets.are_in("YW5hQGV4YW1wbGUuY29tOmh1bnRlcjI=") && jira.secrets.are_in("hunter2"));
    let own = credential.target("own").unwrap();
    assert_eq!((own.keys.len(), own.endpoint.host()), (2, "hooks.example.com"));
    assert!(own.secrets.are_in(SECRET));
    assert_eq!(credential.target("other").unwrap_err(), TargetProblem::Missing("other".to_owned()));
}

#[test]
fn what_is_wrong_stops_its_own_target_and_repeats_no_secret() {
    let url = "https://hooks.example.com/hunter2";
    for (entry, expected) in [
        (serde_json::json!({}), "its `url` is empty"),
        (serde_json::json!({ "uri": url }), "there is no key `uri`; did you mean `url`?"),
        (
            serde_json::json!({ "url": url, "basic": { "username": "hunter2", "password": "hunter2" } }),
            "a key in `basic` is not known; there are: user, password",
        ),
        (
            serde_json::json!({ "url": url, "basic": { "user": "a", "passwort": "hunter2" } }),
            "there is no key `passwort` in `basic`; did you mean `password`?",
        ),
        (
            serde_json::json!({ "url": url, "basic": { "user": "a", "hunter2": "password" } }),
            "a key in `basic` is not known; there are: user, password",
        ),
        (
            serde_json::json!({ "url": url, "oauth": { "hunter2": 1 } }),
            "a key in `oauth` is not known; there are: token_url, client_id",
        ),
        (
            serde_json::json!({ "hunter2": url }),
            "a key is not known; there are: url, secrets, headers, basic, oauth",
        ),
        (serde_json::json!({ "url": url, "basic": { "user": "a" } }), "its `basic` has no `password`"),
        (
            serde_json::json!({ "url": url, "oauth": { "token_url": "hunter2" } }),
            "its `oauth` has no `client_id`",
        ),
        (serde_json::json!({ "url": url, "basic": "hunter2" }), "its `basic` has to be an object of texts"),
        (
            serde_json::json!({ "url": url, "headers": { "a": 1 } }),
            "its `headers` has to be an object of texts",
        ),
        (serde_json::json!({ "url": url, "secrets": "hunter2" }), "its `secrets` have to be a list of texts"),
        (serde_json::json!({ "url": 2 }), "its `url` has to be a text"),
        (serde_json::json!("hunter2"), "write an object in braces"),
        (serde_json::json!({ url: {} }), "a URL or a secret stands where a key belongs"),
        (serde_json::json!({ format!("a\n{}", "b".repeat(300)): 1 }), "a key is not known; there are"),
        (serde_json::json!({ "url": "http://hooks.example.com/hunter2" }), "its `url` is not https"),
        (
            serde_json::json!({ "url": "https://169.254.169.254/hunter2" }),
            "its `url` has an address that is not public",
        ),
        (
            serde_json::json!({ "url": url, "secrets": ["hunter2"] }),
            "secret 1 of `secrets` does not begin with `whsec_`",
        ),
        (serde_json::json!({ "url": url, "secrets": [SECRET, SECRET, SECRET] }), "`secrets` has 3"),
        (
            serde_json::json!({ "url": url, "headers": { "Webhook-Id": "hunter2" } }),
            "`headers` has `webhook-id`",
        ),
        (serde_json::json!({ "url": url, "headers": { "Host": "hunter2" } }), "`headers` has `host`"),
        (serde_json::json!({ "url": url, "headers": { "a b": "hunter2" } }), "`headers` has a name"),
        (
            serde_json::json!({ "url": url, "headers": { "X-Key": "hunter2\u{7f}" } }),
            "the header `x-key` has a character",
        ),
        (
            serde_json::json!({ "url": url, "headers": { "Authorization": "hunter2" }, "basic": { "user": "a", "password": "hunter2" } }),
            "write one of `basic`",
        ),
        (
            serde_json::json!({ "url": url, "oauth": { "token_url": "https://10.0.0.1/", "client_id": "a", "client_secret": "hunter2" } }),
            "the `token_url` of `oauth` has an address that is not public",
        ),
    ] {
        let problem = problem(entry);
        assert!(
            problem.starts_with(&format!("the target `a` in the forward secret: {expected}")),
            "{problem}"
        );
        assert!(!problem.contains("hunter2"), "{problem}");
    }
}

#[test]
fn a_wrong_key_of_one_target_stops_no_other() {
    let json = serde_json::json!({ "targets": {
        "own": { "url": "https://hooks.example.com/in" },
        "other": { "uri": "https://hooks.example.com/hunter2" },
    } });
    let credential = parse(json).unwrap();
    assert!(credential.target("own").is_ok());
    let problem = "the target `other` in the forward secret: there is no key `uri`; did you mean `url`?";
    assert_eq!(credential.target("other").unwrap_err().to_string(), problem);
    assert_eq!(credential.problems(), [problem]);
}

#[test]
fn the_form_of_the_secret_is_checked_and_debug_shows_nothing() {
    for (json, expected) in [
        (serde_json::json!({}), "fill in `targets`"),
        (serde_json::json!({ "targets": {} }), "fill in `targets`"),
        (serde_json::json!({ "targets": { "https://x/hunter2": {} } }), "has a URL for a key"),
    ] {
        let error = parse(json).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    let credential =
        parse(serde_json::json!({ "targets": { "a": { "url": "https://example.com/hunter2" } } })).unwrap();
    assert_eq!(format!("{credential:?}"), "ForwardCredential([redacted])");
    assert_eq!(
        format!("{:?}", credential.target("a").unwrap()),
        "Target { endpoint: Endpoint(example.com), .. }"
    );
}

#[test]
fn another_url_or_secret_has_another_fingerprint() {
    let of = |entry: serde_json::Value| {
        parse(serde_json::json!({ "targets": { "a": entry } })).unwrap().target("a").unwrap().fingerprint
    };
    let url = "https://hooks.example.com/a";
    let first = of(serde_json::json!({ "url": url, "secrets": [SECRET] }));
    assert_eq!(first, of(serde_json::json!({ "url": format!("{url}\n"), "secrets": [SECRET] })));
    assert_ne!(first, of(serde_json::json!({ "url": url })));
    assert_ne!(first, of(serde_json::json!({ "url": format!("{url}b"), "secrets": [SECRET] })));
    assert_ne!(first, of(serde_json::json!({ "url": url, "secrets": [SECRET], "headers": { "X": "1" } })));
    assert!(!first.contains("hooks"));
}
