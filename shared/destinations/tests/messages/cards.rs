//! Cards and plain fields for flows: each kind as text in `teams/`, hostile names, and size.

use crate::hostile::{names, notifications, with};
use crate::samples::{all, event_named, members};
use crate::snapshots::{folder, readable};
use alerting::notification::{Kind, Mentioned, Notification, Person, Value as FactValue, group_announced};
use destinations::teams::{REQUEST_LIMIT, TeamsCredential, fields, render};
use serde_json::Value;
use simulator::{TeamsSimulator, render_post};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use workflow::Fixed;

/// What a flow posts of a card: each paragraph and each fact on a line. Panics if Teams would not show the card.
pub(crate) async fn posted(teams: &TeamsSimulator, http: &reqwest::Client, shown: &Notification) -> String {
    let url = teams.add_flow("finance");
    let before = teams.calls();
    let request = http.post(url).header("content-type", "application/json");
    let answer = request.body(render(shown).to_json().to_string()).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    assert_eq!(teams.run_failures(), []);
    render_post(&teams.posts_since(before)[0]) + "\n"
}

#[tokio::test]
async fn every_kind_of_card_and_of_fields_is_as_its_snapshot_shows() {
    let teams = TeamsSimulator::start().await.unwrap();
    let http = http_client::client(None).unwrap();
    let rendered = Path::new(env!("CARGO_TARGET_TMPDIR")).join("teams-messages");
    fs::create_dir_all(&rendered).unwrap();
    let mut different = Vec::new();
    let mut files = Vec::new();
    for (name, notifications) in all() {
        let mut texts = Vec::new();
        for shown in &notifications {
            texts.push(posted(&teams, &http, shown).await);
        }
        let plain = notifications
            .iter()
            .take(1)
            .map(|shown| serde_json::to_string_pretty(&fields(shown)).unwrap() + "\n");
        texts.extend(plain);
        let texts = texts.join("\n");
        let file = format!("{name}.txt");
        fs::write(rendered.join(&file), &texts).unwrap();
        if std::env::var_os("UPDATE").is_some() {
            fs::write(folder("teams").join(&file), &texts).unwrap();
        } else if fs::read_to_string(folder("teams").join(&file)).unwrap_or_default() != texts {
            different.push(file.clone());
        }
        files.push(file);
    }
    let from = rendered.display();
    assert!(
        different.is_empty(),
        "{different:?}: compare with {from}, and copy what is right from there, or all with UPDATE=1"
    );
    for entry in fs::read_dir(folder("teams")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        assert!(files.contains(&file), "no message has the snapshot {file}");
    }
}

/// The parts of a message in Slack as they are read: lines without markup, labels and values of fields, parts of the small print.
fn parts_in_slack(shown: &Notification) -> Vec<String> {
    let text = readable(&destinations::slack::render(shown));
    let mut parts = Vec::new();
    for line in text.lines() {
        let (kind, line) = match line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
            Some((kind, line)) => (kind, line),
            None => ("", line),
        };
        let line = line.replace(['*', '`', '\u{200b}'], "");
        let link = line.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')?.split_once('|'));
        match (kind, link) {
            // For push notifications: the same in other words.
            ("text", _) => {}
            (_, Some((url, label))) => parts.extend([url.to_owned(), label.to_owned()]),
            ("context", None) => parts.extend(line.split(" · ").map(str::to_owned)),
            _ => parts.push(line.replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")),
        }
    }
    parts
}

// 17, item 2
#[tokio::test]
async fn a_card_and_the_fields_say_all_that_slacks_message_says() {
    let teams = TeamsSimulator::start().await.unwrap();
    let http = http_client::client(None).unwrap();
    let mut count = 0;
    for (name, notifications) in all() {
        // Slack and Teams have room for different numbers of names.
        let is_long = name.ends_with("-500") || name == "report-of-many";
        for shown in notifications.into_iter().filter(|_| !is_long) {
            let card = posted(&teams, &http, &shown).await;
            let fields = fields(&shown);
            let plain = format!("{}\n{}", fields.text, fields.notes);
            let parts = parts_in_slack(&shown);
            assert!(!parts.is_empty(), "{name}");
            for part in parts {
                assert!(card.contains(&part), "{name}: `{part}` is not in the card\n{card}");
                assert!(plain.contains(&part), "{name}: `{part}` is not in the fields\n{plain}");
                count += 1;
            }
        }
    }
    assert!(count > 300, "{count}");
}

/// The bytes that count for a flow: other characters than ASCII as escapes.
fn weight(value: &Value) -> usize {
    value.to_string().chars().map(|c| if c.is_ascii() { 1 } else { 6 * c.len_utf16() }).sum()
}

/// As many owners as a message calls, with this name and the longest addresses.
fn owners(name: &str) -> Vec<Person> {
    let address = |n| format!("{n}.{}@example.com", "x".repeat(240));
    (0..5).map(|n| Person { name: name.to_owned(), email: Some(address(n)) }).collect()
}

// D010, D017, D028, D076, D134
#[tokio::test]
async fn no_name_makes_a_card_too_large_invalid_or_mention_anyone() {
    let teams = TeamsSimulator::start().await.unwrap();
    let http = http_client::client(None).unwrap();
    let mut hostile = names();
    for text in [
        "<at>Dana</at> ",
        "{{DATE(2026-01-01T00:00:00Z)}} ",
        "\u{1f600}",
        "売上",
        "\\",
        "| a | b |\n|---|---|\n",
    ] {
        hostile.push((text.repeat(10_000 / text.chars().count()), None));
    }
    for (name, _) in &hostile {
        // Longer than every part of a card, and not so long that this test takes a minute.
        let name: String = name.chars().take(2_000).collect();
        for shown in notifications() {
            let mut shown = with(&name, shown);
            for (n, list) in shown.lists.iter_mut().enumerate() {
                list.heading = list.heading.as_ref().map(|_| format!("{n} {name}"));
            }
            if shown.kind != Kind::Digest {
                shown.mentioned.owners = owners(&name);
                shown.mentioned.more_owners = 9;
            }
            let card = render(&shown);
            let weight = weight(card.to_json());
            assert!(
                weight <= REQUEST_LIMIT,
                "{weight} bytes for {:?}",
                name.chars().take(20).collect::<String>()
            );
            // The simulated flow checks envelope, version, elements, actions, mentions and size.
            posted(&teams, &http, &shown).await;
            assert!(serde_json::to_string(&fields(&shown)).unwrap().len() < 64 * 1024);
        }
    }
}

// D010, D134
#[test]
fn what_a_card_leaves_out_is_counted_in_it() {
    let sample = event_named("DatasourceRefreshFailed");
    let causes = ["C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10", "C11", "C12"];
    for (count, kinds) in [(3, 1), (190, 1), (190, 5), (500, 8), (500, 12), (2_000, 5)] {
        let members = members(count, |n| Some(causes[n % kinds]), |_| false);
        let shown = group_announced(&sample, &members, true, None);
        let card = render(&shown);
        let text = card.to_json().to_string();
        let named = text.matches("Sales report ").count();
        assert_eq!(named + card.left().items, count, "{kinds} causes: {text}");
        let said =
            text.split("… and ").skip(1).filter_map(|rest| rest.split(' ').next()?.parse::<usize>().ok());
        assert_eq!(said.sum::<usize>(), card.left().items, "{text}");
        assert!(weight(card.to_json()) <= REQUEST_LIMIT);
    }
    let long = "a long name of a data source ".repeat(3);
    let members = members(400, |_| Some("Credentials refused"), |_| false);
    let mut shown = group_announced(&sample, &members, true, None);
    shown.lists.iter_mut().flat_map(|list| &mut list.items).for_each(|item| item.name.clone_from(&long));
    assert!(!render(&shown).left().is_empty(), "400 long names do not fit");
}

// D134
#[test]
fn the_least_useful_part_goes_first_and_the_card_says_so() {
    let (_, mut used_by) = all().into_iter().find(|(name, _)| *name == "opened-used-by").unwrap();
    let mut shown = used_by.remove(1);
    assert!(render(&shown).left().is_empty());
    shown.footnotes.extend((0..8).map(|n| format!("note {n} {}", "x ".repeat(140))));
    let fact = shown.facts[3].clone();
    shown.facts.extend(vec![fact; 12]);
    let mut stages = Vec::new();
    for length in (0..3_000).step_by(50) {
        shown.own_text = Some("売".repeat(length));
        let card = render(&shown);
        let text = card.to_json().to_string();
        let left = card.left();
        for part in [
            "Credentials refused",
            "Login failed",
            "Next step",
            "First failure",
            "workbooks of at least 37 owners",
            "#/datasources/1",
        ] {
            assert!(text.contains(part), "{length}: no {part} in {text}");
        }
        assert_eq!(text.contains("left out, since the card is full: "), !left.is_empty(), "{text}");
        assert_eq!(
            text.contains("… and 995 more"),
            left.facts == 0,
            "names of workbooks go with the last facts: {text}"
        );
        assert!(weight(card.to_json()) <= REQUEST_LIMIT, "{length}");
        let stage = (left.footnotes > 0, left.facts > 0, left.shortened);
        if stages.last() != Some(&stage) {
            stages.push(stage);
        }
    }
    let expected = [(false, false, false), (true, false, false), (true, true, true)];
    assert_eq!(stages, expected, "notes, then the last facts and the names of workbooks");
}

// D134
#[test]
fn the_text_of_the_fields_counts_what_it_does_not_name() {
    let sample = event_named("DatasourceRefreshFailed");
    let causes = ["C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10", "C11", "C12"];
    for (count, kinds) in [(3, 1), (190, 5), (500, 12), (2_000, 5)] {
        let members = members(count, |n| Some(causes[n % kinds]), |_| false);
        let text = fields(&group_announced(&sample, &members, true, None)).text;
        let named = text.matches("Sales report ").count();
        let said =
            text.split("… and ").skip(1).filter_map(|rest| rest.split(' ').next()?.parse::<usize>().ok());
        assert_eq!(named + said.sum::<usize>(), count, "{kinds} causes: {text}");
        assert!(
            text.chars().count() <= 6_000 && text.ends_with(&format!("{count} objects in this message")),
            "{text}"
        );
        assert_eq!(text.contains("(Finance, Ana Ruiz)"), count == 3, "names are more important: {text}");
    }
}

// D134
#[test]
fn a_link_that_is_too_long_loses_its_query_and_one_that_still_is_is_not_shown() {
    let (_, mut opened) = all().into_iter().find(|(name, _)| *name == "opened").unwrap();
    let mut shown = opened.remove(0);
    let page = "https://tableau.example/#/datasources/1";
    let long = "x".repeat(3_000);
    for (url, expected) in [
        (format!("{page}?tab=2"), format!("{page}?tab=2")),
        (format!("{page}?q={long}"), page.to_owned()),
        (format!("{page}/{long}"), String::new()),
    ] {
        shown.links[0].url = url;
        let card = render(&shown);
        let opened = card.to_json()["attachments"][0]["content"]["actions"][0]["url"].clone();
        assert_eq!(opened.as_str().unwrap_or_default(), expected);
        assert_eq!(fields(&shown).link, expected);
    }
}

// D076
#[test]
fn an_owner_without_an_address_is_named_and_people_of_one_name_have_two_texts() {
    let person =
        |name: &str, email: Option<&str>| Person { name: name.to_owned(), email: email.map(str::to_owned) };
    let (_, mut opened) = all().into_iter().find(|(name, _)| *name == "opened").unwrap();
    let mut shown = opened.remove(0);
    shown.mentioned = Mentioned {
        owners: vec![
            person("Dana [Holt]", Some("dana@example.com")),
            person("Dana Holt", Some("dana.holt@example.com")),
            person("Ana_Ruiz", None),
        ],
        more_owners: 2,
        named: vec!["bo@example.com".to_owned()],
        if_unknown: vec!["lead@example.com".to_owned(), "DANA@example.com".to_owned()],
    };
    let card = render(&shown);
    let content = &card.to_json()["attachments"][0]["content"];
    let line = content["body"][1]["text"].as_str().unwrap();
    assert_eq!(
        line,
        "<at>Dana Holt</at> · <at>dana.holt@example.com</at> · <at>bo@example.com</at> · <at>lead@example.com</at> · \
         owner Ana\\_Ruiz: Tableau has no e-mail address · and 2 more owners"
    );
    let entities = content["msteams"]["entities"].as_array().unwrap();
    assert_eq!(entities.len(), 4);
    for entity in entities {
        assert!(line.contains(entity["text"].as_str().unwrap()), "{entity}");
        assert_eq!(entity["text"], format!("<at>{}</at>", entity["mentioned"]["name"].as_str().unwrap()));
    }
}

// D001
#[tokio::test]
async fn an_answer_is_not_waited_for_once_its_status_is_a_success() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // The status comes, and the body never does.
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 4096];
        let _ = stream.read(&mut buffer).await.unwrap();
        stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 1000\r\n\r\n").await.unwrap();
        tokio::time::sleep(std::time::Duration::from_secs(30)).await;
    });
    let secret = format!(r#"{{"webhooks":{{"finance":"http://{address}/x?sig=simulated"}}}}"#);
    let credential: TeamsCredential = serde_json::from_str(&secret).unwrap();
    let teams =
        destinations::teams::Teams::new(http_client::client(None).unwrap(), Arc::new(Fixed::new(credential)));
    let posted = tokio::time::timeout(std::time::Duration::from_secs(3), teams.post("finance", "{}")).await;
    server.abort();
    assert!(posted.expect("the body is not read").is_ok());
}

#[test]
fn the_text_of_fields_is_bounded_in_bytes_and_keeps_its_link() {
    let (_, mut opened) = all().into_iter().find(|(name, _)| *name == "opened").unwrap();
    let opened = opened.remove(0);
    for word in ["日本語の長い説明", "👍", "long words "] {
        let mut shown = Notification { own_text: Some(word.repeat(2_000)), ..opened.clone() };
        for fact in &mut shown.facts {
            fact.value = FactValue::Text(word.repeat(2_000));
        }
        let text = fields(&shown).text;
        assert!(text.contains("Open in Tableau: https://"), "{word}");
        let bytes: usize = text.chars().map(|c| if c.is_ascii() { 1 } else { 6 * c.len_utf16() }).sum();
        assert!((5_000..=20_000).contains(&bytes), "{word}: {bytes}");
    }
}
