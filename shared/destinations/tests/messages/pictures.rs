//! The pictures of `docs/messages.md`, drawn from the blocks that arrive at Slack.
//! `UPDATE=1 cargo test -p destinations --test messages pictures` draws them anew; look at what has changed.

use crate::hostile::notifier;
use crate::scenes::{KNOWN_OWNER, all};
use crate::svg::draw;
use alerting::notifier::{Delivery, Notifier};
use jiff::Timestamp;
use rules::settings::NotifySlack;
use serde_json::json;
use simulator::SlackSimulator;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use workflow::Invocation;

const FOLDER: &str = "images/messages";

pub(crate) fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// Where the picture of a scene is, below `docs/`. The readme has had one from the beginning.
fn file(name: &str) -> String {
    if name == "readme" { "images/slack-message.svg".to_owned() } else { format!("{FOLDER}/{name}.svg") }
}

// 16, item 5
#[tokio::test]
async fn every_kind_of_message_has_a_picture_of_what_slack_receives() {
    let slack = SlackSimulator::start().await.unwrap();
    let ana = slack.add_person(KNOWN_OWNER, "Ana Ruiz");
    let names = BTreeMap::from([(ana, "Ana Ruiz".to_owned())]);
    let notifier = notifier(&slack).await;
    let target = NotifySlack { channel: "data-alerts".to_owned(), ..NotifySlack::default() };
    let invocation = Invocation::new("r", Timestamp::UNIX_EPOCH, Duration::from_secs(60));
    let mut different = Vec::new();
    let mut drawn = BTreeSet::new();
    for (name, title, notifications) in all() {
        let before = slack.message_count();
        for shown in &notifications {
            notifier.deliver(&target, Delivery::Post, shown, &invocation).await.unwrap();
        }
        let sent: Vec<_> = slack.messages_since(before).into_iter().map(|message| message.blocks).collect();
        assert_eq!(sent.len(), notifications.len(), "{name}");
        let picture = draw(title, &sent, &names);
        let path = docs().join(file(name));
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &picture).unwrap();
        } else if fs::read_to_string(&path).unwrap_or_default() != picture {
            different.push(file(name));
        }
        assert!(drawn.insert(file(name)), "{name} stands twice");
    }
    assert_eq!(slack.refusals(), []);
    assert!(different.is_empty(), "{different:?} show another message: draw them anew with UPDATE=1");
    for entry in fs::read_dir(docs().join(FOLDER)).unwrap() {
        let found = format!("{FOLDER}/{}", entry.unwrap().file_name().into_string().unwrap());
        assert!(drawn.contains(&found), "no message has the picture {found}");
    }
}

// 16, item 5
#[test]
fn the_documents_show_every_picture() {
    let page = fs::read_to_string(docs().join("messages.md")).unwrap();
    let readme = fs::read_to_string(docs().join("../README.md")).unwrap();
    for (name, _, _) in all() {
        match name {
            "readme" => assert!(readme.contains(&format!("(docs/{})", file(name)))),
            name => {
                assert!(page.contains(&format!("({})", file(name))), "docs/messages.md does not show {name}")
            }
        }
    }
}

// 16, item 5
#[test]
fn a_picture_shows_hostile_text_as_text_and_stays_within_its_width() {
    let hostile = "</text><script>alert(1)</script> & \"x\" ".to_owned() + &"w".repeat(400);
    let blocks = vec![
        json!({ "type": "header", "text": { "text": format!("🔴 {hostile}") } }),
        json!({ "type": "section", "text": { "text": hostile.replace('<', "&lt;").replace('>', "&gt;") } }),
        json!({ "type": "section", "fields": [{ "text": "*Owner*\n".to_owned() + &"W".repeat(200) }] }),
    ];
    let picture = draw("<title> & more", &[blocks], &BTreeMap::new());
    assert!(!picture.contains("<script"), "{picture}");
    assert!(picture.contains("&lt;/text&gt;&lt;script&gt;alert(1)"), "{picture}");
    assert!(picture.contains("&lt;title&gt; &amp; more"), "{picture}");
    // 60 of the widest letters would be wider than the picture.
    let longest = picture.split(|c| c != 'W' && c != 'w').map(str::len).max();
    assert!(longest < Some(60), "{longest:?}");
}
