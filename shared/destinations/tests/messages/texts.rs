//! Text messages: each kind as text in `texts/`, hostile names, and a picture of two of them.
//! `UPDATE=1 cargo test -p destinations --test messages texts` writes them anew; read and look at what has changed.

use crate::hostile::{names, notifications, with};
use crate::pictures::docs;
use crate::samples::all;
use crate::scenes;
use crate::snapshots::folder;
use crate::svg::{escape, frame};
use destinations::twilio::{plain, segments, text};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Where the picture is, below `docs/`.
const PICTURE: &str = "images/texts.svg";
const NOTE: &str = "Last text today, limit of 20 reached; see Tableau for more.";

#[test]
fn every_kind_of_text_is_as_its_snapshot_shows() {
    let rendered = Path::new(env!("CARGO_TARGET_TMPDIR")).join("texts");
    fs::create_dir_all(&rendered).unwrap();
    let mut different = Vec::new();
    let mut files = Vec::new();
    for (name, notifications) in all() {
        let mut lines = Vec::new();
        for shown in &notifications {
            let said = text(shown, None);
            assert_eq!(segments(&said), 1, "{said}");
            lines.push(said);
        }
        lines.extend(notifications.first().map(|shown| text(shown, Some(NOTE))));
        let lines = lines.join("\n") + "\n";
        let file = format!("{name}.txt");
        fs::write(rendered.join(&file), &lines).unwrap();
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all(folder("texts")).unwrap();
            fs::write(folder("texts").join(&file), &lines).unwrap();
        } else if fs::read_to_string(folder("texts").join(&file)).unwrap_or_default() != lines {
            different.push(file.clone());
        }
        files.push(file);
    }
    let from = rendered.display();
    assert!(
        different.is_empty(),
        "{different:?}: compare with {from}, and copy what is right from there, or all with UPDATE=1"
    );
    for entry in fs::read_dir(folder("texts")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        assert!(files.contains(&file), "no text has the snapshot {file}");
    }
}

#[test]
fn no_name_makes_a_text_longer_than_two_segments_or_more_than_one_line() {
    let mut count = 0;
    for (name, _) in names() {
        for shown in notifications().into_iter().map(|shown| with(&name, shown)) {
            for note in [None, Some(NOTE)] {
                let said = text(&shown, note);
                assert!(segments(&said) <= 2 && !said.contains(['\n', '\r']), "{said:?}");
                assert_eq!(plain(&said), said);
                assert!(note.is_none_or(|note| said.contains(note)), "{said:?}");
                count += 1;
            }
        }
    }
    assert!(count > 100, "{count}");
}

/// Lines of at most so many characters.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        for part in word.chars().collect::<Vec<_>>().chunks(width) {
            let part: String = part.iter().collect();
            let line = lines.last_mut().unwrap();
            if line.chars().count() + part.chars().count() + 1 > width && !line.is_empty() {
                lines.push(part);
            } else {
                line.push_str(if line.is_empty() { "" } else { " " });
                line.push_str(&part);
            }
        }
    }
    lines
}

/// Texts as a phone shows them.
fn drawn(title: &str, texts: &[String]) -> String {
    let mut body = String::new();
    let mut y = 18.0;
    for text in texts {
        let lines = wrapped(text, 52);
        let height = 16.0 + 19.0 * f64::from(u32::try_from(lines.len()).unwrap());
        writeln!(
            body,
            r##"<rect x="20" y="{y:.1}" width="420" height="{height:.1}" rx="14" fill="#e9e9eb"/>"##
        )
        .unwrap();
        for (n, line) in (1_u32..).zip(&lines) {
            let base = y + 5.0 + 19.0 * f64::from(n);
            writeln!(body, r#"<text x="34" y="{base:.1}">{}</text>"#, escape(line)).unwrap();
        }
        y += height + 12.0;
    }
    frame(title, y, "#ffffff", &body)
}

#[test]
fn the_documents_show_a_picture_of_texts() {
    let of = |scene: &str| {
        let (.., shown) = scenes::all().into_iter().find(|(name, ..)| *name == scene).unwrap();
        shown
    };
    let mut texts: Vec<String> = of("readme").iter().map(|shown| text(shown, None)).collect();
    texts.extend(of("group-opened").iter().map(|shown| text(shown, None)));
    texts.extend(of("digest").iter().map(|shown| text(shown, Some(NOTE))));
    let title = "Four text messages: an extract refresh has failed, it has recovered, six refreshes fail together, and what happened in quiet hours";
    let picture = drawn(title, &texts);
    let path = docs().join(PICTURE);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &picture).unwrap();
    }
    assert_eq!(texts.len(), 4, "{texts:?}");
    assert!(fs::read_to_string(&path).unwrap_or_default() == picture, "draw {PICTURE} anew with UPDATE=1");
    for page in ["messages.md", "../functions/send-sms/README.md"] {
        let page = fs::read_to_string(docs().join(page)).unwrap();
        assert!(page.contains(PICTURE), "no page shows {PICTURE}");
    }
}
