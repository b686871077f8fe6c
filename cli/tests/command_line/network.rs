//! Servers that give no answer: each error says what is wrong and what to do.

use crate::{PROGRAM, command, occupied, run, stderr};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

/// A host name that no resolver can resolve.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc6761#section-6.4>
const UNKNOWN_HOST: &str = "events.invalid";
/// A host name that is longer than DNS allows for a label.
const NO_HOST: &str = "a-name-that-is-longer-than-the-sixty-three-characters-of-a-label-0123456789.example";
/// Skips a test on machines without a DNS resolver, where resolving takes longer than connecting.
const RESOLVER: (&str, &str) = ("RES_OPTIONS", "attempts:1 timeout:1");
const TOKEN: &str = "q1w2E3r4T5y6U7i8O9p0q1w2E3r4T5y6U7i8O9p0abc";

/// A server that answers each connection with these bytes after it has read something.
fn server(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(answer);
        }
    });
    port
}

/// A port that accepts connections and never answers, while the listener exists.
fn silent() -> (TcpListener, u16) {
    occupied()
}

fn aws(url: &str) -> Output {
    let mut command = command(&["events", "list", "--endpoint-url", url]);
    command
        .env(RESOLVER.0, RESOLVER.1)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "a")
        .env("AWS_SECRET_ACCESS_KEY", "b");
    command.output().unwrap()
}

#[test]
fn an_unknown_host_a_refusal_a_silence_and_a_server_without_tls_are_different_errors_that_name_the_host() {
    let (listener, closed) = occupied();
    drop(listener);
    let (_listener, silent) = silent();
    let plain = server(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    let unknown = |host: &str| {
        let words = "check the spelling, and that the network or VPN is connected";
        (format!("https://{host}"), format!("DNS does not know {host}: {words}"))
    };
    for (origin, expected) in [
        unknown(UNKNOWN_HOST),
        unknown(NO_HOST),
        (
            format!("http://127.0.0.1:{closed}"),
            "127.0.0.1 refuses the connection: check the address and the port".to_owned(),
        ),
        (
            format!("http://127.0.0.1:{silent}"),
            "127.0.0.1 did not answer in time: check the network and the firewall, then try again".to_owned(),
        ),
        (
            format!("https://127.0.0.1:{plain}"),
            "no secure connection (TLS) to 127.0.0.1: it answers without TLS; check the port, and whether the address begins \
             with http://"
                .to_owned(),
        ),
    ] {
        let mut send = command(&["send", "AdminPromoted", "--to", &format!("{origin}/webhook/{TOKEN}")]);
        let sent = send.env(RESOLVER.0, RESOLVER.1).output().unwrap();
        let error = stderr(&sent);
        assert_eq!(sent.status.code(), Some(1), "{error}");
        assert!(error.starts_with(&format!("error: no answer from {origin}/webhook: {expected}")), "{error}");
        assert!(error.lines().count() == 1 && !error.contains(TOKEN), "{error}");

        // The SDK has its own timeout for a whole operation.
        if origin.ends_with(&silent.to_string()) {
            continue;
        }
        let listed = aws(&origin);
        let error = stderr(&listed);
        let place = format!(" (AWS in us-east-1 at {origin})\n");
        let start = format!("error: no answer to cloudformation:ListStackResources: {expected}");
        assert!(error.starts_with(&start) && error.ends_with(&place), "{error}");
        assert_eq!((listed.status.code(), error.lines().count()), (Some(1), 1));
    }
}

#[test]
fn aws_that_is_silent_is_named_with_its_place() {
    let (_listener, silent) = silent();
    let url = format!("http://127.0.0.1:{silent}");
    let error = stderr(&aws(&url));
    let start = "error: no answer to cloudformation:ListStackResources: ";
    assert!(
        error.starts_with(start) && error.contains(" did not answer in time: check the network"),
        "{error}"
    );
    assert!(error.contains(&format!("AWS in us-east-1 at {url}")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_an_unknown_authority_is_named_as_such_with_the_variable_for_authorities() {
    let server = simulator::TableauSimulator::sample().tls().start().await.unwrap();
    let origin = server.url();
    assert!(origin.starts_with("https://"), "{origin}");
    let sent = tokio::task::spawn_blocking(move || {
        run(&["send", "AdminPromoted", "--to", &format!("{origin}/webhook")])
    });
    let error = stderr(&sent.await.unwrap());
    assert!(error.contains(": no secure connection (TLS) to "), "{error}");
    assert!(error.contains("unknown authority") && error.contains("AWS_CA_BUNDLE"), "{error}");
}

/// Runs the program with a home folder that contains these AWS configuration files.
fn with_profiles(
    config: Option<&str>,
    credentials: Option<&str>,
) -> (tempfile::TempDir, impl Fn(&[&str]) -> Command) {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".aws");
    std::fs::create_dir(&folder).unwrap();
    for (name, text) in [("config", config), ("credentials", credentials)] {
        if let Some(text) = text {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }
    let path = home.path().to_owned();
    let command = move |arguments: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).env_clear().env("HOME", &path).env("AWS_REGION", "us-east-1");
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        command
    };
    (home, command)
}

fn aws_file(home: &Path, name: &str) -> String {
    home.join(".aws").join(name).display().to_string()
}

#[test]
fn an_unknown_profile_is_named_with_the_files_it_was_looked_up_in_and_the_profiles_that_there_are() {
    let config =
        "[default]\nregion = eu-central-1\n[profile data]\nregion = eu-central-1\n[sso-session ours]\n";
    let (home, command) = with_profiles(Some(config), Some("[old]\n"));
    let files = [aws_file(home.path(), "config"), aws_file(home.path(), "credentials")].join(" or ");
    let there = "there are: data, default, old\n";
    let by_option = command(&["events", "list", "--profile", "dta"]).output().unwrap();
    let expected = format!("error: there is no AWS profile `dta` (from --profile) in {files}; {there}");
    assert_eq!((by_option.status.code(), stderr(&by_option)), (Some(1), expected));
    let by_variable = command(&["events", "replay"]).env("AWS_PROFILE", "dta").output().unwrap();
    let expected = format!("error: there is no AWS profile `dta` (from AWS_PROFILE) in {files}; {there}");
    assert_eq!(stderr(&by_variable), expected);
    // An existing profile is used, and has no credentials.
    for known in ["data", "old", "default"] {
        let error = stderr(&command(&["events", "list", "--profile", known]).output().unwrap());
        assert!(error.contains("credentials") && !error.contains("no AWS profile"), "{known}: {error}");
    }
    // The local stack needs no AWS profile.
    let local = stderr(&command(&["events", "list", "--local"]).env("AWS_PROFILE", "dta").output().unwrap());
    assert!(local.starts_with("error: no local stack"), "{local}");
}

#[test]
fn files_of_profiles_that_are_not_there_or_elsewhere_are_named_as_they_are() {
    let (home, command) = with_profiles(None, None);
    let error = stderr(&command(&["events", "list", "--profile", "data"]).output().unwrap());
    let config = aws_file(home.path(), "config");
    assert!(error.contains(&format!("in {config} (no such file) or ")), "{error}");
    assert!(error.ends_with("; there are no profiles: `aws configure sso` makes one\n"), "{error}");
    let other = home.path().join("other");
    std::fs::write(&other, "[profile data]\n").unwrap();
    let mut found = command(&["events", "list", "--profile", "dta"]);
    let error = stderr(&found.env("AWS_CONFIG_FILE", &other).output().unwrap());
    assert!(
        error.contains(&format!(" in {} or ", other.display())) && error.contains("there are: data"),
        "{error}"
    );
}

#[test]
fn what_is_sent_is_an_object_for_programs_without_the_token_that_an_answer_repeats_or_escapes() {
    // In the second URL, the first letter of the token is percent-encoded.
    let body = concat!(
        "HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n",
        r#"{"status":"accepted","event_id":"717b","a":"q1w2E3r4T5y6U7i8O9p0q1w2E3r4T5y6U7i8O9p0abc","#,
        r#""b":"\u0071 \u00711w2E3r4T5y6U7i8O9p0q1w2E3r4T5y6U7i8O9p0abc"}"#
    );
    let port = server(body.as_bytes());
    let to = format!("http://127.0.0.1:{port}/webhook/{TOKEN}");
    let output = run(&["send", "AdminPromoted", "--to", &to, "--json"]);
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{shown}{}", stderr(&output));
    let sent: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert!(!shown.contains(TOKEN) && !sent.to_string().contains(TOKEN), "{shown}");
    assert_eq!((&sent["status"], &sent["answer"]["event_id"]), (&202.into(), &"717b".into()));
    assert_eq!(
        (&sent["url"], &sent["event_name"]),
        (&format!("http://127.0.0.1:{port}/webhook").into(), &"AdminPromoted".into())
    );
    let operations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md");
    let operations = std::fs::read_to_string(operations).unwrap();
    for field in sent.as_object().unwrap().keys() {
        assert!(operations.contains(&format!("`{field}`")), "docs/operations.md lacks `{field}`");
    }
}
