//! Cards in Microsoft's own renderer, in Chromium: it knows every element, shows every text, and takes no name for markup.

use crate::{chromium, posts};
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use testkit::repository::root;
use tokio::process::Command;

/// The renderer and its Markdown. The step `browser` of the check fetches both; it sets `CARD_RENDERER` to their folder.
const SCRIPTS: [&str; 2] = ["adaptivecards.min.js", "markdown-it.min.js"];
/// The picture in docs/messages.md. `UPDATE=1` writes it.
const PICTURE: &str = "docs/images/teams-card.png";

fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "a setting of the run")]
    std::env::var(name).ok()
}

async fn open(program: &Path, folder: &Path, arguments: &[String]) -> String {
    let mut command = Command::new(program);
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
    ]);
    command.args(["--host-resolver-rules=MAP * ~NOTFOUND", "--hide-scrollbars"]).args(arguments);
    command.arg(format!("--user-data-dir={}", folder.join("profile").display()));
    command.arg(format!("file://{}", folder.join("card.html").display()));
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// All texts of a card, without its mentions, which only Teams resolves.
fn texts(element: &Value, into: &mut Vec<String>) {
    match element {
        Value::Object(fields) => {
            for name in ["text", "title", "value"] {
                into.extend(fields.get(name).and_then(Value::as_str).map(str::to_owned));
            }
            fields.values().for_each(|value| texts(value, into));
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
        _ => {}
    }
}

/// A text as a person reads it: without the Markdown that our cards use on purpose, and in one line.
fn readable(text: &str) -> String {
    let mut shown = String::new();
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => shown.extend(characters.next_if(char::is_ascii_punctuation)),
            '*' if characters.next_if_eq(&'*').is_some() => {}
            c => shown.push(c),
        }
    }
    in_one_line(&shown)
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn microsofts_renderer_shows_every_text_of_our_cards_and_takes_no_name_for_markup() {
    let Some(program) = chromium::program() else { return };
    let Some(scripts) = variable("CARD_RENDERER") else {
        assert!(variable("BROWSER_REQUIRED").is_none(), "CARD_RENDERER is not set");
        testkit::dynamodb::say("SKIPPED: CARD_RENDERER is not set; the step `browser` of the check sets it");
        return;
    };
    let contents: Vec<Value> =
        posts::bodies("card").await.iter().map(|body| body["attachments"][0]["content"].clone()).collect();
    assert!(contents.len() >= 23 && contents.iter().all(Value::is_object), "{}", contents.len());
    let folder = tempfile::tempdir().unwrap();
    for script in SCRIPTS {
        std::fs::copy(Path::new(&scripts).join(script), folder.path().join(script)).unwrap();
    }
    std::fs::write(folder.path().join("card.html"), include_str!("card.html")).unwrap();
    let show = |contents: &[Value]| {
        let cards = format!("const cards = {};", Value::from(contents.to_vec()));
        std::fs::write(folder.path().join("cards.js"), cards).unwrap();
    };

    show(&contents);
    let dom = open(&program, folder.path(), &["--dump-dom".to_owned()]).await;
    let title =
        dom.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()).unwrap_or_default();
    let title = title.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", " ").replace("&amp;", "&");
    let seen: Vec<Value> = serde_json::from_str(&title).unwrap_or_else(|error| panic!("{error}: {title}"));
    assert_eq!(seen.len(), contents.len());
    for (card, seen) in contents.iter().zip(&seen) {
        assert_eq!(seen["events"], Value::from(Vec::<Value>::new()), "{card}");
        assert_eq!((&seen["images"], &seen["overflows"]), (&0.into(), &false.into()), "{card}\n{seen}");
        let shown = in_one_line(seen["text"].as_str().unwrap());
        let mut wanted = Vec::new();
        texts(&card["body"], &mut wanted);
        assert!(wanted.len() > 1, "{card}");
        for text in wanted {
            let text = readable(&text);
            // Names of people are mentions, which only Teams resolves.
            assert!(text.contains("<at>") || shown.contains(&text), "{text:?} is not in {shown:?}");
        }
        for link in seen["links"].as_array().unwrap() {
            let link = link.as_str().unwrap();
            assert!(link.starts_with("https://") || link.starts_with("http://127.0.0.1:"), "{link}");
            assert!(card.to_string().contains(link), "{link} is not ours");
        }
    }

    if variable("UPDATE").is_some() {
        let failed = |(card, _): &(&Value, &Value)| card.to_string().contains("refresh failed");
        let longest = |(card, _): &(&Value, &Value)| card.to_string().len();
        let (card, seen) = contents.iter().zip(&seen).filter(failed).max_by_key(longest).unwrap();
        show(std::slice::from_ref(card));
        let file = root().join(PICTURE);
        let height = seen["height"].as_u64().unwrap() + 34;
        let arguments = [format!("--window-size=552,{height}"), format!("--screenshot={}", file.display())];
        open(&program, folder.path(), &arguments).await;
    }
    assert!(root().join(PICTURE).is_file(), "UPDATE=1 writes {PICTURE}");
}
