//! The pictures of cards, drawn from what a simulated flow posts.
//! `UPDATE=1 cargo test -p destinations --test messages card_pictures` draws them anew; look at what has changed.

use crate::card_svg::draw;
use crate::cards::posted;
use crate::pictures::docs;
use crate::scenes::all;
use simulator::TeamsSimulator;
use std::collections::BTreeSet;
use std::fs;

const FOLDER: &str = "images/teams";

/// The scenes of `docs/messages.md` that are shown as cards too: parts that look different in Teams.
const SHOWN: [&str; 6] = ["readme", "mentions", "suspended", "group-opened", "group-resolved", "digest"];

/// Where the picture of a scene is, below `docs/`. The readme of notify-teams has one.
fn file(name: &str) -> String {
    if name == "readme" { "images/teams-message.svg".to_owned() } else { format!("{FOLDER}/{name}.svg") }
}

// 17, item 2
#[tokio::test]
async fn cards_have_pictures_of_what_a_flow_posts() {
    let teams = TeamsSimulator::start().await.unwrap();
    let http = http_client::client(None).unwrap();
    let mut different = Vec::new();
    let mut drawn = BTreeSet::new();
    for (name, title, notifications) in all().into_iter().filter(|(name, ..)| SHOWN.contains(name)) {
        let before = teams.calls();
        for shown in &notifications {
            posted(&teams, &http, shown).await;
        }
        let posts = teams.posts_since(before);
        assert_eq!(posts.len(), notifications.len(), "{name}");
        let cards: Vec<_> = posts.iter().map(|post| post.card().unwrap().clone()).collect();
        let picture = draw(&title.replace("a Slack channel", "a channel of Teams"), &cards);
        let path = docs().join(file(name));
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &picture).unwrap();
        } else if fs::read_to_string(&path).unwrap_or_default() != picture {
            different.push(file(name));
        }
        drawn.insert(file(name));
    }
    assert!(different.is_empty(), "{different:?} show another card: draw them anew with UPDATE=1");
    assert_eq!(drawn.len(), SHOWN.len(), "{drawn:?}");
    for entry in fs::read_dir(docs().join(FOLDER)).unwrap() {
        let found = format!("{FOLDER}/{}", entry.unwrap().file_name().into_string().unwrap());
        assert!(drawn.contains(&found), "no card has the picture {found}");
    }
}

// 17, item 2
#[test]
fn the_documents_show_every_picture_of_a_card() {
    let page = fs::read_to_string(docs().join("messages.md")).unwrap();
    let readme = fs::read_to_string(docs().join("../functions/notify-teams/README.md")).unwrap();
    for name in SHOWN {
        match name {
            "readme" => assert!(readme.contains(&format!("(../../docs/{})", file(name)))),
            name => {
                assert!(page.contains(&format!("({})", file(name))), "docs/messages.md does not show {name}")
            }
        }
    }
}
